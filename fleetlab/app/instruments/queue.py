"""Who waits, the head first; choosing one asks why."""

from __future__ import annotations

from typing import Any

import panel as pn

from fleetlab.analysis.explain import waits_for
from fleetlab.analysis.moment import Moment
from fleetlab.app.session import Session
from fleetlab.app.style import HEADING, QUEUE, SELECT
from fleetlab.wording import duration, plural

SHOWN = 5


class Jobs(pn.widgets.RadioBoxGroup):  # type: ignore[misc]
    """A list of jobs that may have grown shorter while a reader's click was on its way."""

    def _process_property_change(self, props: dict[str, Any]) -> dict[str, Any]:
        if (props.get("active") or 0) >= len(self.values):
            props = {name: value for name, value in props.items() if name != "active"}
        return super()._process_property_change(props)  # type: ignore[no-any-return]


class Queue:
    """The head of the queue as a list to choose from, and a field to ask about any job."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._quiet = False
        self.list = Jobs(
            name="Waiting jobs",
            options={},
            margin=(4, 0, 10, 0),
            sizing_mode="stretch_width",
            stylesheets=[QUEUE],
        )
        self.heading = pn.widgets.StaticText(value="", margin=0, stylesheets=[HEADING])
        self.ask = pn.widgets.IntInput(
            name="Ask about job", value=0, start=0, width=150, margin=0, stylesheets=[SELECT]
        )
        self.list.param.watch(self._chosen, "value")
        self.ask.param.watch(self._asked, "value")
        self.view = pn.Column(
            self.heading, self.list, self.ask, sizing_mode="stretch_width", margin=0
        )

    def _chosen(self, event: object) -> None:
        if not self._quiet and self.list.value is not None:
            self._session.ask(int(self.list.value))

    def _asked(self, event: object) -> None:
        if not self._quiet and self.ask.value is not None:
            self._session.ask(int(self.ask.value))

    def show(self, moment: Moment) -> None:
        """Show who waits at ``moment``."""
        run, waiting = moment.run, moment.state.waiting
        self._quiet = True
        options = {
            f"Job {run.jobs.name(job)}: {waits_for(run, job, moment.time_ms)}, waits "
            f"{_waited(moment, job)}": job
            for job in waiting[:SHOWN]
        }
        chosen = self._session.job
        self.list.param.update(options=options, value=chosen if chosen in waiting[:SHOWN] else None)
        more = len(waiting) - SHOWN
        self.heading.value = (
            "Nobody waits."
            if not waiting
            else f"{plural(len(waiting), 'job')} {'waits' if len(waiting) == 1 else 'wait'}"
            + (f", the first {SHOWN} are:" if more > 0 else ":")
        )
        if chosen >= 0:
            self.ask.value = chosen
        self._quiet = False


def _waited(moment: Moment, job: int) -> str:
    """Return how long a job has waited, never parted at a line's end."""
    waited_ms = moment.time_ms - int(moment.run.jobs.submit_ms[job])
    return duration(waited_ms / 1000).replace(" ", "\u00a0")
