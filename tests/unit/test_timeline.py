"""One job's life replayed from the log, on a ring of four nodes small enough to follow by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.analysis.timeline import Phase, Timeline
from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions, Outage
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

MINUTE = 60_000


def ring(*outages: Outage, elastic: bool, panic: bool = False) -> Timeline:
    """Return an hour of work on four nodes: saves 5 min after every 30, R 10 min, rendezvous 2."""
    jobs = JobTable(
        np.array([0]), np.array([60 * MINUTE]), np.array([4]),
        whole_nodes=np.array([1]), min_gpus=np.array([1 if elastic else 4]),
    )  # fmt: skip
    conditions = Conditions(
        checkpoint=Checkpoint(30 * MINUTE, 5 * MINUTE, 10 * MINUTE),
        outages=outages,
        rendezvous_ms=2 * MINUTE,
        panic=panic,
    )
    rng = np.random.Generator(np.random.PCG64(0))
    return Timeline(Run.of(Engine(Fleet(1, 4, 1), jobs, Policy(), rng, conditions).run()))


def phases(timeline: Timeline, *minutes: int) -> list[Phase]:
    return [timeline.at(minute * MINUTE).phase for minute in minutes]


def test_a_static_ring_waits_for_its_node_restarts_and_works_again() -> None:
    timeline = ring(Outage(2, 20 * MINUTE, 26 * MINUTE), elastic=False)
    assert phases(timeline, 0, 20, 25, 26, 35, 36, 65, 66, 71) == [
        Phase.WORKING, Phase.WAITING, Phase.WAITING, Phase.RESTARTING, Phase.RESTARTING,
        Phase.WORKING, Phase.WORKING, Phase.SAVING, Phase.WORKING,
    ]  # fmt: skip
    spent = timeline.spent
    assert (spent.lost_ms, spent.waiting_ms, spent.restarting_ms) == (
        20 * MINUTE, 6 * MINUTE, 10 * MINUTE,
    )  # fmt: skip
    assert spent.saving_ms == 2 * 5 * MINUTE


def test_an_elastic_ring_is_rebuilt_without_the_node_and_again_with_it() -> None:
    timeline = ring(Outage(2, 20 * MINUTE, 26 * MINUTE), elastic=True)
    small = timeline.at(23 * MINUTE)
    assert (small.phase, small.nodes, small.away) == (Phase.WORKING, (0, 1, 3), (2,))
    assert phases(timeline, 20, 21, 26, 27, 28) == [
        Phase.REBUILDING, Phase.REBUILDING, Phase.REBUILDING, Phase.REBUILDING, Phase.WORKING,
    ]  # fmt: skip
    whole = timeline.at(28 * MINUTE)
    assert (whole.nodes, whole.rebuilds, whole.interruptions, whole.lost_ms) == (
        (0, 1, 2, 3), 2, 0, 0,
    )  # fmt: skip
    # 4 minutes on three of four nodes are 3 minutes of work
    assert whole.done_ms == pytest.approx(23 * MINUTE, abs=1)


def test_work_since_the_last_checkpoint_is_what_an_interruption_would_lose() -> None:
    timeline = ring(Outage(2, 50 * MINUTE, 50 * MINUTE), elastic=False)
    before, after = timeline.at(50 * MINUTE - 1), timeline.at(50 * MINUTE)
    assert (before.done_ms, before.unsaved_ms) == (45 * MINUTE - 1, 15 * MINUTE - 1)
    assert (after.done_ms, after.lost_ms, after.interruptions) == (30 * MINUTE, 15 * MINUTE, 1)


def test_nodes_that_go_at_once_are_one_rebuild() -> None:
    gone = [Outage(node, 20 * MINUTE, 50 * MINUTE) for node in (1, 2)]
    assert ring(*gone, elastic=True).at(21 * MINUTE).rebuilds == 1


def test_a_node_that_has_notice_is_told_from_one_that_is_gone() -> None:
    timeline = ring(Outage(2, 20 * MINUTE, 26 * MINUTE, notice_ms=2 * MINUTE), elastic=True)
    assert timeline.at(19 * MINUTE).leaving == (2,)
    assert timeline.at(20 * MINUTE).leaving == ()


def test_a_checkpoint_in_a_panic_is_seen_and_counted_as_saving() -> None:
    away = Outage(2, 20 * MINUTE, 26 * MINUTE, notice_ms=6 * MINUTE)
    timeline = ring(away, elastic=False, panic=True)
    assert timeline.at(15 * MINUTE).phase is Phase.SAVING
    # saved after 14 min of work, at minute 19; the minute after that is lost
    assert timeline.spent.lost_ms == 1 * MINUTE


@pytest.mark.parametrize("reclaim", ["memoryless", "bathtub", "bursts", "aws"])
@pytest.mark.parametrize("elastic", [0, 1])
@pytest.mark.parametrize("notice", [0, 120])
def test_where_the_time_went_adds_up_to_all_of_it(reclaim: str, elastic: int, notice: int) -> None:
    scenario = Scenario.default("titan", 3).but(
        spot=100, preemptions=60, reclaim=reclaim, elastic=elastic, notice=notice
    )
    run = simulate(scenario)
    timeline = Timeline(run)
    assert timeline.spent.total_ms == int(run.end_ms[0])
    assert min(vars(timeline.spent).values()) >= 0
    last = timeline.at(run.last_ms)
    assert (last.phase, last.done_ms) == (Phase.DONE, 30 * 60 * MINUTE)
