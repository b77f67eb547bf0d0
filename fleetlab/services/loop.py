"""The Guardian's safety loop on nodes that come and go: its latency, and how often it is late.

A loop computes on all cameras, shared out over the nodes that are there, and ends with
the AllReduces of a tensor-parallel group inside each node. A loop that begins while the
ring is rebuilt ends when it stands again. The number of cameras stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleetlab.network import MB, SAME_NODE, tensor_parallel_s
from fleetlab.run import Run
from fleetlab.services.service import Piece, day_ms, halts_ms, pieces

COMPUTE_MS = 5.0
"""Compute of a loop when all nodes are there (teaching value)."""

LAYERS, SHARED_BYTES, RANKS = 24, 2.08 * MB, 4
"""The network of the loop: layers, what its ranks exchange twice a layer, and how many they are."""

DEADLINE_MS = 10.0
TAIL = 0.001
"""The objective is about p99.9: one loop in a thousand may be slower."""


def loop_ms(nodes: int, all_nodes: int) -> float:
    """Return the latency of a loop on ``nodes`` of ``all_nodes``, in ms.

    Compute grows as the nodes get fewer; 24 layers with 2 AllReduces of 2.08 MB over 4 ranks
    stay inside a node. Raises ValueError without a node.
    """
    if nodes < 1:
        raise ValueError(f"nodes is {nodes}; a loop needs at least one")
    talk_s = tensor_parallel_s(LAYERS, SHARED_BYTES, RANKS, SAME_NODE)
    return COMPUTE_MS * all_nodes / nodes + talk_s * 1000


def fewest_nodes(all_nodes: int) -> int:
    """Return the fewest nodes with which a loop still meets its deadline."""
    return min(n for n in range(1, all_nodes + 1) if loop_ms(n, all_nodes) <= DEADLINE_MS)


@dataclass(frozen=True)
class Loops:
    """A day of loops: latencies in ms, ``late_share`` of them after the deadline.

    ``halts`` counts the times the loop stood still, ``halted_s`` how long in all.
    """

    seed: int
    p50_ms: float
    p999_ms: float
    worst_ms: float
    late_share: float
    halts: int
    halted_s: float
    fewest_nodes: int


def loops_of(run: Run) -> Loops:
    """Return the day of loops in ``run``; raises ValueError for a run without a Scenario."""
    day, whole = pieces(run), run.fleet.nodes
    assert run.scenario is not None
    halts = halts_ms(day)
    usual = loop_ms(whole, whole)
    worst = max([loop_ms(p.nodes, whole) for p in day if not p.still] + [usual + h for h in halts])
    return Loops(
        seed=run.scenario.seed,
        p50_ms=_quantile_ms(day, halts, whole, 0.5),
        p999_ms=_quantile_ms(day, halts, whole, TAIL),
        worst_ms=worst,
        late_share=_slower_ms(day, halts, whole, DEADLINE_MS) / max(1, day_ms(run)),
        halts=len(halts),
        halted_s=sum(halts) / 1000,
        fewest_nodes=min((p.nodes for p in day if not p.still), default=0),
    )


def _slower_ms(day: list[Piece], halts: list[int], whole: int, limit_ms: float) -> float:
    """Return in how much of the day a loop begins that takes longer than ``limit_ms``.

    One that begins in a halt waits for the rest of it first.
    """
    slow = sum(p.length_ms for p in day if not p.still and loop_ms(p.nodes, whole) > limit_ms)
    waiting = limit_ms - loop_ms(whole, whole)
    return slow + sum(max(0.0, halt - max(0.0, waiting)) for halt in halts)


def _quantile_ms(day: list[Piece], halts: list[int], whole: int, tail: float) -> float:
    """Return the latency that only the share ``tail`` of loops exceeds, to a microsecond."""
    total = sum(piece.length_ms for piece in day)
    low, high = 0.0, loop_ms(1, whole) + max(halts, default=0) + 1
    while high - low > 0.001:
        middle = (low + high) / 2
        if _slower_ms(day, halts, whole, middle) > tail * total:
            low = middle
        else:
            high = middle
    return high
