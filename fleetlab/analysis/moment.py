"""One instant of a Run as a reader sees it: who is where, which free GPUs are holes, who waits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetlab.job import NODE
from fleetlab.policy.shape import Shape
from fleetlab.run import Run, State
from fleetlab.workloads.catalogue import near_span

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Moment:
    """A state of the fleet with its holes.

    ``asker`` is the shape that holes are told by: the head of the queue, or, when
    nobody waits, the gang that the part asks about. ``hole_nodes`` says of each
    node whether its free GPUs are useless to the asker.
    """

    run: Run
    state: State
    asker: Shape
    hole_nodes: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, run: Run, time_ms: int) -> Moment:
        """Return the moment at ``time_ms``."""
        state = run.state_at(time_ms)
        if state.waiting:
            asker = run.shape_of(state.waiting[0])
            return cls(run, state, asker, np.ones(run.fleet.nodes, dtype=bool))
        asker = asked_about(run)
        return cls(run, state, asker, _useless(run, state, asker))

    @property
    def time_ms(self) -> int:
        return self.state.time_ms

    @property
    def free(self) -> int:
        """GPUs free, holes or not."""
        return int(self.state.free.sum())

    @property
    def holes(self) -> int:
        """GPUs free and useless to the asker."""
        return int(self.state.free[self.hole_nodes].sum())


def asked_about(run: Run) -> Shape:
    """Return the gang that the part asks about: close together, or on a capable device."""
    if run.pair is not None:
        kind = np.flatnonzero(run.jobs.kind == run.pair.near)
        if len(kind):
            return run.shape_of(int(kind[0]))
    size = run.scenario.size if run.scenario is not None else run.fleet.gpus_per_node
    span, whole, _ = near_span(min(size, run.fleet.gpus), run.fleet)
    return Shape(size, span=span, whole_nodes=whole)


def _useless(run: Run, state: State, asker: Shape) -> npt.NDArray[np.bool_]:
    fleet = run.fleet
    if fleet.class_counts:
        classes = np.array([fleet.class_of(node) for node in range(fleet.nodes)])
        return classes < asker.needs_class
    if asker.whole_nodes:
        return state.free < fleet.gpus_per_node
    if asker.span == NODE:
        return state.free < asker.gpus
    return np.zeros(fleet.nodes, dtype=bool)


def crowded_instant(run: Run, samples: int = 120) -> int:
    """Return the instant worth opening on: the most GPUs free while a close gang heads the queue.

    Looked for at equally spaced instants of the measured window; the first of
    equals. A scene drawn by hand opens when its last job has come.
    """
    if run.scenario is not None and run.scenario.workload == "titan-crisis":
        return int(run.jobs.submit_ms.max())
    begin, end = run.metrics.window_ms
    best, best_ms = -1, begin
    spread = (run.jobs.gpus > 1) | (run.jobs.needs_class > 0)
    for number in range(samples):
        time_ms = begin + (end - begin) * number // samples
        waiting = run.waiting_at(time_ms)
        if not waiting or not spread[waiting[0]]:
            continue
        free = int(run.free_at(time_ms).sum())
        if free > best:
            best, best_ms = free, time_ms
    return best_ms
