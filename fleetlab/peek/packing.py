"""Bin packing to play with: four heuristics, two bounds, the optimum, and what each costs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fleetlab.peek import Answer, FieldError, Question, View
from fleetlab.peek.fields import decimal, number, whole
from fleetlab.theory import binpacking
from fleetlab.theory.binpacking import SearchLimit, Work
from fleetlab.theory.binplain import fewest_bins
from fleetlab.wording import plural

CAPACITY = 1000
DRAWN = (250, 500)  # two to four of these fill a bin: where the rules differ most
MOST_ITEMS = 60
MOST_SIZE = 1_000_000
NODE_LIMIT = 2_000

GROWTH_ITEMS = (4, 6, 8, 10, 12, 14, 16, 20, 24, 30, 40)
GROWTH_SEEDS = (1, 2, 3)
GROWTH_PLAIN_LIMIT = 20_000
GROWTH_NODE_LIMIT = 1_000

Rule = Callable[[Sequence[Any], Any, Work], list[list[Any]]]
HEURISTICS: dict[str, Rule] = {
    "First fit": binpacking.first_fit,
    "Best fit": binpacking.best_fit,
    "First fit, largest first": binpacking.first_fit_decreasing,
    "Best fit, largest first": binpacking.best_fit_decreasing,
}
FFD = "First fit, largest first"
EXACT = "Exact search"


def draw(count: int, seed: int) -> list[int]:
    """Return ``count`` items between a quarter and a half of a bin of 1,000, from a seed."""
    low, high = DRAWN
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn: list[int] = rng.integers(low, high + 1, count).tolist()
    return drawn


def items_of(question: Question) -> tuple[list[Any], Any]:
    """Return the items and the capacity of a bin that the fields ask for, or raise FieldError."""
    if "count" in question:
        count = whole(question, "count", "The number of items", 1, MOST_ITEMS)
        return draw(count, whole(question, "seed", "The seed", 0, 2**31 - 1)), CAPACITY
    capacity = number(question.get("capacity", ""), "bin", "The size of a bin", 1, MOST_SIZE)
    words = [w for w in re.split(r"[\s,;]+", str(question.get("items", ""))[:4000]) if w]
    if not 1 <= len(words) <= MOST_ITEMS:
        raise FieldError("items", f"There are {len(words)} items: give 1 to {MOST_ITEMS}.")
    items = []
    for at, word in enumerate(words, 1):
        size = number(word, "items", f"Item {at}", 0, MOST_SIZE)
        if not 0 < size <= capacity:
            raise FieldError(
                "items",
                f"Item {at} is {word[:20]}: give one above 0 and at most {decimal(capacity)}, "
                f"the size of a bin.",
            )
        items.append(_plain(size))
    return items, _plain(capacity)


def _plain(value: Any) -> Any:
    return int(value) if value == int(value) else float(value)


@dataclass(frozen=True)
class Packed:
    """What one rule did: its bins (none where a search was given up), and its work in words."""

    name: str
    bins: list[list[Any]]
    work: str


class Packing:
    """The page of bin packing; how the work grows is measured once."""

    def __init__(self) -> None:
        self._growth: list[Growth] = []

    def answer(self, question: Question) -> Answer:
        """Yield the heuristics, then the optimum, then how the work grows."""
        items, capacity = items_of(question)
        packed = []
        for name, rule in HEURISTICS.items():
            work = Work()
            bins = rule(items, capacity, work)
            packed.append(Packed(name, bins, f"{work.comparisons:,} looks into a bin"))
        bounds = (
            binpacking.lower_bound_l1(items, capacity),
            binpacking.lower_bound_l2(items, capacity),
        )
        yield {
            "items": " ".join(map(str, items)),
            "capacity": str(capacity),
            "count": len(items),
            **packed_view(packed, capacity, bounds, searching=True),
        }
        yield from self._exact(items, capacity, packed, bounds)
        yield from self._grow()

    def _exact(
        self, items: list[Any], capacity: Any, packed: list[Packed], bounds: tuple[int, int]
    ) -> Answer:
        work, bins = Work(), None
        try:
            for found in binpacking.optimum_steps(items, capacity, work, NODE_LIMIT):
                bins = found
                yield None
            said = f"{work.nodes:,} nodes searched" if work.nodes else "nothing to search"
        except SearchLimit:
            said = f"given up after {NODE_LIMIT:,} nodes"
        exact = Packed(EXACT, bins or [], said)
        yield packed_view([*packed, exact], capacity, bounds, searching=False)

    def _grow(self) -> Answer:
        for count in GROWTH_ITEMS[len(self._growth) :]:
            plain = all(0 < g.plain < GROWTH_PLAIN_LIMIT for g in self._growth)
            for point in measure_growth(count, plain):
                if point is not None:
                    self._growth.append(point)
                yield None
            yield growth_view(self._growth)
        yield growth_view(self._growth)


def packed_view(
    packed: Sequence[Packed], capacity: Any, bounds: tuple[int, int], searching: bool
) -> View:
    """Return the bins of every rule beside the bounds, and the finding."""
    l1, l2 = bounds
    exact = next((len(p.bins) for p in packed if p.name == EXACT and p.bins), None)
    # As few bins as the bound allows are the fewest there can be, searched or not.
    least = min(len(p.bins) for p in packed if p.bins)
    fewest = exact if exact is not None else least if least == l2 else None
    rows: list[dict[str, Any]] = []
    for p in packed:
        over = len(p.bins) - fewest if fewest is not None and p.bins else 0
        rows.append(
            {
                "name": p.name,
                "bins": [[float(item / capacity) for item in bin_] for bin_ in p.bins],
                "texts": [" + ".join(map(str, bin_)) for bin_ in p.bins],
                "count": plural(len(p.bins), "bin") if p.bins else "not known",
                "over": over,
                "work": p.work,
            }
        )
    return {
        "title": _finding(packed, bounds, fewest, searching),
        "bounds_text": _bounds_text(l1, l2),
        "l1": l1,
        "l2": l2,
        "fewest": fewest,
        "searching": searching,
        "guarantee": _guarantee(packed, fewest),
        "rules": rows,
        "table": [
            ["rule", "bins", "over the fewest", "work", "what is in each"],
            *(
                [
                    row["name"],
                    row["count"],
                    str(row["over"]) if fewest is not None and p.bins else "",
                    row["work"],
                    "; ".join(row["texts"]),
                ]
                for row, p in zip(rows, packed, strict=True)
            ),
            ["Bound L1", plural(l1, "bin"), "", "one sum", "as if items could be poured"],
            ["Bound L2", plural(l2, "bin"), "", "one sort", "large items cannot share a bin"],
        ],
    }


def _bounds_text(l1: int, l2: int) -> str:
    if l1 == l2:
        return f"No packing can need fewer than {l1}: both bounds say so."
    return f"No packing can need fewer than {l1} (L1, poured) or {l2} (L2, large items apart)."


def _finding(
    packed: Sequence[Packed], bounds: tuple[int, int], fewest: int | None, searching: bool
) -> str:
    counts = {p.name: len(p.bins) for p in packed if p.name != EXACT}
    best = min(counts.values())
    if fewest is None:
        if searching:
            return f"The rules of thumb open {plural(best, 'bin')}; are fewer enough? Searching"
        return f"The search was given up: {bounds[1]} to {best} bins, and nobody here knows which"
    if counts[FFD] > fewest:
        return f"Largest first opens {counts[FFD]} bins where {fewest} are enough"
    worst = max(counts, key=lambda name: counts[name])
    if counts[worst] > fewest:
        return f"{worst} opens {counts[worst]} bins; sorted first, the same items fit in {fewest}"
    return f"All four rules of thumb find the fewest: {plural(fewest, 'bin')}"


def _guarantee(packed: Sequence[Packed], fewest: int | None) -> str:
    if fewest is None:
        return "First fit, largest first, never opens more than 11/9 · OPT + 6/9 bins."
    most = (11 * fewest + 6) // 9
    bins = next(len(p.bins) for p in packed if p.name == FFD)
    meets = "exactly what it opened here" if bins == most else f"it opened {bins} here"
    return (
        f"First fit, largest first, never opens more than 11/9 · OPT + 6/9. "
        f"For {plural(fewest, 'bin')} that is {most}: {meets}."
    )


# ---- how the work grows


@dataclass(frozen=True)
class Growth:
    """The most work over the seeds for one number of items; a limit reached counts as itself.

    ``plain``: nodes of the search that tries everything (0: not tried, for it was hopeless
    before). ``bounded``: nodes of bin completion. ``looks``: into bins, by FFD.
    """

    items: int
    plain: int
    bounded: int
    looks: int

    @property
    def sorting(self) -> float:
        """n·log₂ n: what sorting costs, and FFD too if its bins are kept in a tree."""
        return self.items * math.log2(self.items)


def measure_growth(count: int, plain: bool) -> Iterator[Growth | None]:
    """Yield None after each search, and last the work for ``count`` items."""
    worst = [0, 0, 0]
    for seed in GROWTH_SEEDS:
        items = draw(count, seed)
        everything, bounded, looks = Work(), Work(), Work()
        binpacking.first_fit_decreasing(items, CAPACITY, looks)
        if plain:
            try:
                fewest_bins(items, CAPACITY, everything, GROWTH_PLAIN_LIMIT)
            except SearchLimit:
                everything.nodes = GROWTH_PLAIN_LIMIT
        yield None
        try:
            for _ in binpacking.optimum_steps(items, CAPACITY, bounded, GROWTH_NODE_LIMIT):
                yield None
        except SearchLimit:
            bounded.nodes = GROWTH_NODE_LIMIT
        found = (everything.nodes, bounded.nodes, looks.comparisons)
        worst = [max(pair) for pair in zip(worst, found, strict=True)]
    yield Growth(count, *worst)


def growth_view(growth: Sequence[Growth]) -> View:
    """Return the work against the number of items, as a chart and a table, with its finding."""
    tried = [g for g in growth if g.plain]
    done = len(growth) == len(GROWTH_ITEMS)
    stopped = next((g for g in tried if g.plain >= GROWTH_PLAIN_LIMIT), None)
    most = GROWTH_ITEMS[-1]
    title = "The work is being counted"
    if stopped is not None:
        title = (
            f"At {stopped.items} items trying everything takes over {GROWTH_PLAIN_LIMIT:,} steps; "
            f"first fit looks {stopped.looks} times"
        )
    return {
        "growth_title": title,
        "growth_hint": (
            "Each point is the most work over three draws. Bounds and good guesses often leave "
            "nothing to search; when they do not, the search explodes all the same. A scheduler "
            "has thousands of items and milliseconds, so it uses a rule of thumb."
        ),
        "growth_table": [
            ["items", "trying everything", "search with bounds", "first fit, largest first",
             "n log₂ n"],
            *(
                [
                    str(g.items),
                    _counted(g.plain, GROWTH_PLAIN_LIMIT) if g.plain else "not tried",
                    _counted(g.bounded, GROWTH_NODE_LIMIT),
                    f"{g.looks:,}",
                    f"{g.sorting:.0f}",
                ]
                for g in growth
            ),
        ],
        "growth": {
            "label": f"Work against the number of items, on a logarithmic axis. {title}.",
            "done": done,
            "x": {"label": "items", "low": 2, "high": most + 2, "log": False,
                  "ticks": [[n, str(n)] for n in (4, 10, 20, 30, 40)]},
            "y": {"label": "steps of work", "low": 1, "high": GROWTH_PLAIN_LIMIT * 2, "log": True,
                  "ticks": [[10**k, f"{10**k:,}"] for k in range(5)]},
            "series": [
                {"name": "trying everything", "style": "warm", "mark": "diamond", "line": True,
                 "points": [[g.items, g.plain] for g in tried],
                 "beyond": [g.items for g in tried if g.plain >= GROWTH_PLAIN_LIMIT]},
                {"name": "search with bounds", "style": "ink", "mark": "square", "line": False,
                 "points": [[g.items, max(1, g.bounded)] for g in growth],
                 "beyond": [g.items for g in growth if g.bounded >= GROWTH_NODE_LIMIT]},
                {"name": "first fit, largest first", "style": "action", "mark": "circle",
                 "line": True, "points": [[g.items, g.looks] for g in growth]},
                {"name": "n log₂ n", "style": "muted", "line": True, "dashed": True,
                 "points": [[g.items, g.sorting] for g in growth]},
            ],
        },
    }  # fmt: skip


def _counted(nodes: int, limit: int) -> str:
    return f"over {limit:,}" if nodes >= limit else f"{nodes:,}"
