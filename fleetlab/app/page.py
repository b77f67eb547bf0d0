"""The page: one session, the part that is open, and what passes between them and the reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fleetlab.app.finished import Finished
from fleetlab.app.palette import palette
from fleetlab.app.parts import PARTS, Part, part_of
from fleetlab.app.peek import Peek
from fleetlab.app.session import Session
from fleetlab.app.slices import Clock
from fleetlab.ledger.evidence import final_policy
from fleetlab.run import Run
from fleetlab.scenario import Scenario, trace_name
from fleetlab.workloads.traces import TraceError, load_trace

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
        self._predictions: dict[tuple[str, int], dict[str, Any]] = {}
        self._records: dict[str, dict[str, Any]] = {}
        self._begun = False
        self._peek = Peek(clock, lambda view: tell("peek", view))
        scenario = self._read(query)
        self.session = Session(scenario, clock, self._changed, lambda text: tell("notice", text))
        self.part = self._open_part()

    def _read(self, query: str) -> Scenario:
        """Return the Scenario of an address; what it cannot have is kept to be said."""
        scenario, self._complaints = Scenario.read(query)
        if scenario.part not in PARTS:
            self._complaints.append(f"part: there is no part {scenario.part} here yet")
            scenario = scenario.but(part=min(PARTS))
        return scenario

    def _open_part(self) -> Part:
        part = part_of(self.session)
        self.session.measure = part.measure
        self.session.keep = self._keep
        part.dress(self._colours, self._narrow)
        part.show("scenario")
        kept = self._records.get(self.session.scenario.track)
        if kept is not None:
            part.hear("record", kept)
        return part

    @property
    def slots(self) -> dict[str, Any]:
        """The views of the open part, by the id of the element that each goes into."""
        number = self.session.scenario.part
        return {f"part{number}-{slot}": view for slot, view in self.part.slots.items()}

    def open(self, query: str, look: str, record: Any, finished: Finished | None) -> None:
        """Take what the address, the screen and the reader's record say, before anything is run.

        The address must name the part that the page was built with. ``finished`` is gone on
        from if it is a run of the Scenario that would be run first.
        """
        self.session.scenario = self._read(query)
        colours, narrow = palette(look), "narrow" in look.split()
        if (colours, narrow) != (self._colours, self._narrow):
            self._colours, self._narrow = colours, narrow
            self.part.dress(colours, narrow)
        self._hear_record(record)
        self.session.prediction = self._prediction()
        first = self.first
        if finished is not None and finished.scenario == first:
            self.session.resume(finished, first)
        else:
            self.part.show("scenario")

    def begin(self) -> None:
        """Say what the address got wrong, and start the first run unless it is there."""
        self._begun = True
        self._complain()
        if self.session.run is None:
            self.session.open(self.first)

    def _complain(self) -> None:
        for sentence in self._complaints[:1]:
            more = len(self._complaints) - 1
            rest = f" {more} more choices in the address were left out." if more else ""
            self._tell("notice", sentence + "." * (not sentence.endswith(".")) + rest)

    @property
    def first(self) -> Scenario:
        """The Scenario that is run first: before the lock, a part may open on a scene."""
        scenario = self.session.scenario
        locked = self.session.prediction is not None
        return scenario if locked else self.part.opening(scenario)

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
        scenario = self._read(str(query))
        self.session.scenario = scenario
        self.session.prediction = self._prediction()
        if scenario.part != before.part:
            self.session.leave()
            self.part.leave()
            self.part = self._open_part()
            self._redraw()
        self._complain()
        self.session.open(self.first)

    def _hear_record(self, record: Any) -> None:
        record = json.loads(record) if isinstance(record, str) else record
        if not isinstance(record, dict):
            return
        track, made = str(record.get("track")), record.get("predictions", [])
        self._predictions = {key: p for key, p in self._predictions.items() if key[0] != track}
        self._predictions |= {(track, p["part"]): p for p in made}
        self._records[track] = record
        self.part.hear("record", record)
        self._predicted()

    def _hear_prediction(self, prediction: Any) -> None:
        if isinstance(prediction, dict) and "part" in prediction:
            self._predictions[self.session.scenario.track, prediction["part"]] = prediction
            self._predicted()

    def _prediction(self) -> dict[str, Any] | None:
        scenario = self.session.scenario
        return self._predictions.get((scenario.track, scenario.part))

    def _predicted(self) -> None:
        """Take the open part's prediction as it now is, and show what it opens or closes."""
        before, now = self.session.prediction, self._prediction()
        self.session.prediction = now
        if now == before or not self._begun:
            return
        scenario = self.session.scenario
        wanted = self.part.unlocked(scenario) if now else self.part.opening(scenario)
        if wanted != scenario:
            self.session.open(wanted)
        else:
            self.part.show("prediction")
            self._tell_frame()

    def _hear_policy(self, queries: Any) -> None:
        """Say what policy the Scenarios make up that a reader defends, at most one a part."""
        queries = json.loads(queries) if isinstance(queries, str) else queries
        scenarios = [Scenario.read(str(query))[0] for query in queries[:3]]
        self._tell("policy", {"of": queries, "policy": final_policy(scenarios)})

    def _hear_theme(self, theme: Any) -> None:
        self._colours = palette(str(theme))
        self.part.dress(self._colours, self._narrow)

    def _hear_narrow(self, narrow: Any) -> None:
        self._narrow = bool(narrow)
        self.part.dress(self._colours, self._narrow)

    def _hear_still(self, still: Any) -> None:
        self.session.still = bool(still)

    def _hear_peek(self, question: Any) -> None:
        self._peek.hear(question)

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
        digest = trace_name(bytes(data))
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
        self._tell_frame()
        if what == "run" and session.run is not None:
            self._tell("run", self.part.record(session.run))

    def _keep(self, run: Run) -> None:
        """Tell a run that the open part made beside the session's own: it is evidence too."""
        self._tell("run", self.part.record(run))

    def _tell_frame(self) -> None:
        scenario = self.session.scenario
        here = {"track": scenario.track, "part": scenario.part}
        self._tell("frame", {**here, **self.part.frame()})
