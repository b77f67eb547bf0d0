"""The parts of the lab: for each, its instruments, its words, and what it keeps as evidence.

A part is made for one session and draws nothing by itself: the page tells it
what has changed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast

from fleetlab.app.palette import Palette
from fleetlab.app.session import Session
from fleetlab.run import Run
from fleetlab.scenario import Scenario

PARTS = {
    1: "fragmentation.FragmentationAudit",
    2: "topology.TopologyPenalty",
    3: "elastic.ElasticBuffer",
}
"""The parts that this lab has, by number: module and class. The site shows these and no others."""


class Part(Protocol):
    """One part of the lab; ``slots`` maps a slot of its template to the view that goes into it."""

    slots: dict[str, Any]

    def __init__(self, session: Session) -> None: ...

    def measure(self, run: Run) -> Any:
        """Return what of a run is compared over seeds; None when it is not repeated."""

    def opening(self, scenario: Scenario) -> Scenario:
        """Return what is shown first in place of ``scenario``: before the lock, a scene."""

    def unlocked(self, scenario: Scenario) -> Scenario:
        """Return what is shown once the prediction is locked."""

    def dress(self, colours: Palette, narrow: bool) -> None:
        """Draw in a theme's colours, for the room there is."""

    def show(self, what: str) -> None:
        """Show the session after ``what`` of it: scenario, run, moment, replicas or prediction."""

    def frame(self) -> dict[str, Any]:
        """Return all texts and figures of the page; empty before the first run."""

    def record(self, run: Run) -> dict[str, Any]:
        """Return what the ledger keeps of a run."""

    def leave(self) -> None:
        """Stop what is under way beside the session's own run: another part takes its place."""

    def hear(self, name: str, value: Any) -> None:
        """Take what only this part understands; anything else is left alone."""


def class_of(number: int) -> type[Part]:
    """Return the class of a part, which must be one of ``PARTS``; its module is imported."""
    module, _, name = PARTS[number].partition(".")
    return cast(type[Part], getattr(import_module(f"{__name__}.{module}"), name))


def part_of(session: Session) -> Part:
    """Return the part that the session's Scenario is about, which must be one of ``PARTS``."""
    return class_of(session.scenario.part)(session)
