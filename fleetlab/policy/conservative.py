"""Conservative backfill: every queued job has a reservation, and none is ever made later.

Mu'alem and Feitelson, IEEE TPDS 12(6), 2001, section 2.1, with compression: when
a job ends early, each reservation in queue order moves to its earliest time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from fleetlab.fleet import Held, Occupancy, Parts
from fleetlab.policy.refusal import Refusal

if TYPE_CHECKING:
    from fleetlab.engine.event_loop import Engine


class Profile:
    """Free GPUs over future time, as steps: from ``times[i]`` on, by node and ``total[i]``."""

    def __init__(self, now_ms: int, free: list[int]) -> None:
        self.times = [now_ms]
        self.total = [sum(free)]
        self._free = [free]

    def _cut(self, time_ms: int) -> int:
        """Return the index of the step that begins at ``time_ms``, making it if need be."""
        index = bisect_left(self.times, time_ms)
        if index == len(self.times) or self.times[index] != time_ms:
            self.times.insert(index, time_ms)
            self.total.insert(index, self.total[index - 1])
            self._free.insert(index, self._free[index - 1].copy())
        return index

    def change(self, parts: Parts, start_ms: int, end_ms: int, sign: int) -> None:
        """Add ``sign`` times ``parts`` to what is free from ``start_ms`` until ``end_ms``."""
        if end_ms <= start_ms:
            return
        first, last = self._cut(start_ms), self._cut(end_ms)
        total, gpus = self.total, sign * sum(count for _, count in parts)
        for step in range(first, last):
            total[step] += gpus
        for free in self._free[first:last]:
            for node, count in parts:
                free[node] += sign * count

    def give_back(self, held: Held, time_ms: int) -> None:
        """Add what a running job holds from ``time_ms`` on; calls come in order of time."""
        if self.times[-1] != time_ms:
            self.times.append(time_ms)
            self.total.append(self.total[-1])
            self._free.append(self._free[-1].copy())
        for node, count, _ in held:
            self._free[-1][node] += count
            self.total[-1] += count

    def forget_before(self, now_ms: int) -> None:
        """Let the profile begin at ``now_ms``."""
        index = bisect_right(self.times, now_ms) - 1
        del self.times[:index], self.total[:index], self._free[:index]
        self.times[0] = now_ms

    def lowest(self, first: int, last: int) -> list[int]:
        """Return the least free GPUs of each node over the steps from ``first`` to ``last``."""
        steps = self._free[first:last]
        return steps[0] if len(steps) == 1 else [min(column) for column in zip(*steps, strict=True)]


class Supposed:
    """The fleet with just so many GPUs of each node free, brought about with few changes."""

    def __init__(self, like: Occupancy) -> None:
        self._occupancy = like.empty()
        self._free = self._occupancy.free.copy()
        self._held: list[Held] = [[] for _ in self._free]

    def with_free(self, free: list[int]) -> Occupancy:
        """Return the fleet with ``free`` GPUs of each node free; below 0 is none."""
        if free != self._free:
            occupancy, size = self._occupancy, self._occupancy.fleet.gpus_per_node
            for node, (before, after) in enumerate(zip(self._free, free, strict=True)):
                if before != after:
                    occupancy.release(self._held[node])
                    taken = size - max(0, after)
                    self._held[node] = occupancy.take([(node, taken)] if taken else [])
            self._free = free.copy()
        return self._occupancy


class Plan:
    """What is promised to the waiting: (start, place) by job, and the profile it rests on.

    ``due`` is a heap of (start, job).
    """

    def __init__(self, occupancy: Occupancy) -> None:
        self.promised: dict[int, tuple[int, Parts]] = {}
        self.due: list[tuple[int, int]] = []
        self.profile: Profile | None = None
        self.supposed = Supposed(occupancy)


def fill_conservative(engine: Engine) -> None:
    """Give every waiting job its earliest reservation in order; start those that are due.

    While jobs end just when estimated, reservations stand and only new jobs
    need one. When a job ends early or is dropped, all are made anew, each no later than
    it was. When one outlives its estimate, what rested on that is void, and all are made
    anew in turn.
    """
    if engine.plan is None:
        engine.plan = Plan(engine.occupancy)
    while _start_and_promise(engine, engine.plan):
        pass


def _start_and_promise(engine: Engine, plan: Plan) -> bool:
    """Make one pass over the queue; return whether dropped jobs have left room for another."""
    now, waiting, promised, due = engine.now, engine.waiting, plan.promised, plan.due
    outlived = bool(engine.running) and engine.running[0][0] <= now
    profile, jobs = plan.profile, []
    if engine.off_plan or outlived or profile is None:
        engine.off_plan = False
        profile = _compress(engine, plan, outlived)
        jobs = list(waiting)
        due.clear()
    else:
        profile.forget_before(now)
        while due and due[0][0] <= now:
            jobs.append(heappop(due)[1])
        if len(waiting) > len(promised):
            jobs += [job for job in waiting if job not in promised]
            jobs = waiting.in_order(jobs)
    for job in jobs:
        length = max(1, engine.estimate_ms[job])
        if job not in promised:
            start, parts = _earliest(engine, job, plan.supposed, profile, length)
            profile.change(parts, start, start + length, -1)
            promised[job] = (start, parts)
        start, parts = promised[job]
        if start == now:
            engine.start(job, parts)
            del promised[job]
            if job not in engine.held:
                engine.off_plan = True
        else:
            heappush(due, (start, job))
            engine.promise(job, start)
            engine.refuse(job, Refusal.RESERVED_LATER)
    # A reservation may begin where another, now moved, had ended: then nothing else happens.
    if due and not outlived:
        engine.wake(due[0][0])
    elif due:
        # What waits for a job that has outlived its estimate is woken by that job's end. It is
        # looked at again after as long as that has taken, not whenever it might have ended.
        later = [start for start, _ in due if start > now + 1]
        if later:
            engine.wake(max(min(later), 2 * now - engine.running[0][0]))
    return engine.off_plan


def _compress(engine: Engine, plan: Plan, outlived: bool) -> Profile:
    """Return the profile of what runs, every reservation in it moved to its earliest time."""
    now, estimates = engine.now, engine.estimate_ms
    profile = plan.profile = Profile(now, engine.occupancy.free.copy())
    for expected, job in engine.running:
        # a job that has outlived its estimate is taken to end at any moment
        profile.give_back(engine.held[job], max(expected, now + 1))
    promised = plan.promised
    if outlived or any(start < now for start, _ in promised.values()):
        promised.clear()  # or the last in the queue would stand in the way of the first
    for job, (start, parts) in promised.items():
        profile.change(parts, start, start + max(1, estimates[job]), -1)
    for job in engine.waiting:
        if job in promised:
            start, parts = promised[job]
            length = max(1, estimates[job])
            profile.change(parts, start, start + length, +1)
            start, parts = _earliest(engine, job, plan.supposed, profile, length)
            profile.change(parts, start, start + length, -1)
            promised[job] = (start, parts)
    return profile


def _earliest(
    engine: Engine, job: int, supposed: Supposed, profile: Profile, length: int
) -> tuple[int, Parts]:
    """Return the first time at which ``job`` has a place for all its estimate, and the place."""
    shape, times, total = engine.shapes[job], profile.times, profile.total
    need, steps = shape.gpus, len(times)
    first = last = 0  # from the first step until before the last enough are free in all
    while first < steps:
        end = times[first] + length
        while last < steps and times[last] < end and total[last] >= need:
            last += 1
        if last < steps and times[last] < end:
            first = last = last + 1
            continue
        free = profile.lowest(first, last)
        if sum(free) >= need:
            parts = engine.place(shape, supposed.with_free(free), engine.rng, 0)
            if not isinstance(parts, Refusal):
                return times[first], parts
        first += 1
        last = max(first, last)
    raise ValueError(f"job {job} has no place even after every running job has ended")
