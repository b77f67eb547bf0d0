"""What the four tracks of Part 3 have in common: each tells the same reclaims as its own story."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

from fleetlab.analysis.timeline import Instant, Phase, Timeline
from fleetlab.app.instruments.converge import Point, SweepView
from fleetlab.app.instruments.course import Course
from fleetlab.app.instruments.ring import (
    AWAY,
    BROKEN,
    IDLE,
    IN,
    LEAVING,
    PAUSED,
    WORKING,
    RingView,
)
from fleetlab.app.picture import Panel
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.services.outcome import outcome_of
from fleetlab.terms import spot_nodes
from fleetlab.wording import percent

HOUR_MS = 3_600_000
PROCESS_WORDS = {
    "memoryless": "each node on its own",
    "bathtub": "young or at its limit",
    "bursts": "in bursts of a quarter",
    "aws": "as in a real market",
}


@dataclass(frozen=True)
class Plan:
    """One way to run the work that the case compares; ``kind`` as in ``picture.Bar``."""

    label: str
    kind: str
    scenario: Scenario


@dataclass(frozen=True)
class Case:
    """What a reader takes to the stakeholder: a finding, three panels, a note, a table."""

    title: str
    note: str
    panels: list[Panel]
    table: list[list[str]]


@dataclass(frozen=True)
class Sweep:
    """One choice and the values it is swept over; ``per_tick`` says them in words."""

    field: str
    values: tuple[int, ...]
    ticks: tuple[str, ...]
    x_label: str
    y_label: str


class Story(ABC):
    """One track's reading of a run of Part 3.

    ``seeds`` says on how many seeds the choices in force, the case, and each place of
    the sweep are run, there static and elastic. ``same_run``: what is done about
    reclaims does not change when they come, so one run answers for static and elastic.
    """

    seeds = (10, 8, 4, 4)
    same_run = False
    sweep: Sweep

    def outcomes(self, run: Run) -> dict[Scenario, Any]:
        """Return what ``run`` came to, by Scenario."""
        scenario = scenario_of(run)
        found = {scenario: outcome_of(run)}
        if self.same_run:
            other = scenario.but(elastic=1 - scenario.elastic)
            found[other] = outcome_of(replace(run, scenario=other))
        return found

    # ---- one instant

    def opening_ms(self, run: Run) -> int:
        """Return the instant worth opening on: just after the first reclaim."""
        times = [time for time in reclaim_times(run) if time > 0]
        return min(times[0] + 10_000, run.last_ms) if times else 0

    @abstractmethod
    def ring(self, run: Run, timeline: Timeline, time_ms: int) -> RingView:
        """Return the ring as it is drawn."""

    @abstractmethod
    def title(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return the finding of the moment."""

    @abstractmethod
    def scene(self, scenario: Scenario) -> str:
        """Return what fleet this is and how to read the picture."""

    @abstractmethod
    def why(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return what just happened and what it costs."""

    # ---- a whole run

    @abstractmethod
    def course(self, run: Run, timeline: Timeline) -> Course:
        """Return one quantity over the run."""

    @abstractmethod
    def course_title(self, run: Run, timeline: Timeline) -> str:
        """Return the finding of the course."""

    @abstractmethod
    def figures(self, scenario: Scenario, static: list[Any], elastic: list[Any]) -> dict[str, Any]:
        """Return the four figures, in words, of what static and elastic seeds measured."""

    @abstractmethod
    def lost_of_100(self, outcome: Any) -> float:
        """Return how many of 100 hours are lost."""

    @abstractmethod
    def lesson(self, scenario: Scenario, static: list[Any], elastic: list[Any]) -> str:
        """Return what decides on this track, said of what was measured."""

    # ---- the sweep and the case

    @abstractmethod
    def swept(self, outcome: Any) -> float:
        """Return what the sweep's chart shows of an outcome."""

    @abstractmethod
    def curve(self, scenario: Scenario) -> float | None:
        """Return the closed form for a static Scenario; None where there is none."""

    @abstractmethod
    def sweep_view(self, view: SweepView) -> tuple[str, SweepView]:
        """Return the finding of the sweep, and its chart with scale and limit set."""

    @abstractmethod
    def plans(self, scenario: Scenario) -> list[Plan]:
        """Return what the case compares."""

    @abstractmethod
    def case(self, scenario: Scenario, plans: list[tuple[Plan, list[Any]]], price: int) -> Case:
        """Return the case; ``price`` is what the reader says a day of delay costs."""


def scenario_of(run: Run) -> Scenario:
    """Return the Scenario that ``run`` was made from; every run of the page has one."""
    assert run.scenario is not None
    return run.scenario


def fine_percent(share: float, below: float, fine: int, coarse: int) -> str:
    """Return a share with ``fine`` digits while it is below so many per cent, else ``coarse``."""
    if abs(100 * share) < 1e-9:
        return "0 %"
    return percent(share, fine if 100 * share < below else coarse)


def binomial(successes: int, count: int, chance: float) -> float:
    """Return the chance that just ``successes`` of ``count`` happen, each with ``chance``."""
    return math.comb(count, successes) * chance**successes * (1 - chance) ** (count - successes)


def node_states(run: Run, instant: Instant, held: Sequence[int]) -> tuple[str, ...]:
    """Return by node whether it is at work, free, given notice, or taken back."""
    states = [IDLE] * run.fleet.nodes
    for node in held:
        states[node] = IN
    for node in instant.leaving:
        states[node] = LEAVING
    for node in instant.away:
        states[node] = AWAY
    return tuple(states)


def how(instant: Instant) -> str:
    """Return how the ring is drawn in a phase."""
    if instant.phase in (Phase.WORKING, Phase.DONE):
        return WORKING
    return BROKEN if instant.phase is Phase.WAITING else PAUSED


def survivors(run: Run, instant: Instant) -> tuple[int, ...]:
    """Return the nodes that are in the ring, or that wait to be."""
    if instant.nodes:
        return instant.nodes
    return tuple(node for node in range(run.fleet.nodes) if node not in instant.away)


def spot_words(scenario: Scenario, noun: str = "node") -> str:
    """Return how much can be taken back, and how."""
    count = len(spot_nodes(scenario))
    if not count or not scenario.preemptions:
        return f"No {noun} is ever taken back"
    per_day = scenario.preemptions * count / scenario.fleet_shape.nodes
    rate = f"{per_day:.1f}".removesuffix(".0") if per_day < 10 else f"{per_day:.0f}"
    whole = scenario.fleet_shape.nodes
    which = f"All {whole} {noun}s" if count == whole else f"{count} of {whole} {noun}s"
    how = PROCESS_WORDS[scenario.reclaim]
    return f"{which} can be taken back: {rate} times a day in all, {how}"


def points(at: Sequence[float], groups: Sequence[Sequence[float]]) -> tuple[Point, ...]:
    """Return the mean and the spread of each group that has been measured."""
    return tuple(
        Point(x, mean(group), min(group), max(group))
        for x, group in zip(at, groups, strict=True)
        if group
    )


def spread_words(values: Sequence[float], unit: str) -> str:
    """Return ``1.57 to 2.47 hours over 12 seeds``, or ``1.57 hours on one seed``."""
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    span = low if low == high else f"{low} to {high}"
    over = "on one seed" if len(values) == 1 else f"over {len(values)} seeds"
    return f"{span} {unit} {over}"


def reclaim_times(run: Run) -> list[int]:
    """Return the times at which nodes were taken back, each once."""
    _, down, _ = run.outages
    return sorted({*down.tolist()})
