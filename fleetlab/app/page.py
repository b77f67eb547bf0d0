"""The page's document, built by one synchronous call, and kept current by the session."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from fleetlab.app.frame import block_words, frame, run_record
from fleetlab.app.instruments.controls import Controls
from fleetlab.app.instruments.heatmap import ClusterHeatmap, occupied
from fleetlab.app.instruments.queue import Queue
from fleetlab.app.instruments.spread import Spread
from fleetlab.app.instruments.transport import Transport
from fleetlab.app.palette import palette
from fleetlab.app.session import Clock, Session
from fleetlab.missions import mission
from fleetlab.scenario import Scenario
from fleetlab.traces import TraceError, load_trace

Tell = Callable[[str, Any], None]
PART = 1


class Page:
    """One reader's page: the session, its instruments, and what the page is told.

    ``look`` is the theme (``light`` or ``dark``), with ``narrow`` behind it where
    the page is one column. ``tell(name, value)`` carries texts and facts to the page; ``slots`` maps the
    id of an element to the view that goes into it.
    """

    def __init__(self, query: str, look: str, clock: Clock, tell: Tell) -> None:
        self._tell = tell
        self._colours = palette(look)
        self._narrow = "narrow" in look.split()
        self._trace_name = ""
        scenario, complaints = Scenario.read(query)
        self.session = Session(scenario, clock, self._changed, lambda text: tell("notice", text))
        self.heatmap = ClusterHeatmap(self._touched)
        self.transport = Transport(self.session)
        self.queue = Queue(self.session)
        self.controls = Controls(self.session)
        self.spread = Spread()
        self.slots: dict[str, Any] = {
            "slot-controls": self.controls.view,
            "slot-stage": self.heatmap.view,
            "slot-transport": self.transport.view,
            "slot-queue": self.queue.view,
            "slot-chart": self.spread.view,
        }
        self._complaints = complaints
        self._paint()
        self.controls.show(scenario)
        self._arrange(scenario)

    def begin(self) -> None:
        """Say what the address got wrong, and start the first run."""
        for sentence in self._complaints[:1]:
            more = len(self._complaints) - 1
            rest = f" {more} more choices in the address were left out." if more else ""
            self._tell("notice", sentence + "." * (not sentence.endswith(".")) + rest)
        self.session.open(self._opening(self.session.scenario))

    def _opening(self, scenario: Scenario) -> Scenario:
        """Return what is shown first: before the prediction, Titan's crisis."""
        default = Scenario.default(scenario.track, scenario.part)
        plain = scenario == default.but(seed=scenario.seed)
        if scenario.track == "titan" and self.session.prediction is None and plain:
            return scenario.but(workload="titan-crisis")
        return scenario

    # ---- what the page tells

    def hear(self, name: str, value: Any) -> None:
        """Take what the page tells: a prediction, another Scenario, a theme, a trace."""
        heard = getattr(self, f"_hear_{name}", None)
        if heard is not None:
            heard(value)

    def _hear_scenario(self, query: str) -> None:
        scenario, self._complaints = Scenario.read(str(query))
        if scenario.track != self.session.scenario.track:
            self.session.prediction = None
        self.session.scenario = scenario
        self.begin()

    def _hear_record(self, record: Any) -> None:
        record = json.loads(record) if isinstance(record, str) else record
        if not isinstance(record, dict) or record.get("track") != self.session.scenario.track:
            return
        made = [p for p in record.get("predictions", []) if p.get("part") == PART]
        before = self.session.prediction
        self.session.prediction = made[0] if made else None
        if (before is None) != (self.session.prediction is None) and self.session.run is not None:
            self._leave_the_scene()

    def _hear_prediction(self, prediction: Any) -> None:
        if isinstance(prediction, dict):
            self.session.prediction = prediction
            self._leave_the_scene()

    def _leave_the_scene(self) -> None:
        """Go from the crisis that was shown to the workbench's own fleet, once it is open."""
        scenario = self.session.scenario
        if scenario.workload == "titan-crisis" and self.session.prediction is not None:
            self.session.choose(workload="titan")
        elif self.session.prediction is None:
            self.session.open(self._opening(scenario))
        else:
            self._tell("frame", frame(self.session))

    def _hear_theme(self, theme: Any) -> None:
        self._colours = palette(str(theme))
        self._paint()
        self._show_moment()

    def _hear_narrow(self, narrow: Any) -> None:
        self._narrow = bool(narrow)
        self._arrange(self.session.scenario)
        self._show_moment()

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
        if what == "scenario":
            self.controls.show(session.scenario)
            self._tell("query", "?" + session.scenario.query())
        elif what == "progress":
            self._tell("progress", session.progress)
        elif what == "run" and session.run is not None:
            self._arrange(session.scenario)
            self._show_moment()
            self._show_spread()
            self._tell("run", run_record(session, session.run))
        elif what == "moment":
            self._show_moment()
        elif what == "replicas":
            self._show_spread()
            self._tell("frame", frame(session))

    def _arrange(self, scenario: Scenario) -> None:
        run = self.session.run
        fleet = run.fleet if run is not None else scenario.fleet_shape
        track = mission(scenario.track)
        block = block_words(run, track) if run is not None else track.words["block"]
        self.heatmap.arrange(fleet, self._narrow, block)

    def _paint(self) -> None:
        self.heatmap.paint(self._colours)
        self.spread.paint(self._colours)

    def _show_moment(self) -> None:
        moment = self.session.moment
        if moment is None:
            return
        self.heatmap.show(moment, self.session.job, self._colours)
        self.queue.show(moment)
        self.transport.show()
        self._tell("frame", frame(self.session))

    def _show_spread(self) -> None:
        run = self.session.run
        if run is None or run.pair is None:
            self.spread.view.visible = False
            return
        kinds = run.jobs.kinds
        self.spread.show(self.session.replicas, (kinds[run.pair.near], kinds[run.pair.anywhere]))

    def _touched(self, gpu: int) -> None:
        """Ask about the job on a GPU; on a free one, about the head of the queue."""
        moment = self.session.moment
        if moment is None:
            return
        job = int(occupied(moment)[0][gpu])
        if job < 0 and moment.state.waiting:
            job = moment.state.waiting[0]
        if job >= 0:
            self.session.ask(job)
