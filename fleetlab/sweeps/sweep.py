"""A sweep: many Scenarios from one grid, one row each in a table that survives interruption."""

from __future__ import annotations

import csv
import io
import itertools
import math
import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fleetlab import __version__
from fleetlab.figures import FIGURES, figures_of
from fleetlab.scenario import Scenario, ScenarioError
from fleetlab.simulate import simulate
from fleetlab.workloads.table import load

MOST_SCENARIOS = 100_000
_KNOBS = tuple(name.name for name in fields(Scenario) if name.name not in ("seed", "trace"))
_NAMES = ("row", "scenario", "version", "digest")

Row = dict[str, str]
"""One row of the table: every column by name, as text."""


@dataclass(frozen=True)
class Grid:
    """The Scenarios of a sweep, in order, and the knobs that tell them apart."""

    scenarios: tuple[Scenario, ...]
    knobs: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, name: str = "grid") -> Grid:
        """Return the grid that a TOML text describes.

        ``scenario`` (a query, or a list of them) is the base; each entry of the table
        ``[knobs]`` lists values for one choice; ``seeds`` is how many, from the base's
        own on, or a list. All are combined, the first knob varies slowest and
        the seed fastest. Raises ScenarioError naming what is wrong.
        """
        try:
            data = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ScenarioError(f"{name}: not readable as TOML ({error})") from None
        unknown = set(data) - {"scenario", "seeds", "knobs"}
        if unknown:
            raise ScenarioError(
                f"{name}: {sorted(unknown)[0]!r} is no entry of a grid; give scenario, seeds, knobs"
            )
        bases = data.get("scenario", "")
        bases = [bases] if isinstance(bases, str) else bases
        if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
            raise ScenarioError(f"{name}, scenario: give a query text, or a list of them")
        knobs = _knobs(data.get("knobs", {}), name)
        scenarios: list[Scenario] = []
        for base in (_base(base, name) for base in bases):
            seeds = _seeds(data.get("seeds", 1), base.seed, name)
            if len(bases) * len(seeds) * math.prod(map(len, knobs.values())) > MOST_SCENARIOS:
                raise ScenarioError(f"{name}: more than {MOST_SCENARIOS:,} Scenarios; split it")
            for values in itertools.product(*knobs.values(), seeds):
                choices = dict(zip((*knobs, "seed"), values, strict=True))
                try:
                    scenarios.append(base.but(**choices))
                except ScenarioError as error:
                    raise ScenarioError(f"{name}: {error} (with {choices})") from None
        if not scenarios:
            raise ScenarioError(f"{name}: it names no Scenario; give scenario and seeds")
        return cls(tuple(scenarios), _telling(scenarios))

    @classmethod
    def read(cls, path: Path) -> Grid:
        """Return the grid in the file at ``path``; raises ValueError naming what is wrong."""
        try:
            return cls.parse(load(path, path.name).decode("utf-8"), path.name)
        except UnicodeDecodeError:
            raise ScenarioError(f"{path.name}: is not UTF-8 text") from None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table."""
        return (*_NAMES[:2], *self.knobs, "seed", *_NAMES[2:], *FIGURES)

    def row(self, number: int, measured: Row) -> Row:
        """Return the row of Scenario ``number`` with what was measured."""
        scenario = self.scenarios[number]
        chosen = {knob: str(getattr(scenario, knob)) for knob in (*self.knobs, "seed")}
        return {"row": str(number), "scenario": scenario.query(), **chosen, **measured}


def measure(scenario: Scenario) -> Row:
    """Return version, digest and figures of ``scenario`` as texts; workers call this."""
    run = simulate(scenario)
    found = {"version": __version__, "digest": run.digest}
    return found | {name: _text(value) for name, value in figures_of(run).items()}


class SweepTable:
    """The rows of a sweep in a CSV file: appended as they come, and in grid order at last.

    ``done`` has the rows that the file held when it was opened, by number. A line
    that was cut short is dropped. Raises ValueError for a file of another
    sweep: nothing of it is overwritten.
    """

    def __init__(self, path: Path, grid: Grid) -> None:
        self.path = path
        self.grid = grid
        self.done: dict[int, Row] = {}
        self._stream: io.BufferedRandom | None = None
        if path.exists():
            self._read()

    def _read(self) -> None:
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        rows = csv.reader(io.StringIO(whole.decode("utf-8", "replace"), newline=""))
        header = next(rows, None)
        if header is None and self.grid_line(self.grid.columns).startswith(data):
            return
        if header != list(self.grid.columns):
            raise ValueError(
                f"{self.path}, line 1: these are not the columns of this sweep; name another file"
            )
        for cells in rows:
            row = dict(zip(self.grid.columns, cells, strict=False))
            number = int(row["row"]) if row.get("row", "").isdecimal() else -1
            self._check(row, number, rows.line_num, len(cells))
            self.done[number] = row

    def _check(self, row: Row, number: int, line: int, cells: int) -> None:
        scenarios = self.grid.scenarios
        if cells != len(self.grid.columns) or not 0 <= number < len(scenarios):
            raise ValueError(
                f"{self.path}, line {line}: is no row of this sweep; name another file"
            )
        if row["scenario"] != scenarios[number].query():
            raise ValueError(
                f"{self.path}, line {line}: row {number} is another Scenario than the grid has "
                "there; name another file"
            )
        if row["version"] != __version__:
            raise ValueError(
                f"{self.path}, line {line}: made by fleetlab {row['version'][:20]}, and this is "
                f"{__version__}; name another file"
            )

    def doubtful(self) -> tuple[int, str] | None:
        """Run one finished row again; return its number and digest if that has changed."""
        if not self.done:
            return None
        number = min(self.done)
        digest = measure(self.grid.scenarios[number])["digest"]
        return None if digest == self.done[number]["digest"] else (number, digest)

    def append(self, number: int, measured: Row) -> None:
        """Add a row, and bring it to the disk."""
        row = self.grid.row(number, measured)
        if self._stream is None:
            self._stream = self._open()
        self._stream.write(self.grid_line([row.get(name, "") for name in self.grid.columns]))
        self.done[number] = row  # an interruption from here on flushes it by close()
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _open(self) -> io.BufferedRandom:
        stream = self.path.open("r+b" if self.path.exists() else "w+b")
        whole = stream.read().rfind(b"\n") + 1
        stream.truncate(whole)
        stream.seek(whole)
        if not whole:
            stream.write(self.grid_line(self.grid.columns))
        return stream

    def close(self) -> None:
        """Close the file; what it holds stays."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def lines(self) -> Iterator[str]:
        """Yield the header and all rows in grid order."""
        yield self.grid_line(self.grid.columns).decode()
        for number in sorted(self.done):
            cells = [self.done[number].get(name, "") for name in self.grid.columns]
            yield self.grid_line(cells).decode()

    @staticmethod
    def grid_line(cells: Sequence[str]) -> bytes:
        """Return cells as one line of CSV."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        return text.getvalue().encode()


def _knobs(data: Any, name: str) -> dict[str, list[Any]]:
    if not isinstance(data, dict):
        raise ScenarioError(f"{name}, knobs: give a list of values for each choice by name")
    for knob, values in data.items():
        if knob not in _KNOBS:
            hint = "; use seeds" if knob == "seed" else ""
            raise ScenarioError(f"{name}, knobs: {knob[:40]!r} is no choice to vary{hint}")
        if not isinstance(values, list) or not values:
            raise ScenarioError(f"{name}, knobs: {knob} needs a list of values")
        if len({str(value) for value in values}) < len(values):
            raise ScenarioError(f"{name}, knobs: {knob} has a value twice")
    return dict(data)


def _base(text: str, name: str) -> Scenario:
    try:
        scenario = Scenario.parse(text)
    except ScenarioError as error:
        raise ScenarioError(f"{name}, scenario: {error}") from None
    if scenario.workload == "trace":
        raise ScenarioError(f"{name}, scenario: a sweep draws its workload; use replay for a trace")
    return scenario


def _seeds(seeds: Any, first: int, name: str) -> list[int]:
    if isinstance(seeds, int) and not isinstance(seeds, bool) and 1 <= seeds <= MOST_SCENARIOS:
        return list(range(first, first + seeds))
    if isinstance(seeds, list) and seeds and len(set(map(str, seeds))) == len(seeds):
        return seeds
    raise ScenarioError(f"{name}, seeds: give how many, or a list of different seeds")


def _telling(scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """Return the choices in which the Scenarios differ, in the Scenario's own order."""
    return tuple(
        knob for knob in _KNOBS if len({getattr(scenario, knob) for scenario in scenarios}) > 1
    )


def _text(value: float) -> str:
    """Return a figure so that it reads back as the same number."""
    value = float(value)
    return str(int(value)) if value == int(value) else repr(value)
