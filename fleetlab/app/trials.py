"""Runs beside the session's own: one after another, in slices, until all are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleetlab.app.slices import Clock, run_in_slices
from fleetlab.policy.custom import Custom
from fleetlab.run import Run
from fleetlab.scenario import Scenario


@dataclass(frozen=True)
class Trial:
    """One run to make: what it is for, its Scenario, and a placement of the reader's own."""

    name: str
    scenario: Scenario
    placement: Custom | None = None


class Trials:
    """Makes runs one by one; ``done(trial, run)`` gets each, ``complain`` a sentence.

    A new list takes the place of what is under way.
    """

    def __init__(
        self,
        clock: Clock,
        done: Callable[[Trial, Run], None],
        complain: Callable[[str], None],
    ) -> None:
        self._clock, self._done, self._complain = clock, done, complain
        self._generation = 0
        self._left: list[Trial] = []

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of the trials that are not there yet, in order."""
        return tuple(trial.name for trial in self._left)

    def start(self, trials: Sequence[Trial]) -> None:
        """Make these runs, whatever was under way."""
        self._generation += 1
        self._left = list(trials)
        self._next(self._generation)

    def stop(self) -> None:
        """Make no more of them."""
        self.start([])

    def _next(self, generation: int) -> None:
        if not self._left:
            return
        trial = self._left[0]

        def done(run: Run) -> None:
            self._left.pop(0)
            self._done(trial, run)
            if generation == self._generation:
                self._next(generation)

        def failed(sentence: str) -> None:
            self._left.clear()
            self._complain(sentence)

        run_in_slices(
            self._clock,
            trial.scenario,
            wanted=lambda: generation == self._generation,
            done=done,
            failed=failed,
            placement=trial.placement,
        )
