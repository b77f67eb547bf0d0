"""Quota, fair share and dominant share in runs: who may start, who is next, who gives back."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.engine.accounts import Accounts
from fleetlab.engine.conditions import Conditions
from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.log import Cause
from fleetlab.policy.placement import Refusal
from tests.attempts import play, starts, story
from tests.replay import refusals_of


def test_hard_quota_keeps_a_tenant_waiting_beside_free_gpus() -> None:
    # 8 GPUs, quota 4 and 4; tenant 0 asks for 3 and 3
    jobs = JobTable([0, 0], [10, 10], [3, 3])
    engine = play(Fleet.pool(8), jobs, quota_rule="hard", quota=(4, 4))
    assert engine.start_ms == [0, 10]
    assert refusals_of(engine, 1) == [Refusal.OVER_QUOTA]


def test_a_job_over_its_quota_holds_up_nobody_behind_it() -> None:
    jobs = JobTable([0, 0, 0], [10, 10, 10], [4, 1, 4], tenant=[0, 0, 1])
    engine = play(Fleet.pool(8), jobs, backfill="none", quota_rule="hard", quota=(4, 4))
    assert engine.start_ms == [0, 10, 0]


def test_a_job_larger_than_its_hard_quota_is_refused_for_good_and_waits_not_for_ever() -> None:
    engine = play(Fleet.pool(8), JobTable([0], [10], [5]), quota_rule="hard", quota=(4, 4))
    assert story(engine, Event.REJECT) == [(0, Event.REJECT, 0, Refusal.OVER_QUOTA, 0)]


def test_a_job_of_exactly_its_quota_starts() -> None:
    engine = play(Fleet.pool(8), JobTable([0], [10], [4]), quota_rule="hard", quota=(4, 4))
    assert engine.start_ms == [0]


def test_borrowing_is_allowed_from_quota_that_nobody_uses_and_the_owner_then_waits() -> None:
    # tenant 0 borrows 2; at 1 the owner of 4 finds 2 free
    jobs = JobTable([0, 1], [10, 5], [6, 4], tenant=[0, 1])
    engine = play(Fleet.pool(8), jobs, quota_rule="borrowable", quota=(4, 4))
    assert engine.start_ms == [0, 10]
    assert story(engine, Event.INTERRUPT) == []


def test_reclaimable_quota_takes_back_what_was_borrowed() -> None:
    jobs = JobTable([0, 0, 1], [10, 10, 5], [4, 2, 4], tenant=[0, 0, 1])
    engine = play(Fleet.pool(8), jobs, quota_rule="reclaimable", quota=(4, 4))
    # the cheaper of tenant 0's two goes; then it borrows no more
    assert [row[:4] for row in story(engine, Event.INTERRUPT)] == [
        (1, Event.INTERRUPT, 1, Cause.QUOTA)
    ]
    assert engine.start_ms == [0, 0, 1]
    assert starts(engine)[-1] == (6, 1)


def test_a_borrower_reclaims_nothing() -> None:
    # tenant 1 asks for 5 with a quota of 4: it would borrow itself
    jobs = JobTable([0, 1], [10, 5], [6, 5], tenant=[0, 1])
    engine = play(Fleet.pool(8), jobs, quota_rule="reclaimable", quota=(4, 4))
    assert engine.start_ms == [0, 10]


def test_who_is_within_its_quota_loses_nothing_to_a_reclaim() -> None:
    # tenants 0 and 1 use their own 2 and 3; tenant 2 borrows 2 and gives them back
    jobs = JobTable([0, 0, 0, 1], [9, 9, 9, 5], [2, 3, 3, 3], tenant=[0, 1, 2, 0])
    engine = play(Fleet.pool(8), jobs, quota_rule="reclaimable", quota=(5, 2, 1))
    cut = [row[2] for row in story(engine, Event.INTERRUPT)]
    assert cut == [2]  # 2 of 1 borrowed is more than 1 of 2
    assert engine.start_ms[3] == 1


def test_under_reclaimable_quota_priority_evicts_only_ones_own() -> None:
    # the high job of tenant 1 would borrow; tenant 0's low job is within its quota
    jobs = JobTable([0, 1], [10, 5], [4, 5], tenant=[0, 1], priority=[0, 9])
    engine = play(
        Fleet.pool(8),
        jobs,
        order="priority",
        preemption="priority",
        quota_rule="reclaimable",
        quota=(4, 4),
    )
    assert story(engine, Event.INTERRUPT) == []
    assert engine.start_ms == [0, 10]


def test_a_team_has_what_its_department_leaves_it() -> None:
    # teams 0 and 1 share a department of 6, though each may have 4; team 2 is on its own
    jobs = JobTable([0, 0, 0], [10, 10, 10], [4, 3, 2], tenant=[0, 1, 2])
    engine = play(
        Fleet.pool(8),
        jobs,
        quota_rule="hard",
        quota=(4, 4, 2),
        departments=(0, 0, 1),
        department_quota=(6, 2),
    )
    assert engine.start_ms == [0, 10, 0]
    assert refusals_of(engine, 1) == [Refusal.OVER_QUOTA]


def test_memory_is_counted_and_a_job_that_needs_more_than_there_is_is_refused_for_good() -> None:
    jobs = JobTable([0, 0, 0], [10, 10, 10], [1, 1, 1], memory_gb=[5, 4, 9])
    engine = play(Fleet.pool(8), jobs, Conditions(memory_gb=8))
    assert engine.start_ms == [0, 10, -1]
    assert refusals_of(engine, 1) == [Refusal.TOO_LITTLE_MEMORY]
    assert story(engine, Event.REJECT)[0][3] == Refusal.TOO_LITTLE_MEMORY


# ------------------------------------------------------------------ fair share and DRF


def test_fair_share_serves_first_who_had_least() -> None:
    # tenant 0 ran 10 ms; of the two that wait at 10, tenant 1's goes first though it came later
    jobs = JobTable([0, 1, 2], [10, 5, 5], [1, 1, 1], tenant=[0, 0, 1])
    engine = play(Fleet.pool(1), jobs, order="fair")
    assert engine.start_ms == [0, 15, 10]


def test_fair_share_goes_by_target_over_actual() -> None:
    # after 0-10 (tenant 0) and 10-20 (tenant 1) both had half; weights 3:1 favour tenant 0
    jobs = JobTable([0, 1, 2, 3], [10, 10, 5, 5], [1] * 4, tenant=[0, 1, 1, 0])
    assert play(Fleet.pool(1), jobs, order="fair", weights=(3, 1)).start_ms == [0, 10, 25, 20]
    assert play(Fleet.pool(1), jobs, order="fair", weights=(1, 3)).start_ms == [0, 10, 20, 25]


def test_what_was_used_long_ago_counts_half_after_each_half_life() -> None:
    # at 36 tenant 0 had 16 ms, 20 ms ago; tenant 1 had 10 ms just now
    jobs = JobTable([0, 26, 27, 28], [16, 10, 5, 5], [1] * 4, tenant=[0, 1, 1, 0])
    # half-life 10: 16 counts about 4 or less against about 10, so tenant 0 goes first
    assert play(Fleet.pool(1), jobs, order="fair", half_life_ms=10).start_ms[2:] == [41, 36]
    # hardly any decay: 16 against 10, so tenant 1 does
    assert play(Fleet.pool(1), jobs, order="fair", half_life_ms=10**6).start_ms[2:] == [36, 41]


def test_looking_at_the_books_more_often_changes_nothing() -> None:
    jobs = JobTable([0, 0], [1, 1], [3, 2], tenant=[0, 1])
    policy = Policy(order="fair", half_life_ms=50)
    often, once = (Accounts(Fleet.pool(8), jobs, policy, 0) for _ in range(2))
    for books in (often, once):
        books.take(0, 3000, 0)
        books.take(1, 2000, 40)
    for now in range(41, 200, 3):
        often.fair_priority(0, now)
    assert often.fair_priority(0, 200) == pytest.approx(once.fair_priority(0, 200), rel=1e-5)
    # by hand: 3 for 200 ms against 2 for 160 ms, each half-life of 50 ms counting half
    ratio = 3 * (1 - 0.5**4) / (2 * (1 - 0.5 ** (160 / 50)))
    target = 0.5 / (ratio / (1 + ratio) + 0.01)
    assert once.fair_priority(0, 200) / 10**12 == pytest.approx(target, rel=1e-4)


def test_priority_multiplies_a_fair_share() -> None:
    # P = 1 + priority: 4 x 0.5/(1 + 0.01) = 1.98 is below 0.5/0.01 = 50
    jobs = JobTable([0, 1, 2], [10, 5, 5], [1, 1, 1], tenant=[0, 0, 1], priority=[0, 3, 0])
    assert play(Fleet.pool(1), jobs, order="fair").start_ms == [0, 15, 10]
    # 120 x 0.5/1.01 = 59 is above it
    jobs = JobTable([0, 1, 2], [10, 5, 5], [1, 1, 1], tenant=[0, 0, 1], priority=[0, 119, 0])
    assert play(Fleet.pool(1), jobs, order="fair").start_ms == [0, 10, 15]


def test_the_engine_grants_the_papers_tasks_by_dominant_share() -> None:
    # 9 CPUs (as GPUs), 18 GB; A asks for <1, 4>, B for <3, 1>; all wait from 0 and nobody ends
    wide = JobTable(
        [0] * 12,
        [100] * 12,
        [1] * 6 + [3] * 6,
        tenant=[0] * 6 + [1] * 6,
        memory_gb=[4] * 6 + [1] * 6,
    )
    conditions = Conditions(memory_gb=18)
    engine = play(Fleet.pool(9), wide, conditions, order="drf", backfill="none")
    granted = ["AB"[wide.tenant[job]] for time, job in starts(engine) if time == 0]
    assert sorted(granted) == ["A", "A", "A", "B", "B"]
    # of equals the earlier goes first, so A begins; the paper's table begins with B
    assert granted == ["A", "B", "A", "B", "A"]


def test_weighted_dominant_shares_give_the_heavier_tenant_more() -> None:
    jobs = JobTable([0] * 12, [100] * 12, [1] * 12, tenant=[0] * 6 + [1] * 6)
    engine = play(Fleet.pool(6), jobs, order="drf", weights=(2, 1))
    held = [sum(jobs.tenant[job] == t for time, job in starts(engine) if time == 0) for t in (0, 1)]
    assert held == [4, 2]


def test_tenants_are_offered_by_dominant_share_as_in_the_mesos_sorter() -> None:
    # (100, 100): a holds (5, 5), b (6, 6), c (1, 1), d (3, 1); one GPU is left and all ask for it
    fillers = 100 - 15 - 1
    jobs = JobTable(
        [0] * 5 + [1] * 4,
        [9] * 5 + [20] * 4,
        [5, 6, 1, 3, fillers] + [1] * 4,
        tenant=[0, 1, 2, 3, 4, 0, 1, 2, 3],
        memory_gb=[5, 6, 1, 1, 0] + [0] * 4,
    )
    engine = Engine(
        Fleet.pool(100), jobs, Policy(order="drf"), np.random.default_rng(0),
        Conditions(memory_gb=100),
    )  # fmt: skip
    for _ in engine.steps(1):
        if engine.now == 1:
            break
    attempts = engine.mechanisms.attempts  # type: ignore[union-attr]
    # job 7 of c took the last one and c then holds (2, 1)
    assert engine.start_ms[5:] == [-1, -1, 1, -1]
    assert [attempts.dominant_share(tenant) for tenant in range(4)] == [
        5 * 10**10, 6 * 10**10, 2 * 10**10, 3 * 10**10,
    ]  # fmt: skip


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"quota_rule": "hard", "quota": (5, 4)}, "quota: the quotas add up to 9 GPUs and the"),
        (
            {
                "quota_rule": "hard",
                "quota": (4, 4),
                "departments": (0, 1),
                "department_quota": (4, 5),
            },
            "department_quota: the quotas add up to 9 GPUs and the fleet has 8",
        ),
        ({"quota_rule": "hard", "quota": (4,)}, "quota: 1 given for 2 tenants; give one each"),
        ({"order": "fair", "weights": (1,)}, "weights: 1 given for 2 tenants; give one each"),
    ],
)
def test_books_that_cannot_be_kept_are_refused_before_the_run(policy, reason) -> None:
    jobs = JobTable([0, 0], [1, 1], [1, 1], tenant=[0, 1])
    with pytest.raises(ValueError, match=reason):
        Engine(Fleet.pool(8), jobs, Policy(**policy), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"quota": (1,)}, "there are quotas and no rule; choose a quota_rule"),
        ({"quota_rule": "hard"}, "the rule needs a quota for every tenant"),
        ({"quota_rule": "hard", "quota": (-1,)}, "a quota is negative"),
        (
            {"quota_rule": "hard", "quota": (1, 1), "departments": (0,), "department_quota": (2,)},
            "departments: 1 given for 2 tenants",
        ),
        (
            {"quota_rule": "hard", "quota": (1,), "departments": (1,), "department_quota": (2,)},
            "departments: department 1 has no department_quota",
        ),
        ({"weights": (0, 1)}, "weights: 0 is below 1"),
        ({"half_life_ms": 0}, "half_life_ms: 0 is below 1"),
        ({"starvation_ms": -1}, "starvation_ms: -1 is negative"),
        ({"patience_ms": float("nan")}, "patience_ms: nan is not a whole number"),
        ({"half_life_ms": float("inf")}, "half_life_ms: inf is not a whole number"),
        ({"quota_rule": "hard", "quota": (1.5,)}, "quota: 1.5 is not a whole number"),
        ({"service_thresholds_gpu_ms": (5, 5)}, "give rising numbers"),
        ({"quota_rule": "soft"}, "quota_rule: 'soft' is not one of none, hard"),
    ],
)
def test_an_impossible_policy_is_refused_in_one_sentence_that_names_the_field(
    policy, reason
) -> None:
    with pytest.raises(ValueError, match=reason):
        Policy(**policy)
