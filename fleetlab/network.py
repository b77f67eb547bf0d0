"""Collectives over the network a placement gives: alpha-beta times, tiers, and stretch.

A transfer takes latency (α) plus bytes over bandwidth (1/β). Bandwidths are
bytes a second of one GPU's link in one direction; times are in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

GB = 1_000_000_000
MB = 1_000_000

CLOSE_MFU = 0.45
"""Model FLOPs utilisation of a gang that lies close and is not disturbed (a teaching value)."""


@dataclass(frozen=True)
class Tier:
    """The slowest link a placement must cross.

    ``hops`` counts the switches between two nodes, ``locality_weight`` is the
    chapter's w(d) for a pair of GPUs that far apart.
    """

    name: str
    bandwidth_bytes_s: float
    latency_s: float
    hops: int
    locality_weight: int

    def oversubscribed(self, ratio: float) -> Tier:
        """Return this tier with its bandwidth divided by ``ratio`` (flows that share a link).

        Raises ValueError for a ratio below 1.
        """
        if not (math.isfinite(ratio) and ratio >= 1):
            raise ValueError(f"oversubscription is {ratio}; give a number of at least 1")
        return replace(self, bandwidth_bytes_s=self.bandwidth_bytes_s / ratio)


SAME_NODE = Tier("same node", 900 * GB, 2.9e-6, 0, 0)
SAME_LEAF = Tier("same leaf", 50 * GB, 5e-6, 1, 1)
CROSS_SPINE = Tier("cross-spine", 12 * GB, 8.7e-6, 3, 10)
TIERS = (SAME_NODE, SAME_LEAF, CROSS_SPINE)

# Cited, not computed: AllReduce of 1 GB over 64 GPUs in the chapter "Fleet Orchestration".
# Its rack-confined figure is slower than its rail-optimised one; the page says so in a footnote.
CHAPTER_ALLREDUCE_MS: Mapping[str, int] = {
    "optimal": 25,
    "rail": 40,
    "rack": 85,
    "random": 120,
}


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise ValueError(f"{name} is {value}; give a number above 0")
    return value


def _ring_s(
    passes: int, bytes: float, ranks: int, bandwidth_bytes_s: float, latency_s: float
) -> float:
    if ranks < 1 or ranks != int(ranks):
        raise ValueError(f"ranks is {ranks}; give a whole number of at least 1")
    if not (math.isfinite(bytes) and bytes >= 0):
        raise ValueError(f"bytes is {bytes}; give a finite number of at least 0")
    if not (math.isfinite(latency_s) and latency_s >= 0):
        raise ValueError(f"latency_s is {latency_s}; give a finite number of at least 0")
    _positive("bandwidth_bytes_s", bandwidth_bytes_s)
    steps = passes * (ranks - 1)
    return steps * latency_s + steps / ranks * bytes / bandwidth_bytes_s


def ring_allreduce_s(
    bytes: float, ranks: int, bandwidth_bytes_s: float, latency_s: float = 0.0
) -> float:
    """Return the seconds a ring AllReduce of ``bytes`` takes: 2(n-1)·α + 2(n-1)/n · S/B.

    One rank has nobody to talk to: 0. Source: Patarasuk and Yuan, JPDC 69, 2009;
    the factor is the one nccl-tests prints as bus bandwidth.
    Raises ValueError for negative bytes or latency, no rank, or no bandwidth.
    """
    return _ring_s(2, bytes, ranks, bandwidth_bytes_s, latency_s)


def all_gather_s(
    bytes: float, ranks: int, bandwidth_bytes_s: float, latency_s: float = 0.0
) -> float:
    """Return the seconds a ring all-gather takes: (n-1)·α + (n-1)/n · S/B.

    ``bytes`` is the size of the gathered whole. Source and errors as ``ring_allreduce_s``.
    """
    return _ring_s(1, bytes, ranks, bandwidth_bytes_s, latency_s)


def reduce_scatter_s(
    bytes: float, ranks: int, bandwidth_bytes_s: float, latency_s: float = 0.0
) -> float:
    """Return the seconds a ring reduce-scatter takes: (n-1)·α + (n-1)/n · S/B.

    ``bytes`` is the size before scattering. Source and errors as ``ring_allreduce_s``.
    """
    return _ring_s(1, bytes, ranks, bandwidth_bytes_s, latency_s)


def hierarchical_allreduce_s(
    bytes: float, gpus_per_node: int, nodes: int, inside: Tier, between: Tier
) -> float:
    """Return the seconds of an AllReduce in three phases that keeps to the rails.

    Reduce-scatter inside each node, AllReduce of each rail's part between the
    nodes, all-gather inside. Every rail carries 1/gpus_per_node of the bytes,
    which is why whole nodes on aligned rails beat one flat ring.
    Raises ValueError as ``ring_allreduce_s`` does.
    """
    within = (bytes, gpus_per_node, inside.bandwidth_bytes_s, inside.latency_s)
    across = ring_allreduce_s(
        bytes / _positive("gpus_per_node", gpus_per_node),
        nodes,
        between.bandwidth_bytes_s,
        between.latency_s,
    )
    return reduce_scatter_s(*within) + across + all_gather_s(*within)


def tier_of(nodes: Sequence[int], node_block: Sequence[int]) -> Tier:
    """Return the slowest tier a gang on ``nodes`` must cross.

    ``nodes`` are node numbers (repeats allowed, one a GPU or one a node);
    ``node_block[n]`` is the leaf block of node n.
    Raises ValueError for a gang on no node.
    """
    distinct = {int(n) for n in nodes}
    if not distinct:
        raise ValueError("nodes is empty; give at least one node")
    if len(distinct) == 1:
        return SAME_NODE
    return SAME_LEAF if len({int(node_block[n]) for n in distinct}) == 1 else CROSS_SPINE


def locality_score(nodes: Sequence[int], node_block: Sequence[int]) -> int:
    """Return Σ w(d) over the pairs of GPUs: 0 in a node, 1 in a leaf block, 10 across.

    ``nodes`` has one entry a GPU. Lower is closer; one node gives 0.
    Source: the chapter's locality score, with its weights.
    """
    count: dict[int, int] = {}
    for node in nodes:
        count[int(node)] = count.get(int(node), 0) + 1
    return sum(
        count[a] * count[b] * tier_of((a, b), node_block).locality_weight
        for a, b in combinations(count, 2)
    )


def cost_ratio(bytes: float, ranks: int, tier: Tier, home: Tier) -> float:
    """Return how many times longer an AllReduce takes on ``tier`` than on ``home``.

    1 where there is nothing to send. Raises ValueError as ``ring_allreduce_s`` does.
    """
    near = ring_allreduce_s(bytes, ranks, home.bandwidth_bytes_s, home.latency_s)
    far = ring_allreduce_s(bytes, ranks, tier.bandwidth_bytes_s, tier.latency_s)
    return far / near if near else 1.0


def step_stretch(communication_fraction: float, ratio: float) -> float:
    """Return how many times longer a training step takes when communication costs more.

    1 + f·(ratio - 1): of each step the fraction f is communication that compute
    does not hide, and only it grows. With f = 21 % and a ratio of 4.2 a step
    takes 1.67 times as long, so goodput (1/stretch) falls by 40 %.
    Source: Amdahl's argument, AFIPS 1967.
    Raises ValueError for a fraction outside [0, 1] or a ratio below 0.
    """
    if not 0 <= communication_fraction <= 1:
        raise ValueError(
            f"communication_fraction is {communication_fraction}; give a number from 0 to 1"
        )
    if not (math.isfinite(ratio) and ratio >= 0):
        raise ValueError(f"ratio is {ratio}; give a finite number of at least 0")
    return 1 + communication_fraction * (ratio - 1)


def goodput_loss(communication_fraction: float, ratio: float) -> float:
    """Return the share of goodput lost to slower communication (0.4 is 40 %).

    1 - 1/``step_stretch``, with its errors.
    """
    return 1 - 1 / step_stretch(communication_fraction, ratio)


def placement_stretch(
    nodes: Sequence[int],
    node_block: Sequence[int],
    communication_fraction: float,
    bytes: float,
    ranks: int,
    home: Tier = SAME_LEAF,
    tiers: Sequence[Tier] = TIERS,
) -> float:
    """Return how a placement stretches a step that was profiled on ``home``, at least 1.

    A placement closer than ``home`` is not credited: the job's run time was
    given for ``home``. ``tiers`` (same node, same leaf, cross-spine) may carry
    oversubscription. Raises ValueError as ``tier_of`` and ``cost_ratio`` do.
    """
    crossed = tiers[TIERS.index(tier_of(nodes, node_block))]
    ratio = cost_ratio(bytes, ranks, crossed, home)
    return step_stretch(communication_fraction, max(1.0, ratio))


def tensor_parallel_s(
    layers: int, bytes: float, ranks: int, tier: Tier, allreduces_per_layer: int = 2
) -> float:
    """Return the seconds a forward pass spends in its AllReduces.

    n·[2(N-1)·α + 2(N-1)/N · S/B] with n = layers × AllReduces a layer (two:
    after attention and after the MLP). The Guardian's loop, 24 layers of
    2.08 MB over 4 ranks, comes to 1.0, 4.4 and 15.0 ms by tier.
    Source: Shoeybi et al., Megatron-LM (2019), §3.
    Raises ValueError as ``ring_allreduce_s`` does.
    """
    one = ring_allreduce_s(bytes, ranks, tier.bandwidth_bytes_s, tier.latency_s)
    return layers * allreduces_per_layer * one
