"""Part 1, the fragmentation audit: the fleet with its holes, and two waits side by side."""

from __future__ import annotations

from typing import Any

from fleetlab.app.instruments.controls import Controls
from fleetlab.app.instruments.heatmap import ClusterHeatmap
from fleetlab.app.instruments.queue import Queue
from fleetlab.app.instruments.spread import Spread
from fleetlab.app.instruments.transport import Transport
from fleetlab.app.palette import LIGHT, Palette
from fleetlab.app.parts.fragmentation_words import (
    Replica,
    block_words,
    frame,
    replica_of,
)
from fleetlab.app.session import Session
from fleetlab.ledger.evidence import record_of
from fleetlab.missions import mission
from fleetlab.run import Run
from fleetlab.scenario import Scenario


class FragmentationAudit:
    """The instruments of Part 1; see ``Part``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._colours = LIGHT
        self._narrow = False
        self.heatmap = ClusterHeatmap(session)
        self.transport = Transport(session)
        self.queue = Queue(session)
        self.controls = Controls(session)
        self.spread = Spread()
        self.slots: dict[str, Any] = {
            "controls": self.controls.view,
            "stage": self.heatmap.view,
            "transport": self.transport.view,
            "queue": self.queue.view,
            "chart": self.spread.view,
        }

    def measure(self, run: Run) -> Replica | None:
        """Return the pair's mean waits."""
        return replica_of(run)

    def opening(self, scenario: Scenario) -> Scenario:
        """Return Titan's crisis where Titan would open as it is."""
        default = Scenario.default(scenario.track, scenario.part)
        plain = scenario == default.but(seed=scenario.seed)
        return (
            scenario.but(workload="titan-crisis")
            if scenario.track == "titan" and plain
            else scenario
        )

    def unlocked(self, scenario: Scenario) -> Scenario:
        """Return the workbench's own fleet in place of the crisis."""
        return scenario.but(workload="titan") if scenario.workload == "titan-crisis" else scenario

    def dress(self, colours: Palette, narrow: bool) -> None:
        """Draw in a theme's colours, for the room there is."""
        self._colours, self._narrow = colours, narrow
        self.heatmap.paint(colours)
        self.spread.paint(colours)
        self._arrange()
        self._show_moment()

    def show(self, what: str) -> None:
        """Show the session after ``what`` of it has changed."""
        if what == "scenario":
            self.controls.show(self._session.scenario)
            self._arrange()
        elif what == "run":
            self._arrange()
            self._show_moment()
            self._show_spread()
        elif what == "moment":
            self._show_moment()
        elif what == "replicas":
            self._show_spread()

    def frame(self) -> dict[str, Any]:
        """Return all texts and figures of the page."""
        return frame(self._session)

    def record(self, run: Run) -> dict[str, Any]:
        """Return what the ledger keeps of a run."""
        return record_of(run)

    def leave(self) -> None:
        """Stop nothing: Part 1 has no runs beside the session's."""

    def hear(self, name: str, value: Any) -> None:
        """Take nothing: Part 1 has no messages of its own."""

    def _arrange(self) -> None:
        run, scenario = self._session.run, self._session.scenario
        fleet = run.fleet if run is not None else scenario.fleet_shape
        track = mission(scenario.track)
        block = block_words(run, track) if run is not None else track.words["block"]
        self.heatmap.arrange(fleet, self._narrow, block)

    def _show_moment(self) -> None:
        moment = self._session.moment
        if moment is not None:
            self.heatmap.show(moment, self._session.job, self._colours)
            self.queue.show(moment)
            self.transport.show()

    def _show_spread(self) -> None:
        run = self._session.run
        if run is None or run.pair is None:
            self.spread.view.visible = False
            return
        kinds = run.jobs.kinds
        self.spread.show(self._session.replicas, (kinds[run.pair.near], kinds[run.pair.anywhere]))
