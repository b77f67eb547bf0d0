"""Bins for items: the heuristics a scheduler uses, bounds, and the exact optimum.

Every rule takes the weights in the order they arrive and the capacity of a bin,
and returns the bins, each a list of the weights in it, in order of opening.
Weights may be fractions of a unit: they are taken at their decimal value and
packed in exact arithmetic, so ten items of 0.1 fill a bin of 1. An item fits in
any bin with as much room, to the last unit. ``Work`` counts what a rule did.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from fleetlab.theory.drf import exact

Bins = list[list[Any]]


class SearchLimit(RuntimeError):
    """The exact search used up its allowance before it had proved an answer."""


@dataclass
class Work:
    """A counter handed to a rule: ``comparisons`` of an item with a bin, ``nodes`` searched."""

    comparisons: int = 0
    nodes: int = 0


def _whole(weights: Sequence[Any], capacity: Any) -> tuple[list[int], int]:
    """Return weights and capacity as whole numbers of a common unit, checked."""
    limit = exact(capacity, "capacity")
    parts = [exact(w, f"weight of item {i}") for i, w in enumerate(weights)]
    if not limit:
        raise ValueError("capacity is 0; give a number above 0")
    for item, part in enumerate(parts):
        if not part or part > limit:
            raise ValueError(
                f"weight of item {item} is {weights[item]}; give one above 0 and at most "
                f"the capacity of {capacity}"
            )
    unit = math.lcm(limit.denominator, *(p.denominator for p in parts))
    return [int(p * unit) for p in parts], int(limit * unit)


def _pack(
    weights: Sequence[Any], capacity: Any, rule: str, decreasing: bool, work: Work | None
) -> Bins:
    sizes, limit = _whole(weights, capacity)
    order = range(len(sizes))
    items = sorted(order, key=lambda i: (-sizes[i], i)) if decreasing else order
    work = Work() if work is None else work
    room: list[int] = []
    bins: Bins = []
    for item in items:
        size = sizes[item]
        chosen = -1
        for number in range(len(room) - 1 if rule == "next" and room else 0, len(room)):
            work.comparisons += 1
            if room[number] >= size and (chosen < 0 or room[number] < room[chosen]):
                chosen = number
                if rule == "first":
                    break
        if chosen < 0:
            chosen = len(room)
            room.append(limit)
            bins.append([])
        room[chosen] -= size
        bins[chosen].append(weights[item])
    return bins


def next_fit(weights: Sequence[Any], capacity: Any, work: Work | None = None) -> Bins:
    """Return bins where an item goes into the newest bin, or opens one (≤ 2·OPT - 1).

    Source: Johnson, Near-Optimal Bin Packing Algorithms (1973).
    Raises ValueError for a weight that is not above 0 or exceeds the capacity.
    """
    return _pack(weights, capacity, "next", False, work)


def first_fit(weights: Sequence[Any], capacity: Any, work: Work | None = None) -> Bins:
    """Return bins where an item goes into the oldest bin it fits in (≤ 1.7·OPT).

    Source: Johnson (1973); bound: Dósa and Sgall, STACS 2013.
    Raises ValueError as ``next_fit`` does.
    """
    return _pack(weights, capacity, "first", False, work)


def best_fit(weights: Sequence[Any], capacity: Any, work: Work | None = None) -> Bins:
    """Return bins where an item goes into the fullest bin it fits in; ties to the oldest.

    Source: Johnson (1973); bound 1.7·OPT: Dósa and Sgall, ICALP 2014.
    Raises ValueError as ``next_fit`` does.
    """
    return _pack(weights, capacity, "best", False, work)


def first_fit_decreasing(weights: Sequence[Any], capacity: Any, work: Work | None = None) -> Bins:
    """Return the bins of first fit with the largest items first (≤ 11/9·OPT + 6/9).

    Equal items keep their order. Source: Johnson (1973); bound: Dósa, ESCAPE 2007.
    Raises ValueError as ``next_fit`` does.
    """
    return _pack(weights, capacity, "first", True, work)


def best_fit_decreasing(weights: Sequence[Any], capacity: Any, work: Work | None = None) -> Bins:
    """Return the bins of best fit with the largest items first; equal items keep their order.

    Source: Johnson (1973).
    Raises ValueError as ``next_fit`` does.
    """
    return _pack(weights, capacity, "best", True, work)


def lower_bound_l1(weights: Sequence[Any], capacity: Any) -> int:
    """Return the bins needed if items could be poured: the total over the capacity, rounded up.

    Source: Martello and Toth, Knapsack Problems (1990), §8.3.
    Raises ValueError as ``next_fit`` does.
    """
    sizes, limit = _whole(weights, capacity)
    return -(-sum(sizes) // limit)


def lower_bound_l2(weights: Sequence[Any], capacity: Any) -> int:
    """Return Martello and Toth's bound, at least L1: large items cannot share a bin.

    For each K ≤ c/2: items above c - K are alone, items above c/2 share with
    none of their kind, and items of K to c/2 fill the latter's room and then
    further bins. The bound is the largest count over K.
    Source: Martello and Toth, Discrete Applied Mathematics 28, 1990, §3.
    Raises ValueError as ``next_fit`` does.
    """
    sizes, limit = _whole(weights, capacity)
    return _l2(sorted(sizes), limit)


def _l2(rising: list[int], limit: int) -> int:
    total = [0, *accumulate(rising)]
    half = bisect_right(rising, limit // 2)
    best = 0
    for least in [0, *sorted(set(rising[:half]))]:
        alone = bisect_right(rising, limit - least)
        small = bisect_left(rising, least)
        big = max(alone, half)
        room = (big - half) * limit - (total[big] - total[half])
        more = -(-max(0, total[half] - total[small] - room) // limit)
        best = max(best, len(rising) - half + more)
    return best


def optimum(
    weights: Sequence[Any],
    capacity: Any,
    work: Work | None = None,
    node_limit: int = 2_000_000,
) -> Bins:
    """Return a packing into the fewest bins, proved so.

    Tries L2 bins, then one more, and so on: a bin at a time is completed around
    the largest item left, fullest completions first, skipping those that an
    exchange shows to be no better than another, and states known to fail. Each
    bin may waste only what the count of bins leaves to waste.
    Source: Martello and Toth (1990), §8.5 (bounds, dominance); Korf, AAAI 2002
    (bin completion).
    Raises ValueError as ``next_fit`` does, and SearchLimit (with what is known)
    when more than ``node_limit`` nodes would have to be looked at.
    """
    sizes, limit = _whole(weights, capacity)
    work = Work() if work is None else work
    known = min(
        first_fit_decreasing(sizes, limit), best_fit_decreasing(sizes, limit), key=len
    )
    least = _l2(sorted(sizes), limit)
    allowance = work.nodes + node_limit
    while least < len(known):
        search = _Search(limit, work, allowance)
        try:
            found = search.into(Counter(sizes), least)
        except SearchLimit:
            raise SearchLimit(
                f"{node_limit:,} nodes searched: the optimum is between {least} and {len(known)} "
                f"bins; give fewer items or a higher node_limit"
            ) from None
        if found is not None:
            known = found
            break
        least += 1
    by_size: dict[int, list[Any]] = {}
    for size, weight in zip(reversed(sizes), reversed(weights), strict=True):
        by_size.setdefault(size, []).append(weight)
    return [[by_size[size].pop() for size in bin_] for bin_ in known]


class _Search:
    """Depth-first bin completion for one count of bins."""

    def __init__(self, limit: int, work: Work, allowance: int) -> None:
        self.limit = limit
        self.work = work
        self.allowance = allowance
        self.failed: set[tuple[tuple[int, int], ...]] = set()

    def into(self, items: Counter[int], bins: int) -> list[list[int]] | None:
        """Return the items packed into at most ``bins`` bins, or None if they cannot be."""
        # An explicit stack: hundreds of bins would be too deep for WebAssembly's.
        left = dict(sorted(items.items(), reverse=True))
        stack: list[tuple[Iterator[list[int]], tuple[tuple[int, int], ...]]] = []
        packed: list[list[int]] = []
        while True:
            if not left:
                return packed
            state = tuple(left.items())
            if self._hopeless(state, bins - len(packed)):
                self.failed.add(state)
            else:
                waste = (bins - len(packed)) * self.limit - sum(s * n for s, n in state)
                stack.append((self._completions(left, waste), state))
            while stack:
                # The stack holds one generator for each open bin, plus the one now to fill.
                if len(packed) == len(stack):
                    for size in packed.pop():
                        left[size] = left.get(size, 0) + 1
                    left = dict(sorted(left.items(), reverse=True))
                chosen = next(stack[-1][0], None)
                if chosen is not None:
                    packed.append(chosen)
                    for size in chosen:
                        left[size] -= 1
                        if not left[size]:
                            del left[size]
                    break
                self.failed.add(stack.pop()[1])
            else:
                return None

    def _hopeless(self, state: tuple[tuple[int, int], ...], bins: int) -> bool:
        if state in self.failed or not bins:
            return True
        rising = [size for size, count in reversed(state) for _ in range(count)]
        return _l2(rising, self.limit) > bins

    def _completions(self, left: dict[int, int], waste: int) -> Iterator[list[int]]:
        """Yield the bins around the largest item that may waste no more, fullest first."""
        sizes = list(left)
        first = sizes[0]
        counts = dict(left)
        counts[first] -= 1
        smaller = [s for s in sizes if counts[s]]
        held = [0, *accumulate(s * counts[s] for s in reversed(smaller))]
        below = list(reversed(held))  # below[i]: the sum of everything from size i down
        found: list[tuple[int, int, list[int]]] = []
        chosen = [first]

        def extend(start: int, room: int) -> None:
            self.work.nodes += 1
            if self.work.nodes > self.allowance:
                raise SearchLimit
            if room <= waste and not self._dominated(chosen, counts, smaller, room):
                found.append((room, len(found), list(chosen)))
            for number in range(start, len(smaller)):
                if room - below[number] > waste:
                    return
                size = smaller[number]
                if size <= room and counts[size]:
                    counts[size] -= 1
                    chosen.append(size)
                    extend(number, room - size)
                    chosen.pop()
                    counts[size] += 1

        extend(0, self.limit - first)
        heapq.heapify(found)
        while found:
            yield heapq.heappop(found)[2]

    @staticmethod
    def _dominated(
        chosen: list[int], counts: dict[int, int], smaller: list[int], room: int
    ) -> bool:
        """Return whether adding or exchanging an item gives a bin that is never worse."""
        if any(size <= room and counts[size] for size in reversed(smaller)):
            return True
        rest = chosen[1:]
        for number, size in enumerate(rest):
            for larger in smaller:
                if larger <= size:
                    break
                if larger <= size + room and counts[larger]:
                    return True
            # Two pieces that one item replaces: the pieces are easier to place elsewhere.
            for other in rest[number + 1 :]:
                pair = size + other
                if any(
                    pair <= larger <= pair + room and counts[larger] for larger in smaller
                ):
                    return True
        return False
