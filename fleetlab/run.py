"""A Run: what became of a Scenario, with its event log and what can be asked of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetlab.catalogue import Pair
from fleetlab.engine import COLUMNS, Engine, Event, Policy
from fleetlab.fleet import Fleet, Occupancy
from fleetlab.job import JobTable
from fleetlab.scenario import Scenario

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
    def metrics(self) -> Any:
        """What was measured: waits by kind, utilisation, fragmentation, cost (``Metrics``)."""
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
    def _left_queue_ms(self) -> Ints:
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
        waits = (self.jobs.submit_ms <= time_ms) & (self._left_queue_ms > time_ms)
        found: list[int] = np.flatnonzero(waits).tolist()
        if self.policy.order == "fifo":
            return sorted(found, key=lambda job: (int(self.jobs.submit_ms[job]), job))
        place = {job: rank for rank, job in enumerate(self._service_order)}
        return sorted(found, key=place.__getitem__)

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

    def occupancy_at(self, state: State) -> Occupancy:
        """Return what a placement would have seen at ``state`` (shared GPUs count as taken)."""
        occupancy = Occupancy(self.fleet)
        for node, free in enumerate(state.free.tolist()):
            if free < self.fleet.gpus_per_node:
                occupancy.take([(node, self.fleet.gpus_per_node - free)])
        return occupancy

    def why(self, job: int, t_s: float) -> str:
        """Return in one sentence what ``job`` does at ``t_s`` seconds, and why it waits if it does.

        Raises ValueError for a job that does not exist.
        """
        from fleetlab.explain import explain

        return explain(self, job, round(t_s * 1000))
