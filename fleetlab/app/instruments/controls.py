"""The knobs of Part 1: placement, load, discipline, gang size, workload, seed."""

from __future__ import annotations

from functools import partial
from typing import Any

import panel as pn

from fleetlab.app.instruments.release import on_release
from fleetlab.app.session import Session
from fleetlab.app.style import HEADING, PAIRS, SEGMENTS, SELECT, SLIDER
from fleetlab.missions import mission
from fleetlab.scenario import LIMITS, Scenario
from fleetlab.workloads import catalogue

PLACEMENTS = {
    "best-fit": "Best fit",
    "random": "Random",
    "first-fit": "First fit",
    "worst-fit": "Worst fit",
    "contiguous": "Contiguous",
    "topology-aware": "Topology",
    "dot-product": "Dot product",
    "clustering": "Clustering",
    "packing": "Packing",
    "fgd": "FGD",
}
BACKFILLS = {
    "none": "Strict FIFO",
    "easy": "Backfill",
    "skip": "Skip ahead",
    "conservative": "Conservative",
}


def _offered(known: dict[str, str], usual: tuple[str, ...], chosen: str) -> dict[str, str]:
    """Return the usual choices, and the one in force if the address named another."""
    names = usual if chosen in usual else (*usual, chosen)
    return {known.get(name, name): name for name in names}


def disciplines(scenario: Scenario) -> tuple[str, ...]:
    """Return the disciplines offered for a Scenario: those that its jobs can be planned with."""
    if mission(scenario.track).classes:
        return ("none", "skip")
    shared = scenario.workload in ("nomad", "alibaba")
    return ("none", "easy", "skip") if shared else ("none", "easy", "skip", "conservative")


def _heading(text: str) -> pn.widgets.StaticText:
    return pn.widgets.StaticText(value=text, margin=(0, 0, 6, 0), stylesheets=[HEADING])


class Controls:
    """Widgets for the choices of a Scenario; each change goes to the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._quiet = False
        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        field: dict[str, Any] = {"margin": (0, 0, 18, 0), **wide}
        inline: dict[str, Any] = {"inline": True, "stylesheets": [SEGMENTS], **field}
        self.placement = pn.widgets.RadioBoxGroup(name="Placement", **inline)
        self.load = pn.widgets.IntSlider(
            name="Cluster load, % of the fleet",
            start=0,
            end=100,
            stylesheets=[SLIDER],
            **field,
        )
        self.backfill = pn.widgets.RadioBoxGroup(
            name="Discipline", inline=True, stylesheets=[SEGMENTS, PAIRS], **field
        )
        self.size = pn.widgets.RadioBoxGroup(name="Gang size", **inline)
        self.workload = pn.widgets.Select(name="Workload", stylesheets=[SELECT], **field)
        self.seed = pn.widgets.IntInput(
            name="Seed",
            start=LIMITS["seed"][0],
            end=LIMITS["seed"][1],
            stylesheets=[SELECT],
            **field,
        )
        self.fleet = pn.widgets.TextInput(
            name="Fleet: blocks x nodes x GPUs", stylesheets=[SELECT], **field
        )
        on_release(self.load, partial(self._changed, "load"))
        for name in ("placement", "backfill", "size", "workload", "fleet", "seed"):
            getattr(self, name).param.watch(partial(self._changed, name), "value")
        self._size_heading = _heading("Gang size")
        self.view = pn.Column(
            _heading("Placement"),
            self.placement,
            self.load,
            _heading("Discipline"),
            self.backfill,
            self._size_heading,
            self.size,
            self.workload,
            self.fleet,
            self.seed,
            margin=0,
            **wide,
        )

    def _changed(self, name: str, event: Any) -> None:
        if self._quiet or event.new is None:
            return
        changes: dict[str, Any] = {name: event.new}
        if name == "workload":
            changes["trace"] = self._session.trace_digest if event.new == "trace" else ""
        self._session.choose(**changes)

    def _offered_trace(self, name: str) -> bool:
        return name != "trace" or self._session.trace is not None

    def show(self, scenario: Scenario) -> None:
        """Show the choices in force."""
        self._quiet = True
        track = mission(scenario.track)
        self.placement.param.update(
            options=_offered(PLACEMENTS, ("best-fit", "random"), scenario.placement),
            value=scenario.placement,
        )
        self.backfill.param.update(
            options=_offered(BACKFILLS, disciplines(scenario), scenario.backfill),
            value=scenario.backfill,
        )
        sizes = sorted({*track.sizes, scenario.size})
        self.size.param.update(
            options={str(size): size for size in sizes}, value=scenario.size, visible=len(sizes) > 1
        )
        self._size_heading.visible = len(sizes) > 1
        self.load.param.update(end=max(100, scenario.load), value=scenario.load)
        self.workload.param.update(
            options={
                catalogue.words(name)[0]: name
                for name in track.workloads
                if name == scenario.workload
                or (catalogue.serves(name, scenario.part) and self._offered_trace(name))
            },
            value=scenario.workload,
        )
        drawn = scenario.workload not in ("titan-crisis", "trace")
        for widget in (self.load, self.size, self.seed):
            widget.disabled = not drawn
        self.fleet.param.update(
            value=scenario.fleet, visible=scenario.workload in ("trace", "philly", "alibaba")
        )
        self.seed.value = scenario.seed
        self._quiet = False
