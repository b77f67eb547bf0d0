"""Published cases of preemption, checkpoints and draining."""

from __future__ import annotations

import pytest

from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions
from fleetlab.engine.event_loop import Event
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.log import Cause
from fleetlab.policy.migration import HOUR_MS, Drain
from tests.attempts import MINUTE_MS, lost_gpu_ms, play, starts, story

LONG_AND_URGENT = JobTable(
    [0, 7 * MINUTE_MS], [30 * MINUTE_MS, 5 * MINUTE_MS], [4, 2], priority=[0, 1]
)


def every(minutes: int) -> Conditions:
    return Conditions(checkpoint=Checkpoint(minutes * MINUTE_MS))


def test_under_fifo_the_urgent_job_waits_23_minutes() -> None:
    engine = play(Fleet.pool(4), LONG_AND_URGENT, every(10), order="fifo")
    assert engine.start_ms[1] - LONG_AND_URGENT.submit_ms[1] == 23 * MINUTE_MS
    assert lost_gpu_ms(engine) == 0


@pytest.mark.parametrize(("interval", "lost_minutes"), [(10, 7), (2, 1)])
def test_preempting_waits_nothing_and_loses_what_the_last_checkpoint_did_not_save(
    interval: int, lost_minutes: int
) -> None:
    engine = play(
        Fleet.pool(4), LONG_AND_URGENT, every(interval), order="priority", preemption="priority"
    )
    assert engine.start_ms[1] == LONG_AND_URGENT.submit_ms[1]
    assert lost_gpu_ms(engine) == lost_minutes * 4 * MINUTE_MS
    # the long job goes on when the urgent one has ended, and does again what was lost
    assert starts(engine) == [(0, 0), (7 * MINUTE_MS, 1), (12 * MINUTE_MS, 0)]
    assert engine.end_ms[0] == (12 + 30 - 7 + lost_minutes) * MINUTE_MS
    kept = (7 - lost_minutes) * MINUTE_MS
    assert story(engine, Event.WORK, Event.INTERRUPT)[:2] == [
        (7 * MINUTE_MS, Event.WORK, 0, kept, lost_minutes * MINUTE_MS),
        (7 * MINUTE_MS, Event.INTERRUPT, 0, Cause.PRIORITY, 1),
    ]


def test_draining_62_busy_gpus_for_45_minutes_costs_93_dollars_and_pays_back_in_28_minutes() -> (
    None
):
    drain = Drain(moved_gpus=62, pause_ms=45 * MINUTE_MS, idle_gpus=100)
    assert drain.cost_dollars(2.0) == pytest.approx(93)
    assert drain.idle_dollars_an_hour(2.0) == pytest.approx(200)
    assert round(drain.payback_ms / MINUTE_MS) == 28
    assert drain.payback_ms / HOUR_MS == pytest.approx(93 / 200, rel=1e-6)
