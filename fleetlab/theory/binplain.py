"""The plainest exact search for bins: every item in every bin that has room, one after another.

It has no bound and no cleverness, so the packings it looks at can be counted by
hand for a few items; beside it one sees what ``binpacking.optimum`` saves.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleetlab.theory.binsearch import SearchLimit, Work


def fewest_bins(sizes: Sequence[int], limit: int, work: Work, node_limit: int) -> int:
    """Return the fewest bins of ``limit`` that hold the items, by trying every packing.

    Items are placed in the order given: each in every open bin with room for it, then
    in a bin of its own. A packing is given up once it has as many bins as the best
    before it. Each placement counts one node in ``work``.
    Raises SearchLimit when more than ``node_limit`` nodes would have to be looked at.
    """
    best = len(sizes) + 1
    room: list[int] = []
    where: list[int] = []  # the bin of each item placed so far
    bin_ = 0
    while True:
        item = len(where)
        if item == len(sizes):
            best = len(room)
        elif len(room) < best:
            chosen = _next(room, bin_, sizes[item], best)
            if chosen is not None:
                work.nodes += 1
                if work.nodes > node_limit:
                    raise SearchLimit(f"{node_limit:,} nodes searched; give fewer items")
                if chosen == len(room):
                    room.append(limit)
                room[chosen] -= sizes[item]
                where.append(chosen)
                bin_ = 0
                continue
        if not where:
            return best
        bin_ = where.pop()
        room[bin_] += sizes[len(where)]
        if room[-1] == limit:
            room.pop()
        bin_ += 1


def _next(room: Sequence[int], first: int, size: int, best: int) -> int | None:
    """Return the first bin from ``first`` on that the item may go into, a new one last."""
    for bin_ in range(first, len(room)):
        if room[bin_] >= size:
            return bin_
    return len(room) if first <= len(room) < best - 1 else None
