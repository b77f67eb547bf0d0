"""What the fleet's GPU-time went to: who held it, what of it counted, how far apart gangs lay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleetlab.log import Event
from fleetlab.run import NEVER, Run

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def overlap(start: Ints, stop: Ints, begin: int, end: int) -> Ints:
    """Return how much of each stretch lies between ``begin`` and ``end``."""
    inside: Ints = np.maximum(np.minimum(stop, end) - np.maximum(start, begin), 0)
    return inside


@dataclass(frozen=True, eq=False)
class Usage:
    """The GPU-time of a run, by stay and by attempt, all in ms and GPUs.

    A stay is a job's part on one node; an attempt all stays from a start to its
    end or interruption.
    """

    run: Run

    @cached_property
    def stay_gpus(self) -> Floats:
        """How many GPUs each stay of ``run.spans`` holds; a share counts as that part of one."""
        spans, fleet = self.run.spans, self.run.fleet
        if not fleet.numbered:
            return np.asarray(spans.what, dtype=np.float64)
        counts = np.zeros(len(spans.what))
        for gpu in range(fleet.gpus_per_node):
            counts += (spans.what >> gpu) & 1
        return np.where(spans.shared, (spans.what % 1000 + 1) / 1000, counts)

    def held_gpu_ms(self, begin: int, end: int, stays: Mask | None = None) -> float:
        """Return the GPU-ms that jobs held between two times, working or not.

        Of ``stays`` only, where a mask over ``run.spans`` is given.
        """
        spans = self.run.spans
        lasting = overlap(spans.begin_ms, spans.end_ms, begin, end)
        held = lasting * self.stay_gpus
        return float(held.sum() if stays is None else held[stays].sum())

    @cached_property
    def _attempts(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Return (job, from ms, until ms, work kept in ms) of every attempt."""
        run = self.run
        rows, until = run.stretches((Event.START,), (Event.END, Event.INTERRUPT))
        begin, job = run.log[rows, 0], run.log[rows, 2]
        work = run.work
        if not len(work.job):
            return job, begin, until, np.where(until == NEVER, 0, until - begin)
        kept = np.zeros(len(rows), dtype=np.int64)
        # of each job, the attempts that have ended and their work are in the same order
        ended = np.flatnonzero(until != NEVER)
        ended = ended[np.lexsort((begin[ended], job[ended]))]
        kept[ended] = work.kept_ms[np.argsort(work.job, kind="stable")]
        return job, begin, until, kept

    def worked_gpu_ms(self, begin: int, end: int) -> float:
        """Return the GPU-ms of work between two times that counted in the end.

        Work is measured at the speed for which run times were given, so what a
        slow network, lost work, checkpoints and restarts cost is not in it. An attempt's
        work is spread evenly over its time.
        """
        run = self.run
        job, start, stop, kept = self._attempts
        length = np.maximum(stop - start, 1)
        share = overlap(start, stop, begin, end) / length
        gpus = run.jobs.gpus[job] * run.jobs.gpu_milli[job] / 1000
        return float((share * kept * gpus).sum())

    def hop_shares(
        self, begin: int, end: int, jobs: Mask | None = None
    ) -> tuple[float, float, float]:
        """Return the shares of GPU-time in gangs on one node, on one block, and on several.

        Only attempts at gangs of two GPUs or more count, of ``jobs`` where a mask of them is
        given; three zeros when there are none.
        """
        spans, fleet = self.run.spans, self.run.fleet
        gang = self.run.jobs.gpus[spans.job] > 1
        if jobs is not None:
            gang &= jobs[spans.job]
        if not fleet.numbered or not gang.any():
            return 0.0, 0.0, 0.0
        spent = (overlap(spans.begin_ms, spans.end_ms, begin, end) * self.stay_gpus)[gang]
        # an attempt's stays end together; those taken piece by piece begin apart
        key = np.stack([spans.job[gang], spans.end_ms[gang]])
        _, attempt = np.unique(key, axis=1, return_inverse=True)
        attempt = attempt.reshape(-1)
        node = spans.node[gang]
        block = node // fleet.nodes_per_block
        count = int(attempt.max()) + 1
        hops = np.zeros(count, dtype=np.intp)  # as bincount wants it, also on 32 bits
        for tier, place in ((1, node), (2, block)):
            low = np.full(count, np.iinfo(np.int64).max)
            high = np.full(count, -1)
            np.minimum.at(low, attempt, place)
            np.maximum.at(high, attempt, place)
            hops[low != high] = tier
        totals = np.bincount(hops[attempt], weights=spent, minlength=3)
        whole = float(totals.sum())
        if not whole:
            return 0.0, 0.0, 0.0
        near, middle, far = (float(total) / whole for total in totals[:3])
        return near, middle, far

    def mean_wait_s(self, begin: int, end: int) -> float:
        """Return how long jobs that came between two times waited, in s; 0 when none came.

        Who still waits at ``end`` counts to there, so a policy under which few ever start does
        not look quick.
        """
        submit = self.run.jobs.submit_ms
        came = (submit >= begin) & (submit <= end)
        waited = np.minimum(self.run.left_queue_ms, end)[came] - submit[came]
        return float(np.maximum(waited, 0).mean()) / 1000 if came.any() else 0.0

    def longest_wait_s(self) -> dict[int, float]:
        """Return, by priority, the longest that a job waited at a stretch.

        Seconds; a job that still waits counts to the end of the run.
        """
        run = self.run
        job, begin, until = run.queued
        waited = np.minimum(until, max(run.last_ms, 0)) - begin
        levels = run.jobs.priority[job]
        return {
            int(level): float(waited[levels == level].max()) / 1000
            for level in np.unique(levels).tolist()
        }


def jain_index(values: Floats) -> float:
    """Return Jain's fairness index, (Σx)²/(n·Σx²): 1 when all are alike, 1/n when one has all.

    Source: Jain, Chiu and Hawe, DEC-TR-301, 1984. 1 for no values or only zeros.
    """
    squares = float((values * values).sum())
    return float(values.sum()) ** 2 / (len(values) * squares) if squares else 1.0
