"""A Run's figures as lines to read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from fleetlab.metrics import Waits
from fleetlab.run import Run
from fleetlab.statistics import Estimate
from fleetlab.wording import count, dollars, duration, percent, plural, times
from fleetlab.workloads.workload import WARM_UP_SHARE

SHARES = ("offered", "allocated", "productive", "goodput", "mfu")
FLAGS = ("unstable", "deadlocked")

UNSTABLE = (
    "UNSTABLE: the load is beyond what this policy can serve, the queue grew to the end, "
    "and waits depend on how long one looks"
)


def lines_of(run: Run) -> Iterator[str]:
    """Yield the figures of ``run``, each with its unit."""
    metrics = run.metrics
    begin, end = (duration(time_ms / 1000) for time_ms in metrics.window_ms)
    warm_up = f"; the first {WARM_UP_SHARE:.0%} of the jobs fill the empty fleet"
    yield f"counted        {plural(metrics.waits.count, 'job')} from {begin} to {end}" + (
        warm_up if metrics.window_ms[0] else ""
    )
    yield f"wait           {_waits(metrics.waits)}"
    if len(metrics.by_kind) > 1:
        width = max(map(len, metrics.by_kind))
        for kind, waits in metrics.by_kind.items():
            if waits.count:
                yield f"  {kind:{width}}  {_waits(waits)} ({plural(waits.count, 'job')})"
    yield f"slowdown       {metrics.waits.bounded_slowdown:.2f} bounded, mean"
    yield (
        f"utilisation    {percent(metrics.allocated, 1)} allocated, "
        f"{percent(metrics.productive, 1)} productive, {percent(metrics.offered, 1)} offered"
    )
    yield (
        f"free           {count(metrics.free_gpus)} GPUs in the mean, "
        f"{count(metrics.hole_gpus)} of them while a job waited, "
        f"{count(metrics.stranded_gpus)} on nodes too full for the gang"
    )
    yield f"queue          {count(metrics.waiting_jobs)} jobs in the mean"
    if (metrics.allocated and metrics.goodput < 0.9995) or metrics.interruptions:
        yield (
            f"goodput        {percent(metrics.goodput, 1)} of the time held, "
            f"{count(metrics.lost_gpu_h)} GPU-hours lost in "
            f"{metrics.interruptions:,} interruptions"
        )
    yield f"makespan       {duration(metrics.makespan_s)}"
    for word, number in (("rejected", metrics.rejected), ("dropped", metrics.dropped)):
        if number:
            yield f"{word:14} {plural(number, 'job')}"
    yield f"digest         {run.digest}"
    if metrics.deadlocked:
        yield "DEADLOCK: gangs held GPUs and waited for each other"
    if metrics.unstable:
        yield UNSTABLE


def rounded(figures: dict[str, float]) -> dict[str, Any]:
    """Return figures as JSON holds them: counts whole, the rest to a millisecond or 10⁻⁶."""
    return {
        name: int(value)
        if value == int(value) and not name.endswith("_s")
        else round(float(value), 3 if name.endswith("_s") else 6)
        for name, value in figures.items()
    }


def spoken(figure: str, value: float) -> str:
    """Return a figure in words, with its unit and the digits that matter."""
    if figure.endswith("_s"):
        return duration(value)
    if figure.endswith("_dollars"):
        return dollars(value)
    if figure in SHARES or figure.endswith("_share"):
        return percent(value, 1)
    if figure == "near_over_any":
        return f"{value:.2f}×" if value < 10 else times(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def spoken_estimate(figure: str, found: Estimate) -> str:
    """Return a mean with half of its confidence interval; of a flag, how often it was up."""
    if figure in FLAGS:
        return f"{round(found.mean * found.count)} of {found.count}"
    if not math.isfinite(found.half_width):
        return spoken(figure, found.mean)
    return f"{spoken(figure, found.mean)} ± {spoken(figure, found.half_width)}"


def spoken_range(figure: str, found: Estimate) -> str:
    """Return the lowest and the highest value."""
    return f"{spoken(figure, found.lowest)} to {spoken(figure, found.highest)}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table whose columns stand below each other."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[at]) for row in cells)) for at in range(len(header))]
    cells.insert(1, ["-" * width for width in widths])
    for row in cells:
        joined = " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {joined} |"


def _waits(waits: Waits) -> str:
    parts = (
        ("mean", waits.mean_s),
        ("p50", waits.p50_s),
        ("p95", waits.p95_s),
        ("max", waits.max_s),
    )
    return ", ".join(f"{name} {duration(value)}" for name, value in parts)
