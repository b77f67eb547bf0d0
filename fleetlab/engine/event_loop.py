"""The event loop: jobs come, wait, run and end, and every decision is in one log.

Time is whole milliseconds. Events at one instant are taken in a total order,
(time, kind, running number), ends before submissions; then the scheduler makes
one pass. ``steps`` yields after a number of events and never after wall time,
so slicing cannot change a result. What only some runs need (attempts that are
cut short, quotas, outages and the like) is in ``Mechanisms``; a plain run has none.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator

import numpy as np

from fleetlab.engine.attempts import END
from fleetlab.engine.conditions import CALM, Conditions
from fleetlab.engine.mechanisms import Mechanisms, needs_mechanisms
from fleetlab.engine.waiting import Waiting
from fleetlab.fleet import NUMBERED_GPUS, Fleet, Held, Occupancy, Parts
from fleetlab.job import JobTable
from fleetlab.log import COLUMNS, Event, row_of
from fleetlab.policy.backfill import BACKFILLS
from fleetlab.policy.conservative import Plan
from fleetlab.policy.custom import PolicyStopped, placed_by
from fleetlab.policy.hold import fill_piecemeal
from fleetlab.policy.order import keys_of
from fleetlab.policy.packed import PACKED, PackedOccupancy, popular_tasks
from fleetlab.policy.placement import PLACEMENTS
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.settings import Policy
from fleetlab.policy.shape import Shape, fits_when_empty, tightened
from fleetlab.policy.share import place_share

__all__ = ["COLUMNS", "Engine", "Event", "Policy"]

WAKE = 1


class Engine:
    """One simulation under way: its clock, queue, fleet and log.

    ``start_ms`` (of the first attempt) and ``end_ms`` hold -1 until a job starts or
    ends. ``rng`` serves the placements that draw. Backfills and mechanisms read
    and write the public attributes. Raises ValueError where jobs, policy and
    conditions do not go together.
    """

    def __init__(
        self,
        fleet: Fleet,
        jobs: JobTable,
        policy: Policy,
        rng: np.random.Generator,
        conditions: Conditions = CALM,
    ):
        self.fleet = fleet
        self.jobs = jobs
        self.policy = policy
        self.conditions = conditions
        self.rng = rng
        self.now = 0
        self.occupancy = Occupancy(fleet)
        if isinstance(policy.placement, str) and policy.placement in PACKED and len(jobs):
            self.occupancy = PackedOccupancy(fleet, policy.placement, popular_tasks(jobs, fleet))
        count = len(jobs)
        self.start_ms = [-1] * count
        self.end_ms = [-1] * count
        self.estimate_ms: list[int] = jobs.estimate_ms.tolist()
        self.duration_ms: list[int] = jobs.duration_ms.tolist()
        if policy.kill_at_estimate:
            self.duration_ms = np.minimum(jobs.duration_ms, jobs.estimate_ms).tolist()
        self.shapes = _shapes(jobs, policy, fleet)
        self.gpus: list[int] = jobs.gpus.tolist()
        self.waiting = Waiting(keys_of(policy.order, jobs, policy.ageing_ms), self.gpus)
        self.running: list[tuple[int, int]] = []  # (expected end, job), sorted
        self.held: dict[int, Held] = {}
        self.shared: dict[int, tuple[int, int]] = {}
        self.log = array("q")
        self.events_done = 0
        self._impossible = {s for s in set(self.shapes) if not fits_when_empty(s, fleet)}
        self.share_placement = policy.placement if isinstance(policy.placement, str) else "best-fit"
        self.place = (
            placed_by(policy.placement)
            if callable(policy.placement)
            else PLACEMENTS[policy.placement]
        )
        self.stopped = ""  # what a policy of the user's own did that cannot be
        self._backfill: Callable[[Engine], None] = BACKFILLS[policy.backfill]
        if policy.gang == "hold-and-wait":
            self._backfill = fill_piecemeal
        self.reasons = [0] * count
        self.stuck = -1  # the head of the queue, if nothing has come free since it was refused
        self._heap: list[tuple[int, int, int, int]] = []
        self._sequence = 0
        self._wakes: set[int] = set()
        self._submit_order: list[int] = np.argsort(jobs.submit_ms, kind="stable").tolist()
        self._submit_ms: list[int] = jobs.submit_ms.tolist()
        self.promised_ms: dict[int, int] = {}
        self.plan: Plan | None = None  # what conservative backfill has promised
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
        self.mechanisms: Mechanisms | None = None
        if needs_mechanisms(policy, conditions, jobs):
            self.mechanisms = Mechanisms(self)

    def steps(self, budget: int = 1000) -> Iterator[float]:
        """Run to the end, yielding the share of jobs submitted after every ``budget`` events.

        Where a policy of the user's own does what cannot be, the run stops there and
        ``stopped`` says why.
        """
        try:
            yield from self._steps(budget)
        except PolicyStopped as error:
            self.stopped = str(error)
            self.log.extend((self.now, Event.STOP, -1, 0, 0))
        yield 1.0

    def _steps(self, budget: int) -> Iterator[float]:
        heap, submits, order = self._heap, self._submit_ms, self._submit_order
        count, cursor, pause = len(order), 0, budget
        waiting, backfill, mechanisms = self.waiting, self._backfill, self.mechanisms
        while True:
            next_submit = submits[order[cursor]] if cursor < count else None
            if heap and (next_submit is None or heap[0][0] <= next_submit):
                self.now = now = heap[0][0]
            elif next_submit is not None:
                self.now = now = next_submit
            else:
                break
            while heap and heap[0][0] == now:
                _, kind, number, what = heapq.heappop(heap)
                if mechanisms is not None:
                    mechanisms.happen(kind, number, what)
                elif kind == END:
                    self._end(what)
                self.events_done += 1
            while cursor < count and submits[order[cursor]] == now:
                self._submit(order[cursor])
                cursor += 1
                self.events_done += 1
            if mechanisms is not None:
                mechanisms.decide(backfill)
            elif waiting.turns:
                backfill(self)
            if self.events_done >= pause:
                pause = self.events_done + budget
                yield cursor / count

    def run(self) -> Engine:
        """Run to the end and return the engine, its log closed."""
        for _ in self.steps(1 << 60):
            pass
        return self

    def _submit(self, job: int) -> None:
        self.log.frombytes(row_of(self.now, 1, job, 0, 0))  # Event.SUBMIT, spelled out for speed
        if self._impossible and self.shapes[job] in self._impossible:
            self.reject(job, Refusal.TOO_LARGE_FOR_THE_FLEET)
        elif self.mechanisms is None or self.mechanisms.submitted(job):
            self.waiting.add(job)

    def serve_head(self) -> bool:
        """Start jobs from the head of the queue while they fit; return whether others may pass."""
        waiting, mechanisms = self.waiting, self.mechanisms
        while waiting.turns:
            job = waiting.head()
            refusal = self.try_start(job)
            if refusal:
                if mechanisms is not None and mechanisms.settle(job, refusal):
                    continue
                self.refuse(job, refusal)
                if mechanisms is None:
                    self.stuck = job
                elif job in mechanisms.overdue:
                    return False
                return len(waiting.turns) > 1 and self.occupancy.largest_gang() > 0
        return False

    def find(self, job: int, within: int = 0) -> Parts | Refusal:
        """Return where ``job`` could start now, or the reason why not."""
        if self.mechanisms is not None and (refusal := self.mechanisms.refusal(job)):
            return refusal
        return self.place(self.shapes[job], self.occupancy, self.rng, within)

    def find_share(self, job: int) -> tuple[int, int] | Refusal:
        """Return the (node, GPU) on which ``job`` could have its share, or why there is none."""
        if self.mechanisms is not None and (refusal := self.mechanisms.refusal(job)):
            return refusal
        return place_share(self.shapes[job], self.occupancy, self.rng, self.share_placement)

    def try_start(self, job: int, by_ms: int | None = None) -> Refusal:
        """Start ``job`` now if it has a place; return the reason if it has none.

        If ``by_ms`` is given, it must by its estimate end by then where it is placed,
        or it would delay the head.
        """
        shape = self.shapes[job]
        if shape.gpu_milli < 1000:
            where = self.find_share(job)
            if isinstance(where, Refusal):
                return where
            self.start_share(job, *where)
            return Refusal.NONE
        if self.mechanisms is not None and (refusal := self.mechanisms.refusal(job)):
            return refusal
        parts = self.place(shape, self.occupancy, self.rng, 0)
        if isinstance(parts, Refusal):
            if self.mechanisms is not None:
                return self.mechanisms.start_smaller(job, parts, by_ms)
            return parts
        if self.mechanisms is not None and self.mechanisms.outlasts(job, parts, by_ms):
            return Refusal.WOULD_DELAY_THE_HEAD
        self.start(job, parts)
        return Refusal.NONE

    def start(self, job: int, parts: Parts) -> None:
        """Start ``job`` on ``parts`` at the present instant."""
        held = self.occupancy.take(parts)
        self.held[job] = held
        log, now = self.log, self.now
        for node, count, bits in held:
            log.frombytes(row_of(now, 2, job, node, bits or count))  # Event.PLACE
        if self.policy.blind and self._dropped(job, [node for node, _ in parts]):
            self.occupancy.release(self.held.pop(job))
            return
        self.began(job)

    def start_share(self, job: int, node: int, gpu: int) -> None:
        """Start ``job`` on its share of one GPU."""
        milli = self.shapes[job].gpu_milli
        self.occupancy.take_share(node, gpu, milli)
        self.shared[job] = (node, gpu)
        self.log.frombytes(row_of(self.now, 3, job, node, gpu * 1000 + milli - 1))  # Event.SHARE
        if self.policy.blind and self._dropped(job, [node]):
            del self.shared[job]
            self.occupancy.release_share(node, gpu, milli)
            return
        self.began(job)

    def began(self, job: int) -> None:
        """Let ``job`` run on what it holds from the present instant on."""
        now = self.now
        self.waiting.remove(job)
        if self.mechanisms is not None:
            self.mechanisms.begin(job)
            return
        expected = now + self.estimate_ms[job]
        self.start_ms[job] = now
        insort(self.running, (expected, job))
        self.log.frombytes(row_of(now, 4, job, expected, 0))  # Event.START
        self._sequence += 1
        heapq.heappush(self._heap, (now + self.duration_ms[job], END, self._sequence, job))

    def schedule(self, time_ms: int, kind: int, what: int) -> int:
        """Let an event of ``kind`` about ``what`` happen at ``time_ms``; return its number."""
        self._sequence += 1
        heapq.heappush(self._heap, (time_ms, kind, self._sequence, what))
        return self._sequence

    def forget_events(self) -> None:
        """Let nothing of what is scheduled happen any more."""
        self._heap.clear()

    def _end(self, job: int) -> None:
        now = self.now
        self.end_ms[job] = now
        running = self.running
        expected = self.start_ms[job] + self.estimate_ms[job]
        del running[bisect_left(running, (expected, job))]
        if now != max(expected, self.start_ms[job] + 1):  # a plan books at least 1 ms
            self.off_plan = True
        self.vacate(job)
        self.log.frombytes(row_of(now, 5, job, 0, 0))  # Event.END

    def vacate(self, job: int) -> None:
        """Give back what ``job`` holds."""
        self.stuck = -1
        if job in self.held:
            self.occupancy.release(self.held.pop(job))
        else:
            node, gpu = self.shared.pop(job)
            self.occupancy.release_share(node, gpu, self.shapes[job].gpu_milli)

    def nodes_of(self, job: int) -> list[int]:
        """Return the nodes that ``job`` runs on."""
        if job in self.held:
            return [node for node, _, _ in self.held[job]]
        return [self.shared[job][0]]

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
            heapq.heappush(self._heap, (time_ms, WAKE, 0, -1))

    def refuse(self, job: int, refusal: int, behind: int = -1) -> None:
        """Log why ``job`` was not started, once for as long as the reason stays."""
        if self.mechanisms is not None:
            refusal = self.mechanisms.reword(job, refusal)
        if self.reasons[job] != refusal:
            self.reasons[job] = refusal
            self.log.frombytes(row_of(self.now, 6, job, refusal, behind))  # Event.REFUSE

    def unexplained(self) -> list[int]:
        """Return the waiting jobs of which the log does not yet say why they wait."""
        reason = self.reasons
        return [job for job in self.waiting if not reason[job]]

    def requeue(self, job: int) -> None:
        """Let ``job`` wait again, with its reasons and promises forgotten."""
        self.reasons[job] = 0
        self.promised_ms.pop(job, None)
        self.waiting.add(job)

    def reject(self, job: int, refusal: Refusal) -> None:
        """Log that ``job`` can never run."""
        self.log.extend((self.now, Event.REJECT, job, refusal, 0))

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
