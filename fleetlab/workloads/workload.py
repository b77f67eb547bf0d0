"""Seeded workloads: who asks for what, when, and for how long.

A ``Mix`` names kinds of jobs and how often each comes. ``generate`` draws jobs so
that the work offered is a given share of the fleet. Draws are uniform numbers;
times are rounded to whole milliseconds once, here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetlab.fleet import Fleet
from fleetlab.job import NODE, JobTable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WARM_UP_SHARE = 0.2
"""Share of the jobs that fills the empty fleet and is not counted."""


@dataclass(frozen=True)
class Kind:
    """One kind of job: how often it comes, what it asks for, how long it runs.

    ``weight`` is relative to the other kinds of the mix; run times have mean
    ``mean_s`` and coefficient of variation ``cv``. ``group`` names the figure
    that its waits are counted under.
    """

    name: str
    weight: float
    gpus: int
    mean_s: float
    cv: float = 1.0
    span: int = NODE
    whole_nodes: int = 0
    gpu_milli: int = 1000
    needs_class: int = 0
    priority: int = 0
    tenant: int = 0


def exponential_s(uniform: Floats, mean_s: float) -> list[float]:
    """Return exponential times in seconds by inversion, one logarithm at a time.

    ``math.log`` and not NumPy's: the vector versions differ between processors.
    """
    return [-mean_s * math.log(1.0 - u) for u in uniform.tolist()]


def hyperexponential_s(choice: Floats, uniform: Floats, mean_s: float, cv: float) -> list[float]:
    """Return times in seconds with mean ``mean_s`` and coefficient of variation ``cv``.

    Two exponential phases with balanced means (Tijms, A First Course in
    Stochastic Models, 2003, appendix B). ``cv`` of 1 is exponential, 0 constant; in
    between, a shifted exponential.
    """
    if cv == 0:
        return [mean_s] * len(uniform)
    if cv <= 1:
        return [mean_s * (1 - cv) + t for t in exponential_s(uniform, mean_s * cv)]
    square = cv * cv
    often = (1 + math.sqrt((square - 1) / (square + 1))) / 2
    short, long = mean_s / (2 * often), mean_s / (2 * (1 - often))
    return [
        -(short if c < often else long) * math.log(1.0 - u)
        for c, u in zip(choice.tolist(), uniform.tolist(), strict=True)
    ]


def generate(
    kinds: Sequence[Kind], fleet: Fleet, load: float, count: int, rng: np.random.Generator
) -> JobTable:
    """Return ``count`` jobs of ``kinds`` that offer ``load`` of the GPUs of ``fleet``.

    Arrivals are Poisson. ``load`` is expected GPU-time asked over GPU-time there
    is; above what a policy can reach, queues grow without end. Raises ValueError
    for a load that is not above 0.
    """
    if not load > 0:
        raise ValueError(f"load: {load} offers no work; it must be above 0")
    weights = np.cumsum([kind.weight for kind in kinds])
    which = np.searchsorted(weights, rng.random(count) * weights[-1], side="right")
    which = np.minimum(which, len(kinds) - 1)
    arrivals, phases, lengths = rng.random(count), rng.random(count), rng.random(count)
    total = float(weights[-1])
    work_s = sum(k.weight / total * k.gpus * k.gpu_milli / 1000 * k.mean_s for k in kinds)
    gaps_s = exponential_s(arrivals, work_s / (load * fleet.gpus))
    duration_ms = np.zeros(count, dtype=np.int64)
    for number, kind in enumerate(kinds):
        rows = np.flatnonzero(which == number)
        times = hyperexponential_s(phases[rows], lengths[rows], kind.mean_s, kind.cv)
        duration_ms[rows] = to_ms(times)

    def column(read: Callable[[Kind], int]) -> Ints:
        values: Ints = np.array([read(kind) for kind in kinds], dtype=np.int64)[which]
        return values

    return JobTable(
        submit_ms=np.cumsum(to_ms(gaps_s)),
        duration_ms=np.maximum(duration_ms, 1),
        gpus=column(lambda k: k.gpus),
        gpu_milli=column(lambda k: k.gpu_milli),
        span=column(lambda k: k.span),
        whole_nodes=column(lambda k: k.whole_nodes),
        needs_class=column(lambda k: k.needs_class),
        priority=column(lambda k: k.priority),
        tenant=column(lambda k: k.tenant),
        kind=which,
        kinds=tuple(kind.name for kind in kinds),
    )


def to_ms(times_s: Sequence[float]) -> Ints:
    """Return whole milliseconds, rounded half to even."""
    return np.array([round(t * 1000) for t in times_s], dtype=np.int64)
