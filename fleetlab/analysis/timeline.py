"""The life of one job, from the log: what it did at any instant, and where its time went."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from fleetlab.attempt import UNIT, Attempt, setup_after_resize_ms
from fleetlab.log import Cause, Event
from fleetlab.run import NEVER, Run


class Phase(Enum):
    """What a job does at an instant."""

    WORKING = "working"
    SAVING = "saving"
    REBUILDING = "rebuilding"
    RESTARTING = "restarting"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True)
class Stretch:
    """A stretch of a job's life between two rows of the log about it.

    ``attempt`` is how it stood at ``begin_ms`` (None: it holds no node), ``nodes`` what it
    held, ``started_ms`` when the attempt began, ``resized`` whether with a change of size.
    """

    begin_ms: int
    end_ms: int
    attempt: Attempt | None
    nodes: tuple[int, ...] = ()
    started_ms: int = -1
    resized: bool = False

    def attempt_at(self, time_ms: int) -> Attempt | None:
        """Return the attempt as it stands at ``time_ms``."""
        if self.attempt is None:
            return None
        attempt = replace(self.attempt)
        attempt.advance(time_ms)
        return attempt


@dataclass(frozen=True)
class Instant:
    """A job and its nodes at one instant.

    ``done_ms`` is work that stands as things are, ``unsaved_ms`` what of it an
    interruption would lose, ``lost_ms`` what was lost so far. ``away`` are the nodes
    that are gone, ``leaving`` those that have been given notice. Nodes that go at once are
    one of ``rebuilds``.
    """

    time_ms: int
    phase: Phase
    nodes: tuple[int, ...]
    away: tuple[int, ...]
    leaving: tuple[int, ...]
    done_ms: int
    unsaved_ms: int
    lost_ms: int
    interruptions: int
    rebuilds: int


@dataclass(frozen=True)
class TimeSpent:
    """Where the time of a job went, in ms: the parts add up to its whole life in the fleet.

    ``work`` counts in the end and is measured at full speed; ``lost`` had to be done
    again; ``slower`` is what both took longer on a smaller ring or a slow network.
    """

    work_ms: int
    lost_ms: int
    slower_ms: int
    saving_ms: int
    rebuilding_ms: int
    restarting_ms: int
    waiting_ms: int

    @property
    def total_ms(self) -> int:
        return (
            self.work_ms + self.lost_ms + self.slower_ms + self.saving_ms
            + self.rebuilding_ms + self.restarting_ms + self.waiting_ms
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Timeline:
    """The life of ``job`` in ``run``, from the log and the conditions alone."""

    run: Run
    job: int = 0

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """All stretches from the job's submission to its end, in order of time."""
        found: list[Stretch] = []
        for stretch in self._stretches():
            if found:
                found[-1] = replace(found[-1], end_ms=stretch.begin_ms)
            found.append(stretch)
        return tuple(found)

    def _stretches(self) -> Iterator[Stretch]:
        run, conditions = self.run, self.run.conditions
        left_ms = int(run.jobs.duration_ms[self.job])
        setup_ms, carried, resized = 0, (False, 0), False
        attempt: Attempt | None = None
        nodes: list[int] = []
        held: tuple[int, ...] = ()
        started = -1
        for time, kind, _, a, b in run.log[run.log[:, 2] == self.job].tolist():
            if kind == Event.SUBMIT:
                yield Stretch(time, NEVER, None)
            elif kind in (Event.PLACE, Event.SHARE):
                nodes.append(a)
            elif kind == Event.START:
                attempt = Attempt(
                    conditions.checkpoint, time, left_ms, UNIT + b, setup_ms, *carried
                )
                setup_ms, carried, started = 0, (False, 0), time
                held = tuple(sorted(set(nodes)))
                yield Stretch(time, NEVER, replace(attempt), held, started, resized)
            elif kind in (Event.SAVE, Event.RETIME) and attempt is not None:
                attempt.advance(time)
                if kind == Event.SAVE:
                    attempt.save_now()
                else:
                    attempt.slow_ppm = UNIT + b
                yield Stretch(time, NEVER, replace(attempt), held, started, resized)
            elif kind == Event.WORK:
                left_ms -= a
            elif kind == Event.INTERRUPT and attempt is not None:
                attempt.advance(time)
                resized = a == Cause.RESIZE
                setup_ms = {
                    Cause.RESIZE: setup_after_resize_ms(attempt, conditions.rendezvous_ms),
                    Cause.MIGRATION: run.policy.migration_pause_ms,
                }.get(Cause(a), conditions.checkpoint.restart_ms)
                carried = (attempt.writing, attempt.unsaved_ms) if resized else (False, 0)
                attempt, nodes = None, []
                yield Stretch(time, NEVER, None)
            elif kind == Event.END:
                yield Stretch(time, NEVER, None)

    @cached_property
    def _begins(self) -> list[int]:
        return [stretch.begin_ms for stretch in self.stretches]

    @cached_property
    def _notices(self) -> list[tuple[int, int, int]]:
        rows = self.run.log[self.run.log[:, 1] == Event.NOTICE]
        return [(time, down, node) for time, _, _, node, down in rows.tolist()]

    def at(self, time_ms: int) -> Instant:
        """Return the instant at ``time_ms``, just after all events of that time."""
        run = self.run
        where = max(0, bisect_right(self._begins, time_ms) - 1)
        stretch = self.stretches[where]
        total = int(run.jobs.duration_ms[self.job])
        work = run.work
        past = (work.job == self.job) & (work.time_ms <= time_ms)
        done = int(work.kept_ms[past].sum())
        unsaved = 0
        attempt = stretch.attempt_at(min(time_ms, stretch.end_ms))
        if attempt is not None:
            done, unsaved = total - attempt.left_ms, attempt.unsaved_ms
        elif stretch.begin_ms == int(run.end_ms[self.job]):
            done = total
        node, down, up = run.outages
        gone = sorted({*node[(down <= time_ms) & (up > time_ms)].tolist()})
        leaving = {n for begin, end, n in self._notices if begin <= time_ms < end}
        rows = run.log[(run.log[:, 2] == self.job) & (run.log[:, 1] == Event.INTERRUPT)]
        causes = rows[rows[:, 0] <= time_ms, 3]
        resizes = rows[(rows[:, 0] <= time_ms) & (rows[:, 3] == Cause.RESIZE), 0]
        return Instant(
            time_ms, self._phase(stretch, attempt, time_ms), stretch.nodes, tuple(gone),
            tuple(sorted(leaving - set(gone))), done, unsaved, int(work.lost_ms[past].sum()),
            int((causes != Cause.RESIZE).sum()), len(set(resizes.tolist())),
        )  # fmt: skip

    def _phase(self, stretch: Stretch, attempt: Attempt | None, time_ms: int) -> Phase:
        if attempt is None:
            end_ms = int(self.run.end_ms[self.job])
            return Phase.DONE if 0 <= end_ms <= time_ms else Phase.WAITING
        if not attempt.setup_ms:
            return Phase.WORKING
        if time_ms < self._formed_ms(stretch):
            return Phase.REBUILDING
        return Phase.SAVING if attempt.writing else Phase.RESTARTING

    def _formed_ms(self, stretch: Stretch) -> int:
        """Return when the ring of the stretch stood; its start, if it was not rebuilt."""
        if not stretch.resized:
            return stretch.begin_ms
        return stretch.started_ms + self.run.conditions.rendezvous_ms

    def progress(self, points: int = 12) -> list[tuple[int, int]]:
        """Return (time ms, work ms that stands) over the whole life, ``points`` a stretch.

        It falls where work is lost.
        """
        total = int(self.run.jobs.duration_ms[self.job])
        found: list[tuple[int, int]] = []
        for number, stretch in enumerate(self.stretches):
            if stretch.attempt is None:
                later = self.stretches[min(number + 1, len(self.stretches) - 1)].attempt
                done = total - later.left_ms if later is not None else found[-1][1] if found else 0
                found.append((stretch.begin_ms, done))
                continue
            length = stretch.end_ms - stretch.begin_ms
            for part in range(points + 1):
                time = stretch.begin_ms + length * part // points
                attempt = stretch.attempt_at(time)
                if attempt is not None:
                    found.append((time, total - attempt.left_ms))
        return found

    @cached_property
    def spent(self) -> TimeSpent:
        """Where the time went, from the job's submission to its end."""
        rebuilding = restarting = waiting = saving = busy = 0
        for stretch in self.stretches[:-1]:
            length = stretch.end_ms - stretch.begin_ms
            before, after = stretch.attempt, stretch.attempt_at(stretch.end_ms)
            if before is None or after is None:
                waiting += length
                continue
            done = before.left_ms - after.left_ms
            at_work = done * before.slow_ppm // UNIT
            setup = min(before.setup_ms, length)
            formed = min(max(0, self._formed_ms(stretch) - stretch.begin_ms), setup)
            rebuilding += formed
            rest = 0 if before.writing else setup - formed
            restarting += rest
            busy += at_work
            saving += length - formed - rest - at_work
        work = int(self.run.jobs.duration_ms[self.job])
        mine = self.run.work.job == self.job
        lost = int(self.run.work.lost_ms[mine].sum())
        slower = busy - work - lost
        return TimeSpent(work, lost, slower, saving, rebuilding, restarting, waiting)
