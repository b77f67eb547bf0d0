"""How far the gangs of a run lie apart at one instant, and which of them hold GPUs and wait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetlab.run import NEVER, Run

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Reach:
    """The running gangs of two GPUs or more at an instant, by how far they lie apart.

    ``gpus`` has the GPUs of gangs in one node, in one block, and over several blocks;
    ``far`` the jobs of the last.
    """

    gpus: tuple[int, int, int]
    far: Ints

    @property
    def shares(self) -> tuple[float, float, float]:
        """The same as shares of 1; zeros when no gang runs."""
        total = max(1, sum(self.gpus))
        return self.gpus[0] / total, self.gpus[1] / total, self.gpus[2] / total


def reach_of(run: Run, time_ms: int) -> Reach:
    """Return how far the gangs that run just after ``time_ms`` lie apart."""
    spans, fleet = run.spans, run.fleet
    here = (spans.begin_ms <= time_ms) & (spans.end_ms > time_ms)
    here &= (run.jobs.gpus[spans.job] > 1) & _started(run, spans.job, time_ms)
    job, node = spans.job[here], spans.node[here]
    block = node // fleet.nodes_per_block
    counts = [0, 0, 0]
    far = []
    for number in np.unique(job).tolist():
        mine = job == number
        tier = 2 if len(np.unique(block[mine])) > 1 else int(len(np.unique(node[mine])) > 1)
        counts[tier] += int(run.jobs.gpus[number])
        if tier == 2:
            far.append(number)
    return Reach((counts[0], counts[1], counts[2]), np.array(far, dtype=np.int64))


def held_idle(run: Run, time_ms: int) -> Ints:
    """Return the jobs that hold GPUs just after ``time_ms`` and wait for more."""
    spans = run.spans
    here = (spans.begin_ms <= time_ms) & (spans.end_ms > time_ms)
    waits = here & ~_started(run, spans.job, time_ms)
    found: Ints = np.unique(spans.job[waits])
    return found


def idle_gpus(run: Run, time_ms: int) -> int:
    """Return how many GPUs are held just after ``time_ms`` by jobs that wait for more."""
    spans = run.spans
    here = (spans.begin_ms <= time_ms) & (spans.end_ms > time_ms)
    here &= ~_started(run, spans.job, time_ms)
    bits = spans.what[here]
    if not run.fleet.numbered:
        return int(bits.sum())
    return sum(int(value).bit_count() for value in bits.tolist())


def _started(run: Run, job: Ints, time_ms: int) -> npt.NDArray[np.bool_]:
    """Return of each job whether it has had a start by ``time_ms`` (no run here interrupts)."""
    start = np.where(run.start_ms[job] >= 0, run.start_ms[job], NEVER)
    started: npt.NDArray[np.bool_] = start <= time_ms
    return started
