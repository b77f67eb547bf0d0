"""The Pioneer's hearables that come and go: who is silent, what a model draws, how long it takes.

A heavy model needs a V3. When its device leaves, it moves to a free V3; when there is none, it is
silent (static), or runs as a slim version of itself on a V2 (elastic). All numbers
here are teaching values.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fleetlab.run import NEVER, Run
from fleetlab.services.service import day_ms, still_ms


@dataclass(frozen=True)
class Device:
    """One class of hearable: operations a second, memory in KB, picojoules an operation."""

    name: str
    ops_s: float
    memory_kb: int
    pj_op: float


DEVICES = (
    Device("V1", 0.1e9, 256, 50.0),
    Device("V2", 1e9, 512, 15.0),
    Device("V3", 50e9, 1024, 3.0),
)


@dataclass(frozen=True)
class Model:
    """One model: operations an inference, memory in KB; it runs a hundred times a second."""

    name: str
    ops: float
    memory_kb: int


HEAVY = Model("heavy model", 1.55e6, 320)
SLIM = Model("slim model", 0.62e6, 160)
INFERENCES_S = 100
LIMIT_MS, LIMIT_MW = 10.0, 1.0


def latency_ms(model: Model, device: Device) -> float:
    """Return how long one inference takes, in ms."""
    return model.ops / device.ops_s * 1000


def power_mw(model: Model, device: Device) -> float:
    """Return what the model draws on the device, in mW: operations a second times pJ each."""
    return model.ops * INFERENCES_S * device.pj_op * 1e-9


def can_run(model: Model, device: Device) -> bool:
    """Decide whether ``device`` runs ``model`` in 10 ms, under 1 mW and in its memory."""
    return (
        model.memory_kb <= device.memory_kb
        and latency_ms(model, device) <= LIMIT_MS
        and power_mw(model, device) <= LIMIT_MW
    )


@dataclass(frozen=True)
class Hearing:
    """A day of listening, shares of 1 of all model-hours: ``heavy``, ``slim`` or ``silent``.

    ``mean_mw`` is what a model that runs draws on average; ``moves`` counts changes of device.
    """

    seed: int
    heavy_share: float
    slim_share: float
    silent_share: float
    mean_mw: float
    moves: int
    fewest_v3: int
    fewest_v2: int


def hearing_of(run: Run) -> Hearing:
    """Return the day of listening in ``run``; raises ValueError for a run without a Scenario."""
    scenario = run.scenario
    if scenario is None:
        raise ValueError("a run of no Scenario has no notice; simulate a Scenario")
    end, models = day_ms(run), len(run.jobs)
    spans, (_, queued, until) = run.spans, run.queued
    begins = [*spans.begin_ms.tolist(), *queued.tolist()]
    ends = [*spans.end_ms.tolist(), *until.tolist()]
    node, down, up = run.outages
    up = np.where(up == NEVER, end, up)
    cuts = {0, end, *begins, *ends, *down.tolist(), *up.tolist()}
    times = sorted(time for time in cuts if 0 <= time <= end)
    classes = np.array([run.fleet.class_of(n) for n in range(run.fleet.nodes)])
    here = {number: int((classes == number).sum()) for number in (1, 2)}
    fewest = dict(here)
    heavy_ms = slim_ms = 0
    for begin, stop in pairwise(times):
        gone = np.unique(node[(down <= begin) & (up > begin)])
        live = {n: here[n] - int((classes[gone] == n).sum()) for n in here}
        fewest = {n: min(fewest[n], live[n]) for n in here}
        at_work = int(((spans.begin_ms <= begin) & (spans.end_ms > begin)).sum())
        waiting = int(((queued <= begin) & (until > begin)).sum())
        heavy_ms += at_work * (stop - begin)
        if scenario.elastic:
            slim_ms += min(waiting, live[1]) * (stop - begin)
    # a job that ended has had its day; whoever moved was silent while it did
    finished = (run.end_ms >= 0) & (run.end_ms < end)
    heavy_ms += int((end - run.end_ms[finished]).sum())
    moves = int(((spans.begin_ms > 0) & (spans.begin_ms < end)).sum())
    handing_over = min(heavy_ms, moves * still_ms(scenario))
    whole = models * end
    heavy, slim = (heavy_ms - handing_over) / whole, slim_ms / whole
    draw = heavy * power_mw(HEAVY, DEVICES[2]) + slim * power_mw(SLIM, DEVICES[1])
    return Hearing(
        seed=scenario.seed,
        heavy_share=heavy,
        slim_share=slim,
        silent_share=max(0.0, 1 - heavy - slim),
        mean_mw=draw / (heavy + slim) if heavy + slim else 0.0,
        moves=moves,
        fewest_v3=fewest[2],
        fewest_v2=fewest[1],
    )
