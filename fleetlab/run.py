"""A Run: what became of a Scenario, with its event log and what can be asked of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fleetlab.catalogue import Pair
from fleetlab.engine import COLUMNS, Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.policy.placement import Shape
from fleetlab.scenario import Scenario

if TYPE_CHECKING:
    from fleetlab.metrics import Metrics

Ints = npt.NDArray[np.int64]
NEVER = 1 << 62


@dataclass(frozen=True)
class Span:
    """One stay of jobs on nodes, as columns: who held which GPUs from when until when."""

    begin_ms: Ints
    end_ms: Ints
    job: Ints
    node: Ints
    what: Ints  # the bits of the GPUs, or their count in a pool; GPU * 1000 + milli - 1 if shared
    shared: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class State:
    """The fleet at one instant.

    ``owner[gpu]`` is the job on it or -1, ``used_milli[gpu]`` how much of it is
    given out (both empty in a pool), ``free[node]`` whole GPUs free, ``waiting``
    the jobs that wait, in the order they are served; the head first.
    """

    time_ms: int
    owner: Ints
    used_milli: Ints
    free: Ints
    waiting: list[int]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished simulation. Everything here is derived from the log, the jobs and the fleet.

    ``log`` has one row an event, columns ``COLUMNS`` (int64). ``start_ms`` and
    ``end_ms`` are -1 for a job that never ran.
    """

    fleet: Fleet
    jobs: JobTable
    policy: Policy
    log: Ints
    start_ms: Ints
    end_ms: Ints
    pair: Pair | None = None
    scenario: Scenario | None = None

    @classmethod
    def of(cls, engine: Engine, pair: Pair | None = None, scenario: Scenario | None = None) -> Run:
        """Return the Run that ``engine`` has come to."""
        log = np.frombuffer(engine.log, dtype=np.int64).reshape(-1, len(COLUMNS)).copy()
        return cls(
            engine.fleet,
            engine.jobs,
            engine.policy,
            log,
            np.array(engine.start_ms, dtype=np.int64),
            np.array(engine.end_ms, dtype=np.int64),
            pair,
            scenario,
        )

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the event log, in hexadecimal: equal Runs have equal digests."""
        return hashlib.sha256(self.log.astype("<i8").tobytes()).hexdigest()

    @property
    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the log row by row, with the kind of event by name."""
        for row in self.log.tolist():
            yield dict(zip(COLUMNS, row, strict=True)) | {"kind": Event(row[1]).name.lower()}

    @cached_property
    def metrics(self) -> Metrics:
        """What was measured: waits by kind, utilisation, fragmentation."""
        from fleetlab.metrics import measure

        return measure(self)

    @property
    def wait_ms(self) -> Ints:
        """How long each job waited; -1 for a job that never ran."""
        return np.where(self.start_ms >= 0, self.start_ms - self.jobs.submit_ms, -1)

    @property
    def last_ms(self) -> int:
        """The time of the last event."""
        return int(self.log[-1, 0]) if len(self.log) else 0

    @cached_property
    def spans(self) -> Span:
        """Who held what from when until when, in order of time."""
        rows = np.flatnonzero((self.log[:, 1] == Event.PLACE) | (self.log[:, 1] == Event.SHARE))
        begin, job = self.log[rows, 0], self.log[rows, 2]
        end = self.end_ms[job]
        end = np.where(end < 0, np.where(self.start_ms[job] < 0, begin, NEVER), end)
        return Span(
            begin, end, job, self.log[rows, 3], self.log[rows, 4], self.log[rows, 1] == Event.SHARE
        )

    @cached_property
    def left_queue_ms(self) -> Ints:
        """When each job stopped waiting: started, was dropped or was rejected."""
        left = np.where(self.start_ms >= 0, self.start_ms, NEVER)
        for kind in (Event.DROP, Event.REJECT):
            rows = self.log[self.log[:, 1] == kind]
            left[rows[:, 2]] = rows[:, 0]
        return left

    @cached_property
    def _service_order(self) -> list[int]:
        from fleetlab.policy.order import ORDERS

        keys = ORDERS[self.policy.order].keys(self.jobs)
        return sorted(range(len(keys)), key=keys.__getitem__)

    def waiting_at(self, time_ms: int) -> list[int]:
        """Return the jobs that wait at ``time_ms``, the head of the queue first."""
        waits = (self.jobs.submit_ms <= time_ms) & (self.left_queue_ms > time_ms)
        found: list[int] = np.flatnonzero(waits).tolist()
        if self.policy.order == "fifo":
            return sorted(found, key=lambda job: (int(self.jobs.submit_ms[job]), job))
        place = {job: rank for rank, job in enumerate(self._service_order)}
        return sorted(found, key=place.__getitem__)

    def next_change_ms(self, time_ms: int) -> int:
        """Return the next instant after ``time_ms`` at which a job comes, starts or ends."""
        rows = self.log[np.isin(self.log[:, 1], (Event.SUBMIT, Event.START, Event.END)), 0]
        at = int(np.searchsorted(rows, time_ms, side="right"))
        return int(rows[at]) if at < len(rows) else self.last_ms

    def state_at(self, time_ms: int) -> State:
        """Return the fleet and the queue just after all events at ``time_ms``."""
        spans, fleet = self.spans, self.fleet
        active = np.flatnonzero((spans.begin_ms <= time_ms) & (spans.end_ms > time_ms))
        free = np.full(fleet.nodes, fleet.gpus_per_node, dtype=np.int64)
        size = fleet.gpus_per_node
        if not fleet.numbered:
            np.subtract.at(free, spans.node[active], spans.what[active])
            empty = np.zeros(0, dtype=np.int64)
            return State(time_ms, empty, empty, free, self.waiting_at(time_ms))
        owner = np.full(fleet.gpus, -1, dtype=np.int64)
        used = np.zeros(fleet.gpus, dtype=np.int64)
        whole = active[~spans.shared[active]]
        bits = (spans.what[whole, None] >> np.arange(size)) & 1
        rows, gpus = np.nonzero(bits)
        places = spans.node[whole][rows] * size + gpus
        owner[places] = spans.job[whole][rows]
        used[places] = 1000
        for row in active[spans.shared[active]]:
            place = int(spans.node[row]) * size + int(spans.what[row]) // 1000
            owner[place] = spans.job[row]
            used[place] += int(spans.what[row]) % 1000 + 1
        free = (used.reshape(fleet.nodes, size) == 0).sum(axis=1)
        return State(time_ms, owner, used, free, self.waiting_at(time_ms))

    @cached_property
    def taken(self) -> tuple[Ints, Ints, Ints]:
        """Return (from ms, until ms, GPUs): how long whole GPUs were not free.

        Shares of one GPU that overlap in time make it not free once.
        """
        spans = self.spans
        if not self.fleet.numbered:
            return spans.begin_ms, spans.end_ms, spans.what
        whole = ~spans.shared
        bits = spans.what[whole]
        counts = sum((bits >> gpu) & 1 for gpu in range(self.fleet.gpus_per_node))
        rows = np.flatnonzero(spans.shared)
        place = spans.node[rows] * self.fleet.gpus_per_node + spans.what[rows] // 1000
        merged: list[tuple[int, int]] = []
        last_place, open_until = -1, -1
        for row in rows[np.lexsort((spans.begin_ms[rows], place))].tolist():
            here = int(spans.node[row]) * self.fleet.gpus_per_node + int(spans.what[row]) // 1000
            begin, end = int(spans.begin_ms[row]), int(spans.end_ms[row])
            if here == last_place and begin <= open_until:
                open_until = max(open_until, end)
                merged[-1] = (merged[-1][0], open_until)
            else:
                merged.append((begin, end))
                last_place, open_until = here, end
        begins, ends = np.array(merged, dtype=np.int64).reshape(-1, 2).T
        return (
            np.concatenate([spans.begin_ms[whole], begins]),
            np.concatenate([spans.end_ms[whole], ends]),
            np.concatenate([np.asarray(counts, dtype=np.int64), np.ones(len(merged), np.int64)]),
        )

    def free_at(self, time_ms: int) -> Ints:
        """Return the whole GPUs free on each node just after all events at ``time_ms``."""
        return self.state_at(time_ms).free

    def shape_of(self, job: int) -> Shape:
        """Return what ``job`` asks for."""
        jobs = self.jobs
        columns = (jobs.gpus, jobs.gpu_milli, jobs.span, jobs.whole_nodes, jobs.needs_class)
        return Shape(*(int(column[job]) for column in columns))

    def row_of(self, job: int, kind: Event, until_ms: int = NEVER) -> Ints | None:
        """Return the last log row of ``kind`` about ``job`` at or before ``until_ms``, or None."""
        rows = self.log[self._rows_of(job)]
        rows = rows[(rows[:, 1] == kind) & (rows[:, 0] <= until_ms)]
        return rows[-1] if len(rows) else None

    @cached_property
    def _rows_by_job(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.log[:, 2], kind="stable")
        return order, self.log[order, 2]

    def _rows_of(self, job: int) -> Ints:
        order, sorted_jobs = self._rows_by_job
        first, last = np.searchsorted(sorted_jobs, [job, job + 1])
        return order[first:last]

    def count(self, kind: Event) -> int:
        """Return how many rows of the log are of ``kind``."""
        return int((self.log[:, 1] == kind).sum())

    def why(self, job: int, t_s: float) -> str:
        """Return in one sentence what ``job`` does at ``t_s`` seconds, and why it waits if it does.

        Raises ValueError for a job that does not exist.
        """
        from fleetlab.explain import explain

        return explain(self, job, round(t_s * 1000))
