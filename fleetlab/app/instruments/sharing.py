"""The knobs of Part 2: locality, gangs, the fabric, and who is served before whom."""

from __future__ import annotations

from functools import partial
from typing import Any

import panel as pn

from fleetlab.app.instruments.release import on_release
from fleetlab.app.session import Session
from fleetlab.app.style import HEADING, PAIRS, SEGMENTS, SELECT, SLIDER
from fleetlab.missions import mission
from fleetlab.scenario import FOR_EVER, LIMITS, Scenario

PATIENCE = {"strict": FOR_EVER, "4 h": 240, "2 h": 120, "1 h": 60, "15 min": 15, "loose": 0}
GANGS = {"Whole gangs": "whole", "Hold and wait": "hold-and-wait"}
QUOTAS = {"None": "none", "Hard": "hard", "Borrowable": "borrowable", "Reclaimable": "reclaimable"}
ORDERS = {
    "First come, first served": "fifo",
    "Priority": "priority",
    "Fair share": "fair",
    "Dominant resource fairness": "drf",
    "Shortest first": "sjf",
}
PLACEMENTS = {"Best fit": "best-fit", "Topology": "topology-aware"}
STARVATION = {"None": 0, "6 h": 6, "12 h": 12, "24 h": 24}
MOST_PENALTY, MOST_AGEING = 70, 48


def _heading(text: str) -> pn.widgets.StaticText:
    return pn.widgets.StaticText(value=text, margin=(0, 0, 6, 0), stylesheets=[HEADING])


def _known(options: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return the options, and the value in force if the address named another."""
    return options if value in options.values() else options | {str(value): value}


class SharingControls:
    """Widgets for the choices of a Scenario of Part 2; each change goes to ``choose``."""

    def __init__(self, session: Session, choose: Any) -> None:
        self._session, self._choose = session, choose
        self._quiet = False
        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        field: dict[str, Any] = {"margin": (0, 0, 16, 0), **wide}
        pairs: dict[str, Any] = {"inline": True, "stylesheets": [SEGMENTS, PAIRS], **field}
        inline: dict[str, Any] = {"inline": True, "stylesheets": [SEGMENTS], **field}
        slider: dict[str, Any] = {"stylesheets": [SLIDER], **field}
        self.patience = pn.widgets.DiscreteSlider(
            name="Locality: how long a gang holds out for a closer place",
            options=PATIENCE,
            **slider,
        )
        self.penalty = pn.widgets.IntSlider(
            name="Fabric: longer across blocks, %", start=0, end=MOST_PENALTY, step=5, **slider
        )
        self.gang = pn.widgets.RadioBoxGroup(name="Gangs", **inline)
        self.order = pn.widgets.Select(name="Who is served first", stylesheets=[SELECT], **field)
        self.ageing = pn.widgets.IntSlider(
            name="Ageing: hours waited worth one level", start=0, end=MOST_AGEING, step=4, **slider
        )
        self.quota = pn.widgets.RadioBoxGroup(name="Quota of each tenant", **pairs)
        self.starvation = pn.widgets.Select(
            name="Nobody passes who has waited", stylesheets=[SELECT], **field
        )
        self.placement = pn.widgets.RadioBoxGroup(name="Placement", **inline)
        self.load = pn.widgets.IntSlider(
            name="Offered load, % of the fleet", start=0, end=100, **slider
        )
        self.seed = pn.widgets.IntInput(
            name="Seed",
            start=LIMITS["seed"][0],
            end=LIMITS["seed"][1],
            stylesheets=[SELECT],
            **field,
        )
        for name in (
            "patience", "penalty", "gang", "order", "ageing", "quota", "starvation", "placement",
            "load", "seed",
        ):  # fmt: skip
            widget = getattr(self, name)
            heard = partial(self._changed, name)
            if isinstance(widget, pn.widgets.IntSlider):
                on_release(widget, heard)
            else:
                widget.param.watch(heard, "value")
        self.view = pn.Column(
            self.patience,
            self.penalty,
            _heading("Gangs"),
            self.gang,
            self.order,
            self.ageing,
            _heading("Quota of each tenant"),
            self.quota,
            self.starvation,
            _heading("Placement"),
            self.placement,
            self.load,
            self.seed,
            margin=0,
            **wide,
        )

    def _changed(self, name: str, event: Any) -> None:
        if self._quiet or event.new is None:
            return
        self._choose(**{name: event.new})

    def show(self, scenario: Scenario) -> None:
        """Show the choices in force."""
        self._quiet = True
        whole = scenario.gang == "whole"
        placements = PLACEMENTS
        if mission(scenario.track).classes:
            placements = placements | {"Random": "random"}
        for name, options in (
            ("patience", PATIENCE),
            ("gang", GANGS),
            ("order", ORDERS),
            ("quota", QUOTAS),
            ("starvation", STARVATION),
            ("placement", placements),
        ):
            value = getattr(scenario, name)
            getattr(self, name).param.update(options=_known(options, value), value=value)
        self.penalty.param.update(end=max(MOST_PENALTY, scenario.penalty), value=scenario.penalty)
        self.ageing.param.update(
            end=max(MOST_AGEING, scenario.ageing),
            value=scenario.ageing,
            visible=scenario.order == "priority",
        )
        for widget in (self.patience, self.quota):
            widget.disabled = not whole
        self.load.param.update(end=max(100, scenario.load), value=scenario.load)
        self.seed.value = scenario.seed
        self._quiet = False
