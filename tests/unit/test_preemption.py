"""Who is evicted, and who is not."""

from __future__ import annotations

import pytest

from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions
from fleetlab.engine.event_loop import Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, FLEET, NODE, JobTable
from fleetlab.log import Cause
from tests.attempts import play, starts, story

PREEMPTING = {"order": "priority", "preemption": "priority"}


def evictions(engine: object) -> list[tuple[int, int, int]]:
    """Return (time, job, cause) of every interruption."""
    return [(row[0], row[2], row[3]) for row in story(engine, Event.INTERRUPT)]  # type: ignore


def test_nobody_is_evicted_when_that_would_not_let_the_candidate_run() -> None:
    # the urgent job wants 4; 2 are held by an equal that may not be evicted
    jobs = JobTable([0, 0, 1], [10, 10, 5], [2, 2, 4], priority=[0, 1, 1])
    engine = play(Fleet.pool(4), jobs, **PREEMPTING)
    assert evictions(engine) == []
    assert engine.start_ms[2] == 10


@pytest.mark.parametrize(("priority", "evicted"), [(1, [(1, 1, Cause.PRIORITY)]), (2, [])])
def test_who_is_evicted_lies_where_the_candidate_can_go(
    priority: int, evicted: list[tuple[int, int, int]]
) -> None:
    # two nodes of 2, one GPU used of each; only the job on node 1 may have to go
    jobs = JobTable([0, 0, 1], [10, 10, 5], [1, 1, 2], span=NODE, priority=[2, priority, 2])
    engine = play(Fleet(1, 2, 2), jobs, placement="worst-fit", **PREEMPTING)
    assert evictions(engine) == evicted
    assert engine.start_ms[2] == (1 if evicted else 10)


def test_equal_priority_evicts_nobody() -> None:
    jobs = JobTable([0, 1], [10, 5], [1, 1], priority=[3, 3])
    assert evictions(play(Fleet.pool(1), jobs, **PREEMPTING)) == []


def test_the_cheapest_victim_goes_and_a_dear_one_is_spared() -> None:
    # at 8 job 0 has 8 ms unsaved on one GPU, job 1 has 3 ms on two: 8 against 6 GPU-ms
    jobs = JobTable([0, 5, 8], [20, 20, 5], [1, 2, 1], priority=[0, 0, 1])
    engine = play(Fleet.pool(3), jobs, **PREEMPTING)
    assert evictions(engine) == [(8, 1, Cause.PRIORITY)]


def test_a_restart_counts_in_what_an_eviction_costs() -> None:
    # with 5 ms of restart: 8 + 5 = 13 on one GPU against (3 + 5) x 2 = 16 GPU-ms
    jobs = JobTable([0, 5, 8], [20, 20, 5], [1, 2, 1], priority=[0, 0, 1])
    restart = Conditions(checkpoint=Checkpoint(0, 0, 5))
    engine = play(Fleet.pool(3), jobs, restart, **PREEMPTING)
    assert evictions(engine) == [(8, 0, Cause.PRIORITY)]
    # it waits until job 2 has ended at 13, restarts for 5 and does all 20 again
    assert starts(engine)[-1] == (13, 0)
    assert engine.end_ms[0] == 13 + 5 + 20


def test_the_youngest_goes_where_the_policy_says_so() -> None:
    jobs = JobTable([0, 5, 8], [20, 20, 5], [1, 1, 1], priority=[0, 0, 1])
    engine = play(Fleet.pool(2), jobs, victims="youngest", **PREEMPTING)
    assert evictions(engine) == [(8, 1, Cause.PRIORITY)]


def test_as_few_go_as_will_do() -> None:
    # cheapest first takes job 2 (1 GPU), then job 1 (2 GPUs), which suffices alone: job 2 is spared
    jobs = JobTable([0, 0, 3, 4], [20, 20, 20, 5], [1, 2, 1, 2], priority=[2, 0, 0, 1])
    engine = play(Fleet.pool(4), jobs, **PREEMPTING)
    assert evictions(engine) == [(4, 1, Cause.PRIORITY)]


def test_the_block_that_is_cheapest_to_clear_is_cleared() -> None:
    # two blocks of one node of 2; job 0 has run 9 ms, job 1 only 2
    jobs = JobTable([0, 7, 9], [30, 30, 5], [2, 2, 2], span=BLOCK, priority=[0, 0, 1])
    engine = play(Fleet(2, 1, 2), jobs, **PREEMPTING)
    assert evictions(engine) == [(9, 1, Cause.PRIORITY)]


def test_an_evicted_job_goes_on_with_the_same_work_until_it_is_done() -> None:
    jobs = JobTable([0, 3, 7], [10, 2, 2], [1, 1, 1], priority=[0, 1, 1])
    engine = play(Fleet.pool(1), jobs, Conditions(checkpoint=Checkpoint(2)), **PREEMPTING)
    # 3 done, 2 saved; on from 5 with 8 to do; at 7 two more done and saved; on from 9 with 6
    assert [row[3:] for row in story(engine, Event.WORK) if row[2] == 0] == [(2, 1), (2, 0), (6, 0)]
    assert engine.end_ms[0] == 15


def test_a_share_of_a_gpu_can_be_evicted_too() -> None:
    jobs = JobTable([0, 0, 1], [10, 10, 5], [1, 1, 1], gpu_milli=[500, 500, 500],
                    priority=[1, 0, 1])  # fmt: skip
    engine = play(Fleet.pool(1), jobs, **PREEMPTING)
    assert evictions(engine) == [(1, 1, Cause.PRIORITY)]
    assert engine.start_ms[2] == 1


# ------------------------------------------------------------------ preemption by the order


def test_shortest_remaining_time_interrupts_the_longer_job() -> None:
    # one machine; job 1 needs 3 at 2, when job 0 still needs 8; job 2 needs 9 at 4
    jobs = JobTable([0, 2, 4], [10, 3, 9], [1, 1, 1])
    saved = Conditions(checkpoint=Checkpoint(1))
    engine = play(Fleet.pool(1), jobs, saved, order="srpt", preemption="order")
    assert starts(engine) == [(0, 0), (2, 1), (5, 0), (13, 2)]
    assert engine.end_ms == [13, 5, 22]


def test_a_job_of_equal_remaining_time_interrupts_nobody() -> None:
    engine = play(Fleet.pool(1), JobTable([0, 4], [10, 6], [1, 1]), order="srpt",
                  preemption="order")  # fmt: skip
    assert engine.start_ms == [0, 10]


def test_shortest_remaining_time_goes_by_the_estimate_and_not_by_the_truth() -> None:
    # job 1 says 9 and takes 1
    jobs = JobTable([0, 2], [10, 1], [1, 1], estimate_ms=[10, 9])
    engine = play(Fleet.pool(1), jobs, order="srpt", preemption="order")
    assert engine.start_ms == [0, 10]


def test_least_attained_service_interrupts_who_has_had_more_than_the_threshold() -> None:
    # Tiresias: 2 GPUs for 5 ms are 10 GPU-ms; then the newcomer, still in the first queue, goes on
    jobs = JobTable([0, 1], [20, 3], [2, 2])
    saved = Conditions(checkpoint=Checkpoint(1))
    engine = play(
        Fleet.pool(2),
        jobs,
        saved,
        order="las",
        preemption="order",
        service_thresholds_gpu_ms=(10,),
    )
    assert starts(engine) == [(0, 0), (5, 1), (8, 0)]
    assert engine.end_ms == [23, 8]


def test_within_a_queue_of_least_attained_service_nobody_interrupts_and_the_earlier_is_first() -> (
    None
):
    jobs = JobTable([0, 1, 2], [4, 4, 4], [2, 2, 2])
    engine = play(
        Fleet.pool(2), jobs, order="las", preemption="order", service_thresholds_gpu_ms=(10,)
    )
    assert engine.start_ms == [0, 4, 8]


# ------------------------------------------------------------------ ageing and the bound


def test_ageing_lets_a_low_job_that_waited_long_go_before_a_high_newcomer() -> None:
    # job 1 (low, since 0) and job 2 (high, since 12) wait for job 0; a level is worth 10 ms
    jobs = JobTable([0, 0, 12], [20, 5, 5], [1, 1, 1], priority=[0, 0, 1])
    with_ageing = play(Fleet.pool(1), jobs, order="priority", ageing_ms=10)
    without = play(Fleet.pool(1), jobs, order="priority")
    assert (with_ageing.start_ms, without.start_ms) == ([0, 20, 25], [0, 25, 20])


def test_a_job_that_waited_as_long_as_the_bound_goes_first_and_nobody_passes_it() -> None:
    # two GPUs; a stream of high one-GPU jobs would pass the low gang of 2 for ever
    stream = 12
    jobs = JobTable(
        [0, *range(stream)], [5, *[6] * stream], [2, *[1] * stream], priority=[0, *[1] * stream]
    )
    starved = play(Fleet.pool(2), jobs, order="priority", backfill="skip")
    bounded = play(Fleet.pool(2), jobs, order="priority", backfill="skip", starvation_ms=10)
    last = max(starved.start_ms[1:])
    assert starved.start_ms[0] > last
    assert [row[:4] for row in story(bounded, Event.OVERDUE) if row[2] == 0] == [
        (10, Event.OVERDUE, 0, 10)
    ]
    running = [start for start in bounded.start_ms[1:] if start <= 10]
    assert bounded.start_ms[0] == max(start + 6 for start in running)


def test_who_started_overdue_is_not_evicted_at_once_by_priority() -> None:
    jobs = JobTable([0, 1, 11], [10, 10, 5], [1, 1, 1], priority=[1, 0, 2])
    free = play(Fleet.pool(1), jobs, **PREEMPTING)
    bounded = play(Fleet.pool(1), jobs, starvation_ms=5, **PREEMPTING)
    assert free.start_ms[2] == 11
    assert bounded.start_ms == [0, 10, 20]
    assert evictions(bounded) == []


def test_the_bound_holds_again_for_a_job_that_was_interrupted() -> None:
    # job 0 is evicted at 1 by a stream of high jobs; it is overdue 5 ms later, at 6
    jobs = JobTable([0, 1, 2, 3], [10, 4, 4, 4], [1] * 4, priority=[0, 1, 1, 1])
    engine = play(Fleet.pool(1), jobs, starvation_ms=5, **PREEMPTING)
    assert [row[:3] for row in story(engine, Event.OVERDUE) if row[2] == 0] == [
        (6, Event.OVERDUE, 0)
    ]
    assert starts(engine) == [(0, 0), (1, 1), (5, 2), (9, 0), (19, 3)]


# ------------------------------------------------------------------ what is refused


def test_preempting_by_an_order_that_ranks_only_who_waits_is_refused() -> None:
    with pytest.raises(ValueError, match="preemption: the order fair says only who waits first"):
        Policy(order="fair", preemption="order")


def test_preemption_under_conservative_backfill_is_refused() -> None:
    with pytest.raises(ValueError, match="conservative backfill promises every job a place"):
        Policy(backfill="conservative", preemption="priority")


def test_a_gang_of_the_whole_fleet_evicts_everybody_of_lower_priority_and_no_more() -> None:
    jobs = JobTable([0, 0, 1, 5], [10, 10, 5, 5], [2, 2, 4, 4], span=FLEET, priority=[0, 1, 2, 2])
    engine = play(Fleet(2, 1, 2), jobs, **PREEMPTING)
    assert evictions(engine) == [(1, 0, Cause.PRIORITY), (1, 1, Cause.PRIORITY)]
    assert engine.start_ms[2:] == [1, 6]
