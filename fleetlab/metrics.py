"""What a Run measured: waits, slowdown, utilisation, fragmentation, cost.

Everything is taken over a window: from the end of the warm-up to the last
submission. Jobs submitted before count for the fleet they occupy and not for the
waits; after the last submission a fleet drains, which no real fleet does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetlab.analysis.usage import Usage, jain_index, overlap
from fleetlab.engine.event_loop import Event
from fleetlab.network import CLOSE_MFU
from fleetlab.run import NEVER, Run
from fleetlab.workloads.workload import WARM_UP_SHARE

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HOUR_MS = 3_600_000

SLOWDOWN_FLOOR_S = 10.0
"""Run times below this count as this (Feitelson et al., JSSPP 1997, bounded slowdown)."""

BACKLOG_LIMIT = 0.03
"""A load is beyond the ceiling when more than this share of the work offered stays waiting."""


@dataclass(frozen=True)
class Waits:
    """Waits of one group of jobs: how many jobs, seconds, and mean bounded slowdown."""

    count: int
    mean_s: float
    p50_s: float
    p95_s: float
    max_s: float
    bounded_slowdown: float


@dataclass(frozen=True)
class Metrics:
    """The figures of a Run.

    ``offered``, ``allocated`` and ``productive`` are shares of the fleet's GPU-time
    in the window: what a fleet without bounds would hold, what was held, and what went
    into work that counts, at the speed for which run times were given. ``goodput`` is
    productive over allocated and ``mfu`` what productive makes of a step's best
    (``network.CLOSE_MFU``). ``interruptions`` counts attempts cut short and
    ``lost_gpu_h`` the work they lost; ``longest_wait_s`` has by priority the longest
    stretch in the queue, to the end of the run for who still waits; ``fairness`` is
    Jain's index of the tenants' mean bounded slowdowns;
    ``deadlocked``: gangs held GPUs and waited for each other.

    ``free_gpus`` are the mean GPUs free, ``hole_gpus`` the mean GPUs free while a job
    waited, ``stranded_gpus`` the mean GPUs free on nodes that could not hold the gang
    asked about; ``largest_in_node`` and
    ``whole_nodes`` the mean of the largest gang that still fits. ``unstable``:
    the queue grew to the end, so waits depend on how long one looks.
    """

    window_ms: tuple[int, int]
    waits: Waits
    by_kind: Mapping[str, Waits]
    offered: float
    allocated: float
    productive: float
    goodput: float
    mfu: float
    interruptions: int
    lost_gpu_h: float
    longest_wait_s: Mapping[int, float]
    fairness: float
    deadlocked: bool
    free_gpus: float
    hole_gpus: float
    stranded_gpus: float
    largest_in_node: float
    whole_nodes: float
    waiting_jobs: float
    makespan_s: float
    rejected: int
    dropped: int
    unstable: bool


def measure(run: Run) -> Metrics:
    """Return the metrics of ``run``; an empty run measures zeros."""
    jobs = run.jobs
    begin, end = window(run)
    counted = (jobs.submit_ms >= begin) & (run.start_ms >= 0)
    by_kind = {
        name: waits_of(run, counted & (jobs.kind == number))
        for number, name in enumerate(jobs.kinds)
    }
    length = max(1, end - begin)
    capacity = run.fleet.gpus * length
    work = jobs.gpus * jobs.gpu_milli * jobs.duration_ms // 1000
    asked = overlap(jobs.submit_ms, jobs.submit_ms + jobs.duration_ms, begin, end)
    usage = Usage(run)
    allocated = usage.held_gpu_ms(begin, end) / capacity
    productive = usage.worked_gpu_ms(begin, end) / capacity
    free, holes, waiting = _free_and_waiting(run, begin, end)
    stranded, largest, whole = _fragmentation(run, begin, end)
    left = run.left_queue_ms
    return Metrics(
        window_ms=(begin, end),
        waits=waits_of(run, counted),
        by_kind=by_kind,
        offered=float((asked * jobs.gpus * jobs.gpu_milli).sum()) / 1000 / capacity,
        allocated=allocated,
        productive=productive,
        goodput=productive / allocated if allocated else 0.0,
        mfu=CLOSE_MFU * productive,
        interruptions=run.count(Event.INTERRUPT),
        lost_gpu_h=run.lost_gpu_ms / HOUR_MS,
        longest_wait_s=usage.longest_wait_s(),
        fairness=_fairness(run, counted),
        deadlocked=run.count(Event.DEADLOCK) > 0,
        free_gpus=free,
        hole_gpus=holes,
        stranded_gpus=stranded,
        largest_in_node=largest,
        whole_nodes=whole,
        waiting_jobs=waiting,
        makespan_s=(int(run.end_ms.max()) - int(jobs.submit_ms.min())) / 1000 if len(jobs) else 0.0,
        rejected=run.count(Event.REJECT),
        dropped=run.count(Event.DROP),
        unstable=_grows(jobs.submit_ms, left, work, begin, end),
    )


def window(run: Run) -> tuple[int, int]:
    """Return the first and last millisecond that count."""
    submits = np.sort(run.jobs.submit_ms)
    if not len(submits):
        return 0, 0
    first, last = int(submits[int(len(submits) * WARM_UP_SHARE)]), int(submits[-1])
    if run.stopped:
        return 0, run.last_ms
    # a scene (a handful of jobs, or jobs that all come at once) is looked at to its end
    if len(submits) < 50 or last - first < 4 * int(np.median(run.jobs.duration_ms)):
        return 0, run.last_ms
    return first, last


def waits_of(run: Run, which: Mask) -> Waits:
    """Return the waits of the jobs in ``which``; zeros when there are none."""
    if not which.any():
        return Waits(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    wait_s = run.wait_ms[which] / 1000
    end_ms = np.where(run.end_ms >= 0, run.end_ms, run.last_ms)
    run_s = np.maximum((end_ms - run.start_ms)[which] / 1000, SLOWDOWN_FLOOR_S)
    slowdown = np.maximum(1.0, (wait_s + run_s) / run_s)
    p50, p95 = np.percentile(wait_s, [50, 95])
    return Waits(
        int(which.sum()),
        float(wait_s.mean()),
        float(p50),
        float(p95),
        float(wait_s.max()),
        float(slowdown.mean()),
    )


def _fairness(run: Run, counted: Mask) -> float:
    tenants = run.jobs.tenant[counted]
    slowdowns = [
        waits_of(run, counted & (run.jobs.tenant == tenant)).bounded_slowdown
        for tenant in np.unique(tenants).tolist()
    ]
    return jain_index(np.array(slowdowns))


def _free_and_waiting(run: Run, begin: int, end: int) -> tuple[float, float, float]:
    """Return the mean free GPUs, the mean free while someone waited, and the mean jobs waiting.

    Exact: the fleet and the queue change only at events, so sums over the steps
    between events are the integrals.
    """
    left = run.left_queue_ms
    taken_from, taken_until, gpus = run.taken
    if not len(gpus) or end <= begin:
        return float(run.fleet.gpus), 0.0, 0.0
    queued = left > run.jobs.submit_ms
    times = np.concatenate([taken_from, taken_until, run.jobs.submit_ms[queued], left[queued]])
    used = np.concatenate([gpus, -gpus, np.zeros(2 * int(queued.sum()), dtype=np.int64)])
    ones = np.ones(int(queued.sum()), dtype=np.int64)
    waits = np.concatenate([np.zeros(2 * len(gpus), dtype=np.int64), ones, -ones])
    order = np.argsort(times, kind="stable")
    times, used, waits = times[order], np.cumsum(used[order]), np.cumsum(waits[order])
    # a step lasts until the next event; the last one until the end of the window
    stops = np.append(times[1:], NEVER)
    lasting = overlap(times, stops, begin, end)
    free = np.maximum(run.fleet.gpus - used, 0)
    length = end - begin
    idle_before = max(0, min(int(times[0]), end) - begin) * run.fleet.gpus
    return (
        float((free * lasting).sum() + idle_before) / length,
        float((free * lasting * (waits > 0)).sum()) / length,
        float((waits * lasting).sum()) / length,
    )


def _fragmentation(
    run: Run, begin: int, end: int, samples: int = 100
) -> tuple[float, float, float]:
    """Return mean stranded GPUs, mean largest gang in a node, mean whole free nodes.

    Looked at ``samples`` equally spaced instants. Stranded: free on a node with
    fewer free than the gang asked about (a whole node, for a gang larger than one).
    """
    if end <= begin:
        size = run.fleet.gpus_per_node
        return 0.0, float(size), float(run.fleet.nodes)
    asked = run.scenario.size if run.scenario is not None else run.fleet.gpus_per_node
    need = min(asked, run.fleet.gpus_per_node)
    rows = []
    for number in range(samples):
        time_ms = begin + (end - begin) * number // samples
        free = run.free_at(time_ms)
        rows.append((free[free < need].sum(), free.max(), (free == run.fleet.gpus_per_node).sum()))
    stranded, largest, whole = np.array(rows, dtype=np.float64).mean(axis=0)
    return float(stranded), float(largest), float(whole)


def _grows(submit: Ints, left: Ints, work: Ints, begin: int, end: int) -> bool:
    """Return whether the work that waits grew through the window, by more than chance would.

    Compares the backlog at one third, two thirds and the end of the window: below the
    ceiling it comes back to nothing again and again, above it grows in proportion
    to time.
    """
    if end <= begin:
        return False
    instants = [begin + (end - begin) * third // 3 for third in (1, 2, 3)]
    backlog = [int(work[(submit <= t) & (left > t)].sum()) for t in instants]
    offered = int(work[(submit > instants[0]) & (submit <= instants[2])].sum())
    rising = backlog[0] < backlog[1] < backlog[2]
    return rising and backlog[2] - backlog[0] > BACKLOG_LIMIT * offered
