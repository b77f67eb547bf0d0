"""Hold-and-wait, the anti-policy: pieces are dealt, held, and nobody finishes."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.policy.hold import deal
from fleetlab.policy.refusal import Refusal
from fleetlab.run import NEVER, Run
from tests.attempts import check_attempts, story
from tests.replay import refusals_of


def hold(fleet: Fleet, jobs: JobTable) -> Engine:
    engine = Engine(fleet, jobs, Policy(gang="hold-and-wait"), np.random.default_rng(0)).run()
    check_attempts(engine, piecemeal=True)
    return engine


def test_gpus_are_dealt_one_at_a_time_and_who_has_enough_drops_out() -> None:
    assert deal(8, [6, 6]) == [4, 4]
    assert deal(7, [6, 6]) == [4, 3]
    assert deal(8, [1, 9, 9]) == [1, 4, 3]
    assert deal(9, [2, 3]) == [2, 3]
    assert deal(0, [2]) == [0]
    assert deal(3, []) == []


def test_two_jobs_that_want_six_of_eight_hold_four_each_and_never_run() -> None:
    engine = hold(Fleet.pool(8), JobTable([0, 0], [10, 10], [6, 6]))
    assert engine.start_ms == [-1, -1] and engine.end_ms == [-1, -1]
    assert [refusals_of(engine, job) for job in (0, 1)] == [[Refusal.HOLDS_AND_WAITS]] * 2
    assert story(engine, Event.DEADLOCK) == [(0, Event.DEADLOCK, -1, 2, 8)]
    # eight GPUs are held and idle for ever
    spans = Run.of(engine).spans
    assert spans.end_ms.tolist() == [NEVER, NEVER]
    assert Run.of(engine).free_at(1_000_000).tolist() == [0]


def test_two_gangs_of_1024_hold_512_each_and_burn_2048_dollars_an_hour() -> None:
    engine = hold(Fleet(16, 8, 8), JobTable([0, 0], [10, 10], [1024, 1024]))
    assert story(engine, Event.DEADLOCK) == [(0, Event.DEADLOCK, -1, 2, 1024)]
    held = [sum(count for _, count, _ in engine.held[job]) for job in (0, 1)]
    assert held == [512, 512]
    assert sum(held) * 2 == 2048  # at $2 a GPU-hour


def test_gang_scheduling_completes_both() -> None:
    jobs = JobTable([0, 0], [10, 10], [6, 6])
    engine = Engine(Fleet.pool(8), jobs, Policy(), np.random.default_rng(0)).run()
    assert engine.end_ms == [10, 20]


def test_pieces_are_kept_until_the_gang_is_whole_and_freed_when_it_ends() -> None:
    # job 0 holds 3 of 4 till 10; job 1 wants 3, takes the one that is free, and the rest at 10
    engine = hold(Fleet.pool(4), JobTable([0, 2], [10, 5], [3, 3]))
    assert engine.start_ms == [0, 10] and engine.end_ms == [10, 15]
    assert [(row[0], row[4]) for row in story(engine, Event.PLACE) if row[2] == 1] == [
        (2, 0b1000),
        (10, 0b0011),
    ]
    assert story(engine, Event.DEADLOCK) == []
    assert engine.occupancy.free_total == 4


def test_a_gang_that_still_runs_is_no_deadlock_until_it_ends_and_helps_nobody() -> None:
    # job 0 runs on 2 of 8 till 10; jobs 1 and 2 want 6 each, hold 3 each, then 4 each
    engine = hold(Fleet.pool(8), JobTable([0, 0, 0], [10, 10, 10], [2, 6, 6]))
    assert story(engine, Event.DEADLOCK) == [(10, Event.DEADLOCK, -1, 2, 8)]


def test_hold_and_wait_is_refused_where_it_has_no_meaning() -> None:
    with pytest.raises(ValueError, match="goes with no preemption"):
        Policy(gang="hold-and-wait", preemption="priority")
    shares = JobTable([0], [1], [1], gpu_milli=500)
    with pytest.raises(ValueError, match="whole GPUs that stay"):
        Engine(Fleet.pool(2), shares, Policy(gang="hold-and-wait"), np.random.default_rng(0))


def test_devices_of_a_class_are_dealt_first_to_those_who_can_use_no_others() -> None:
    # two devices of each class: job 0 wants any three, job 1 two of the capable ones
    jobs = JobTable([0, 0], [10, 10], [3, 2], needs_class=[0, 1])
    engine = hold(Fleet(1, 4, 1, (2, 2)), jobs)
    assert engine.start_ms == [10, 0]
    assert story(engine, Event.DEADLOCK) == []


def test_devices_that_nobody_who_waits_can_use_do_not_hide_a_deadlock() -> None:
    # four capable devices, two pairs of threes; the light devices stay free
    jobs = JobTable([0, 0], [10, 10], [3, 3], needs_class=[1, 1])
    engine = hold(Fleet(1, 6, 1, (2, 4)), jobs)
    assert story(engine, Event.DEADLOCK) == [(0, Event.DEADLOCK, -1, 2, 4)]
    assert engine.occupancy.free_total == 2


def test_who_comes_to_a_full_fleet_is_told_why_it_waits() -> None:
    engine = hold(Fleet.pool(4), JobTable([0, 0, 5], [10, 10, 10], [3, 3, 3]))
    assert [row[0] for row in story(engine, Event.REFUSE) if row[2] == 2] == [5]
