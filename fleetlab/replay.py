"""A trace replayed: its jobs on a fleet under a policy, and when each of them ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.run import Run
from fleetlab.workloads.table import csv_cell

_STEP_EVENTS = 2000


def replay(
    jobs: JobTable,
    fleet: Fleet,
    policy: Policy,
    seed: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Return the Run of ``jobs`` on ``fleet`` under ``policy``.

    ``progress`` is told the share of the jobs that have come. The same jobs, policy
    and seed give the same Run as a Scenario with ``workload=trace``. Raises
    ValueError for a gang larger than the fleet, and where jobs and policy do not
    go together.
    """
    if len(jobs) and int(jobs.gpus.max()) > fleet.gpus:
        job = int(np.argmax(jobs.gpus))
        raise ValueError(
            f"fleet: job {jobs.name(job)} asks for {jobs.gpus[job]} GPUs and {fleet} has "
            f"{fleet.gpus}; give a fleet of at least {jobs.gpus[job]}"
        )
    # a Scenario draws its jobs from the first of two generators and places with the second
    _, places = np.random.SeedSequence(seed).spawn(2)
    engine = Engine(fleet, jobs, policy, np.random.Generator(np.random.PCG64(places)))
    for share in engine.steps(_STEP_EVENTS):
        if progress is not None:
            progress(share)
    return Run.of(engine)


def start_lines(run: Run, names: list[str]) -> Iterator[str]:
    """Yield the lines of a CSV file ``job,submit_s,start_s,end_s,gpus``, in order of the trace.

    ``names`` has the trace's own name of each job. A time that never came is empty.
    """
    yield "job,submit_s,start_s,end_s,gpus\n"
    jobs = run.jobs
    columns = (jobs.submit_ms, run.start_ms, run.end_ms)
    times = zip(*(column.tolist() for column in columns), strict=True)
    for name, row, gpus in zip(names, times, jobs.gpus.tolist(), strict=True):
        yield f"{_cell(name)},{','.join(map(seconds, row))},{gpus}\n"


def seconds(time_ms: int) -> str:
    """Return a time in seconds, with as many decimals as it needs; empty for one that never came.

    Whole milliseconds are exact in it.
    """
    if time_ms < 0:
        return ""
    whole, rest = divmod(time_ms, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


def _cell(name: str) -> str:
    """Return a name as one cell of CSV that no spreadsheet takes for a formula."""
    text = csv_cell(name)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
