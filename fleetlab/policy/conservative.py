"""Conservative backfill: every queued job has a reservation, and none is ever made later.

Mu'alem and Feitelson, IEEE TPDS 12(6), 2001, section 2.1, with compression: when
a job ends early, each reservation in queue order moves to its earliest time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from fleetlab.fleet import Held, Parts
from fleetlab.policy.refusal import Refusal

if TYPE_CHECKING:
    from fleetlab.engine.event_loop import Engine


class Profile:
    """Free GPUs of every node over future time, as steps: ``free[i]`` from ``times[i]`` on."""

    def __init__(self, now_ms: int, free: list[int]) -> None:
        self.times = [now_ms]
        self.free = [free]

    def _cut(self, time_ms: int) -> int:
        """Return the index of the step that begins at ``time_ms``, making it if need be."""
        index = bisect_left(self.times, time_ms)
        if index == len(self.times) or self.times[index] != time_ms:
            self.times.insert(index, time_ms)
            self.free.insert(index, self.free[index - 1].copy())
        return index

    def change(self, parts: Parts, start_ms: int, end_ms: int, sign: int) -> None:
        """Add ``sign`` times ``parts`` to what is free from ``start_ms`` until ``end_ms``."""
        if end_ms <= start_ms:
            return
        first, last = self._cut(start_ms), self._cut(end_ms)
        for step in self.free[first:last]:
            for node, count in parts:
                step[node] += sign * count

    def give_back(self, held: Held, time_ms: int) -> None:
        """Add what a running job holds from ``time_ms`` on; calls come in order of time."""
        if self.times[-1] != time_ms:
            self.times.append(time_ms)
            self.free.append(self.free[-1].copy())
        for node, count, _ in held:
            self.free[-1][node] += count

    def forget_before(self, now_ms: int) -> None:
        """Let the profile begin at ``now_ms``."""
        index = bisect_right(self.times, now_ms) - 1
        del self.times[:index], self.free[:index]
        self.times[0] = now_ms

    def lowest(self, start_ms: int, end_ms: int) -> list[int]:
        """Return the least free GPUs of each node over [``start_ms``, ``end_ms``)."""
        first = bisect_right(self.times, start_ms) - 1
        last = max(first + 1, bisect_left(self.times, end_ms))
        steps = self.free[first:last]
        return steps[0] if len(steps) == 1 else [min(column) for column in zip(*steps, strict=True)]


class Plan:
    """What is promised to the waiting: (start, place) by job, and the profile it rests on."""

    def __init__(self) -> None:
        self.promised: dict[int, tuple[int, Parts]] = {}
        self.profile = Profile(-1, [])


def fill_conservative(engine: Engine) -> None:
    """Give every waiting job its earliest reservation in order; start those that are due.

    While jobs end just when estimated, reservations stand and only new jobs
    need one. When a job ends early, outlives its estimate or is dropped, all are
    made anew, each no later than it was.
    """
    while _start_and_promise(engine):
        pass


def _start_and_promise(engine: Engine) -> bool:
    """Make one pass over the queue; return whether dropped jobs have left room for another."""
    now, plan = engine.now, engine.plan
    outlived = bool(engine.running) and engine.running[0][0] <= now
    if engine.off_plan or outlived or not plan.profile.free[0]:
        engine.off_plan = False
        _compress(engine)
    profile, promised = plan.profile, plan.promised
    profile.forget_before(now)
    for job in engine.waiting:
        length = max(1, engine.estimate_ms[job])
        if job not in promised:
            start, parts = _earliest(engine, job, profile, length)
            profile.change(parts, start, start + length, -1)
            promised[job] = (start, parts)
        start, parts = promised[job]
        if start == now:
            engine.start(job, parts)
            del promised[job]
            if job not in engine.held:
                engine.off_plan = True
        else:
            engine.promise(job, start)
            engine.refuse(job, Refusal.RESERVED_LATER)
    # A reservation may begin where another, now moved, had ended: then nothing else happens.
    # What waits for a job that has outlived its estimate is woken by that job's end.
    later = now + 1 if outlived else now
    due = min((start for start, _ in promised.values() if start > later), default=0)
    if due:
        engine.wake(due)
    return engine.off_plan


def _compress(engine: Engine) -> None:
    """Rebuild the profile from what runs, and move every reservation to its earliest time."""
    now, estimates, plan = engine.now, engine.estimate_ms, engine.plan
    profile = plan.profile = Profile(now, engine.occupancy.free.copy())
    for expected, job in engine.running:
        # a job that has outlived its estimate is taken to end at any moment
        profile.give_back(engine.held[job], max(expected, now + 1))
    promised = plan.promised
    for job, (start, parts) in promised.items():
        begin = max(start, now)
        profile.change(parts, begin, begin + max(1, estimates[job]), -1)
    for job in engine.waiting:
        if job in promised:
            start, parts = promised[job]
            length, begin = max(1, estimates[job]), max(start, now)
            profile.change(parts, begin, begin + length, +1)
            start, parts = _earliest(engine, job, profile, length)
            profile.change(parts, start, start + length, -1)
            promised[job] = (start, parts)


def _earliest(engine: Engine, job: int, profile: Profile, length: int) -> tuple[int, Parts]:
    """Return the first time at which ``job`` has a place for all its estimate, and the place."""
    for time in profile.times:
        free = profile.lowest(time, time + length)
        if sum(free) < engine.shapes[job].gpus:
            continue
        parts = engine.find_in(job, free)
        if not isinstance(parts, Refusal):
            return time, parts
    raise ValueError(f"job {job} has no place even after every running job has ended")
