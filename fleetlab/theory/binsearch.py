"""The exact search behind ``binpacking.optimum``: bound, exchanges, bin completion.

Sizes here are whole numbers that fit in a bin of ``limit``; ``binpacking``
checks and scales them.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, combinations

EXCHANGE_ROUNDS = 200


class SearchLimit(RuntimeError):
    """The exact search used up its allowance before it had proved an answer."""


@dataclass
class Work:
    """A counter handed to a rule: ``comparisons`` of an item with a bin, ``nodes`` searched."""

    comparisons: int = 0
    nodes: int = 0


def l2(rising: list[int], limit: int) -> int:
    """Return Martello and Toth's bound L2 for whole sizes in rising order."""
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


def exchange(bins: list[list[int]], limit: int, enough: int) -> list[list[int]]:
    """Return a packing with at most as many bins, better where exchanges find one.

    Each round empties the bin with least in it and three others, lets every
    other bin swap up to two of its items for one or two free ones that fill it
    better, and packs what is still free, best fit decreasing. Stops at
    ``enough`` bins or after 200 rounds. Which three is arithmetic (a linear
    congruence), not chance: the same items always give the same bins.
    """
    best = bins
    bins = [list(b) for b in bins]
    turn = 1
    for _ in range(EXCHANGE_ROUNDS):
        if len(best) <= enough:
            break
        bins.sort(key=lambda b: (-sum(b), b))
        free = bins.pop()
        for _ in range(min(3, len(bins))):
            turn = (turn * 1_103_515_245 + 12_345) % 2**31
            free += bins.pop((turn >> 8) % len(bins))
        free.sort(reverse=True)
        # Every swap fills a bin further, so this ends. any() would stop at the first.
        while sum([_swap(b, free, limit) for b in bins]):
            pass
        for size in free:
            fits = [b for b in bins if sum(b) + size <= limit]
            if fits:
                max(fits, key=sum).append(size)
            else:
                bins.append([size])
        if len(bins) < len(best):
            best = [list(b) for b in bins]
    return best


def _swap(held: list[int], free: list[int], limit: int) -> bool:
    """Make the swap that fills the bin most, in place; return whether there was one."""
    room = limit - sum(held)
    gain, leaves, enters = 0, (), ()  # type: int, tuple[int, ...], tuple[int, ...]
    for count in range(3):
        for out in combinations(held, count):
            freed = sum(out)
            for new in _closest(free, room + freed):
                # Not one for two: the one set free would be the harder to place.
                if sum(new) - freed > gain and (len(new), count) != (2, 1):
                    gain, leaves, enters = sum(new) - freed, out, new
    for size in enters:
        held.append(size)
        free.remove(size)
    for size in leaves:
        held.remove(size)
        free.append(size)
    free.sort(reverse=True)
    return gain > 0


def _closest(free: list[int], room: int) -> Iterator[tuple[int, ...]]:
    """Yield the one free item, and pairs of them, that come closest to filling ``room``."""
    single = next((size for size in free if size <= room), None)
    if single is not None:
        yield (single,)
    low, high = 0, len(free) - 1
    while low < high:
        if free[low] + free[high] <= room:
            yield (free[low], free[high])
            high -= 1
        else:
            low += 1


class Completion:
    """Depth-first bin completion for one count of bins.

    A bin at a time is completed around the largest item left, fullest first,
    skipping bins that an exchange shows to be no better than another, and
    states known to fail. Each bin may waste only what the count leaves to waste.
    """

    def __init__(self, limit: int, work: Work, allowance: int) -> None:
        self.limit = limit
        self.work = work
        self.allowance = allowance
        self.failed: set[tuple[tuple[int, int], ...]] = set()

    def steps(self, items: Counter[int], bins: int) -> Iterator[list[list[int]] | None]:
        """Yield None after each bin looked at, and last the items in at most ``bins`` bins.

        Ends without a packing if there is none.
        """
        # An explicit stack: hundreds of bins would be too deep for WebAssembly's.
        left = dict(sorted(items.items(), reverse=True))
        stack: list[tuple[Iterator[list[int]], tuple[tuple[int, int], ...]]] = []
        packed: list[list[int]] = []
        while True:
            if not left:
                yield packed
                return
            yield None
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
                return

    def _hopeless(self, state: tuple[tuple[int, int], ...], bins: int) -> bool:
        if state in self.failed or not bins:
            return True
        rising = [size for size, count in reversed(state) for _ in range(count)]
        return l2(rising, self.limit) > bins

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
            if room <= waste and not _dominated(chosen, counts, smaller, room):
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


def _dominated(chosen: list[int], counts: dict[int, int], smaller: list[int], room: int) -> bool:
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
            if any(pair <= larger <= pair + room and counts[larger] for larger in smaller):
                return True
    return False
