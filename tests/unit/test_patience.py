"""Holding out for a close place, and how long."""

from __future__ import annotations

import pytest

from fleetlab.engine.event_loop import Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, FLEET, NODE, JobTable
from fleetlab.policy.patience import closest
from fleetlab.policy.placement import Refusal
from fleetlab.policy.settings import FOREVER_MS
from fleetlab.policy.shape import Shape
from tests.attempts import play, story
from tests.replay import refusals_of

# Two blocks of two nodes of 2. One GPU of every node is used until 100, 40, 60 and 80.
FLEET_2X2X2 = Fleet(2, 2, 2)


def gang_of_two(patience_ms: int) -> tuple[list[int], object]:
    """Return when a gang of 2 that comes at 1 starts, and the engine."""
    jobs = JobTable([0, 0, 0, 0, 1], [100, 40, 60, 80, 5], [1, 1, 1, 1, 2], span=FLEET)
    engine = play(FLEET_2X2X2, jobs, placement="worst-fit", patience_ms=patience_ms)
    assert engine.start_ms[:4] == [0, 0, 0, 0]
    return engine.start_ms, engine


@pytest.mark.parametrize(
    ("patience_ms", "start_ms", "nodes"),
    [
        (0, 1, 2),  # at once, on two nodes
        (10, 11, 2),  # one node until 11, then one block
        (38, 39, 2),
        (39, 40, 1),  # node 1 is whole at 40, just in time: ends come before timers
        (50, 40, 1),
        (FOREVER_MS, 40, 1),
    ],
)
def test_a_gang_waits_for_one_node_as_long_as_its_patience_lasts(
    patience_ms: int, start_ms: int, nodes: int
) -> None:
    starts, engine = gang_of_two(patience_ms)
    assert starts[4] == start_ms
    assert len([row for row in story(engine, Event.PLACE) if row[2] == 4]) == nodes


def test_it_holds_out_for_one_node_and_then_as_long_for_one_block() -> None:
    # blocks of one node each: from one node to one block changes nothing, so it takes twice as long
    jobs = JobTable([0, 0, 1], [100, 90, 5], [1, 1, 2])
    engine = play(Fleet(2, 1, 2), jobs, placement="worst-fit", patience_ms=10)
    assert engine.start_ms[2] == 21
    assert [row[:4] for row in story(engine, Event.LOOSEN)] == [
        (11, Event.LOOSEN, 2, BLOCK),
        (21, Event.LOOSEN, 2, FLEET),
    ]


def test_patience_runs_only_from_when_a_wider_place_is_turned_down() -> None:
    # all is used until 50; then two halves are free, and 10 ms later the gang takes them
    jobs = JobTable([0, 0, 0, 0, 1], [50, 100, 50, 100, 5], [1, 1, 1, 1, 2])
    engine = play(Fleet(1, 2, 2), jobs, placement="first-fit", patience_ms=10)
    assert refusals_of(engine, 4) == [Refusal.TOO_FEW_FREE, Refusal.HOLDING_OUT_FOR_LOCALITY]
    assert engine.start_ms[4] == 60


def test_a_gang_that_says_it_needs_one_node_never_accepts_two() -> None:
    jobs = JobTable([0, 0, 1], [100, 40, 5], [1, 1, 2], span=[FLEET, FLEET, NODE])
    engine = play(Fleet(1, 2, 2), jobs, placement="worst-fit", patience_ms=3)
    assert engine.start_ms[2] == 40
    assert story(engine, Event.LOOSEN) == []


def test_a_gang_larger_than_a_node_holds_out_for_a_block_and_one_larger_than_that_for_nothing() -> (
    None
):
    assert closest(Shape(2), FLEET_2X2X2).span == NODE
    assert closest(Shape(3), FLEET_2X2X2).span == BLOCK
    assert closest(Shape(4), FLEET_2X2X2).span == BLOCK
    assert closest(Shape(5), FLEET_2X2X2).span == FLEET


def test_negative_patience_is_refused() -> None:
    with pytest.raises(ValueError, match="patience_ms: -1 is negative; give 0 or more"):
        Policy(patience_ms=-1)
