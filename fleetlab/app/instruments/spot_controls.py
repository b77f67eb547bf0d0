"""The knobs of Part 3: how much is spot, how often it goes, and what is done about it."""

from __future__ import annotations

from functools import partial
from typing import Any

import panel as pn

from fleetlab.app.instruments.release import on_release
from fleetlab.app.session import Session
from fleetlab.app.style import HEADING, SEGMENTS, SELECT, SLIDER
from fleetlab.scenario import LIMITS, Scenario
from fleetlab.wording import duration

PROCESSES = {
    "memoryless": "Memoryless: each node alone",
    "bathtub": "Bathtub: young or at the limit",
    "bursts": "Bursts: a quarter at once",
    "aws": "Like AWS, November 2020",
}
SECONDS = {
    "checkpoint": ("A checkpoint costs", (10, 30, 60, 120, 300, 600, 1200)),
    "restart": ("A restart costs", (0, 60, 120, 300, 600, 1200, 1800, 3600)),
    "notice": ("Notice before a node goes", (0, 10, 20, 30, 60, 120, 300, 600)),
    "rendezvous": ("A rendezvous takes", (0, 1, 5, 10, 30, 60, 120)),
}
MINUTES = {
    "tau": ("Checkpoint interval τ", (0, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360)),
    "away": ("Until a node is replaced", (0, 1, 2, 5, 10, 20, 30, 60, 120, 180)),
}
OF_TRAINING = ("tau", "checkpoint", "restart")
MOST_PREEMPTIONS = {"titan": 60, "guardian": 200, "nomad": 600, "pioneer": 1000}
ELASTIC = {
    "titan": ("Enable Elastic-Horovod", "Static ring", "Elastic ring"),
    "guardian": ("Enable Elastic-Horovod", "Static ring", "Elastic ring"),
    "nomad": ("Enable elastic rendering", "Full size", "Rescaled"),
    "pioneer": ("Enable elastic models", "Heavy or silent", "Heavy or slim"),
}
SPOT = {
    "titan": "Spot intensity, % of the nodes",
    "guardian": "Spot intensity, % of the nodes",
    "nomad": "Spot intensity, % of the nodes",
    "pioneer": "Devices that come and go, %",
}
LOAD = {"nomad": "Pool load, % of the nodes", "pioneer": "V3 devices with a heavy model, %"}


class SpotControls:
    """Widgets for the choices of Part 3; each change goes to the session.

    ``view`` are those that matter first, ``more`` the costs and the surroundings.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._quiet = False
        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        field: dict[str, Any] = {"margin": (0, 0, 18, 0), **wide}
        slider: dict[str, Any] = {"stylesheets": [SLIDER], **field}
        self.spot = pn.widgets.IntSlider(name="Spot intensity", start=0, end=100, step=5, **slider)
        self.elastic = pn.widgets.RadioBoxGroup(
            name="Elastic", inline=True, stylesheets=[SEGMENTS], **field
        )
        self.preemptions = pn.widgets.IntSlider(name="Preemption frequency", start=0, **slider)
        self.load = pn.widgets.IntSlider(name="Load", start=5, end=100, step=5, **slider)
        self._heading = pn.widgets.StaticText(value="", margin=(0, 0, 6, 0), stylesheets=[HEADING])
        self.selects = {
            name: pn.widgets.Select(name=title, stylesheets=[SELECT], **field)
            for name, (title, _) in (MINUTES | SECONDS).items()
        }
        self.reclaim = pn.widgets.Select(name="Reclaim process", stylesheets=[SELECT], **field)
        self.seed = pn.widgets.IntInput(
            name="Seed", start=LIMITS["seed"][0], end=LIMITS["seed"][1],
            stylesheets=[SELECT], **field,
        )  # fmt: skip
        sliders = {"spot": self.spot, "preemptions": self.preemptions, "load": self.load}
        others = {"elastic": self.elastic, "reclaim": self.reclaim, "seed": self.seed}
        for name, widget in sliders.items():
            on_release(widget, partial(self._changed, name))
        for name, widget in (others | self.selects).items():
            widget.param.watch(partial(self._changed, name), "value")
        self.view = pn.Column(
            self.spot, self._heading, self.elastic, self.preemptions, self.selects["tau"],
            self.reclaim, self.selects["notice"], margin=0, **wide,
        )  # fmt: skip
        self.more = pn.Column(
            self.selects["checkpoint"], self.selects["restart"],
            self.selects["rendezvous"], self.selects["away"], self.load, self.seed,
            margin=0, **wide,
        )  # fmt: skip

    def _changed(self, name: str, event: Any) -> None:
        if not self._quiet and event.new is not None:
            self._session.choose(**{name: event.new})

    def show(self, scenario: Scenario) -> None:
        """Show the choices in force."""
        self._quiet = True
        track = scenario.track
        title, off, on = ELASTIC[track]
        self._heading.value = title
        self.elastic.param.update(options={off: 0, on: 1}, value=scenario.elastic)
        self.spot.param.update(name=SPOT[track], value=scenario.spot)
        most = max(MOST_PREEMPTIONS[track], scenario.preemptions)
        what = "Devices that leave, a day" if track == "pioneer" else "Preemptions a day, all spot"
        self.preemptions.param.update(name=what, end=most, value=scenario.preemptions)
        self.load.param.update(
            name=LOAD.get(track, "Load"), value=min(scenario.load, 100), visible=track in LOAD
        )
        for table, per in ((MINUTES, 60), (SECONDS, 1)):
            for name, (_, offered) in table.items():
                chosen = getattr(scenario, name)
                options = {
                    _words(name, amount * per): amount for amount in sorted({*offered, chosen})
                }
                widget = self.selects[name]
                widget.param.update(options=options, value=chosen)
                widget.visible = track == "titan" or name not in OF_TRAINING
        self.reclaim.param.update(
            options={words: name for name, words in PROCESSES.items()}, value=scenario.reclaim
        )
        self.seed.value = scenario.seed
        self._quiet = False


def _words(name: str, seconds: int) -> str:
    if not seconds:
        return {"tau": "never saved", "notice": "none", "away": "at once"}.get(name, "nothing")
    return duration(seconds).replace(".0", "")
