"""Traces of real clusters, read into job tables.

Formats: ``philly`` (Jeon et al., ATC 2019, one line a job), ``alibaba`` (the 2023
GPU pods, Weng et al., ATC 2023), ``swf`` (Standard Workload Format, Chapin et al.,
1999), ``gavel`` (Narayanan et al., OSDI 2020, work in steps) and ``csv`` (ours:
``submit_s,duration_s,gpus`` and, if wanted, ``estimate_s,tenant,priority,gpu_milli,name``).

Jobs keep the order of the file: a job's number is its place there. Its name is what
the file calls it, where it calls it anything. Seconds are rounded to whole milliseconds once, here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from fleetlab.job import JobTable
from fleetlab.workloads.table import (
    LONGEST_S,
    Chunk,
    Ints,
    Progress,
    Source,
    Style,
    TraceError,
    check_size,
    csv_cell,
    load,
    read_chunks,
    read_header,
    read_rows,
    shown,
)

__all__ = ["FORMATS", "Trace", "TraceError", "check_size", "csv_cell", "load_trace", "read_trace"]

MOST_GPUS = 1_000_000
Rates = float | Mapping[str, float]

_COLUMNS = {
    "philly": ("timestamp", "duration", "num_gpus", "cluster"),
    "alibaba": ("name", "num_gpu", "gpu_milli", "creation_time", "deletion_time"),
    "csv": ("submit_s", "duration_s", "gpus"),
}
FORMATS = (*_COLUMNS, "swf", "gavel")

_SWF_COLUMNS = (
    "job", "submit", "wait", "run", "allocated", "cpu", "memory", "processors", "time",
    "memory_requested", "status", "user", "group", "executable", "queue", "partition",
    "preceding", "think",
)  # fmt: skip
_SWF_LEAST = 9

# Gavel's trace grew columns over the years; told apart by their number.
_GAVEL_OLD = ("type", "command", "argument", "steps", "arrival", "gpus")
_GAVEL_NEW = ("steps", "gpus", "weight", "objective", "arrival")
_GAVEL_COLUMNS = {
    6: _GAVEL_OLD,
    7: (*_GAVEL_OLD[:3], "data", *_GAVEL_OLD[3:]),
    9: ("type", "command", "argument", "data", *_GAVEL_NEW),
    10: ("type", "command", "folder", "argument", "data", *_GAVEL_NEW),
}


@dataclass(frozen=True)
class Trace:
    """A trace as read: its jobs, the format found, owners by number, and what was left out.

    ``skipped`` counts lines that name no job of this fleet: cancelled before
    they ran (swf), or asking for no GPU (alibaba).
    """

    jobs: JobTable
    format: str
    tenants: tuple[str, ...]
    skipped: int

    def select_tenant(self, tenant: str) -> JobTable:
        """Return the jobs of one owner (of Philly: one virtual cluster), in order of the file.

        Raises TraceError when nobody has that name.
        """
        if tenant not in self.tenants:
            known = ", ".join(shown(name) for name in self.tenants[:20])
            raise TraceError(f"trace: nobody is named {shown(tenant)}; choose from {known}")
        return self.jobs.select(np.flatnonzero(self.jobs.tenant == self.tenants.index(tenant)))


@dataclass
class _Columns:
    """Columns as they are gathered, chunk by chunk."""

    parts: dict[str, list[Ints]]
    names: list[str]
    tenants: dict[str, int]
    skipped: int = 0

    def add(self, keep: Ints | None = None, **columns: Ints) -> None:
        for column, values in columns.items():
            kept = values if keep is None else values[keep]
            self.parts.setdefault(column, []).append(kept)

    def number_tenants(self, names: list[str]) -> Ints:
        """Return a number for every name, counted in order of first appearance."""
        tenants = self.tenants
        return np.array([tenants.setdefault(n, len(tenants)) for n in names], dtype=np.int64)


def read_trace(
    source: Source,
    format: str | None = None,
    name: str = "trace",
    progress: Progress | None = None,
    steps_per_s: Rates | None = None,
) -> JobTable:
    """Return the jobs of a trace in order of the file; see ``load_trace``."""
    return load_trace(source, format, name, progress, steps_per_s).jobs


def load_trace(
    source: Source,
    format: str | None = None,
    name: str = "trace",
    progress: Progress | None = None,
    steps_per_s: Rates | None = None,
) -> Trace:
    """Return a trace: jobs in order of the file, owners, and how many lines were left out.

    ``format`` is one of FORMATS, found out where None. ``name`` is what errors
    call the file. ``progress(rows_done, rows_expected)`` is told after every
    20,000 rows. ``steps_per_s``, by job type or one for all, turns the steps of
    Gavel's traces into run times.

    Raises TraceError, one sentence naming file, line and column.
    """
    if format is not None and format not in FORMATS:
        raise TraceError(f"{name}: no format {shown(format)}; choose from {', '.join(FORMATS)}")
    data = load(source, name)
    kind = format or _recognise(data, name)
    style: Style = {"swf": "space", "gavel": "tab"}.get(kind, "comma")  # type: ignore[assignment]
    rows = read_rows(data, name, style)
    line, first = next(rows, (1, [""]))
    if kind in _COLUMNS:
        header = read_header(first, line, name, _COLUMNS[kind])
    else:
        header = _count_header(kind, first, line, name)
        rows = _put_back(line, first, rows)
    gathered = _Columns({}, [], {})
    reader = _READERS[kind]
    for chunk in read_chunks(rows, header, len(first), data, name, progress):
        reader(chunk, gathered, steps_per_s)
    return _finish(gathered, kind, name)


def _recognise(data: bytes, name: str) -> str:
    """Return the format that the first line of data has."""
    line, first = next(read_rows(data, name, "tab"), (1, [""]))
    if len(first) in _GAVEL_COLUMNS:
        return "gavel"
    text = "\t".join(first)
    cells = {cell.strip().strip('"').lower() for cell in text.split(",")}
    best = max(_COLUMNS, key=lambda kind: len(cells.intersection(_COLUMNS[kind])))
    if cells.intersection(_COLUMNS[best]):
        return best
    if text.startswith(";") or len(text.split()) >= _SWF_LEAST:
        return "swf"
    raise TraceError(
        f"{name}, line {line}: {shown(text)} begins no known format "
        f"({', '.join(FORMATS)}); name the columns in the first line, "
        "submit_s,duration_s,gpus will do"
    )


def _count_header(kind: str, first: list[str], line: int, name: str) -> dict[str, int]:
    """Return the positions of columns that have no header, told by their number."""
    width = len(first)
    if kind == "swf" and _SWF_LEAST <= width <= len(_SWF_COLUMNS):
        return {column: at for at, column in enumerate(_SWF_COLUMNS[:width])}
    if kind == "gavel" and width in _GAVEL_COLUMNS:
        return {column: at for at, column in enumerate(_GAVEL_COLUMNS[width])}
    wanted = "18 columns" if kind == "swf" else "6, 7, 9 or 10 columns between tabs"
    raise TraceError(f"{name}, line {line}: {width} columns; {kind} has {wanted}")


def _put_back(
    line: int, first: list[str], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield line, first
    yield from rows


def _finish(gathered: _Columns, kind: str, name: str) -> Trace:
    parts: dict[str, Any] = {
        column: np.concatenate(values) for column, values in gathered.parts.items()
    }
    if not parts or not len(parts["submit_ms"]):
        raise TraceError(f"{name}: all {gathered.skipped} lines were left out; no job is in it")
    if kind == "philly":
        parts["submit_ms"] -= parts["submit_ms"].min()
        if int(parts["submit_ms"].max()) > LONGEST_S * 1000:
            raise TraceError(f"{name}, column timestamp: spans over 100 years; correct the dates")
    jobs = JobTable(**parts, names=tuple(gathered.names))
    return Trace(jobs, kind, tuple(gathered.tenants) or ("all",), gathered.skipped)


def _read_philly(chunk: Chunk, gathered: _Columns, rates: Rates | None) -> None:
    gathered.add(
        submit_ms=_timestamps_ms(chunk, "timestamp"),
        duration_ms=chunk.milliseconds("duration"),
        gpus=chunk.whole("num_gpus", "a number of GPUs", 1, MOST_GPUS),
        tenant=gathered.number_tenants(chunk.text("cluster")),
    )


def _timestamps_ms(chunk: Chunk, column: str) -> Ints:
    """Return dates and times as ms since the year 1 (those without a zone as UTC)."""
    at = chunk.header[column]
    values = np.empty(len(chunk.rows), dtype=np.int64)
    for row, cells in enumerate(chunk.rows):
        try:
            moment = datetime.fromisoformat(cells[at].strip())
        except ValueError:
            chunk.fail(
                row, column, f"{shown(cells[at])} is not a date and time; write 2017-10-09 07:01:55"
            )
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
        clock_s = moment.hour * 3600 + moment.minute * 60 + moment.second
        values[row] = (moment.toordinal() * 86_400 + clock_s) * 1000 + moment.microsecond // 1000
    return values


def _read_alibaba(chunk: Chunk, gathered: _Columns, rates: Rates | None) -> None:
    """Add the pods that ask for a GPU; they stay from creation to deletion."""
    gpus = chunk.whole("num_gpu", "a number of GPUs", 0, MOST_GPUS)
    milli = chunk.whole("gpu_milli", "a share of a GPU in thousandths", 0, 1000)
    created = chunk.milliseconds("creation_time")
    stay = chunk.milliseconds("deletion_time") - created
    if (stay < 0).any():
        chunk.fail(
            int(np.argmax(stay < 0)),
            "deletion_time",
            "lies before creation_time; correct or remove the line",
        )
    wants = gpus > 0
    if (wants & (milli == 0)).any():
        chunk.fail(
            int(np.argmax(wants & (milli == 0))),
            "gpu_milli",
            "is 0 though num_gpu is not; give 1 to 1000",
        )
    keep = np.flatnonzero(wants)
    names = chunk.text("name")
    gathered.names += [names[row] for row in keep.tolist()]
    gathered.skipped += len(gpus) - len(keep)
    gathered.add(keep, submit_ms=created, duration_ms=stay, gpus=gpus, gpu_milli=milli)
    if "qos" in chunk.header:
        gathered.add(keep, tenant=gathered.number_tenants(chunk.text("qos")))


def _read_swf(chunk: Chunk, gathered: _Columns, rates: Rates | None) -> None:
    """Add the jobs that ran: processors allocated, else requested; time requested, else run."""
    long = "a number of seconds, or -1"
    submit = chunk.milliseconds("submit")
    run = chunk.numbers("run", long, -1, LONGEST_S)
    estimate = chunk.numbers("time", long, -1, LONGEST_S)
    allocated = chunk.whole("allocated", "a number of processors, or -1", -1, MOST_GPUS)
    requested = chunk.whole("processors", "a number of processors, or -1", -1, MOST_GPUS)
    processors = np.where(allocated > 0, allocated, requested)
    keep = np.flatnonzero((run >= 0) & (processors > 0))
    gathered.skipped += len(run) - len(keep)
    numbers = chunk.text("job")
    gathered.names += [numbers[row] for row in keep.tolist()]
    gathered.add(
        keep,
        submit_ms=submit,
        duration_ms=np.rint(run * 1000).astype(np.int64),
        # JobTable takes -1 as: not stated, so the run time.
        estimate_ms=np.where(estimate > 0, np.rint(estimate * 1000), -1).astype(np.int64),
        gpus=processors,
    )
    if "user" in chunk.header:
        gathered.add(keep, tenant=gathered.number_tenants(chunk.text("user")))


def _read_gavel(chunk: Chunk, gathered: _Columns, rates: Rates | None) -> None:
    """Add jobs whose work is given in steps, at the rate of their type."""
    if rates is None:
        raise TraceError(
            f"{chunk.name}: gives work in steps, not seconds; state the steps a second "
            "(steps_per_s), for all jobs or by job type"
        )
    kinds = chunk.text("type")
    per_s = np.ones(len(kinds), dtype=np.float64)
    for row, kind in enumerate(kinds):
        rate = rates if isinstance(rates, int | float) else rates.get(kind, 0.0)
        if not 0 < rate < float("inf"):
            chunk.fail(row, "type", f"no steps a second are stated for {shown(kind)}; add it")
        per_s[row] = rate
    duration = chunk.numbers("steps", "a number of steps", 0, 1e15) / per_s
    if (duration > LONGEST_S).any():
        row = int(np.argmax(duration > LONGEST_S))
        chunk.fail(row, "steps", "last over 100 years at the stated rate; correct the rate")
    gathered.add(
        submit_ms=chunk.milliseconds("arrival"),
        duration_ms=np.rint(duration * 1000).astype(np.int64),
        gpus=chunk.whole("gpus", "a number of GPUs", 1, MOST_GPUS),
        tenant=gathered.number_tenants(kinds),
    )


def _read_csv(chunk: Chunk, gathered: _Columns, rates: Rates | None) -> None:
    gathered.add(
        submit_ms=chunk.milliseconds("submit_s"),
        duration_ms=chunk.milliseconds("duration_s"),
        gpus=chunk.whole("gpus", "a number of GPUs", 1, MOST_GPUS),
    )
    if "estimate_s" in chunk.header:
        estimate = chunk.milliseconds("estimate_s", empty=-1)
        gathered.add(estimate_ms=np.maximum(estimate, -1))
    if "tenant" in chunk.header:
        gathered.add(tenant=gathered.number_tenants(chunk.text("tenant")))
    if "priority" in chunk.header:
        priority = chunk.whole("priority", "a priority", -(10**9), 10**9, empty=0)
        gathered.add(priority=priority)
    if "gpu_milli" in chunk.header:
        share = chunk.whole("gpu_milli", "a share of a GPU in thousandths", 1, 1000, empty=1000)
        gathered.add(gpu_milli=share)
    if "name" in chunk.header:
        gathered.names += chunk.text("name")


_READERS: dict[str, Callable[[Chunk, _Columns, Rates | None], None]] = {
    "philly": _read_philly,
    "alibaba": _read_alibaba,
    "swf": _read_swf,
    "gavel": _read_gavel,
    "csv": _read_csv,
}
