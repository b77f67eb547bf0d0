"""The clock of a run: play, pause, step and scrub over simulated time."""

from __future__ import annotations

import panel as pn

from fleetlab.app.session import Session
from fleetlab.app.style import BUTTON, ROW, SCRUB, TIME
from fleetlab.wording import clock

STEPS = 600


class Transport:
    """Buttons and a slider over the length of a run; the slider counts in steps of it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._quiet = False
        self.play = pn.widgets.Button(name="Play", width=86, margin=0, stylesheets=[BUTTON])
        self.step = pn.widgets.Button(
            name="Step", width=72, margin=(0, 0, 0, 8), stylesheets=[BUTTON]
        )
        self.scrub = pn.widgets.IntSlider(
            name="Simulated time",
            margin=(0, 12),
            start=0,
            end=STEPS,
            value=0,
            show_value=False,
            sizing_mode="stretch_width",
            stylesheets=[SCRUB],
            min_width=140,
        )
        self.play.on_click(lambda _: session.play(not session.playing))
        self.step.on_click(lambda _: session.step())
        self.scrub.param.watch(self._scrubbed, "value")
        self.time = pn.widgets.StaticText(value="", width=108, margin=0, stylesheets=[TIME])
        self.view = pn.Row(
            self.play,
            self.step,
            self.scrub,
            self.time,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[ROW],
        )

    def _scrubbed(self, event: object) -> None:
        run = self._session.run
        if not self._quiet and run is not None:
            self._session.look(run.last_ms * self.scrub.value // STEPS)

    def show(self) -> None:
        """Show where the session is."""
        session = self._session
        if session.run is None:
            return
        self._quiet = True
        last = max(1, session.run.last_ms)
        place = min(STEPS, round(session.time_ms * STEPS / last))
        self.play.name = "Pause" if session.playing else "Play"
        self.scrub.value = place
        self.time.value = clock(session.time_ms)
        self._quiet = False
