"""The figures of a Run by name, as tables, sweeps and JSON files hold them."""

from __future__ import annotations

from fleetlab.run import Run

FIGURES = (
    "jobs",
    "wait_mean_s",
    "wait_p50_s",
    "wait_p95_s",
    "wait_max_s",
    "bounded_slowdown",
    "near_wait_s",
    "any_wait_s",
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
    "unstable",
)
"""Every name that ``figures_of`` may give, in this order."""


def figures_of(run: Run) -> dict[str, float]:
    """Return what ``run`` measured, by name: times in seconds, shares of 1, counts.

    ``near_wait_s`` and ``any_wait_s`` are the mean waits of the two kinds that
    Part 1 compares and are there only where a workload has such a pair.
    ``worst_low_priority_s`` is the longest stretch that a job of the lowest priority
    stood in the queue. ``unstable`` is 1 when the queue grew to the end, ``deadlocked``
    when gangs waited for each other.
    """
    metrics = run.metrics
    waits = metrics.waits
    found: dict[str, float] = {
        "jobs": waits.count,
        "wait_mean_s": waits.mean_s,
        "wait_p50_s": waits.p50_s,
        "wait_p95_s": waits.p95_s,
        "wait_max_s": waits.max_s,
        "bounded_slowdown": waits.bounded_slowdown,
        "deadlocked": int(metrics.deadlocked),
        "unstable": int(metrics.unstable),
    }
    if metrics.longest_wait_s:
        found["worst_low_priority_s"] = metrics.longest_wait_s[min(metrics.longest_wait_s)]
    if run.pair is not None:
        for name, kind in (("near", run.pair.near), ("any", run.pair.anywhere)):
            found[f"{name}_wait_s"] = metrics.by_kind[run.jobs.kinds[kind]].mean_s
    for name in FIGURES:
        if name not in found and hasattr(metrics, name):
            found[name] = getattr(metrics, name)
    return {name: found[name] for name in FIGURES if name in found}
