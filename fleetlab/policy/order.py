"""Which job is served next: an order is a plain function from jobs to sort keys.

A key is a tuple that ends in the job's running number, so two jobs never tie.
Lower keys are served first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetlab.job import JobTable

Key = tuple[int, ...]


def fifo(jobs: JobTable) -> list[Key]:
    """Return keys that serve jobs in order of submission."""
    return [(submit, job) for job, submit in enumerate(jobs.submit_ms.tolist())]


def shortest_first(jobs: JobTable) -> list[Key]:
    """Return keys that serve the shortest estimate first (SJF)."""
    submits = jobs.submit_ms.tolist()
    return [(estimate, submits[job], job) for job, estimate in enumerate(jobs.estimate_ms.tolist())]


def smallest_first(jobs: JobTable) -> list[Key]:
    """Return keys that serve the smallest gang first."""
    submits = jobs.submit_ms.tolist()
    return [(gpus, submits[job], job) for job, gpus in enumerate(jobs.gpus.tolist())]


def by_priority(jobs: JobTable, ageing_ms: int = 0) -> list[Key]:
    """Return keys that serve high priority first; waiting ``ageing_ms`` is worth one level.

    Every job ages at the same rate, so who is ahead of whom never changes while
    both wait: priority + (now - submit) / ageing orders as submit - priority * ageing.
    """
    submits, priorities = jobs.submit_ms.tolist(), jobs.priority.tolist()
    if not ageing_ms:
        return [(-p, s, job) for job, (p, s) in enumerate(zip(priorities, submits, strict=True))]
    return [
        (s - p * ageing_ms, s, job)
        for job, (p, s) in enumerate(zip(priorities, submits, strict=True))
    ]


@dataclass(frozen=True)
class Order:
    """A named order: what it serves first, in words, and its keys."""

    words: str
    keys: Callable[[JobTable], list[Key]]


ORDERS: dict[str, Order] = {
    "fifo": Order("first come, first served", fifo),
    "sjf": Order("shortest estimate first", shortest_first),
    "smallest": Order("smallest gang first", smallest_first),
    "priority": Order("highest priority first", by_priority),
}
