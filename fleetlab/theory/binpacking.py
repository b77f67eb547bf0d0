"""Bins for items: the heuristics a scheduler uses, bounds, and the exact optimum.

Every rule takes the weights in the order they arrive and the capacity of a bin,
and returns the bins, each a list of the weights in it, in order of opening.
Weights may be fractions of a unit: they are taken at their decimal value and
packed in exact arithmetic, so ten items of 0.1 fill a bin of 1. An item fits in
any bin with as much room, to the last unit. ``Work`` counts what a rule did.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fleetlab.theory.binsearch import Completion, SearchLimit, Work, exchange, l2
from fleetlab.theory.drf import exact

__all__ = [
    "SearchLimit",
    "Work",
    "best_fit",
    "best_fit_decreasing",
    "first_fit",
    "first_fit_decreasing",
    "lower_bound_l1",
    "lower_bound_l2",
    "next_fit",
    "optimum",
    "optimum_steps",
]

Bins = list[list[Any]]


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
    return l2(sorted(sizes), limit)


def optimum(
    weights: Sequence[Any],
    capacity: Any,
    work: Work | None = None,
    node_limit: int = 2_000_000,
) -> Bins:
    """Return a packing into the fewest bins, proved so.

    The better of FFD and BFD, improved by exchanging items, is often as good as
    the bound L2 and so done. If not, bin completion tries L2 bins, then one more,
    and so on, until a count succeeds or only the known packing is left.
    Source: Martello and Toth (1990), §8.5 (bounds, dominance); Korf, AAAI 2002
    (bin completion); Alvim et al., Journal of Heuristics 10, 2004 (exchanges).
    Raises ValueError as ``next_fit`` does, and SearchLimit (with what is known)
    when more than ``node_limit`` nodes would have to be looked at.
    """
    packing: Bins = []
    for found in optimum_steps(weights, capacity, work, node_limit):
        packing = found if found is not None else packing
    return packing


def optimum_steps(
    weights: Sequence[Any],
    capacity: Any,
    work: Work | None = None,
    node_limit: int = 2_000_000,
) -> Iterator[Bins | None]:
    """Yield None after each bin that the search of ``optimum`` looks at, and last its packing.

    Raises as ``optimum`` does.
    """
    sizes, limit = _whole(weights, capacity)
    work = Work() if work is None else work
    known = min(first_fit_decreasing(sizes, limit), best_fit_decreasing(sizes, limit), key=len)
    least = l2(sorted(sizes), limit)
    known = exchange(known, limit, least)
    allowance = work.nodes + node_limit
    while least < len(known):
        search = Completion(limit, work, allowance)
        found = None
        try:
            for found in search.steps(Counter(sizes), least):  # noqa: B007
                yield None
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
    yield [[by_size[size].pop() for size in bin_] for bin_ in known]
