"""Collectives, tiers and stretch: by hand, with the chapter's figures."""

import pytest

from fleetlab.network import (
    CHAPTER_ALLREDUCE_MS,
    CROSS_SPINE,
    GB,
    MB,
    SAME_LEAF,
    SAME_NODE,
    TIERS,
    all_gather_s,
    cost_ratio,
    goodput_loss,
    hierarchical_allreduce_s,
    locality_score,
    placement_stretch,
    reduce_scatter_s,
    ring_allreduce_s,
    step_stretch,
    tensor_parallel_s,
    tier_of,
)

# Two blocks of two nodes: nodes 0 and 1 in block 0, nodes 2 and 3 in block 1.
NODE_BLOCK = [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("ranks", "factor"), [(1, 0), (2, 1), (4, 1.5), (8, 1.75), (16, 1.875), (64, 1.96875)]
)
def test_a_ring_moves_two_n_minus_one_nths_of_the_bytes(ranks, factor):
    assert ring_allreduce_s(GB, ranks, GB) == pytest.approx(factor)


def test_one_gigabyte_at_100_gigabytes_a_second_over_8_takes_17_5_ms():
    assert ring_allreduce_s(GB, 8, 100 * GB) == pytest.approx(0.0175)


def test_gather_and_scatter_are_the_two_halves_of_an_allreduce():
    halves = all_gather_s(GB, 8, GB, 1e-3) + reduce_scatter_s(GB, 8, GB, 1e-3)
    assert halves == pytest.approx(ring_allreduce_s(GB, 8, GB, 1e-3))
    assert all_gather_s(GB, 8, GB) == pytest.approx(7 / 8)


def test_latency_counts_once_a_step_of_the_ring():
    assert ring_allreduce_s(0, 4, GB, 5e-6) == pytest.approx(6 * 5e-6)


def test_the_guardians_loop_takes_1_0_then_4_4_then_15_0_ms():
    ms = [1000 * tensor_parallel_s(24, 2.08 * MB, 4, tier) for tier in TIERS]
    assert [round(m, 1) for m in ms] == [1.0, 4.4, 15.0]
    bandwidth_alone = 48 * ring_allreduce_s(2.08 * MB, 4, CROSS_SPINE.bandwidth_bytes_s)
    assert round(1000 * bandwidth_alone, 1) == 12.5


def test_a_gang_crosses_the_slowest_tier_that_any_two_of_its_nodes_are_apart():
    assert tier_of([1, 1, 1], NODE_BLOCK) == SAME_NODE
    assert tier_of([0, 1], NODE_BLOCK) == SAME_LEAF
    assert tier_of([0, 1, 2], NODE_BLOCK) == CROSS_SPINE
    assert [t.hops for t in TIERS] == [0, 1, 3]


def test_the_locality_score_adds_0_1_or_10_for_each_pair_of_gpus():
    assert locality_score([0, 0, 0], NODE_BLOCK) == 0
    assert locality_score([0, 0, 1], NODE_BLOCK) == 2  # two pairs within the block
    assert locality_score([0, 1, 2], NODE_BLOCK) == 1 + 10 + 10


def test_a_fifth_of_the_step_at_4_2_times_the_cost_loses_40_percent_of_goodput():
    assert step_stretch(0.21, 4.2) == pytest.approx(1.672)
    assert round(goodput_loss(0.21, 4.2), 2) == 0.40
    # 4.2 is itself the ratio of the two bandwidths, 50 over 12.
    assert round(cost_ratio(1000 * GB, 64, CROSS_SPINE, SAME_LEAF), 1) == 4.2


def test_a_placement_as_close_as_was_profiled_is_not_stretched_and_none_is_credited():
    where = {"same node": [0, 0], "same leaf": [0, 1], "cross-spine": [0, 2]}
    stretch = {k: placement_stretch(v, NODE_BLOCK, 0.21, GB, 64) for k, v in where.items()}
    assert stretch["same node"] == stretch["same leaf"] == 1.0
    assert stretch["cross-spine"] == pytest.approx(1 + 0.21 * (4.128 - 1), abs=1e-3)


def test_an_oversubscribed_spine_stretches_further():
    spine = CROSS_SPINE.oversubscribed(2)
    assert spine.bandwidth_bytes_s == 6 * GB
    tiers = (SAME_NODE, SAME_LEAF, spine)
    assert placement_stretch([0, 2], NODE_BLOCK, 0.2, GB, 64, tiers=tiers) > placement_stretch(
        [0, 2], NODE_BLOCK, 0.2, GB, 64
    )


def test_keeping_to_the_rails_beats_one_flat_ring_over_the_leaf():
    rails = hierarchical_allreduce_s(GB, 8, 8, SAME_NODE, SAME_LEAF)
    flat = ring_allreduce_s(GB, 64, SAME_LEAF.bandwidth_bytes_s, SAME_LEAF.latency_s)
    assert rails < flat / 5
    assert hierarchical_allreduce_s(GB, 8, 1, SAME_NODE, SAME_LEAF) == pytest.approx(
        ring_allreduce_s(GB, 8, SAME_NODE.bandwidth_bytes_s, SAME_NODE.latency_s)
    )


def test_the_chapters_figures_are_kept_as_cited():
    assert dict(CHAPTER_ALLREDUCE_MS) == {"optimal": 25, "rail": 40, "rack": 85, "random": 120}


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: ring_allreduce_s(1, 0, 1), "ranks is 0"),
        (lambda: ring_allreduce_s(1, 2.5, 1), "ranks is 2.5"),
        (lambda: ring_allreduce_s(-1, 2, 1), "bytes is -1"),
        (lambda: ring_allreduce_s(1, 2, 0), "bandwidth_bytes_s is 0"),
        (lambda: ring_allreduce_s(1, 2, 1, -1), "latency_s is -1"),
        (lambda: tier_of([], NODE_BLOCK), "nodes is empty"),
        (lambda: step_stretch(1.2, 2), "communication_fraction is 1.2"),
        (lambda: step_stretch(0.2, float("nan")), "ratio is nan"),
        (lambda: CROSS_SPINE.oversubscribed(0.5), "oversubscription is 0.5"),
    ],
)
def test_an_impossible_transfer_is_refused_with_the_reason(ask, reason):
    with pytest.raises(ValueError, match=reason):
        ask()
