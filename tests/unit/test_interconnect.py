"""How placement stretches a run."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.attempt import UNIT, Checkpoint
from fleetlab.engine.conditions import Conditions
from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.engine.interconnect import Interconnect
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.network import Tier
from tests.attempts import play, starts, story

FLEET_2X2X2 = Fleet(2, 2, 2)


def took_ms(gpus: int, fleet: Fleet, interconnect: Interconnect, placement: str) -> int:
    """Return how long a gang of 100 ms takes on an empty fleet."""
    engine = play(
        fleet,
        JobTable([0], [100], [gpus]),
        Conditions(interconnect=interconnect),
        placement=placement,
    )
    return engine.end_ms[0]


PENALTIES = Interconnect(node_penalty_ppm=100_000, block_penalty_ppm=300_000)


@pytest.mark.parametrize(
    ("gpus", "nodes_per_block", "took"),
    [
        (2, 2, 100),  # on one node
        (4, 2, 100),  # on one block, as close as it can
        (8, 2, 100),  # over both blocks, as close as it can
    ],
)
def test_a_gang_as_close_as_it_can_lie_takes_what_it_was_given(gpus, nodes_per_block, took) -> None:
    fleet = Fleet(2, nodes_per_block, 2)
    assert took_ms(gpus, fleet, PENALTIES, "topology-aware") == took


@pytest.mark.parametrize(("fleet", "took"), [(Fleet(1, 2, 2), 110), (Fleet(2, 1, 2), 130)])
def test_a_gang_on_more_nodes_or_blocks_than_it_needs_is_stretched(fleet: Fleet, took: int) -> None:
    # one GPU of both nodes is used, so a gang of 2 lies on two nodes: of one block, or of two
    jobs = JobTable([0, 0, 1], [1000, 1000, 100], [1, 1, 2])
    engine = play(fleet, jobs, Conditions(interconnect=PENALTIES), placement="worst-fit")
    assert engine.end_ms[2] == 1 + took


def test_the_start_row_says_how_much_slower_and_when_it_will_end() -> None:
    jobs = JobTable([0, 0, 1], [1000, 1000, 100], [1, 1, 2], span=[1, 1, 3])
    engine = play(Fleet(2, 1, 2), jobs, Conditions(interconnect=PENALTIES), placement="worst-fit")
    assert story(engine, Event.START)[-1] == (1, Event.START, 2, 131, 300_000)


def test_gangs_over_the_spine_slow_each_other_beyond_what_it_carries() -> None:
    # communication is half a step; the spine carries 4 GPUs' traffic, two gangs of 4 share it
    network = Interconnect(communication_ppm=500_000, spine_gpus=4)
    jobs = JobTable([0, 20], [100, 100], [4, 4])
    engine = play(Fleet(4, 1, 2), jobs, Conditions(interconnect=network))
    # alone for 20 ms; then at 1 - 0.5 + 0.5 x 2 = 1.5 the pace: the other 80 ms take 120
    assert engine.end_ms[0] == 140
    # the second has then done 80 ms, and does the last 20 alone
    assert engine.end_ms[1] == 160
    assert [row[:3] for row in story(engine, Event.RETIME)] == [
        (20, Event.RETIME, 0),
        (140, Event.RETIME, 1),
    ]


def test_a_gang_in_one_block_neither_slows_the_spine_nor_is_slowed_by_it() -> None:
    network = Interconnect(communication_ppm=500_000, spine_gpus=4)
    engine = play(
        Fleet(4, 2, 2),
        JobTable([0, 0], [100, 100], [8, 4], span=[3, 2]),
        Conditions(interconnect=network),
    )
    # the gang of 8 alone loads the spine twofold
    assert engine.end_ms == [150, 100]


def test_ends_at_one_instant_are_not_put_off_by_each_other() -> None:
    # both are due at once; that the first gives the spine up must not move the second
    network = Interconnect(communication_ppm=500_000, spine_gpus=4)
    conditions = Conditions(interconnect=network, checkpoint=Checkpoint(10, 2))
    engine = play(Fleet(4, 1, 2), JobTable([0, 0], [30, 30], [4, 4]), conditions)
    assert engine.end_ms == [3 * 17, 3 * 17]


def test_the_penalty_of_two_tiers_is_what_communication_at_their_costs_adds() -> None:
    # 1 MB over 2 ranks without latency: S/B; the leaf 4 times as dear as the node
    node, leaf = Tier("node", 400e9, 0.0, 0, 0), Tier("leaf", 100e9, 0.0, 1, 1)
    spine = Tier("spine", 25e9, 0.0, 3, 10)
    network = Interconnect.of_tiers(0.2, 1e6, 2, (node, leaf, spine))
    assert network.node_penalty_ppm == round(0.2 * 3 * UNIT)
    assert network.block_penalty_ppm == round(0.2 * 3 * UNIT)
    assert network.communication_ppm == 200_000


@pytest.mark.parametrize("name", ["node_penalty_ppm", "block_penalty_ppm", "spine_gpus"])
def test_a_negative_figure_is_refused_by_name(name) -> None:
    with pytest.raises(ValueError, match=f"interconnect: {name} is -1; give 0 or more"):
        Interconnect(**{name: -1})


def test_more_communication_than_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="communication_ppm is 1000001; a step has 1000000 parts"):
        Interconnect(communication_ppm=1_000_001)


def test_who_passes_the_head_must_end_in_time_where_it_lies_and_not_only_by_its_estimate() -> None:
    # 3 of 4 are used on both nodes until 1000, then a gang takes all 8; 900 ms fit, 1170 do not
    jobs = JobTable([0, 0, 1, 2], [1000, 1000, 50, 900], [3, 3, 8, 2], span=[1, 1, 3, 3])
    engine = play(Fleet(2, 1, 4), jobs, Conditions(interconnect=PENALTIES))
    assert engine.start_ms == [0, 0, 1000, 1050]
    near = play(Fleet(2, 1, 4), jobs)
    assert near.start_ms == [0, 0, 1000, 2]
    assert starts(near)[-1] == (1000, 2)


def test_a_run_without_penalties_is_the_plain_run() -> None:
    jobs = JobTable([0, 1, 2], [30, 20, 10], [5, 4, 3])
    plain = Engine(FLEET_2X2X2, jobs, Policy(), np.random.default_rng(0)).run()
    calm = play(FLEET_2X2X2, jobs, Conditions(rendezvous_ms=1))
    assert calm.start_ms == plain.start_ms and calm.end_ms == plain.end_ms
