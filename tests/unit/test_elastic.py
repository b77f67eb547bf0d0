"""Gangs that go on with fewer whole nodes, or with more."""

from __future__ import annotations

import pytest

from fleetlab.engine.conditions import Conditions, Outage
from fleetlab.engine.event_loop import Event
from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, NODE, JobTable
from fleetlab.log import Cause
from tests.attempts import lost_gpu_ms, play, starts, story

FOUR_NODES = Fleet(1, 4, 2)


def elastic(work_ms: int, gpus: int, least: int, most: int, **more: object) -> JobTable:
    """Return one elastic gang that comes at 0."""
    return JobTable(
        [0], [work_ms], [gpus], whole_nodes=1, min_gpus=[least], max_gpus=[most], **more
    )  # type: ignore[arg-type]


def test_with_a_node_less_it_goes_on_at_once_after_a_rendezvous_and_takes_longer() -> None:
    # 4 nodes; one goes at 30: 70 ms of work on 3 nodes take 93.3, rounded up, after 5 ms
    engine = play(
        FOUR_NODES,
        elastic(100, 8, 2, 8),
        Conditions(outages=(Outage(3, 30, 1000),), rendezvous_ms=5),
    )
    assert engine.end_ms == [30 + 5 + 94]
    assert lost_gpu_ms(engine) == 0
    assert story(engine, Event.INTERRUPT)[0] == (30, Event.INTERRUPT, 0, Cause.RESIZE, 3)


def test_a_rigid_gang_waits_for_its_node_and_starts_anew() -> None:
    engine = play(
        FOUR_NODES,
        JobTable([0], [100], [8], whole_nodes=1),
        Conditions(outages=(Outage(3, 30, 1000),), rendezvous_ms=5),
    )
    assert engine.end_ms == [1100]
    assert lost_gpu_ms(engine) == 30 * 8


def test_below_its_minimum_it_waits() -> None:
    engine = play(
        FOUR_NODES,
        elastic(100, 8, 6, 8),
        Conditions(outages=(Outage(2, 30, 60), Outage(3, 30, 60)), rendezvous_ms=5),
    )
    # one node less is the minimum; the second takes it below: work since 0 is lost
    assert [row[3] for row in story(engine, Event.INTERRUPT)] == [Cause.RESIZE, Cause.FAILURE]
    assert starts(engine)[-1][0] == 60


def test_when_the_node_is_back_it_grows_if_that_ends_it_sooner() -> None:
    # 70 ms left at 30; on 3 nodes; at 50 the node is back
    engine = play(
        FOUR_NODES,
        elastic(100, 8, 2, 8),
        Conditions(outages=(Outage(3, 30, 50),), rendezvous_ms=5),
    )
    # 35-50 does 11.25 of work, counted as 11: 59 are left, which take 59 on all after 5 more
    assert engine.end_ms == [50 + 5 + 59]
    assert [row[3] for row in story(engine, Event.INTERRUPT)] == [Cause.RESIZE, Cause.RESIZE]


def test_it_does_not_grow_where_the_rendezvous_costs_more_than_it_saves() -> None:
    # from 50 to 100 it does 37 of its 70 ms: 33 are 44 on three nodes, and 20 + 33 on four
    engine = play(
        FOUR_NODES,
        elastic(100, 8, 2, 8),
        Conditions(outages=(Outage(3, 30, 100),), rendezvous_ms=20),
    )
    assert len(story(engine, Event.INTERRUPT)) == 1
    assert engine.end_ms == [50 + 94]


def test_it_starts_with_what_there_is_and_grows_by_whole_nodes_up_to_its_maximum() -> None:
    # two of four nodes are used until 10; it asks for 3 and may have 4
    jobs = JobTable(
        [0, 1],
        [10, 60],
        [4, 6],
        whole_nodes=[0, 1],
        min_gpus=[4, 2],
        max_gpus=[4, 8],
    )
    engine = play(FOUR_NODES, jobs)
    # 2 nodes from 1 to 10 do 6 of 60 ms; the other 54 take 40.5, rounded up, on 4
    assert engine.start_ms == [0, 1]
    assert engine.end_ms[1] == 10 + 41


def test_nobody_grows_while_somebody_waits() -> None:
    # at 10 two nodes come free; the gang of 6 GPUs waits for three, and so they stay free
    jobs = JobTable(
        [0, 1, 2],
        [10, 60, 5],
        [4, 4, 6],
        whole_nodes=[0, 1, 1],
        min_gpus=[4, 2, 6],
        max_gpus=[4, 8, 6],
    )
    engine = play(FOUR_NODES, jobs)
    assert [row[2] for row in story(engine, Event.INTERRUPT)] == []
    assert engine.start_ms[2] == 61


def test_a_gang_of_one_node_or_block_grows_no_further() -> None:
    in_block = play(Fleet(2, 2, 2), elastic(60, 2, 2, 8, span=BLOCK))
    assert in_block.end_ms == [30]  # two nodes of its block
    in_node = play(Fleet(2, 2, 2), elastic(60, 2, 2, 8, span=NODE))
    assert in_node.end_ms == [60]


def test_growth_keeps_to_the_quota_of_its_tenant() -> None:
    engine = play(FOUR_NODES, elastic(60, 2, 2, 8), quota_rule="hard", quota=(4,))
    assert engine.end_ms == [30]


def test_the_global_batch_is_constant_half_the_nodes_take_twice_as_long() -> None:
    jobs = JobTable([0, 0], [1000, 50], [4, 8], whole_nodes=1, min_gpus=[4, 4], max_gpus=[4, 8])
    engine = play(FOUR_NODES, jobs)
    assert engine.end_ms[1] == 100


@pytest.mark.parametrize(("least", "most"), [(9, 8), (2, 4), (0, 8)])
def test_a_world_size_that_cannot_be_is_refused(least, most) -> None:
    with pytest.raises(ValueError, match="job 0 asks for 8 GPUs and can go on with"):
        elastic(1, 8, least, most)


def test_an_elastic_gang_of_parts_of_nodes_is_refused() -> None:
    with pytest.raises(ValueError, match="whole_nodes 1 to an elastic job"):
        JobTable([0], [1], [4], min_gpus=[2])
