"""The page: one session, the part that is open, and what passes between them and the reader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from fleetlab.app.palette import palette
from fleetlab.app.parts import Part, part_of
from fleetlab.app.session import Clock, Session
from fleetlab.scenario import Scenario
from fleetlab.traces import TraceError, load_trace

Tell = Callable[[str, Any], None]


class Page:
    """One reader's page.

    ``look`` is the theme (``light`` or ``dark``), with ``narrow`` behind it where
    the page is one column. ``tell(name, value)`` carries texts and facts to the
    page; ``redraw`` is called when another part has other instruments. Building a
    page is synchronous and draws nothing at random.
    """

    def __init__(
        self, query: str, look: str, clock: Clock, tell: Tell, redraw: Callable[[], None]
    ) -> None:
        self._tell = tell
        self._redraw = redraw
        self._colours = palette(look)
        self._narrow = "narrow" in look.split()
        self._trace_name = ""
        scenario, self._complaints = Scenario.read(query)
        self.session = Session(scenario, clock, self._changed, lambda text: tell("notice", text))
        self.part = self._open_part()

    def _open_part(self) -> Part:
        part = part_of(self.session)
        self.session.measure = part.measure
        part.dress(self._colours, self._narrow)
        part.show("scenario")
        return part

    @property
    def slots(self) -> dict[str, Any]:
        """The views of the open part, by the id of the element that each goes into."""
        return self.part.slots

    def begin(self) -> None:
        """Say what the address got wrong, and start the first run."""
        for sentence in self._complaints[:1]:
            more = len(self._complaints) - 1
            rest = f" {more} more choices in the address were left out." if more else ""
            self._tell("notice", sentence + "." * (not sentence.endswith(".")) + rest)
        self.session.open(self._opening(self.session.scenario))

    def _opening(self, scenario: Scenario) -> Scenario:
        return scenario if self.session.prediction is not None else self.part.opening(scenario)

    # ---- what the page tells

    def hear(self, name: str, value: Any) -> None:
        """Take what the page tells: a prediction, another Scenario, a theme, a trace."""
        heard = getattr(self, f"_hear_{name}", None)
        if heard is not None:
            heard(value)
        else:
            self.part.hear(name, value)

    def _hear_scenario(self, query: Any) -> None:
        before = self.session.scenario
        scenario, self._complaints = Scenario.read(str(query))
        if (scenario.track, scenario.part) != (before.track, before.part):
            self.session.prediction = None
        self.session.scenario = scenario
        if scenario.part != before.part:
            self.session.leave()
            self.part = self._open_part()
            self._redraw()
        self.begin()

    def _hear_record(self, record: Any) -> None:
        record = json.loads(record) if isinstance(record, str) else record
        scenario = self.session.scenario
        if not isinstance(record, dict) or record.get("track") != scenario.track:
            return
        made = [p for p in record.get("predictions", []) if p.get("part") == scenario.part]
        before = self.session.prediction
        self.session.prediction = made[0] if made else None
        if (before is None) != (self.session.prediction is None) and self.session.run is not None:
            self._lock_changed()

    def _hear_prediction(self, prediction: Any) -> None:
        if isinstance(prediction, dict):
            self.session.prediction = prediction
            self._lock_changed()

    def _lock_changed(self) -> None:
        """Show what belongs before the lock, or behind it."""
        scenario = self.session.scenario
        locked = self.session.prediction is not None
        wanted = self.part.unlocked(scenario) if locked else self.part.opening(scenario)
        if wanted != scenario:
            self.session.open(wanted)
        else:
            self._tell("frame", self.part.frame())

    def _hear_theme(self, theme: Any) -> None:
        self._colours = palette(str(theme))
        self.part.dress(self._colours, self._narrow)

    def _hear_narrow(self, narrow: Any) -> None:
        self._narrow = bool(narrow)
        self.part.dress(self._colours, self._narrow)

    def _hear_trace_name(self, name: Any) -> None:
        self._trace_name = str(name)[:120]

    def _hear_trace(self, data: Any) -> None:
        name = self._trace_name or "trace"
        try:
            trace = load_trace(bytes(data), name=name)
        except TraceError as error:
            self._tell("trace_error", str(error))
            return
        self._tell("trace_error", "")
        digest = hashlib.sha256(bytes(data)).hexdigest()[:16]
        wanted = self.session.scenario.trace
        if self.session.scenario.workload == "trace" and wanted not in ("", digest):
            self._tell("notice", f"{name} is another file than the link was made with.")
        self.session.trace, self.session.trace_digest = trace.jobs, digest
        if trace.skipped:
            self._tell("notice", f"{name}: {trace.skipped:,} rows without a run were left out.")
        self.session.choose(workload="trace", trace=digest)

    # ---- what the session says

    def _changed(self, what: str) -> None:
        session = self.session
        if what == "progress":
            self._tell("progress", session.progress)
            return
        self.part.show(what)
        if what == "scenario":
            self._tell("query", "?" + session.scenario.query())
            return
        self._tell("frame", self.part.frame())
        if what == "run" and session.run is not None:
            self._tell("run", self.part.record(session.run))
