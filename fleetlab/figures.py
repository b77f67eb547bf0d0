"""The figures of a Run by name, as tables, sweeps and JSON files hold them."""

from __future__ import annotations

import numpy as np

from fleetlab.run import Run
from fleetlab.services.nearness import NEARNESS_FIGURES, nearness_figures
from fleetlab.services.outcome import OUTCOME_FIGURES, outcome_figures
from fleetlab.statistics import mser5

FIGURES = (
    "counted",
    "wait_mean_s",
    "wait_p50_s",
    "wait_p95_s",
    "wait_max_s",
    "bounded_slowdown",
    "near_wait_s",
    "any_wait_s",
    "near_less_any_s",
    "near_over_any",
    "offered",
    "allocated",
    "productive",
    "goodput",
    "mfu",
    "free_gpus",
    "hole_gpus",
    "stranded_gpus",
    "waiting_jobs",
    "makespan_s",
    "rejected",
    "dropped",
    "interruptions",
    "lost_gpu_h",
    "worst_low_priority_s",
    "fairness",
    "deadlocked",
    "mser5_share",
    "unstable",
    *NEARNESS_FIGURES,
    *(name for name in OUTCOME_FIGURES if name not in NEARNESS_FIGURES),
)
"""Every name that ``figures_of`` may give, in this order."""


def figures_of(run: Run) -> dict[str, float]:
    """Return what ``run`` measured, by name: times in seconds, shares of 1, counts.

    ``counted`` is the number of jobs whose waits count. ``near_wait_s`` and
    ``any_wait_s`` are the mean waits of the two kinds that
    Part 1 compares, ``near_less_any_s`` and ``near_over_any`` by how much and how many
    times the first is longer; they are there only where a workload has such a pair,
    the last only where somebody waited.
    ``worst_low_priority_s`` is the longest stretch that a job of the lowest priority
    stood in the queue. ``unstable`` is 1 when the queue grew to the end, ``deadlocked``
    when gangs waited for each other. ``mser5_share`` is the share of the jobs that MSER-5
    would cut as warm-up. What a run of Part 2 made of its track's service is there under
    the names of ``fleetlab.services.nearness``. What a run of Part 3 came to is there under
    the names of ``fleetlab.services.outcome``.
    """
    metrics = run.metrics
    waits = metrics.waits
    found: dict[str, float] = {
        "counted": waits.count,
        "wait_mean_s": waits.mean_s,
        "wait_p50_s": waits.p50_s,
        "wait_p95_s": waits.p95_s,
        "wait_max_s": waits.max_s,
        "bounded_slowdown": waits.bounded_slowdown,
        "deadlocked": int(metrics.deadlocked),
        "mser5_share": _mser5_share(run),
        "unstable": int(metrics.unstable),
    }
    if metrics.longest_wait_s:
        found["worst_low_priority_s"] = metrics.longest_wait_s[min(metrics.longest_wait_s)]
    if run.pair is not None:
        for name, kind in (("near", run.pair.near), ("any", run.pair.anywhere)):
            found[f"{name}_wait_s"] = metrics.by_kind[run.jobs.kinds[kind]].mean_s
        found["near_less_any_s"] = found["near_wait_s"] - found["any_wait_s"]
        if found["any_wait_s"] > 0:
            found["near_over_any"] = found["near_wait_s"] / found["any_wait_s"]
    found |= nearness_figures(run)
    found |= outcome_figures(run)
    for name in FIGURES:
        if name not in found and hasattr(metrics, name):
            found[name] = getattr(metrics, name)
    return {name: found[name] for name in FIGURES if name in found}


def _mser5_share(run: Run) -> float:
    """Return the share of the jobs, in order of submission, that MSER-5 cuts by their waits."""
    order = np.argsort(run.jobs.submit_ms, kind="stable")
    waits = run.wait_ms[order]
    waits = waits[waits >= 0]
    return mser5(waits) / len(waits) if len(waits) else 0.0
