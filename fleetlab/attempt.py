"""One attempt at a job's work: how far it is, what of it is saved, when it is due.

All in whole milliseconds. Work is counted at the speed for which a job's run
time was given; an attempt may go slower or faster. Rates are whole parts per
million, so that every platform comes to the same end to the millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass

UNIT = 1_000_000
"""Parts per million: an attempt with ``slow_ppm`` of 2 * UNIT takes twice as long as given."""


@dataclass(frozen=True)
class Checkpoint:
    """How work is saved: after every ``interval_ms`` of work, which takes ``cost_ms``.

    The result at the end is saved too. An attempt after an interruption first
    spends ``restart_ms``. Interval 0 saves nothing before the end, so an
    interruption loses all. Raises ValueError for a negative time.
    """

    interval_ms: int = 0
    cost_ms: int = 0
    restart_ms: int = 0

    def __post_init__(self) -> None:
        for name in ("interval_ms", "cost_ms", "restart_ms"):
            if getattr(self, name) < 0:
                raise ValueError(f"checkpoint: {name} is {getattr(self, name)}; give 0 or more")


def wall_ms(work_ms: int, slow_ppm: int) -> int:
    """Return how long ``work_ms`` takes at a speed, rounded up."""
    return -(-work_ms * slow_ppm // UNIT)


@dataclass(slots=True)
class Attempt:
    """Where an attempt stands at ``since_ms``; ``advance`` moves it on.

    ``left_ms`` is the work to do, ``unsaved_ms`` what an interruption would lose,
    ``setup_ms`` the time until work goes on: a restart, or with ``writing`` the
    rest of a checkpoint, at whose end all is saved.
    """

    checkpoint: Checkpoint
    since_ms: int
    left_ms: int
    slow_ppm: int = UNIT
    setup_ms: int = 0
    writing: bool = False
    unsaved_ms: int = 0

    def _to_checkpoint(self) -> int:
        """Return the work until the next checkpoint."""
        interval = self.checkpoint.interval_ms
        return min(self.left_ms, interval - self.unsaved_ms) if interval else self.left_ms

    def due_ms(self) -> int:
        """Return the time at which all work is done and saved, if nothing changes."""
        interval, cost = self.checkpoint.interval_ms, self.checkpoint.cost_ms
        time = self.since_ms + self.setup_ms
        if not self.left_ms:
            return time
        first = self._to_checkpoint()
        if self.writing:  # then nothing will be unsaved when work goes on
            first = min(self.left_ms, interval or self.left_ms)
        time += wall_ms(first, self.slow_ppm)
        if not interval:
            return time
        full, rest = divmod(self.left_ms - first, interval)
        time += cost + full * (wall_ms(interval, self.slow_ppm) + cost)
        return time + (wall_ms(rest, self.slow_ppm) + cost if rest else 0)

    def at(self, now_ms: int) -> Attempt:
        """Return what this attempt will have come to at ``now_ms``; it stays as it is."""
        later = Attempt(
            self.checkpoint,
            self.since_ms,
            self.left_ms,
            self.slow_ppm,
            self.setup_ms,
            self.writing,
            self.unsaved_ms,
        )
        later.advance(now_ms)
        return later

    def left_at(self, now_ms: int) -> int:
        """Return the work that will be to do at ``now_ms``; the attempt stays as it is."""
        if self.checkpoint.interval_ms:
            return self.at(now_ms).left_ms
        working_ms = max(0, now_ms - self.since_ms - self.setup_ms)
        return max(0, self.left_ms - working_ms * UNIT // self.slow_ppm)

    def advance(self, now_ms: int) -> None:
        """Bring the attempt to ``now_ms``; part of a millisecond's work is not counted."""
        interval, cost = self.checkpoint.interval_ms, self.checkpoint.cost_ms
        time = now_ms - self.since_ms
        self.since_ms = now_ms
        while True:
            spent = min(self.setup_ms, time)
            self.setup_ms -= spent
            time -= spent
            if self.setup_ms:
                return
            if self.writing:
                self.writing, self.unsaved_ms = False, 0
            if not time or not self.left_ms:
                return
            if interval and not self.unsaved_ms:
                cycles = min(
                    time // (wall_ms(interval, self.slow_ppm) + cost), self.left_ms // interval
                )
                self.left_ms -= cycles * interval
                time -= cycles * (wall_ms(interval, self.slow_ppm) + cost)
                if not self.left_ms:
                    return
            work = self._to_checkpoint()
            if time < wall_ms(work, self.slow_ppm):
                done = min(work, time * UNIT // self.slow_ppm)
                self.left_ms -= done
                self.unsaved_ms += done
                return
            self.left_ms -= work
            self.unsaved_ms += work
            time -= wall_ms(work, self.slow_ppm)
            if interval:
                self.setup_ms, self.writing = cost, True

    def save_now(self) -> None:
        """Begin a checkpoint at once, unless one is being written or nothing is unsaved."""
        if self.unsaved_ms and not self.writing and not self.setup_ms:
            self.setup_ms, self.writing = self.checkpoint.cost_ms, True


def setup_after_resize_ms(attempt: Attempt, rendezvous_ms: int) -> int:
    """Return how long an elastic job of ``attempt`` works on nothing when its world changes.

    The rendezvous, and after it the rest of a checkpoint that was being written. A
    restart or a rendezvous under way is not begun again; the longer of both counts.
    """
    if attempt.writing:
        return rendezvous_ms + attempt.setup_ms
    return max(rendezvous_ms, attempt.setup_ms)
