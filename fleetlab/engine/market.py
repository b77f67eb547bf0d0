"""How a real spot market took nodes back: the statistics of recorded groups of instances.

``AWS`` was computed by ``measured`` from six days of Amazon's GPU spot groups (g4dn and p2,
November 2020) that were recorded for Bamboo (Thorpe et al., NSDI 2023). The records are not part
of this repository; a test computes the numbers again where they are at hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

EDGES = (0.055, 0.07, 0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1.0)
"""Shares of the live nodes between which reclaims are counted; one of 16 is the least there was."""

Steps = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Market:
    """The reclaims of a market: how regular they are, and how much each takes.

    ``gap_cv`` is the coefficient of variation of the time between two reclaims (1:
    memoryless), ``below[i]`` the share of reclaims that took at most ``EDGES[i]`` of the live
    nodes.
    """

    gap_cv: float
    below: tuple[float, ...]

    @property
    def mean_share(self) -> float:
        """The share of live nodes that a reclaim takes on average, as ``share`` draws it."""
        middles = [(left + right) / 2 for left, right in pairwise(EDGES)]
        counts = [high - low for low, high in pairwise(self.below)]
        return sum(m * c for m, c in zip(middles, counts, strict=True))

    def share(self, uniform: float) -> float:
        """Return the share of live nodes that a reclaim takes, for a uniform draw in [0, 1).

        Shares are spread evenly between two ``EDGES``.
        """
        for number, (low, high) in enumerate(pairwise(self.below)):
            if uniform < high:
                left, right = EDGES[number], EDGES[number + 1]
                return left + (right - left) * (uniform - low) / (high - low)
        return EDGES[-1]


AWS = Market(
    gap_cv=2.06,
    below=(0.0, 0.389, 0.551, 0.683, 0.838, 0.88, 0.958, 0.982, 1.0),
)


def measured(records: Iterable[Steps]) -> Market:
    """Return the market in ``records`` of (time ms, live nodes), as ``reclaim.read_steps`` gives.

    Times between reclaims are taken within a record. Raises ValueError for records
    with fewer than two reclaims in all.
    """
    gaps: list[int] = []
    shares: list[float] = []
    for steps in records:
        times = []
        for (_, before), (time, live) in pairwise(steps):
            if live < before:
                times.append(time)
                shares.append((before - live) / before)
        gaps += [late - early for early, late in pairwise(times)]
    if not gaps:
        raise ValueError("market: the records have fewer than two reclaims; give longer ones")
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    return Market(
        gap_cv=math.sqrt(variance) / mean,
        below=tuple(sum(share <= edge for share in shares) / len(shares) for edge in EDGES),
    )
