"""The event loop: jobs come, wait, run and end, and every decision is in one log.

Time is whole milliseconds. Events at one instant are taken in a total order,
(time, kind, running number), ends before submissions; then the scheduler makes
one pass. ``steps`` yields after a number of events and never after wall time,
so slicing cannot change a result.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from fleetlab.fleet import NUMBERED_GPUS, Fleet, Held, Occupancy, Parts
from fleetlab.job import JobTable
from fleetlab.policy.backfill import BACKFILLS
from fleetlab.policy.conservative import Plan
from fleetlab.policy.order import ORDERS
from fleetlab.policy.placement import (
    PLACEMENTS,
    Refusal,
    Shape,
    fits_when_empty,
    place_share,
    tightened,
)
from fleetlab.waiting import Waiting


class Event(IntEnum):
    """What a row of the log says; its two numbers ``a`` and ``b`` in brackets."""

    SUBMIT = 1
    PLACE = 2  # (node, the GPUs' bits, or their count in a pool)
    SHARE = 3  # (node, GPU * 1000 + thousandths taken - 1)
    START = 4  # (expected end ms, 0)
    END = 5
    REFUSE = 6  # (Refusal, the job that stands in the way or -1)
    RESERVE = 7  # (the time promised to the head, 0)
    REJECT = 8  # (Refusal, 0): no fleet of this shape could run it
    DROP = 9  # (node, 0): dispatched to a device that cannot run it


COLUMNS = ("time_ms", "kind", "job", "a", "b")
_END, _WAKE = 0, 1


@dataclass(frozen=True)
class Policy:
    """How the scheduler decides: order, backfill, placement, and two options.

    ``kill_at_estimate`` ends a job that outlives its estimate. ``blind`` lets
    placement ignore capability classes; a job that lands on a device that cannot
    run it is dropped. Raises ValueError naming the choices for an unknown name.
    """

    order: str = "fifo"
    backfill: str = "easy"
    placement: str = "best-fit"
    kill_at_estimate: bool = False
    blind: bool = False

    def __post_init__(self) -> None:
        for name, known in (
            ("order", ORDERS),
            ("backfill", BACKFILLS),
            ("placement", PLACEMENTS),
        ):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name}: {value!r} is not one of {', '.join(known)}")


class Engine:
    """One simulation under way: its clock, queue, fleet and log.

    ``start_ms`` and ``end_ms`` hold -1 until a job starts or ends. ``rng`` serves
    the placements that draw. Backfills read the public attributes.
    """

    def __init__(self, fleet: Fleet, jobs: JobTable, policy: Policy, rng: np.random.Generator):
        self.fleet = fleet
        self.jobs = jobs
        self.policy = policy
        self.rng = rng
        self.now = 0
        self.occupancy = Occupancy(fleet)
        count = len(jobs)
        self.start_ms = [-1] * count
        self.end_ms = [-1] * count
        self.estimate_ms: list[int] = jobs.estimate_ms.tolist()
        self._duration_ms: list[int] = jobs.duration_ms.tolist()
        if policy.kill_at_estimate:
            self._duration_ms = np.minimum(jobs.duration_ms, jobs.estimate_ms).tolist()
        self.shapes = _shapes(jobs, policy, fleet)
        self.gpus: list[int] = jobs.gpus.tolist()
        self.waiting = Waiting(ORDERS[policy.order].keys(jobs), self.gpus)
        self.running: list[tuple[int, int]] = []  # (expected end, job), sorted
        self.held: dict[int, Held] = {}
        self.shared: dict[int, tuple[int, int]] = {}
        self.log = array("q")
        self.events_done = 0
        self._impossible = {s for s in set(self.shapes) if not fits_when_empty(s, fleet)}
        self._place = PLACEMENTS[policy.placement]
        self._backfill: Callable[[Engine], None] = BACKFILLS[policy.backfill]
        self._reason = [0] * count
        self._heap: list[tuple[int, int, int, int]] = []
        self._sequence = 0
        self._wakes: set[int] = set()
        self._submit_order: list[int] = np.argsort(jobs.submit_ms, kind="stable").tolist()
        self._submit_ms: list[int] = jobs.submit_ms.tolist()
        self.promised_ms: dict[int, int] = {}
        self.plan = Plan()  # what conservative backfill has promised
        self.off_plan = False  # whether a job has ended at another time than planned
        sharing = len(jobs) > 0 and int(jobs.gpu_milli.min()) < 1000
        if sharing and not fleet.numbered:
            raise ValueError(
                f"fleet: this workload shares GPUs, and those of a node of {fleet.gpus_per_node} "
                f"are only counted; choose nodes of at most {NUMBERED_GPUS} GPUs"
            )
        if sharing and policy.backfill == "conservative":
            raise ValueError(
                "conservative backfill plans whole GPUs, and this workload shares them; "
                "choose easy, skip or none"
            )

    def steps(self, budget: int = 1000) -> Iterator[float]:
        """Run to the end, yielding the share of jobs submitted after every ``budget`` events."""
        heap, submits, order = self._heap, self._submit_ms, self._submit_order
        count, cursor, pause = len(order), 0, budget
        waiting, backfill = self.waiting, self._backfill
        while True:
            next_submit = submits[order[cursor]] if cursor < count else None
            if heap and (next_submit is None or heap[0][0] <= next_submit):
                self.now = now = heap[0][0]
            elif next_submit is not None:
                self.now = now = next_submit
            else:
                break
            while heap and heap[0][0] == now:
                job = heapq.heappop(heap)[3]
                if job >= 0:
                    self._end(job)
                self.events_done += 1
            while cursor < count and submits[order[cursor]] == now:
                self._submit(order[cursor])
                cursor += 1
                self.events_done += 1
            if waiting.ranks:
                backfill(self)
            if self.events_done >= pause:
                pause = self.events_done + budget
                yield cursor / count
        yield 1.0

    def run(self) -> Engine:
        """Run to the end and return the engine, its log closed."""
        for _ in self.steps(1 << 60):
            pass
        return self

    def _submit(self, job: int) -> None:
        self.log.extend((self.now, Event.SUBMIT, job, 0, 0))
        if self.shapes[job] in self._impossible:
            self.log.extend((self.now, Event.REJECT, job, Refusal.TOO_LARGE_FOR_THE_FLEET, 0))
            return
        self.waiting.add(job)

    def serve_head(self) -> bool:
        """Start jobs from the head of the queue while they fit; return whether others may pass."""
        waiting = self.waiting
        while waiting.ranks:
            job = waiting.head()
            refusal = self.try_start(job)
            if refusal:
                self.refuse(job, refusal)
                return len(waiting.ranks) > 1 and self.occupancy.largest_gang() > 0
        return False

    def find(self, job: int, within: int = 0) -> Parts | Refusal:
        """Return where ``job`` could start now, or the reason why not."""
        return self._place(self.shapes[job], self.occupancy, self.rng, within)

    def find_share(self, job: int) -> tuple[int, int] | Refusal:
        """Return the (node, GPU) on which ``job`` could have its share, or why there is none."""
        return place_share(self.shapes[job], self.occupancy, self.rng, self.policy.placement)

    def find_in(self, job: int, free: list[int]) -> Parts | Refusal:
        """Return where ``job`` would go if ``free`` GPUs of each node were free."""
        shape, size = self.shapes[job], self.fleet.gpus_per_node
        if len(free) == 1 and not shape.whole_nodes:
            return [(0, shape.gpus)] if free[0] >= shape.gpus else Refusal.TOO_FEW_FREE
        supposed = Occupancy(self.fleet)
        supposed.take([(node, size - max(0, n)) for node, n in enumerate(free) if n < size])
        return self._place(shape, supposed, self.rng, 0)

    def try_start(self, job: int) -> Refusal:
        """Start ``job`` now if it has a place; return the reason if it has none."""
        shape = self.shapes[job]
        if shape.gpu_milli < 1000:
            where = self.find_share(job)
            if isinstance(where, Refusal):
                return where
            self.start_share(job, *where)
            return Refusal.NONE
        parts = self._place(shape, self.occupancy, self.rng, 0)
        if isinstance(parts, Refusal):
            return parts
        self.start(job, parts)
        return Refusal.NONE

    def start(self, job: int, parts: Parts) -> None:
        """Start ``job`` on ``parts`` at the present instant."""
        held = self.occupancy.take(parts)
        self.held[job] = held
        log, now = self.log, self.now
        for node, count, bits in held:
            log.extend((now, 2, job, node, bits or count))  # Event.PLACE, spelled out for speed
        if self.policy.blind and self._dropped(job, [node for node, _ in parts]):
            self.occupancy.release(self.held.pop(job))
            return
        self._began(job)

    def start_share(self, job: int, node: int, gpu: int) -> None:
        """Start ``job`` on its share of one GPU."""
        milli = self.shapes[job].gpu_milli
        self.occupancy.take_share(node, gpu, milli)
        self.shared[job] = (node, gpu)
        self.log.extend((self.now, Event.SHARE, job, node, gpu * 1000 + milli - 1))
        if self.policy.blind and self._dropped(job, [node]):
            del self.shared[job]
            self.occupancy.release_share(node, gpu, milli)
            return
        self._began(job)

    def _began(self, job: int) -> None:
        now = self.now
        self.waiting.remove(job)
        expected = now + self.estimate_ms[job]
        self.start_ms[job] = now
        insort(self.running, (expected, job))
        self.log.extend((now, 4, job, expected, 0))  # Event.START
        self._sequence += 1
        heapq.heappush(self._heap, (now + self._duration_ms[job], _END, self._sequence, job))

    def _end(self, job: int) -> None:
        now = self.now
        self.end_ms[job] = now
        running = self.running
        expected = self.start_ms[job] + self.estimate_ms[job]
        del running[bisect_left(running, (expected, job))]
        if now != max(expected, self.start_ms[job] + 1):  # a plan books at least 1 ms
            self.off_plan = True
        if job in self.held:
            self.occupancy.release(self.held.pop(job))
        else:
            node, gpu = self.shared.pop(job)
            self.occupancy.release_share(node, gpu, self.shapes[job].gpu_milli)
        self.log.extend((now, 5, job, 0, 0))  # Event.END

    def _dropped(self, job: int, nodes: list[int]) -> bool:
        """Drop ``job`` if one of ``nodes`` cannot run it; return whether it was dropped."""
        needs = int(self.jobs.needs_class[job])
        for node in nodes:
            if self.fleet.class_of(node) < needs:
                self.log.extend((self.now, Event.DROP, job, node, 0))
                self.waiting.remove(job)
                return True
        return False

    def wake(self, time_ms: int) -> None:
        """Make a pass at ``time_ms`` even if no job comes or ends then."""
        if time_ms not in self._wakes:
            self._wakes.add(time_ms)
            heapq.heappush(self._heap, (time_ms, _WAKE, 0, -1))

    def refuse(self, job: int, refusal: int, behind: int = -1) -> None:
        """Log why ``job`` was not started, once for as long as the reason stays."""
        if self._reason[job] != refusal:
            self._reason[job] = refusal
            self.log.extend((self.now, Event.REFUSE, job, refusal, behind))

    def promise(self, job: int, time_ms: int) -> None:
        """Log the time by which the head of the queue will start, when it changes."""
        if self.promised_ms.get(job) != time_ms:
            self.promised_ms[job] = time_ms
            self.log.extend((self.now, Event.RESERVE, job, time_ms, 0))


def _shapes(jobs: JobTable, policy: Policy, fleet: Fleet) -> list[Shape]:
    """Return each job's shape; equal ones are one object, so that passes can compare fast."""
    needs = np.zeros_like(jobs.needs_class) if policy.blind else jobs.needs_class
    columns = (jobs.gpus, jobs.gpu_milli, jobs.span, jobs.whole_nodes, needs)
    known: dict[tuple[int, ...], Shape] = {}
    shapes = []
    for row in zip(*(column.tolist() for column in columns), strict=True):
        shape = known.get(row)
        if shape is None:
            shape = Shape(*row)
            if policy.placement == "contiguous":
                shape = tightened(shape, fleet)  # a reservation must insist on it too
            known[row] = shape
        shapes.append(shape)
    return shapes
