"""Nodes that go while jobs run: what is lost, what a notice saves, and what comes back."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions, Outage
from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.log import Cause
from fleetlab.run import Run
from tests.attempts import lost_gpu_ms, play, starts, story

ONE_NODE_OF_TWO = Fleet(1, 2, 2)


def gone(*outages: Outage, **more: object) -> Conditions:
    return Conditions(outages=outages, **more)  # type: ignore[arg-type]


def test_a_job_on_a_node_that_fails_loses_what_is_not_saved_and_starts_again_elsewhere() -> None:
    engine = play(
        ONE_NODE_OF_TWO, JobTable([0], [20], [2]), gone(Outage(0, 7, 50, cause=Cause.FAILURE))
    )
    assert starts(engine) == [(0, 0), (7, 0)]
    assert story(engine, Event.INTERRUPT) == [(7, Event.INTERRUPT, 0, Cause.FAILURE, 0)]
    assert engine.end_ms == [27]
    assert lost_gpu_ms(engine) == 14


def test_a_job_beside_the_node_that_goes_does_not_notice() -> None:
    engine = play(ONE_NODE_OF_TWO, JobTable([0, 0], [20, 20], [2, 2]), gone(Outage(0, 7, 9)))
    assert engine.end_ms[1] == 20
    # the other waits for its node, and does all its work again
    assert starts(engine)[-1] == (9, 0)
    assert engine.end_ms[0] == 29


def test_nothing_starts_on_a_node_that_is_gone_and_what_waits_starts_when_it_is_back() -> None:
    engine = play(Fleet(1, 1, 2), JobTable([5], [10], [1]), gone(Outage(0, 3, 12)))
    assert engine.start_ms == [12]


def test_a_job_that_ends_at_the_very_instant_its_node_goes_has_ended() -> None:
    engine = play(Fleet(1, 1, 1), JobTable([0], [10], [1]), gone(Outage(0, 10, 20)))
    assert engine.end_ms == [10]
    assert story(engine, Event.INTERRUPT) == []


def test_from_its_notice_on_a_node_takes_no_new_work_and_keeps_what_it_has() -> None:
    engine = play(
        Fleet(1, 1, 2), JobTable([0, 6], [8, 5], [1, 1]), gone(Outage(0, 10, 15, notice_ms=5))
    )
    # job 0 ends at 8, before the node goes; job 1 came after the notice at 5
    assert engine.start_ms == [0, 15]
    assert engine.end_ms == [8, 20]
    assert story(engine, Event.NOTICE) == [(5, Event.NOTICE, -1, 0, 10)]


def test_a_notice_longer_than_the_time_that_has_passed_comes_at_once() -> None:
    engine = play(Fleet(1, 1, 1), JobTable([0], [5], [1]), gone(Outage(0, 3, 8, notice_ms=60)))
    assert story(engine, Event.NOTICE)[0][0] == 0
    assert engine.start_ms == [8]


@pytest.mark.parametrize(
    ("panic", "notice_ms", "lost"),
    [
        (False, 5, 27),  # the last checkpoint was never: all 27 ms of work since 0
        (True, 5, 2),  # 22 done at the notice are saved by 25; the two ms after that are lost
        (True, 2, 25),  # the checkpoint takes 3 and there are 2: nothing is saved
    ],
)
def test_a_panic_checkpoint_saves_what_its_notice_leaves_time_for(panic, notice_ms, lost) -> None:
    engine = play(
        Fleet(1, 1, 1),
        JobTable([0], [40], [1]),
        gone(
            Outage(0, 27, 27, notice_ms=notice_ms),
            checkpoint=Checkpoint(1000, 3, 0),
            panic=panic,
        ),
    )
    assert lost_gpu_ms(engine) == lost


def test_a_node_that_is_back_at_once_is_used_again_at_that_instant() -> None:
    engine = play(Fleet(1, 1, 1), JobTable([0], [10], [1]), gone(Outage(0, 4, 4)))
    assert starts(engine) == [(0, 0), (4, 0)]
    assert engine.end_ms == [14]


def test_a_gang_goes_when_any_of_its_nodes_does() -> None:
    engine = play(ONE_NODE_OF_TWO, JobTable([0], [10], [4]), gone(Outage(1, 4, 6)))
    assert starts(engine) == [(0, 0), (6, 0)]


def test_a_restart_can_be_struck_too_and_costs_its_time_again() -> None:
    engine = play(
        Fleet(1, 1, 1),
        JobTable([0], [10], [1]),
        gone(Outage(0, 4, 4), Outage(0, 9, 9), checkpoint=Checkpoint(0, 0, 7)),
    )
    # struck at 4; restarting until 11, struck at 9; restarting until 16, then all 10
    assert engine.end_ms == [26]


def test_a_share_of_a_gpu_goes_with_its_node() -> None:
    jobs = JobTable([0, 0], [10, 10], [1, 1], gpu_milli=[500, 500])
    engine = play(Fleet(1, 1, 1), jobs, gone(Outage(0, 4, 6)))
    assert engine.end_ms == [16, 16]


def test_outages_after_the_last_job_has_ended_do_not_prolong_the_run() -> None:
    engine = play(Fleet(1, 1, 1), JobTable([0], [10], [1]), gone(Outage(0, 100, 200)))
    assert Run.of(engine).last_ms <= 100


def test_the_run_says_which_nodes_are_gone_when() -> None:
    engine = play(ONE_NODE_OF_TWO, JobTable([0, 0], [20, 20], [2, 2]), gone(Outage(0, 7, 9)))
    run = Run.of(engine)
    assert run.state_at(8).down == (0,) and run.state_at(9).down == ()
    assert run.free_at(8).tolist() == [0, 0]
    assert [part.tolist() for part in run.outages] == [[0], [7], [9]]


def test_an_outage_of_a_node_that_the_fleet_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="outage 0: node 2, and the fleet has 2"):
        Engine(
            ONE_NODE_OF_TWO, JobTable([0], [1], [1]), Policy(), np.random.default_rng(0),
            gone(Outage(2, 0, 1)),
        )  # fmt: skip


def test_outages_under_conservative_backfill_are_refused() -> None:
    with pytest.raises(ValueError, match="conservative backfill promises every job a place, and o"):
        Engine(
            ONE_NODE_OF_TWO, JobTable([0], [1], [1]), Policy(backfill="conservative"),
            np.random.default_rng(0), gone(Outage(0, 0, 1)),
        )  # fmt: skip


@pytest.mark.parametrize("name", ["rendezvous_ms", "memory_gb"])
def test_negative_conditions_are_refused_by_name(name) -> None:
    with pytest.raises(ValueError, match=f"conditions: {name} is -1; give 0 or more"):
        Conditions(**{name: -1})
