"""Moving running jobs so that a gang fits: when, whom, what it costs and when it pays."""

from __future__ import annotations

import pytest

from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions
from fleetlab.engine.event_loop import Event
from fleetlab.fleet import Fleet
from fleetlab.job import NODE, JobTable
from fleetlab.log import Cause
from fleetlab.policy.migration import Drain
from fleetlab.policy.placement import Refusal
from tests.attempts import lost_gpu_ms, play, starts, story
from tests.replay import refusals_of

# Two nodes of 4, three used of one and two of the other; a gang of 4 finds 3 free, then 4.
HALVES = JobTable([0, 0, 1], [100, 100, 10], [2, 2, 4], span=NODE)


def test_a_gang_kept_waiting_by_holes_has_a_job_moved_out_of_its_way() -> None:
    engine = play(Fleet(1, 2, 4), HALVES, placement="worst-fit", migration_pause_ms=5)
    # 2 GPUs stand still for 5 ms, 4 are free: 10 GPU-ms pay back in 3 ms, rounded up
    assert story(engine, Event.MIGRATE) == [(1, Event.MIGRATE, 2, 2, 3)]
    assert story(engine, Event.INTERRUPT) == [(1, Event.INTERRUPT, 0, Cause.MIGRATION, 2)]
    assert starts(engine) == [(0, 0), (0, 1), (1, 2), (1, 0)]
    # it loses no work, only the pause
    assert engine.end_ms == [105, 100, 11]
    assert lost_gpu_ms(engine) == 0


def test_nothing_is_moved_for_a_gang_that_too_few_free_gpus_keep_waiting() -> None:
    jobs = JobTable([0, 0, 1], [100, 100, 10], [3, 2, 4], span=NODE)
    engine = play(Fleet(1, 2, 4), jobs, placement="worst-fit", migration_pause_ms=5)
    assert story(engine, Event.MIGRATE) == []
    assert refusals_of(engine, 2) == [Refusal.TOO_FEW_FREE]
    assert engine.start_ms[2] == 100


def test_nothing_is_moved_that_could_not_go_on_elsewhere_at_once() -> None:
    # five GPUs are free, 2 + 3; whichever node is cleared, a job of one piece has nowhere to go
    jobs = JobTable([0, 0, 0, 1], [100, 100, 100, 10], [3, 3, 3, 5], span=NODE)
    engine = play(Fleet(1, 3, 5), jobs, placement="worst-fit", migration_pause_ms=5)
    assert story(engine, Event.MIGRATE) == []
    assert engine.start_ms[3] == 100


def test_what_would_pay_back_too_late_is_not_done() -> None:
    late = {"placement": "worst-fit", "migration_pause_ms": 5}
    assert play(Fleet(1, 2, 4), HALVES, migration_payback_ms=2, **late).start_ms[2] == 100
    assert play(Fleet(1, 2, 4), HALVES, migration_payback_ms=3, **late).start_ms[2] == 1


def test_the_fewest_busy_gpus_are_moved() -> None:
    # node 0 has 3 used, node 1 has 1, node 2 has 2: the one on node 1 moves
    jobs = JobTable([0, 0, 0, 1], [100, 100, 100, 10], [3, 1, 2, 4], span=NODE)
    engine = play(Fleet(1, 3, 4), jobs, placement="worst-fit", migration_pause_ms=5)
    assert [row[2] for row in story(engine, Event.INTERRUPT)] == [1]


def test_a_job_of_higher_priority_is_not_moved() -> None:
    jobs = JobTable([0, 0, 1], [100, 100, 10], [2, 2, 4], span=NODE, priority=[1, 1, 0])
    engine = play(Fleet(1, 2, 4), jobs, placement="worst-fit", migration_pause_ms=5)
    assert engine.start_ms[2] == 100


def test_a_job_is_moved_once_and_then_left_alone() -> None:
    # both halves are moved together at 1; the second gang finds nobody who may move again
    jobs = JobTable([0, 0, 1, 12], [100, 100, 10, 10], [2, 2, 4, 4], span=NODE)
    engine = play(Fleet(1, 2, 4), jobs, placement="worst-fit", migration_pause_ms=5)
    assert engine.start_ms[3] == 12
    assert len(story(engine, Event.INTERRUPT)) == 1


def test_a_moved_job_keeps_what_no_checkpoint_has_saved() -> None:
    engine = play(
        Fleet(1, 2, 4),
        HALVES,
        Conditions(checkpoint=Checkpoint(50, 2, 30)),
        placement="worst-fit",
        migration_pause_ms=5,
    )
    assert lost_gpu_ms(engine) == 0


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ((-1, 1, 1), "drain: moved_gpus is -1; give 0 or more"),
        ((1, -1, 1), "drain: pause_ms is -1; give 0 or more"),
        ((1, 1, 0), "drain: idle_gpus is 0; give 1 or more"),
    ],
)
def test_a_drain_of_impossible_figures_is_refused(figures, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        Drain(*figures)


def test_a_negative_price_is_refused() -> None:
    with pytest.raises(ValueError, match="gpu_hour_dollars is -2; give a price of 0 or more"):
        Drain(1, 1, 1).cost_dollars(-2)
    with pytest.raises(ValueError, match="gpu_hour_dollars is -2; give a price of 0 or more"):
        Drain(1, 1, 1).idle_dollars_an_hour(-2)
