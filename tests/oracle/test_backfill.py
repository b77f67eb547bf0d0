"""Backfill against published finish times, and against cases worked out by hand.

Rows are (submit, estimate, processors, actual) on one machine of 100
processors; times in ms, though the unit does not matter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, FLEET, NODE, JobTable
from fleetlab.policy.refusal import Refusal
from tests.replay import check, refusals_of, rows_of

Rows = list[tuple[int, int, int, int]]


def schedule(
    rows: Rows,
    backfill: str,
    fleet: Fleet | None = None,
    placement: str = "best-fit",
    kill_at_estimate: bool = False,
    **columns: Any,
) -> Engine:
    """Return the finished run of ``rows``; every run's log is replayed."""
    submit, estimate, gpus, actual = (list(column) for column in zip(*rows, strict=True))
    jobs = JobTable(submit, actual, gpus, estimate_ms=estimate, **columns)
    policy = Policy(backfill=backfill, placement=placement, kill_at_estimate=kill_at_estimate)
    fleet = fleet or Fleet.pool(100)
    engine = Engine(fleet, jobs, policy, np.random.default_rng(0)).run()
    check(fleet, jobs, engine)
    return engine


def promises(engine: Engine, job: int) -> list[int]:
    return [row.a for row in rows_of(engine) if row.kind == Event.RESERVE and row.job == job]


def nodes_of(engine: Engine, job: int) -> list[int]:
    kinds = (Event.PLACE, Event.SHARE)
    return [row.a for row in rows_of(engine) if row.kind in kinds and row.job == job]


FOUR: Rows = [(0, 100, 70, 100), (1, 100, 80, 100), (2, 100, 90, 100), (50, 250, 20, 250)]


@pytest.mark.parametrize(
    ("backfill", "rows", "finish"),
    [
        ("none", [(0, 5, 60, 5), (1, 5, 70, 5), (2, 5, 60, 5), (3, 5, 100, 5)], [5, 10, 15, 20]),
        ("easy", FOUR, [100, 200, 400, 300]),
        ("conservative", FOUR, [100, 200, 300, 550]),
        (
            "easy",
            [(0, 600, 90, 600), (0, 10, 10, 10), (1, 10, 100, 10), (10, 10, 10, 10)],
            [600, 10, 610, 20],
        ),
        (
            "conservative",
            [
                (0, 800, 50, 600),
                (1, 400, 100, 200),
                (2, 200, 10, 100),
                (99, 10, 10, 10),
                (100, 31, 40, 30),
            ],
            [600, 800, 102, 109, 132],
        ),
    ],
)
def test_published_schedules_are_met(backfill: str, rows: Rows, finish: list[int]) -> None:
    assert schedule(rows, backfill).end_ms == finish


@pytest.mark.parametrize("backfill", ["easy", "conservative"])
def test_a_job_that_ends_just_when_the_head_starts_passes_it(backfill: str) -> None:
    # 40 are free until 10; the head takes 70 then
    engine = schedule([(0, 10, 60, 10), (1, 10, 70, 10), (2, 8, 40, 8)], backfill)
    assert engine.end_ms == [10, 20, 10]
    assert promises(engine, 1) == [10]


def test_a_job_that_ends_one_later_does_not_pass_and_says_why() -> None:
    engine = schedule([(0, 10, 60, 10), (1, 10, 70, 10), (2, 9, 40, 9)], "easy")
    assert engine.end_ms == [10, 20, 29]
    assert refusals_of(engine, 2)[0] is Refusal.WOULD_DELAY_THE_HEAD
    assert refusals_of(engine, 1) == [Refusal.TOO_FEW_FREE]


def test_a_job_that_comes_at_the_very_shadow_time_starts_beside_the_head() -> None:
    engine = schedule([(0, 10, 60, 10), (1, 10, 70, 10), (10, 5, 30, 5)], "easy")
    assert engine.end_ms == [10, 20, 15]


def test_a_long_job_may_use_what_the_head_spares() -> None:
    # the head takes 70 at 10, so 30 are spare for ever
    engine = schedule([(0, 10, 60, 10), (1, 10, 70, 10), (2, 50, 30, 50)], "easy")
    assert engine.end_ms == [10, 20, 52]


@pytest.mark.parametrize("together", [True, False])
def test_of_two_long_jobs_that_compete_for_the_spare_the_first_has_it(together: bool) -> None:
    # 30 are spare: 20 for the first leave 10, and the second wants 20
    second = 2 if together else 3
    rows = [(0, 10, 60, 10), (1, 10, 70, 10), (2, 50, 20, 50), (second, 50, 20, 50)]
    engine = schedule(rows, "easy")
    assert engine.end_ms == [10, 20, 52, 70]
    assert refusals_of(engine, 3)[0] is Refusal.WOULD_DELAY_THE_HEAD


def test_of_two_long_jobs_that_fit_the_spare_together_both_pass() -> None:
    rows = [(0, 10, 60, 10), (1, 10, 70, 10), (2, 50, 20, 50), (2, 50, 10, 50)]
    assert schedule(rows, "easy").end_ms == [10, 20, 52, 52]


def test_an_estimate_far_too_long_lets_a_job_pass_that_then_holds_up_the_head() -> None:
    # the first is thought to run till 100 and ends at 10; the head, promised 100, starts at 52
    engine = schedule([(0, 100, 60, 10), (1, 10, 70, 10), (2, 50, 40, 50)], "easy")
    assert engine.end_ms == [10, 62, 52]
    assert promises(engine, 1) == [100]


SHORT: Rows = [(0, 10, 60, 30), (1, 10, 70, 10), (2, 8, 40, 8), (12, 1, 40, 1)]


def test_a_job_that_outlives_its_estimate_is_taken_to_end_at_any_moment() -> None:
    # at 12 the head may start at once, so nobody may pass it, not even for 1 ms
    engine = schedule(SHORT, "easy")
    assert engine.end_ms == [30, 40, 10, 41]
    assert refusals_of(engine, 3)[0] is Refusal.WOULD_DELAY_THE_HEAD


def test_a_job_may_be_ended_at_its_estimate() -> None:
    assert schedule(SHORT, "easy", kill_at_estimate=True).end_ms == [10, 20, 10, 21]


def test_compression_moves_every_reservation_to_its_earliest_time_in_order() -> None:
    # thought to run till 100, the first ends at 10. Then the last moves from 12 to 10, and the
    # second, which needs 70 of the 60 that are free till 12, from 100 to 12.
    rows = [(0, 100, 60, 10), (1, 10, 70, 10), (2, 10, 40, 10), (3, 200, 30, 200)]
    engine = schedule(rows, "conservative")
    assert engine.start_ms == [0, 12, 2, 10]
    assert engine.end_ms == [10, 22, 12, 210]
    assert promises(engine, 1) == [100, 12]
    assert promises(engine, 3) == [12]
    assert refusals_of(engine, 1) == [Refusal.RESERVED_LATER]


def test_a_job_that_outlives_its_estimate_has_the_queue_planned_anew_a_few_times_only() -> None:
    # it was to run for 1 and runs for 100,000; those who wait for it were to run for 1 too
    jobs = JobTable([0, 0, 0], [100_000, 1, 1], [1, 1, 1], estimate_ms=[1, 1, 1])
    policy = Policy(backfill="conservative")
    engine = Engine(Fleet.pool(1), jobs, policy, np.random.default_rng(0))
    passes = sum(1 for _ in engine.steps(1))
    assert engine.start_ms == [0, 100_000, 100_001]
    assert passes < 50, "as its overrun doubles, not every moment"


def test_conservative_does_not_let_the_third_be_put_off_where_easy_does() -> None:
    # the second is the head and spares 20; the third has a promise only under conservative
    kept = schedule(FOUR, "conservative")
    assert (promises(kept, 2), kept.start_ms[2]) == ([200], 200)
    assert schedule(FOUR, "easy").start_ms[2] == 300


def test_skip_lets_whoever_fits_pass_and_the_head_starve() -> None:
    # one job of 60 after another overlaps; the head wants 70
    rows = [(0, 10, 60, 10), (1, 10, 70, 10), *[(5 + 6 * i, 10, 40, 10) for i in range(4)]]
    engine = schedule(rows, "skip")
    assert engine.start_ms == [0, 33, 5, 11, 17, 23]
    assert schedule(rows, "easy").start_ms == [0, 10, 20, 20, 30, 30]


def test_nine_hundred_are_free_and_a_two_hour_job_passes_the_gang_of_1024() -> None:
    # 2,048 GPUs: 1,148 run for 3 h more, 900 are free; the gang is promised 3 h
    hour = 3_600_000
    fleet = Fleet(32, 8, 8)
    rows = [(0, 3 * hour, 1148, 3 * hour), (1, hour, 1024, hour), (2, 2 * hour, 128, 2 * hour)]
    engine = schedule(rows, "easy", fleet)
    assert engine.start_ms == [0, 3 * hour, 2]
    assert promises(engine, 1) == [3 * hour]
    assert refusals_of(engine, 1) == [Refusal.TOO_FEW_FREE]
    assert schedule(rows, "none", fleet).start_ms == [0, 3 * hour, 3 * hour]


# ---------------------------------------------------------- reservations on a fleet with topology


def test_a_long_job_may_not_take_the_last_gpu_of_the_reserved_node() -> None:
    # two nodes of 4: node 0 has 1 free and is empty at 10, node 1 is full till 20
    rows = [(0, 10, 3, 10), (0, 20, 4, 20), (1, 5, 4, 5), (2, 50, 1, 50), (3, 7, 1, 7)]
    engine = schedule(rows, "easy", Fleet(1, 2, 4), span=NODE)
    assert engine.start_ms == [0, 0, 10, 15, 3]
    assert refusals_of(engine, 3)[0] is Refusal.WOULD_DELAY_THE_HEAD
    assert nodes_of(engine, 2) == [0]
    assert promises(engine, 2) == [10]


def test_a_long_job_is_led_round_the_reserved_node_to_another() -> None:
    # two nodes of 4: 3 used of each, node 0 till 10, node 1 till 20; best fit alone takes node 0
    rows = [(0, 10, 3, 10), (0, 20, 3, 20), (1, 5, 4, 5), (2, 50, 1, 50)]
    engine = schedule(rows, "easy", Fleet(1, 2, 4), span=NODE)
    assert engine.start_ms == [0, 0, 10, 2]
    assert nodes_of(engine, 3) == [1]


def test_whole_nodes_are_reserved_and_a_third_is_left_to_a_long_job() -> None:
    # three nodes of 4, 3 used of each till 10, 20 and 30; two whole nodes at 20
    rows = [
        (0, 10, 3, 10),
        (0, 20, 3, 20),
        (0, 30, 3, 30),
        (1, 5, 8, 5),
        (2, 100, 1, 100),
        (3, 100, 1, 100),
        (4, 5, 1, 5),
    ]
    engine = schedule(
        rows,
        "easy",
        Fleet(1, 3, 4),
        span=[NODE, NODE, NODE, FLEET, NODE, NODE, NODE],
        whole_nodes=[0, 0, 0, 1, 0, 0, 0],
    )
    assert promises(engine, 3) == [20]
    assert engine.start_ms[3] == 20
    assert sorted(nodes_of(engine, 3)) == [0, 1]
    assert (engine.start_ms[4], nodes_of(engine, 4)) == (2, [2])
    assert refusals_of(engine, 5)[0] is Refusal.WOULD_DELAY_THE_HEAD
    assert (engine.start_ms[6], nodes_of(engine, 6)) == (4, [0])


def test_a_block_is_reserved_and_only_a_short_job_may_use_its_hole() -> None:
    # two blocks of two nodes of 2; used: | 2 till 10, 1 till 20 | 2 till 30, 2 till 40 |
    rows = [
        (0, 10, 2, 10),
        (0, 20, 1, 20),
        (0, 30, 2, 30),
        (0, 40, 2, 40),
        (1, 5, 4, 5),
        (2, 19, 1, 19),
        (5, 10, 1, 10),
    ]
    span = [NODE, NODE, NODE, NODE, BLOCK, NODE, NODE]
    engine = schedule(rows, "easy", Fleet(2, 2, 2), "first-fit", span=span)
    assert promises(engine, 4) == [20]
    assert refusals_of(engine, 4)[0] is Refusal.TOO_FEW_FREE
    assert refusals_of(engine, 5)[0] is Refusal.WOULD_DELAY_THE_HEAD
    assert (engine.start_ms[6], nodes_of(engine, 6)) == (5, [1])
    assert engine.start_ms[4] == 20


def test_contiguous_placement_reserves_the_node_that_it_insists_on() -> None:
    # two nodes of 4, 3 used of each till 10 and 20; four are free anywhere at 10 less 1
    rows = [(0, 10, 3, 10), (0, 20, 3, 20), (1, 5, 4, 5), (2, 50, 1, 50)]
    engine = schedule(rows, "easy", Fleet(1, 2, 4), "contiguous", span=FLEET)
    assert promises(engine, 2) == [10]
    assert engine.start_ms == [0, 0, 10, 2]
    assert nodes_of(engine, 3) == [1]


def test_conservative_promises_a_node_and_keeps_it() -> None:
    # two nodes of 4, 3 used of each till 10 and 20
    rows = [(0, 10, 3, 10), (0, 20, 3, 20), (1, 5, 4, 5), (2, 50, 1, 50), (3, 9, 2, 9)]
    engine = schedule(rows, "conservative", Fleet(1, 2, 4), span=NODE)
    # the last needs two in one node: node 0 has them once the gang of four has ended
    assert engine.start_ms == [0, 0, 10, 2, 15]
    assert [nodes_of(engine, job) for job in (2, 3, 4)] == [[0], [1], [0]]
    assert promises(engine, 4) == [15]


# ---------------------------------------------------------- shares of a GPU beside a reservation


def test_a_short_share_passes_the_head_and_a_long_one_does_not() -> None:
    # one node of 2: one GPU is used till 10, the head wants both
    rows = [(0, 10, 1, 10), (1, 5, 2, 5), (2, 5, 1, 5), (3, 50, 1, 50)]
    engine = schedule(rows, "easy", Fleet(1, 1, 2), gpu_milli=[1000, 1000, 500, 500])
    assert engine.start_ms == [0, 10, 2, 15]
    assert refusals_of(engine, 3)[0] is Refusal.WOULD_DELAY_THE_HEAD


@pytest.mark.parametrize("backfill", ["easy", "skip"])
def test_a_share_passes_though_no_gpu_is_whole(backfill: str) -> None:
    # one node of 2: one GPU is used whole and one in half, both till 10
    rows = [(0, 10, 1, 10), (0, 10, 1, 10), (1, 5, 2, 5), (2, 8, 1, 8)]
    engine = schedule(rows, backfill, Fleet(1, 1, 2), gpu_milli=[1000, 500, 1000, 500])
    assert engine.start_ms == [0, 0, 10, 2]


def test_a_long_share_may_open_a_gpu_that_the_head_spares() -> None:
    # one node of 3: two are used till 10, the head wants two then, and one is spare
    rows = [(0, 10, 2, 10), (1, 5, 2, 5), (2, 50, 1, 50), (3, 50, 1, 50)]
    engine = schedule(rows, "easy", Fleet(1, 1, 3), gpu_milli=[1000, 1000, 500, 600])
    assert engine.start_ms[:3] == [0, 10, 2]
    # 600 do not fit beside the 500, and no second GPU is spare
    assert refusals_of(engine, 3)[0] is Refusal.WOULD_DELAY_THE_HEAD
    assert engine.start_ms[3] == 15


def test_a_gpu_counts_as_free_only_when_its_last_share_has_ended() -> None:
    # one node of 2, both shared: halves till 10 and 30 on GPU 0, 900 till 20 on GPU 1
    rows = [(0, 10, 1, 10), (0, 30, 1, 30), (0, 20, 1, 20), (1, 5, 1, 5), (2, 5, 2, 5)]
    engine = schedule(rows, "easy", Fleet(1, 1, 2), gpu_milli=[500, 500, 900, 1000, 1000])
    assert engine.start_ms == [0, 0, 0, 20, 30]
    assert promises(engine, 3) == [20]
