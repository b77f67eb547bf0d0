"""Many Scenarios run one after the other, in slices, for charts that compare them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fleetlab.app.slices import Clock, run_in_slices
from fleetlab.run import Run
from fleetlab.scenario import Scenario

MOST_KEPT = 2000


class Batch:
    """Keeps what ``measure`` says of every Scenario that was wanted, and runs those that lack.

    ``measure`` returns the results of a run by Scenario: some runs answer for two.
    ``changed`` is called after each. Only what is wanted now is run; what was found for
    something else is kept, so that turning a knob back costs nothing.
    """

    def __init__(
        self,
        clock: Clock,
        measure: Callable[[Run], Mapping[Scenario, Any]],
        changed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._measure = measure
        self._changed = changed
        self._results: dict[Scenario, Any] = {}
        self._wanted: list[Scenario] = []
        self._generation = 0

    def __getitem__(self, scenario: Scenario) -> Any:
        return self._results.get(scenario)

    def found(self, scenarios: Iterable[Scenario]) -> list[Any]:
        """Return the results that are there of ``scenarios``, in their order."""
        return [self._results[s] for s in scenarios if s in self._results]

    def take(self, run: Run) -> None:
        """Keep the results of a run that was made elsewhere."""
        self._results |= self._measure(run)

    def want(self, scenarios: Iterable[Scenario]) -> None:
        """Run ``scenarios`` in this order, whatever was wanted before; none stops the batch."""
        self._generation += 1
        self._wanted = list(scenarios)
        if len(self._results) > MOST_KEPT:
            self._results = {s: self._results[s] for s in self._wanted if s in self._results}
        self._next(self._generation)

    def _next(self, generation: int) -> None:
        self._wanted = [s for s in self._wanted if s not in self._results]
        if not self._wanted:
            return

        def done(run: Run) -> None:
            before = len(self._results)
            self.take(run)
            if len(self._results) == before:
                self._wanted.pop(0)
            self._changed()
            self._next(generation)

        def failed(_: str) -> None:
            self._wanted.pop(0)  # the session says what is wrong with it
            self._next(generation)

        run_in_slices(
            self._clock,
            self._wanted[0],
            wanted=lambda: generation == self._generation,
            done=done,
            failed=failed,
        )
