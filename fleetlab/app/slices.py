"""A run in slices: some events, then the page is heard, then some more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fleetlab.job import JobTable
from fleetlab.policy.custom import Custom
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.simulate import steps

SLICE_EVENTS = 1500
PLANNED_EVENTS = 100
"""Events in a slice; planning every queued job takes longer by the event."""


class Clock(Protocol):
    """What runs need of their surroundings: to be called again."""

    def later(self, milliseconds: int, call: Callable[[], None]) -> None:
        """Call ``call`` once, after other work has had its turn."""


def run_in_slices(
    clock: Clock,
    scenario: Scenario,
    *,
    wanted: Callable[[], bool],
    done: Callable[[Run], None],
    failed: Callable[[str], None],
    progress: Callable[[float], None] = lambda share: None,
    trace: JobTable | None = None,
    placement: Custom | None = None,
) -> None:
    """Run ``scenario`` for as long as it is ``wanted``, which is asked before every slice.

    ``done`` gets the run, ``failed`` one sentence where there can be none; ``progress``
    hears the share of jobs that have come after every slice.
    """
    events = PLANNED_EVENTS if scenario.backfill == "conservative" else SLICE_EVENTS
    work = steps(scenario, trace, events, placement)

    def advance() -> None:
        if not wanted():
            return
        try:
            reached = next(work)
        except ValueError as error:  # a ScenarioError is one
            failed(str(error))
            return
        if isinstance(reached, Run):
            done(reached)
            return
        progress(reached)
        clock.later(0, advance)

    clock.later(0, advance)
