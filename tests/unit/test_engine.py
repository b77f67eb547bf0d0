"""The event loop: order of events, what the log says, slices, and what it refuses to run."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.engine.event_loop import COLUMNS, Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, FLEET, NODE, JobTable
from fleetlab.policy.refusal import Refusal
from tests.replay import check, refusals_of, rows_of


def run(fleet: Fleet, jobs: JobTable, **policy: object) -> Engine:
    engine = Engine(fleet, jobs, Policy(**policy), np.random.default_rng(0)).run()  # type: ignore
    check(fleet, jobs, engine)
    return engine


def test_the_log_tells_the_whole_story_of_two_jobs_on_one_gpu() -> None:
    engine = run(Fleet.pool(1), JobTable([0, 4], [10, 5], [1, 1]))
    assert [tuple(row) for row in rows_of(engine)] == [
        (0, Event.SUBMIT, 0, 0, 0),
        (0, Event.PLACE, 0, 0, 1),
        (0, Event.START, 0, 10, 0),
        (4, Event.SUBMIT, 1, 0, 0),
        (4, Event.REFUSE, 1, Refusal.TOO_FEW_FREE, -1),
        (10, Event.END, 0, 0, 0),
        (10, Event.PLACE, 1, 0, 1),
        (10, Event.START, 1, 15, 0),
        (15, Event.END, 1, 0, 0),
    ]
    assert len(COLUMNS) == 5


def test_ends_come_before_submissions_at_the_same_instant() -> None:
    engine = run(Fleet.pool(1), JobTable([0, 10], [10, 5], [1, 1]))
    assert engine.start_ms == [0, 10]
    assert refusals_of(engine, 1) == []


def test_jobs_that_come_together_are_served_in_their_running_order() -> None:
    engine = run(Fleet.pool(1), JobTable([5, 5, 5], [1, 1, 1], [1, 1, 1]))
    assert engine.start_ms == [5, 6, 7]


def test_jobs_need_not_be_sorted_by_submission() -> None:
    engine = run(Fleet.pool(1), JobTable([9, 0, 4], [2, 5, 5], [1, 1, 1]))
    assert engine.start_ms == [10, 0, 5]


def test_a_gang_waits_until_one_whole_node_is_free() -> None:
    # two nodes of 2, one GPU used of each: node 0 till 20, node 1 till 10
    jobs = JobTable([0, 0, 1], [20, 10, 5], [1, 1, 2], span=NODE)
    engine = run(Fleet(1, 2, 2), jobs, placement="worst-fit", backfill="none")
    assert engine.start_ms == [0, 0, 10]
    assert refusals_of(engine, 2) == [Refusal.NO_NODE_HOLDS_IT]


def test_of_two_gangs_that_want_six_of_eight_each_one_runs_and_holds_nothing_back() -> None:
    # hold-and-wait would lock both; a gang takes all or nothing
    engine = run(Fleet.pool(8), JobTable([0, 0], [10, 10], [6, 6]), backfill="none")
    assert engine.start_ms == [0, 10]
    assert refusals_of(engine, 1) == [Refusal.TOO_FEW_FREE]


def test_a_reason_is_logged_once_for_as_long_as_it_stays_and_again_when_it_changes() -> None:
    # two nodes of 2; all used till 10, then one GPU of each till 20 and 30
    jobs = JobTable(
        [0, 0, 0, 0, 1, 2], [10, 20, 10, 30, 5, 1], [1, 1, 1, 1, 2, 2], span=[1, 1, 1, 1, 1, 1]
    )
    engine = run(Fleet(1, 2, 2), jobs, backfill="none")
    assert refusals_of(engine, 4) == [Refusal.TOO_FEW_FREE, Refusal.NO_NODE_HOLDS_IT]
    assert engine.start_ms[4] == 20


def test_a_job_that_no_empty_fleet_could_run_is_rejected_at_once_and_holds_nobody_up() -> None:
    jobs = JobTable([0, 1], [5, 5], [9, 8], span=NODE)
    engine = run(Fleet(2, 1, 8), jobs)
    rejected = [row for row in rows_of(engine) if row.kind == Event.REJECT]
    assert [(row.time_ms, row.job, row.a) for row in rejected] == [
        (0, 0, Refusal.TOO_LARGE_FOR_THE_FLEET)
    ]
    assert engine.start_ms == [-1, 1]
    assert engine.end_ms == [-1, 6]


def test_a_fleet_without_the_class_a_job_needs_rejects_it() -> None:
    engine = run(Fleet(1, 2, 1), JobTable([0], [5], [1], needs_class=1))
    assert [row.kind for row in rows_of(engine)] == [Event.SUBMIT, Event.REJECT]


def test_a_gang_that_no_block_has_capable_nodes_for_is_rejected_and_does_not_wait_for_ever() -> (
    None
):
    # one V2 a block; two are wanted in one block
    engine = run(Fleet(2, 2, 1, (1, 1)), JobTable([0], [5], [2], span=BLOCK, needs_class=1))
    assert engine.start_ms == [-1]


def test_the_log_tells_the_gpus_by_their_bits_and_a_pool_tells_their_count() -> None:
    jobs = JobTable([0, 1], [9, 9], [2, 3])
    for fleet, told in ((Fleet.pool(8), [0b11, 0b11100]), (Fleet.pool(100), [2, 3])):
        placed = [row.b for row in rows_of(run(fleet, jobs)) if row.kind == Event.PLACE]
        assert placed == told


# ------------------------------------------------------------------ classes and blind dispatch


def test_capability_matching_drops_nobody_and_packing_blind_drops_every_heavy_model() -> None:
    # 8x16x1@9,5,2: 16 devices can run the heavy model; blind best fit packs the V1 first
    fleet = Fleet.parse("8x16x1@9,5,2")
    jobs = JobTable(list(range(10)), [1000] * 10, [1] * 10, span=NODE, needs_class=2)
    for blind, dropped in ((False, 0), (True, 10)):
        rows = rows_of(run(fleet, jobs, blind=blind))
        drops = [row for row in rows if row.kind == Event.DROP]
        assert len(drops) == dropped
        assert all(fleet.class_of(row.a) < 2 for row in drops)


def test_blind_dispatch_at_random_drops_in_proportion_to_the_devices_that_cannot() -> None:
    fleet = Fleet.parse("8x16x1@9,5,2")
    count = 2000
    jobs = JobTable(list(range(count)), [0] * count, [1] * count, span=NODE, needs_class=2)
    rows = rows_of(run(fleet, jobs, blind=True, placement="random"))
    drops = sum(row.kind == Event.DROP for row in rows)
    expected, deviation = 0.875, (0.875 * 0.125 / count) ** 0.5
    assert abs(drops / count - expected) < 4 * deviation


def test_a_dropped_job_leaves_its_device_free_at_the_same_instant() -> None:
    jobs = JobTable([0, 0], [10, 10], [1, 1], span=NODE, needs_class=[1, 0])
    engine = run(Fleet(1, 2, 1, (1, 1)), jobs, blind=True)
    assert engine.start_ms == [-1, 0]


def test_a_gang_is_dropped_if_any_of_its_devices_cannot_run_it() -> None:
    # first fit takes node 0 (V1) last only if it must: here both are taken
    jobs = JobTable([0], [10], [2], needs_class=1)
    engine = Engine(Fleet(1, 2, 1, (1, 1)), jobs, Policy(blind=True), np.random.default_rng(0))
    rows = rows_of(engine.run())
    assert [row.kind for row in rows][-1] == Event.DROP
    assert rows[-1].a == 0


def test_a_share_is_dropped_by_a_device_that_cannot_run_it() -> None:
    jobs = JobTable([0], [10], [1], gpu_milli=500, needs_class=1)
    engine = run(Fleet(1, 2, 1, (1, 1)), jobs, blind=True)
    assert [row.kind for row in rows_of(engine)] == [Event.SUBMIT, Event.SHARE, Event.DROP]


@pytest.mark.parametrize("backfill", ["none", "skip", "easy", "conservative"])
def test_drops_do_not_leave_the_rest_waiting_for_ever(backfill: str) -> None:
    # one V1: a light job, then a heavy one that is dropped, then a light one
    jobs = JobTable([0, 1, 1], [10, 10, 10], [1, 1, 1], needs_class=[0, 1, 0])
    engine = run(Fleet(1, 2, 1, (1, 1)), jobs, backfill=backfill, blind=True)
    assert engine.start_ms[2] >= 0


# ------------------------------------------------------------------ jobs of no length


@pytest.mark.parametrize("backfill", ["none", "skip", "easy", "conservative"])
def test_jobs_of_no_length_run_one_after_another_at_one_instant(backfill: str) -> None:
    engine = run(Fleet.pool(1), JobTable([3] * 4, [0] * 4, [1] * 4), backfill=backfill)
    assert engine.start_ms == [3, 3, 3, 3]


def test_a_job_promised_a_time_at_which_nothing_else_happens_starts_then() -> None:
    # shortest first; the zeros end at once, the plan moves, and 1 ms is left that nobody ends at
    jobs = JobTable(
        [0] * 8 + [1, 0, 0],
        [0] * 7 + [1, 2, 3, 0],
        [1] * 11,
        estimate_ms=[0] * 7 + [1, 2, 3, 1],
    )
    engine = run(Fleet.pool(1), jobs, order="sjf", backfill="conservative")
    assert min(engine.start_ms) >= 0


def test_a_plan_is_made_anew_when_a_job_ends_later_than_it_estimated() -> None:
    jobs = JobTable([0, 0], [20, 5], [1, 1], estimate_ms=[10, 5])
    engine = run(Fleet.pool(1), jobs, backfill="conservative")
    assert engine.start_ms == [0, 20]


def test_conservative_plans_on_many_nodes() -> None:
    jobs = JobTable([0, 0, 1], [10, 20, 5], [2, 2, 2], span=[NODE, NODE, FLEET])
    engine = run(Fleet(2, 1, 2), jobs, backfill="conservative")
    assert engine.start_ms == [0, 0, 10]


# ------------------------------------------------------------------ slices


def test_progress_is_told_after_every_so_many_events_and_ends_at_one() -> None:
    jobs = JobTable(list(range(10)), [1] * 10, [1] * 10)
    engine = Engine(Fleet.pool(4), jobs, Policy(), np.random.default_rng(0))
    assert list(engine.steps(5)) == [0.3, 0.6, 0.9, 1.0]


def test_an_empty_workload_is_done_at_once() -> None:
    engine = Engine(Fleet.pool(4), JobTable([], [], []), Policy(), np.random.default_rng(0))
    assert list(engine.steps()) == [1.0]
    assert len(engine.log) == 0


# ------------------------------------------------------------------ what it refuses to run


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("order", "fifo, sjf, smallest, priority"),
        ("backfill", "none, skip, easy, conservative"),
        ("placement", "random, first-fit, best-fit"),
    ],
)
def test_an_unknown_policy_is_refused_with_the_choices(name: str, choices: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: 'best' is not one of .*{choices}"):
        Policy(**{name: "best"})


def test_shares_are_refused_where_gpus_are_only_counted() -> None:
    jobs = JobTable([0], [5], [1], gpu_milli=500)
    with pytest.raises(ValueError, match="choose nodes of at most 62 GPUs"):
        Engine(Fleet.pool(100), jobs, Policy(), np.random.default_rng(0))


def test_shares_are_refused_under_conservative_backfill() -> None:
    jobs = JobTable([0], [5], [1], gpu_milli=500)
    with pytest.raises(ValueError, match="choose easy, skip or none"):
        Engine(Fleet.pool(8), jobs, Policy(backfill="conservative"), np.random.default_rng(0))
