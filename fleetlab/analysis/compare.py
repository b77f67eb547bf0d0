"""Where two runs of the same jobs part, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from fleetlab.job import JobTable
from fleetlab.log import Cause, Event
from fleetlab.policy.refusal import Refusal
from fleetlab.run import Run

_HAPPENS = {
    Event.SUBMIT: "comes",
    Event.START: "starts",
    Event.END: "ends",
    Event.DROP: "is dropped",
    Event.RETIME: "goes on at another speed",
    Event.LOOSEN: "accepts a wider place",
    Event.SAVE: "saves in a panic",
    Event.MIGRATE: "has others moved out of its way",
    Event.OVERDUE: "is overdue",
}


_NODE = {
    Event.NODE_DOWN: "goes",
    Event.NODE_UP: "is back",
    Event.NOTICE: "is given notice",
}


@dataclass(frozen=True)
class Decision:
    """One row of a log that a policy decided, and the same in words."""

    time_ms: int
    event: Event
    job: int
    words: str


@dataclass(frozen=True)
class Difference:
    """``first_ms`` is when two runs part (-1: never), ``mine`` and ``other`` what each then did.

    Either is None where that log says no more. ``earlier``, ``later`` and ``same``
    count jobs by their first start in this run against the other's; ``only_mine`` and
    ``only_other`` those that ran in one alone; ``shifted_ms`` has (job, other start -
    own start) of all that ran in both and moved, the largest move first.
    """

    first_ms: int
    mine: Decision | None
    other: Decision | None
    earlier: int
    later: int
    same: int
    only_mine: int
    only_other: int
    shifted_ms: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        if self.first_ms < 0:
            return "The two runs never part."
        mine = self.mine.words if self.mine else "no more happens"
        other = self.other.words if self.other else "no more happens"
        return (
            f"The two part at {self.first_ms / 1000:g} s: here {mine}; there {other}. "
            f"Of the jobs that ran in both, {self.earlier} start earlier here, {self.later} later "
            f"and {self.same} at the same time."
        )


def compare(mine: Run, other: Run) -> Difference:
    """Return where ``mine`` and ``other`` part. Raises ValueError unless their jobs are the same.

    The first row at which the logs differ decides. A placement is reported with
    its job's start.
    """
    if not _same_jobs(mine.jobs, other.jobs):
        raise ValueError("diff: the two runs are not of the same jobs; use the same workload, seed")
    a, b = mine.log, other.log
    shared = min(len(a), len(b))
    differ = np.flatnonzero((a[:shared] != b[:shared]).any(axis=1))
    row = int(differ[0]) if len(differ) else shared
    if row == len(a) == len(b):
        first, one, two = -1, None, None
    else:
        one, two = _decision(mine, row), _decision(other, row)
        first = min(decision.time_ms for decision in (one, two) if decision is not None)
    both = (mine.start_ms >= 0) & (other.start_ms >= 0)
    gap = np.where(both, other.start_ms - mine.start_ms, 0)
    moved = sorted(np.flatnonzero(gap).tolist(), key=lambda job: (-abs(int(gap[job])), job))
    return Difference(
        first_ms=first,
        mine=one,
        other=two,
        earlier=int((gap > 0).sum()),
        later=int((gap < 0).sum()),
        same=int((both & (gap == 0)).sum()),
        only_mine=int(((mine.start_ms >= 0) & (other.start_ms < 0)).sum()),
        only_other=int(((mine.start_ms < 0) & (other.start_ms >= 0)).sum()),
        shifted_ms=tuple((job, int(gap[job])) for job in moved),
    )


def _same_jobs(mine: JobTable, other: JobTable) -> bool:
    if len(mine) != len(other):
        return False
    return all(
        np.array_equal(getattr(mine, column.name), getattr(other, column.name))
        for column in fields(mine)
    )


def _decision(run: Run, row: int) -> Decision | None:
    """Return the decision at ``row`` of the log, or None at its end."""
    if row >= len(run.log):
        return None
    time, kind, job, a, b = run.log[row].tolist()
    return Decision(time, Event(kind), job, _words(run, Event(kind), job, a, b))


def _words(run: Run, event: Event, job: int, a: int, b: int) -> str:
    name = f"job {run.jobs.name(job)}" if job >= 0 else ""
    match event:
        case Event.PLACE | Event.SHARE:
            block, node = divmod(a, run.fleet.nodes_per_block)
            return f"{name} is placed on node {node + 1} of block {block + 1}"
        case Event.REFUSE | Event.REJECT:
            reason = Refusal(a).name.lower().replace("_", " ")
            return f"{name} is refused ({reason})"
        case Event.RESERVE:
            return f"{name} is promised a start by {a / 1000:g} s"
        case Event.INTERRUPT:
            return f"{name} is interrupted ({Cause(a).name.lower()})"
        case Event.NODE_DOWN | Event.NODE_UP | Event.NOTICE:
            block, node = divmod(a, run.fleet.nodes_per_block)
            return f"node {node + 1} of block {block + 1} {_NODE[event]}"
        case Event.DEADLOCK:
            return f"{a} jobs hold {b} GPUs and wait for ever"
        case Event.STOP:
            return "the reader's own policy is stopped"
        case Event.WORK:
            return f"{name} has done {a / 1000:g} s of work that counts"
        case _:
            return f"{name} {_HAPPENS[event]}"
