"""A Run: what became of a Scenario, with its event log and what can be asked of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fleetlab.engine.conditions import CALM, Conditions
from fleetlab.engine.event_loop import COLUMNS, Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.policy.order import keys_of
from fleetlab.policy.shape import Shape
from fleetlab.scenario import Scenario
from fleetlab.workloads.catalogue import Pair

if TYPE_CHECKING:
    from fleetlab.analysis.compare import Difference
    from fleetlab.metrics import Metrics

Ints = npt.NDArray[np.int64]
_STOPS = (Event.END, Event.INTERRUPT)
NEVER = 1 << 62

_CHANGES = (
    Event.SUBMIT,
    Event.PLACE,
    Event.START,
    Event.END,
    Event.INTERRUPT,
    Event.NODE_DOWN,
    Event.NODE_UP,
)


@dataclass(frozen=True)
class Span:
    """Stays of jobs on nodes, as columns: who held which GPUs from when until when.

    A job that was interrupted has stays of every attempt.
    """

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
    given out (both empty in a pool), ``free[node]`` whole GPUs free (none on a node
    that is gone), ``waiting`` the jobs that wait, in the order they are served; the
    head first. ``down`` lists the nodes that are gone.
    """

    time_ms: int
    owner: Ints
    used_milli: Ints
    free: Ints
    waiting: list[int]
    down: tuple[int, ...] = ()


@dataclass(frozen=True)
class Work:
    """What attempts came to, as columns, when they ended or were interrupted.

    ``kept_ms`` is work that counts, ``lost_ms`` work that must be done again, both
    in ms of the whole gang at the speed its run time was given for.
    """

    time_ms: Ints
    job: Ints
    kept_ms: Ints
    lost_ms: Ints


@dataclass(frozen=True, eq=False)
class Run:
    """A finished simulation. Everything here is derived from the log, the jobs and the fleet.

    ``log`` has one row an event, columns ``COLUMNS`` (int64). ``start_ms`` (of a
    job's first attempt) and ``end_ms`` are -1 for a job that never ran or ended.
    ``stopped`` says why a policy of the user's own was stopped, and what the run had done
    until then; empty for a run that came to its end.
    """

    fleet: Fleet
    jobs: JobTable
    policy: Policy
    log: Ints
    start_ms: Ints
    end_ms: Ints
    pair: Pair | None = None
    scenario: Scenario | None = None
    conditions: Conditions = CALM
    stopped: str = ""

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
            engine.conditions,
            _stopped(engine),
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
    def rule(self) -> str:
        """The text of the reader's own placement rule; empty where none was used."""
        return str(getattr(self.policy.placement, "text", ""))

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
        rows, until = self.stretches(
            (Event.PLACE, Event.SHARE), (Event.END, Event.INTERRUPT, Event.DROP)
        )
        begin, kind, job, node, what = self.log[rows].T
        return Span(begin, until, job, node, what, kind == Event.SHARE)

    @cached_property
    def queued(self) -> tuple[Ints, Ints, Ints]:
        """Return (job, from ms, until ms) of every wait, also of jobs that were interrupted."""
        rows, until = self.stretches(
            (Event.SUBMIT, Event.INTERRUPT), (Event.START, Event.REJECT, Event.DROP)
        )
        return self.log[rows, 2], self.log[rows, 0], until

    def stretches(
        self, opening: tuple[Event, ...], closing: tuple[Event, ...]
    ) -> tuple[Ints, Ints]:
        """Return the rows of ``opening`` kinds, and when the next ``closing`` row of their job is.

        Times in ms, NEVER where there is none.
        """
        order, jobs = self._rows_by_job
        kinds = self.log[order, 1]
        starts = np.flatnonzero(np.isin(kinds, opening))
        stops = np.flatnonzero(np.isin(kinds, closing))
        if not len(starts):
            return starts, starts
        until = np.full(len(starts), NEVER, dtype=np.int64)
        if len(stops):
            after = np.searchsorted(stops, starts)
            there = after < len(stops)
            stop = stops[np.minimum(after, len(stops) - 1)]
            same = there & (jobs[stop] == jobs[starts])
            until[same] = self.log[order[stop[same]], 0]
        rows = order[starts]
        by_time = np.argsort(rows)
        return rows[by_time], until[by_time]

    @cached_property
    def work(self) -> Work:
        """What every attempt came to; a plain run has no such rows, and loses nothing."""
        rows = self.log[self.log[:, 1] == Event.WORK]
        return Work(rows[:, 0], rows[:, 2], rows[:, 3], rows[:, 4])

    @cached_property
    def lost_gpu_ms(self) -> int:
        """GPU-ms of work that was done and must be done again."""
        return int((self.work.lost_ms * self.jobs.gpus[self.work.job]).sum())

    @cached_property
    def outages(self) -> tuple[Ints, Ints, Ints]:
        """Return (node, from ms, until ms) of all nodes that were gone."""
        gone: dict[int, list[int]] = {}
        stays: list[tuple[int, int, int]] = []
        for time, kind, _, node, _ in self.log[
            np.isin(self.log[:, 1], (Event.NODE_DOWN, Event.NODE_UP))
        ].tolist():
            if kind == Event.NODE_DOWN:
                gone.setdefault(node, []).append(time)
            else:
                stays.append((node, gone[node].pop(), time))
        stays += [(node, time, NEVER) for node, times in gone.items() for time in times]
        node, begin, until = np.array(sorted(stays), dtype=np.int64).reshape(-1, 3).T
        return node, begin, until

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
        keys = keys_of(self.policy.order, self.jobs, self.policy.ageing_ms)
        return sorted(range(len(keys)), key=keys.__getitem__)

    @cached_property
    def _interrupted(self) -> bool:
        return self.count(Event.INTERRUPT) > 0

    def waiting_at(self, time_ms: int) -> list[int]:
        """Return the jobs that wait at ``time_ms``, the head of the queue first.

        An order that depends on what tenants and jobs have had is not in the log; its
        jobs come in order of submission.
        """
        if self._interrupted:
            job, begin, until = self.queued
            found: list[int] = job[(begin <= time_ms) & (until > time_ms)].tolist()
        else:
            waits = (self.jobs.submit_ms <= time_ms) & (self.left_queue_ms > time_ms)
            found = np.flatnonzero(waits).tolist()
        if self.policy.order == "fifo":
            return sorted(found, key=lambda job: (int(self.jobs.submit_ms[job]), job))
        place = {job: rank for rank, job in enumerate(self._service_order)}
        return sorted(found, key=place.__getitem__)

    def runs_at(self, job: int, time_ms: int) -> bool:
        """Return whether ``job`` is running just after all events at ``time_ms``."""
        rows = self.log[self._rows_of(job)]
        rows = rows[np.isin(rows[:, 1], (Event.START, *_STOPS)) & (rows[:, 0] <= time_ms)]
        return bool(len(rows)) and int(rows[-1, 1]) == Event.START

    def next_change_ms(self, time_ms: int) -> int:
        """Return the next instant after ``time_ms`` at which a job comes, starts or ends.

        Interruptions, pieces taken one by one and nodes that go or come count too.
        """
        rows = self.log[np.isin(self.log[:, 1], _CHANGES), 0]
        at = int(np.searchsorted(rows, time_ms, side="right"))
        return int(rows[at]) if at < len(rows) else self.last_ms

    def state_at(self, time_ms: int) -> State:
        """Return the fleet and the queue just after all events at ``time_ms``."""
        spans, fleet = self.spans, self.fleet
        active = np.flatnonzero((spans.begin_ms <= time_ms) & (spans.end_ms > time_ms))
        free = np.full(fleet.nodes, fleet.gpus_per_node, dtype=np.int64)
        size = fleet.gpus_per_node
        node, gone_ms, back_ms = self.outages
        down = tuple(sorted({*node[(gone_ms <= time_ms) & (back_ms > time_ms)].tolist()}))
        if not fleet.numbered:
            np.subtract.at(free, spans.node[active], spans.what[active])
            free[list(down)] = 0
            empty = np.zeros(0, dtype=np.int64)
            return State(time_ms, empty, empty, free, self.waiting_at(time_ms), down)
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
        free[list(down)] = 0
        return State(time_ms, owner, used, free, self.waiting_at(time_ms), down)

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
        from fleetlab.analysis.explain import explain

        return explain(self, job, round(t_s * 1000))

    def diff(self, other: Run) -> Difference:
        """Return where this Run and ``other``, of the same jobs, part, and what came of it.

        Raises ValueError when the two are not of the same jobs.
        """
        from fleetlab.analysis.compare import compare

        return compare(self, other)


def _stopped(engine: Engine) -> str:
    if not engine.stopped:
        return ""
    started = sum(start >= 0 for start in engine.start_ms)
    ended = sum(end >= 0 for end in engine.end_ms)
    return (
        f"The policy was stopped at {engine.now / 1000:g} s of simulated time: {engine.stopped}. "
        f"Until then {started:,} of {len(engine.jobs):,} jobs had started and {ended:,} had ended."
    )
