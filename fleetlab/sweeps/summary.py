"""A sweep's rows put together over their seeds: one estimate a figure and group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetlab.figures import FIGURES
from fleetlab.statistics import Estimate, estimate
from fleetlab.workloads.table import Source, TraceError, read_table, shown

_ABOUT = ("row", "scenario", "seed", "version", "digest")
_MOST = 1e18
_NONE = -1e19


@dataclass(frozen=True)
class Group:
    """Rows that differ in their seed alone.

    ``choices`` has the value of each knob. A figure that no row has is not in
    ``estimates``.
    """

    choices: tuple[str, ...]
    seeds: int
    estimates: dict[str, Estimate]


def summarise(
    source: Source, name: str = "sweep", figures: Sequence[str] = FIGURES
) -> tuple[tuple[str, ...], list[Group]]:
    """Return the knobs of a sweep's table and its groups, in order of the file.

    Raises TraceError, one sentence naming file, line and column, for anything else than
    a table of a sweep.
    """
    unknown = [figure for figure in figures if figure not in FIGURES]
    if unknown:
        raise TraceError(f"figures: {shown(unknown[0])} is none; choose from {', '.join(FIGURES)}")
    knobs: tuple[str, ...] = ()
    values: dict[tuple[str, ...], dict[str, list[float]]] = {}
    seeds: dict[tuple[str, ...], set[str]] = {}
    for chunk in read_table(source, name, ("scenario", "seed", *figures)):
        knobs = tuple(column for column in chunk.header if column not in (*_ABOUT, *FIGURES))
        columns = [chunk.text(knob) for knob in knobs]
        seed = chunk.text("seed")
        numbers = {
            figure: chunk.numbers(figure, "a figure", -_MOST, _MOST, empty=_NONE).tolist()
            for figure in figures
        }
        for row in range(len(chunk.rows)):
            choices = tuple(column[row] for column in columns)
            known = seeds.setdefault(choices, set())
            if seed[row] in known:
                chunk.fail(row, "seed", f"{shown(seed[row])} is there twice for the same choices")
            known.add(seed[row])
            group = values.setdefault(choices, {})
            for figure in figures:
                if numbers[figure][row] != _NONE:
                    group.setdefault(figure, []).append(numbers[figure][row])
    return knobs, [
        Group(
            choices, len(seeds[choices]), {figure: estimate(found) for figure, found in of.items()}
        )
        for choices, of in values.items()
    ]
