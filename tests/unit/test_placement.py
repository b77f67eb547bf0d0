"""Where a gang goes, policy by policy; each case small enough to check by hand.

A fleet is drawn by what is used of it: blocks between bars, a digit a node.
"""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.fleet import Fleet, Occupancy, Parts
from fleetlab.job import BLOCK, FLEET, NODE
from fleetlab.policy.placement import PLACEMENTS
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Shape, fits_when_empty, tightened
from fleetlab.policy.share import place_share

INSISTING = ["random", "first-fit", "best-fit", "worst-fit", "contiguous", "topology-aware"]


def draw(picture: str, size: int = 8, classes: tuple[int, ...] = ()) -> Occupancy:
    """Return the occupancy of a picture such as ``| 7 6 | 7 8 |``: GPUs used by node."""
    blocks = [[int(n) for n in block.split()] for block in picture.strip(" |").split("|")]
    occupancy = Occupancy(Fleet(len(blocks), len(blocks[0]), size, classes))
    used = [n for block in blocks for n in block]
    occupancy.take([(node, count) for node, count in enumerate(used) if count])
    return occupancy


def place(policy: str, shape: Shape, occupancy: Occupancy, within: int = 0) -> Parts | Refusal:
    return PLACEMENTS[policy](shape, occupancy, np.random.default_rng(7), within)


# ------------------------------------------------------------------ one node


@pytest.mark.parametrize(
    ("policy", "node"),
    [
        ("first-fit", 0),  # the lowest number that holds 2
        ("best-fit", 2),  # exactly 2 free
        ("worst-fit", 1),  # 8 free
        ("contiguous", 2),
        ("topology-aware", 2),
    ],
)
def test_a_gang_of_one_node_goes_to_the_node_its_policy_prefers(policy: str, node: int) -> None:
    #                 free   5 8   2 1
    occupancy = draw("     | 3 0 | 6 7 |")
    assert place(policy, Shape(2, span=NODE), occupancy) == [(node, 2)]


@pytest.mark.parametrize("policy", INSISTING)
def test_four_free_gpus_on_three_nodes_do_not_start_a_gang_of_four_in_one_node(
    policy: str,
) -> None:
    occupancy = draw("| 7 6 7 |")
    assert occupancy.free_total == 4
    assert occupancy.most_in_a_node() == 2
    assert place(policy, Shape(4, span=NODE), occupancy) is Refusal.NO_NODE_HOLDS_IT


@pytest.mark.parametrize("policy", ["random", "first-fit", "best-fit", "worst-fit"])
def test_the_same_four_gpus_do_start_a_gang_that_may_lie_anywhere(policy: str) -> None:
    parts = place(policy, Shape(4, span=FLEET), draw("| 7 6 7 |"))
    assert not isinstance(parts, Refusal)
    assert sorted(parts) == [(0, 1), (1, 2), (2, 1)]


@pytest.mark.parametrize("policy", INSISTING)
def test_five_of_four_free_gpus_are_too_few_whatever_the_span(policy: str) -> None:
    for span in (NODE, BLOCK, FLEET):
        assert place(policy, Shape(5, span=span), draw("| 7 6 7 |")) is Refusal.TOO_FEW_FREE


@pytest.mark.parametrize("policy", INSISTING)
def test_six_gpu_gangs_on_nodes_of_eight_strand_a_quarter_of_the_fleet(policy: str) -> None:
    occupancy = draw("| 0 0 0 0 | 0 0 0 0 |")
    gang, started = Shape(6, span=NODE), 0
    while True:
        parts = place(policy, gang, occupancy)
        if isinstance(parts, Refusal):
            break
        occupancy.take(parts)
        started += 1
    assert started == 8
    assert parts is Refusal.NO_NODE_HOLDS_IT
    assert occupancy.free_total / occupancy.fleet.gpus == 0.25


@pytest.mark.parametrize("policy", INSISTING)
def test_nineteen_free_of_sixty_four_can_block_a_gang_of_eight_in_one_node(policy: str) -> None:
    # eight nodes of eight: three with 3 free and five with 2 free, 45 used and 19 free
    occupancy = draw("| 5 5 5 6 6 6 6 6 |")
    assert (64 - occupancy.free_total, occupancy.free_total) == (45, 19)
    assert place(policy, Shape(8, span=NODE), occupancy) is Refusal.NO_NODE_HOLDS_IT


# ------------------------------------------------------------------ ties


@pytest.mark.parametrize("policy", ["first-fit", "best-fit", "worst-fit", "topology-aware"])
@pytest.mark.parametrize("span", [NODE, BLOCK, FLEET])
def test_of_equally_good_nodes_the_lowest_number_is_taken(policy: str, span: int) -> None:
    assert place(policy, Shape(3, span=span), draw("| 8 4 4 | 4 8 4 |")) == [(1, 3)]


def test_random_draws_every_node_that_holds_the_gang_and_no_other() -> None:
    #                 free   5 8   2 1
    occupancy = draw("     | 3 0 | 6 7 |")
    rng = np.random.default_rng(1)
    seen = {tuple(PLACEMENTS["random"](Shape(2, span=NODE), occupancy, rng, 0)) for _ in range(100)}
    assert seen == {((0, 2),), ((1, 2),), ((2, 2),)}


def test_random_with_one_seed_draws_the_same_place_twice() -> None:
    occupancy = draw("| 0 1 2 | 3 4 5 |")
    for span in (NODE, BLOCK, FLEET):
        shape = Shape(3, span=span)
        assert place("random", shape, occupancy) == place("random", shape, occupancy)


# ------------------------------------------------------------------ one block


@pytest.mark.parametrize(
    ("policy", "parts"),
    [
        ("first-fit", [(0, 4), (1, 2)]),  # the first block that has 6
        ("best-fit", [(3, 4), (2, 2)]),  # the block with exactly 6
        ("worst-fit", [(4, 8)]),  # the emptiest block, its emptiest node
        ("contiguous", [(4, 8)]),
    ],
)
def test_a_gang_of_one_block_goes_to_the_block_its_policy_prefers(
    policy: str, parts: Parts
) -> None:
    #                 free   4 4   2 4   8 8
    occupancy = draw("     | 4 4 | 6 4 | 0 0 |")
    gpus = sum(count for _, count in parts)
    assert place(policy, Shape(gpus, span=BLOCK), occupancy) == parts


@pytest.mark.parametrize("policy", INSISTING)
def test_a_gang_of_one_block_is_refused_when_two_blocks_have_room_only_together(
    policy: str,
) -> None:
    #                 free   1 2   3 1
    occupancy = draw("     | 3 2 | 1 3 |", size=4)
    assert place(policy, Shape(5, span=BLOCK), occupancy) is Refusal.NO_BLOCK_HOLDS_IT


@pytest.mark.parametrize("policy", ["best-fit", "contiguous", "topology-aware"])
def test_racks_of_pods_are_filled_as_kueue_fills_them(policy: str) -> None:
    # Kueue's racks as nodes: block b1 {r1: 1 free, r2: 3}, b2 {r1: 1, r2: 2}; nodes 0 to 3
    occupancy = draw("| 2 0 | 2 1 |", size=3)
    assert place(policy, Shape(2, span=NODE), occupancy) == [(3, 2)]
    assert place(policy, Shape(3, span=NODE), occupancy) == [(1, 3)]
    assert place(policy, Shape(4, span=NODE), occupancy) is Refusal.NO_NODE_HOLDS_IT
    assert place(policy, Shape(5, span=BLOCK), occupancy) is Refusal.NO_BLOCK_HOLDS_IT


# ------------------------------------------------------------------ anywhere


@pytest.mark.parametrize(
    ("policy", "parts"),
    [
        ("first-fit", [(0, 1), (1, 3), (2, 1)]),
        ("best-fit", [(0, 1), (3, 2), (1, 2)]),  # smallest holes first
        ("worst-fit", [(2, 4), (1, 1)]),  # largest first
    ],
)
def test_a_gang_that_may_lie_anywhere_fills_the_holes_its_policy_prefers(
    policy: str, parts: Parts
) -> None:
    #                 free   1 3   4 2
    occupancy = draw("     | 7 5 | 4 6 |")
    assert place(policy, Shape(5), occupancy) == parts


def test_topology_aware_prefers_a_node_then_a_block_then_the_fewest_blocks() -> None:
    #                 free   2 2   3 0   1 1
    occupancy = draw("     | 6 6 | 5 8 | 7 7 |")
    assert place("topology-aware", Shape(3), occupancy) == [(2, 3)]
    assert place("topology-aware", Shape(4), occupancy) == [(0, 2), (1, 2)]
    parts = place("topology-aware", Shape(6), occupancy)
    assert parts == [(0, 2), (1, 2), (2, 2)]
    assert occupancy.fleet.hops([node for node, _ in parts]) == 3


def test_contiguous_waits_where_topology_aware_would_spread() -> None:
    #                 free   2 2   3 0
    occupancy = draw("     | 6 6 | 5 8 |")
    assert place("topology-aware", Shape(4), occupancy) == [(0, 2), (1, 2)]
    assert place("contiguous", Shape(4), occupancy) is Refusal.NO_NODE_HOLDS_IT


def test_contiguous_asks_for_one_node_then_one_block_then_whole_nodes() -> None:
    fleet = Fleet(3, 2, 8)
    assert tightened(Shape(8), fleet) == Shape(8, span=NODE)
    assert tightened(Shape(9), fleet) == Shape(9, span=BLOCK)
    assert tightened(Shape(24), fleet) == Shape(24, span=FLEET, whole_nodes=1)
    assert tightened(Shape(25), fleet) == Shape(25, span=FLEET)
    assert tightened(Shape(3, span=NODE), fleet) == Shape(3, span=NODE)


def test_contiguous_does_not_insist_on_a_block_that_has_too_few_capable_nodes() -> None:
    # one capable node a block: two can only be had over two blocks
    fleet = Fleet(2, 4, 1, (3, 1))
    assert tightened(Shape(2, needs_class=1), fleet).span == FLEET


# ------------------------------------------------------------------ whole nodes


@pytest.mark.parametrize("policy", INSISTING)
def test_the_titan_crisis_a_hundred_gpus_are_free_and_no_node_is_whole(policy: str) -> None:
    # 50 racks of 4 nodes of 8; in every rack two nodes have one GPU free
    occupancy = draw("|".join(["7 7 8 8"] * 50))
    assert occupancy.free_total == 100
    assert occupancy.whole_nodes() == 0
    rail = Shape(64, span=FLEET, whole_nodes=1)
    assert place(policy, rail, occupancy) is Refusal.TOO_FEW_WHOLE_NODES
    if policy != "contiguous":
        parts = place(policy, Shape(64), occupancy)
        assert not isinstance(parts, Refusal)
        assert sum(count for _, count in parts) == 64


@pytest.mark.parametrize("policy", INSISTING)
def test_whole_nodes_of_one_block_are_refused_when_they_lie_in_two(policy: str) -> None:
    occupancy = draw("| 0 1 | 2 0 |")
    shape = Shape(16, span=BLOCK, whole_nodes=1)
    assert place(policy, shape, occupancy) is Refusal.TOO_FEW_WHOLE_NODES
    parts = place(policy, shape._replace(span=FLEET), occupancy)
    if policy == "contiguous":  # it asks for one block itself
        assert parts is Refusal.TOO_FEW_WHOLE_NODES
    else:
        assert sorted(parts) == [(0, 8), (3, 8)]


@pytest.mark.parametrize("policy", INSISTING)
@pytest.mark.parametrize("span", [NODE, BLOCK, FLEET])
def test_a_whole_node_is_taken_whole_even_for_fewer_gpus(policy: str, span: int) -> None:
    # node 0 has just the four that are asked for; only node 1 is whole
    occupancy = draw("| 4 0 | 1 1 |")
    assert place(policy, Shape(4, span=span, whole_nodes=1), occupancy) == [(1, 8)]


def test_a_pool_gives_a_whole_node_only_when_nothing_runs() -> None:
    occupancy = Occupancy(Fleet.pool(8))
    shape = Shape(4, whole_nodes=1)
    assert place("best-fit", shape, occupancy) == [(0, 8)]
    occupancy.take([(0, 1)])
    assert place("best-fit", shape, occupancy) is Refusal.TOO_FEW_WHOLE_NODES


def test_best_fit_takes_whole_nodes_from_the_fullest_block_and_worst_from_the_emptiest() -> None:
    #                 whole   1       2       3
    occupancy = draw("     | 1 0 1 | 0 1 0 | 0 0 0 |")
    shape = Shape(16, span=FLEET, whole_nodes=1)
    assert place("best-fit", shape, occupancy) == [(3, 8), (5, 8)]
    assert place("worst-fit", shape, occupancy) == [(6, 8), (7, 8)]
    assert place("best-fit", shape._replace(gpus=8), occupancy) == [(1, 8)]


# ------------------------------------------------------------------ capability classes

# 8x16x1@9,5,2 : in each block nine V1, then five V2, then two V3
PIONEER = Fleet.parse("8x16x1@9,5,2")


def test_the_classes_of_a_fleet_lie_lowest_first_in_every_block() -> None:
    assert [PIONEER.class_of(node) for node in (0, 8, 9, 13, 14, 15, 16, 30)] == [
        0, 0, 1, 1, 2, 2, 0, 2,
    ]  # fmt: skip
    assert [mask.bit_count() for mask in PIONEER.class_masks] == [128, 56, 16]


@pytest.mark.parametrize("policy", INSISTING)
@pytest.mark.parametrize("span", [NODE, BLOCK, FLEET])
def test_a_model_goes_to_a_device_that_can_run_it(policy: str, span: int) -> None:
    parts = place(policy, Shape(1, span=span, needs_class=2), Occupancy(PIONEER))
    assert not isinstance(parts, Refusal)
    assert PIONEER.class_of(parts[0][0]) == 2


@pytest.mark.parametrize("policy", INSISTING)
def test_free_devices_that_cannot_run_the_model_are_holes(policy: str) -> None:
    occupancy = Occupancy(PIONEER)
    occupancy.take([(node, 1) for node in range(128) if PIONEER.class_of(node) == 2])
    assert occupancy.free_total == 112
    shape = Shape(1, span=NODE, needs_class=2)
    assert place(policy, shape, occupancy) is Refusal.NO_CAPABLE_DEVICE


@pytest.mark.parametrize("policy", ["best-fit", "contiguous", "topology-aware"])
@pytest.mark.parametrize("span", [NODE, BLOCK, FLEET])
def test_best_fit_leaves_the_capable_devices_to_those_who_need_them(policy: str, span: int) -> None:
    # block 0 has only V3 free; block 1 has a V1 free: a light model takes that
    occupancy = Occupancy(PIONEER)
    occupancy.take([(node, 1) for node in range(14)])
    assert place(policy, Shape(1, span=span), occupancy) == [(16, 1)]


def test_a_gang_over_devices_takes_the_least_capable_that_together_suffice() -> None:
    # two nodes a block: V1 and V2, one GPU each; three are wanted
    occupancy = Occupancy(Fleet(2, 2, 1, (1, 1)))
    assert place("best-fit", Shape(2), occupancy) == [(0, 1), (2, 1)]
    assert place("best-fit", Shape(3), occupancy) == [(0, 1), (1, 1), (2, 1)]
    assert place("best-fit", Shape(2, needs_class=1), occupancy) == [(1, 1), (3, 1)]
    wanted = Shape(2, span=BLOCK, needs_class=1)
    assert place("best-fit", wanted, occupancy) is Refusal.NO_BLOCK_HOLDS_IT


# ------------------------------------------------------------------ what could ever fit


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        (Shape(8, span=NODE), True),
        (Shape(9, span=NODE), False),
        (Shape(16, span=BLOCK), True),
        (Shape(17, span=BLOCK), False),
        (Shape(32), True),
        (Shape(33), False),
        (Shape(31, whole_nodes=1), True),
        (Shape(8, span=NODE, needs_class=1), True),
        (Shape(9, span=BLOCK, needs_class=1), False),  # one capable node a block
        (Shape(16, needs_class=1), True),
        (Shape(17, needs_class=1), False),
    ],
)
def test_a_gang_is_impossible_only_if_the_empty_fleet_could_not_run_it(
    shape: Shape, fits: bool
) -> None:
    fleet = Fleet(2, 2, 8, (1, 1))
    assert fits_when_empty(shape, fleet) is fits
    assert isinstance(place("best-fit", shape, Occupancy(fleet)), list) is fits


def test_a_class_that_the_fleet_does_not_know_runs_nothing() -> None:
    assert not fits_when_empty(Shape(1, needs_class=2), Fleet(2, 2, 8, (1, 1)))


def test_a_class_that_has_no_nodes_runs_nothing() -> None:
    fleet = Fleet(1, 2, 8, (2, 0))
    assert not fits_when_empty(Shape(1, span=NODE, needs_class=1), fleet)


# ------------------------------------------------------------------ shares of a GPU


def share(policy: str, occupancy: Occupancy, milli: int, needs_class: int = 0):
    shape = Shape(1, gpu_milli=milli, needs_class=needs_class)
    return place_share(shape, occupancy, np.random.default_rng(7), policy)


def shared(*left: tuple[int, int, int]) -> Occupancy:
    """Return two nodes of two GPUs of which some are given out in part: (node, GPU, left)."""
    occupancy = Occupancy(Fleet(1, 2, 2))
    for node, gpu, milli in left:
        occupancy.take_share(node, gpu, 1000 - milli)
    return occupancy


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        ("best-fit", (1, 0)),  # 400 left: the least that suffices
        ("first-fit", (0, 0)),  # the lowest number that suffices
        ("worst-fit", (0, 1)),  # opens a whole GPU while there is one
        ("contiguous", (1, 0)),
        ("topology-aware", (1, 0)),
    ],
)
def test_a_share_goes_to_the_gpu_its_policy_prefers(policy: str, where: tuple[int, int]) -> None:
    assert share(policy, shared((0, 0, 700), (1, 0, 400)), 400) == where


def test_a_whole_gpu_is_opened_when_no_shared_one_has_room() -> None:
    occupancy = shared((0, 0, 300))
    for policy in ("best-fit", "first-fit", "topology-aware"):
        assert share(policy, occupancy, 400) == (0, 1)


def test_worst_fit_falls_back_to_the_emptiest_shared_gpu() -> None:
    occupancy = shared((0, 0, 300), (0, 1, 700), (1, 0, 500), (1, 1, 0))
    assert share("worst-fit", occupancy, 200) == (0, 1)


@pytest.mark.parametrize("policy", INSISTING)
def test_a_share_that_no_gpu_has_left_is_refused(policy: str) -> None:
    occupancy = shared((0, 0, 300), (0, 1, 300), (1, 0, 300), (1, 1, 300))
    assert share(policy, occupancy, 301) is Refusal.TOO_FEW_FREE
    assert not isinstance(share(policy, occupancy, 300), Refusal)


@pytest.mark.parametrize("policy", INSISTING)
def test_a_share_needs_a_capable_device_as_well(policy: str) -> None:
    occupancy = Occupancy(Fleet(1, 2, 1, (1, 1)))  # node 0 is V1, node 1 is V2
    assert share(policy, occupancy, 500, needs_class=1) == (1, 0)
    occupancy.take_share(1, 0, 600)
    assert isinstance(share(policy, occupancy, 500, needs_class=1), Refusal)


def test_a_place_may_be_sought_within_some_nodes_only() -> None:
    occupancy = draw("| 0 0 | 0 0 |")
    for policy in INSISTING:
        assert place(policy, Shape(3, span=NODE), occupancy, within=0b0100) == [(2, 3)]
        refused = place(policy, Shape(9, span=BLOCK), occupancy, within=0b0100)
        assert refused is Refusal.NO_BLOCK_HOLDS_IT
