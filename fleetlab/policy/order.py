"""Which job is served next: an order is a plain function from jobs to sort keys.

A key is a tuple that ends in the job's running number, so two jobs never tie.
Lower keys are served first. Orders that go by what jobs and tenants have had have a
second function, for a job's standing now, which counts before its key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fleetlab.job import JobTable

Key = tuple[int, ...]


class Record(Protocol):
    """What each job and tenant has had so far; the engine keeps it.

    ``estimate_left_ms(job)`` (run time still to come by its estimate),
    ``service_queue(job)`` (of least attained service, 0 the first),
    ``fair_priority(job)`` and ``dominant_share(tenant)`` (both in whole 10⁻¹²).
    """

    def estimate_left_ms(self, job: int) -> int: ...
    def service_queue(self, job: int) -> int: ...
    def fair_priority(self, job: int) -> int: ...
    def dominant_share(self, tenant: int) -> int: ...


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


Standing = Callable[[JobTable, int, Record], int]
"""Return a job's place before ties: lower is served first, now."""


def shortest_remaining(jobs: JobTable, job: int, record: Record) -> int:
    """Return the run time ``job`` still needs by its estimate (SRPT)."""
    return record.estimate_left_ms(job)


def fair_share(jobs: JobTable, job: int, record: Record) -> int:
    """Return the negative of P·F_target/(F_actual + ε): who had little goes first.

    Source: the chapter's fair share (``fairness.fair_share_priority``).
    """
    return -record.fair_priority(job)


def dominant_resource(jobs: JobTable, job: int, record: Record) -> int:
    """Return the weighted dominant share of the job's tenant: the smallest goes first.

    Source: Ghodsi et al., NSDI 2011, Algorithm 1.
    """
    return record.dominant_share(int(jobs.tenant[job]))


def least_attained_service(jobs: JobTable, job: int, record: Record) -> int:
    """Return the queue that the GPU-time a job has had puts it in.

    Source: Gu et al., Tiresias, NSDI 2019, §4.2.
    """
    return record.service_queue(job)


def highest_priority(jobs: JobTable, job: int, record: Record) -> int:
    """Return the negative of the job's priority."""
    return -int(jobs.priority[job])


@dataclass(frozen=True)
class Order:
    """A named order: what it serves first, in words, its keys, and its standing if that changes.

    ``settled`` says that a standing changes only while its job runs, not while it waits.
    """

    words: str
    keys: Callable[[JobTable], list[Key]]
    standing: Standing | None = None
    settled: bool = False


ORDERS: dict[str, Order] = {
    "fifo": Order("first come, first served", fifo),
    "sjf": Order("shortest estimate first", shortest_first),
    "smallest": Order("smallest gang first", smallest_first),
    "priority": Order("highest priority first", by_priority),
    "srpt": Order("shortest remaining time first", fifo, shortest_remaining, settled=True),
    "fair": Order("the tenant that had least of its share first", fifo, fair_share),
    "drf": Order("the tenant with the smallest dominant share first", fifo, dominant_resource),
    "las": Order("least attained service first", fifo, least_attained_service, settled=True),
}


def keys_of(order: str, jobs: JobTable, ageing_ms: int = 0) -> list[Key]:
    """Return the keys of ``jobs`` under the named order, as far as they never change."""
    if order == "priority":
        return by_priority(jobs, ageing_ms)
    return ORDERS[order].keys(jobs)
