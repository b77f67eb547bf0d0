"""The fleet as a fact, and what of it is free."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetlab.fleet import Fleet, Occupancy, bits_of, lowest_bits


@pytest.mark.parametrize(
    ("text", "fleet"),
    [
        ("8x8x8", Fleet(8, 8, 8)),
        ("8x16x1@9,5,2", Fleet(8, 16, 1, (9, 5, 2))),
        ("256", Fleet(1, 1, 256)),
    ],
)
def test_a_fleet_is_read_from_its_short_form_and_written_back(text: str, fleet: Fleet) -> None:
    assert Fleet.parse(text) == fleet
    assert Fleet.parse(str(fleet)) == fleet


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8x8",
        "8 x 8 x 8",
        "-1",
        "8x8x8@",
        "8x8x8@1,a",
        "axbxc",
        "8x8x8x8",
        "99999999",
        "٣",
        "٣x1x1",
    ],
)
def test_text_that_is_no_fleet_is_refused_with_the_form_expected(text: str) -> None:
    with pytest.raises(ValueError, match="write BLOCKSxNODESxGPUS as in 8x8x8") as error:
        Fleet.parse(text)
    assert "\n" not in str(error.value)


def test_a_long_text_is_cut_short_in_the_refusal() -> None:
    with pytest.raises(ValueError) as error:
        Fleet.parse("8x" * 5000)
    assert len(str(error.value)) < 160


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((0, 1, 1), "blocks is 0; it must be 1 or more"),
        ((1, float("inf"), 1), "nodes_per_block is inf; it must be 1 or more, and whole"),
        ((1, 0, 1), "nodes_per_block is 0"),
        ((1, 1, 0), "gpus_per_node is 0"),
        ((1000, 1000, 2), "2000000 GPUs; at most 1000000"),
        ((1, 4, 8, (1, 2)), "add up to 3 nodes a block, and a block has 4"),
    ],
)
def test_an_impossible_fleet_is_refused_in_one_sentence(numbers: tuple, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Fleet(*numbers)


def test_the_default_fleet_has_64_nodes_of_8_in_8_blocks() -> None:
    fleet = Fleet(8, 8, 8)
    assert (fleet.nodes, fleet.gpus, fleet.gpus_per_block) == (64, 512, 64)
    assert [fleet.block_of(node) for node in (0, 7, 8, 63)] == [0, 0, 1, 7]


@pytest.mark.parametrize(
    ("nodes", "hops"), [([], 0), ([3], 0), ([0, 7], 1), ([0, 8], 3), ([8, 9, 10], 1)]
)
def test_hops_are_none_in_a_node_one_in_a_block_and_three_over_the_spine(
    nodes: list[int], hops: int
) -> None:
    assert Fleet(8, 8, 8).hops(nodes) == hops


def test_gpus_have_numbers_up_to_62_a_node_and_are_counted_above() -> None:
    assert Fleet.pool(62).numbered
    assert not Fleet.pool(63).numbered
    occupancy = Occupancy(Fleet.pool(63))
    assert occupancy.take([(0, 5)]) == [(0, 5, 0)]


def test_bits_are_told_lowest_first() -> None:
    assert list(bits_of(0b101001)) == [0, 3, 5]
    assert lowest_bits(0b101001, 2) == 0b001001


def test_the_lowest_free_gpus_are_taken_and_come_back() -> None:
    occupancy = Occupancy(Fleet(1, 2, 4))
    first = occupancy.take([(0, 2)])
    assert first == [(0, 2, 0b0011)]
    second = occupancy.take([(0, 1), (1, 4)])
    assert second == [(0, 1, 0b0100), (1, 4, 0b1111)]
    occupancy.release(first)
    assert occupancy.take([(0, 3)]) == [(0, 3, 0b1011)]


def test_taking_more_than_is_free_is_an_error_and_not_a_double_booking() -> None:
    occupancy = Occupancy(Fleet(1, 1, 4))
    occupancy.take([(0, 3)])
    with pytest.raises(ValueError, match="node 0 has 1 free, 2 were taken"):
        occupancy.take([(0, 2)])


def test_taking_nothing_changes_no_index() -> None:
    occupancy = Occupancy(Fleet(1, 2, 4))
    occupancy.take([(0, 0)])
    assert occupancy.block_whole == [2]
    assert occupancy.whole_nodes() == 2


def test_a_share_opens_a_gpu_and_the_last_one_to_leave_closes_it() -> None:
    occupancy = Occupancy(Fleet(1, 1, 2))
    occupancy.take_share(0, 0, 400)
    occupancy.take_share(0, 0, 600)
    assert occupancy.free == [1]
    assert occupancy.shares == [(0, 0, 0)]
    assert occupancy.largest_gang() == 1  # the other GPU
    occupancy.release_share(0, 0, 400)
    assert occupancy.share_left(0, 0) == 400
    occupancy.release_share(0, 0, 600)
    assert occupancy.free == [2]
    assert occupancy.shares == []


def test_a_gpu_gives_no_more_than_a_thousand_thousandths() -> None:
    occupancy = Occupancy(Fleet(1, 1, 1))
    occupancy.take_share(0, 0, 700)
    with pytest.raises(ValueError, match="has 300 thousandths free, not 301"):
        occupancy.take_share(0, 0, 301)
    with pytest.raises(ValueError, match="GPU 5 of node 0 is not shared"):
        occupancy.share_left(0, 5)


def test_the_largest_gang_is_all_that_is_free_or_a_share_or_nothing() -> None:
    occupancy = Occupancy(Fleet(1, 1, 2))
    assert occupancy.largest_gang() == 2
    occupancy.take([(0, 1)])
    occupancy.take_share(0, 1, 900)
    assert occupancy.largest_gang() == 1
    occupancy.take_share(0, 1, 100)
    assert occupancy.largest_gang() == 0


def test_what_is_free_is_counted_by_class() -> None:
    #         V1 V1 V2 | V1 V1 V2, two GPUs each
    occupancy = Occupancy(Fleet(2, 3, 2, (2, 1)))
    assert [occupancy.free_of_class(n) for n in (0, 1)] == [12, 4]
    occupancy.take([(2, 2), (5, 1)])
    assert [occupancy.free_of_class(n) for n in (0, 1)] == [9, 1]
    assert [occupancy.most_in_a_node(n) for n in (0, 1)] == [2, 1]


def rebuilt(occupancy: Occupancy) -> dict[str, object]:
    """Return every index of ``occupancy``, counted anew from ``free`` alone."""
    fleet, free = occupancy.fleet, occupancy.free
    width, size = fleet.nodes_per_block, fleet.gpus_per_node
    blocks = [free[b * width : (b + 1) * width] for b in range(fleet.blocks)]
    sums, whole = [sum(b) for b in blocks], [b.count(size) for b in blocks]

    def mask(values: list[int], value: int) -> int:
        return sum(1 << i for i, v in enumerate(values) if v == value)

    return {
        "free_total": sum(free),
        "block_free": sums,
        "block_whole": whole,
        "nodes_by_free": [mask(free, k) for k in range(size + 1)],
        "blocks_by_free": [mask(sums, k) for k in range(fleet.gpus_per_block + 1)],
        "blocks_by_whole": [mask(whole, k) for k in range(width + 1)],
    }


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.booleans()), max_size=40))
def test_every_index_agrees_with_the_free_counts_whatever_is_taken_and_released(moves) -> None:
    occupancy = Occupancy(Fleet(2, 3, 3))
    held, shares = [], []
    for node, count, share in moves:
        if share and occupancy.free_bits[node]:
            gpu = next(bits_of(occupancy.free_bits[node]))
            occupancy.take_share(node, gpu, 300)
            shares.append((node, gpu))
        elif share and shares:
            occupancy.release_share(*shares.pop(), 300)
        elif occupancy.free[node] >= count:
            held.append(occupancy.take([(node, count)]))
        elif held:
            occupancy.release(held.pop(0))
        for name, value in rebuilt(occupancy).items():
            assert getattr(occupancy, name) == value, name
        assert [bits.bit_count() for bits in occupancy.free_bits] == occupancy.free
