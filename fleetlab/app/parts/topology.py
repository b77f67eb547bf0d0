"""Part 2, the topology penalty: gangs near and far, two utilisations, ten scored runs, a rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from fleetlab.analysis.moment import Moment
from fleetlab.analysis.reach import held_idle, reach_of
from fleetlab.app.instruments.heatmap import ClusterHeatmap, occupied
from fleetlab.app.instruments.queue import Queue
from fleetlab.app.instruments.scatter import WaitTimeVsMfuPlot
from fleetlab.app.instruments.sharing import SharingControls
from fleetlab.app.instruments.transport import Transport
from fleetlab.app.palette import LIGHT, Palette
from fleetlab.app.parts.topology_study import Study, work_of
from fleetlab.app.parts.topology_words import frame
from fleetlab.app.session import Session
from fleetlab.app.trials import Trial, Trials
from fleetlab.ledger.evidence import record_of
from fleetlab.missions import mission
from fleetlab.missions.goals import ITERATIONS
from fleetlab.run import Run
from fleetlab.scenario import Scenario

MOST_UNDONE = 50


class TopologyPenalty:
    """The instruments of Part 2; see ``Part``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._colours = LIGHT
        self._narrow = False
        self.study = Study(session.scenario)
        self.heatmap = ClusterHeatmap(session)
        self.transport = Transport(session)
        self.queue = Queue(session)
        self.controls = SharingControls(session, self._choose)
        self.scatter = WaitTimeVsMfuPlot(self._return)
        self.side, self.scoring, self.telling, self.ruling = (
            Trials(session.clock, self._done, session.complain) for _ in range(4)
        )
        self.slots: dict[str, Any] = {
            "controls": self.controls.view,
            "stage": self.heatmap.view,
            "transport": self.transport.view,
            "queue": self.queue.view,
            "scatter": self.scatter.view,
        }

    def measure(self, run: Run) -> None:
        """Return None: this part compares policies on one seed, and seeds only when scoring."""

    def opening(self, scenario: Scenario) -> Scenario:
        """Return the Scenario as it is, in whole gangs: what holding does is asked first."""
        return scenario.but(gang="whole")

    def unlocked(self, scenario: Scenario) -> Scenario:
        """Return the Scenario as it is."""
        return scenario

    def dress(self, colours: Palette, narrow: bool) -> None:
        """Draw in a theme's colours, for the room there is."""
        self._colours, self._narrow = colours, narrow
        self.heatmap.paint(colours)
        self.scatter.paint(colours)
        self._arrange()
        self._show_moment()

    def show(self, what: str) -> None:
        """Show the session after ``what`` of it has changed."""
        session = self._session
        if what == "scenario":
            self._follow(session.scenario)
            self.controls.show(session.scenario)
            self._arrange()
        elif what == "run" and session.run is not None:
            self.study.ran(session.run)
            self._arrange()
            self._show_moment()
            self._show_points()
            self._look_beside(session.scenario)
        elif what == "moment":
            self._show_moment()
        elif what == "prediction" and session.run is not None:
            self._show_moment()
            self._look_beside(session.scenario)

    def frame(self) -> dict[str, Any]:
        """Return all texts and figures of the page."""
        return frame(
            self._session, self.study, scoring=self.scoring.waiting, ruling=self.ruling.waiting
        )

    def record(self, run: Run) -> dict[str, Any]:
        """Return what the ledger keeps of a run."""
        return record_of(run)

    def leave(self) -> None:
        """Stop all runs beside the session's; what they have found so far is kept."""
        for trials in (self.side, self.scoring, self.telling, self.ruling):
            trials.stop()

    def hear(self, name: str, value: Any) -> None:
        """Take what only this part understands."""
        heard = getattr(self, f"_hear_{name}", None)
        if heard is not None:
            heard(value)
            if self._session.run is not None:
                self._session.changed("trials")

    # ---- what the reader does

    def _choose(self, **changes: Any) -> None:
        self._remember()
        if changes.get("gang") == "hold-and-wait":
            # pieces that are held go with none of these
            changes |= {"patience": 0, "quota": "none", "preemption": "none", "migration": 0}
        self._session.choose(**changes)

    def _remember(self) -> None:
        before = self.study.before
        if not before or before[-1] != self._session.scenario:
            before.append(self._session.scenario)
            del before[:-MOST_UNDONE]

    def _return(self, query: str) -> None:
        scenario = Scenario.parse(query)
        if scenario != self._session.scenario:
            self._remember()
            self._session.open(scenario)

    def _hear_undo(self, _: Any) -> None:
        if self.study.before:
            self._session.open(self.study.before.pop())

    def _hear_score(self, _: Any) -> None:
        study, session = self.study, self._session
        if self.scoring.waiting:
            return
        trials = study.score_trials(session.scenario)
        if trials:
            self.scoring.start(trials)
        elif len(study.slots) >= ITERATIONS:
            session.complain("All ten scored runs are used. Compare them, and defend the best.")
        else:
            session.complain("This policy has been scored already; change something first.")

    def _hear_back(self, number: Any) -> None:
        slot = self._slot(number)
        if slot is not None:
            policy = self.study.slots[slot].policy
            now = self._session.scenario
            self._return(
                "?"
                + policy.but(
                    seed=now.seed, load=now.load, penalty=now.penalty, jobs=now.jobs
                ).query()
            )

    def _hear_pin_a(self, number: Any) -> None:
        self._pin("a", number)

    def _hear_pin_b(self, number: Any) -> None:
        self._pin("b", number)

    def _pin(self, name: str, number: Any) -> None:
        slot = self._slot(number)
        if slot is not None:
            self.study.pinned[name] = slot
            self.telling.start(self.study.diff_trials())

    def _slot(self, number: Any) -> int | None:
        there = str(number).isdecimal() and 1 <= int(number) <= len(self.study.slots)
        return int(number) - 1 if there else None

    def _hear_rule(self, text: Any) -> None:
        if isinstance(text, str):
            self.ruling.start(self.study.rule_trials(text))

    def _hear_rule_stop(self, _: Any) -> None:
        if self.ruling.waiting:
            self.ruling.stop()
            self.study.rule_problem = (
                "Stopped. Your text is still there; run it again when you like."
            )

    def _hear_record(self, record: Any) -> None:
        if isinstance(record, dict) and record.get("track") == self._session.scenario.track:
            self.study.restore(record.get("runs"))
            self._show_points()

    # ---- runs beside the session's own

    def _follow(self, scenario: Scenario) -> None:
        """Begin anew on another track; a new choice makes what is under way beside it stale."""
        if scenario.track != self.study.scenario.track:
            self.study = Study(scenario)
            for trials in (self.scoring, self.telling, self.ruling):
                trials.stop()
        elif scenario.seed != self.study.scenario.seed:
            self.study.baseline.clear()
        self.study.scenario = scenario
        self.study.pair.clear()
        self.side.stop()

    def _look_beside(self, scenario: Scenario) -> None:
        if self._session.prediction is None:
            return
        self.side.start([*self.study.baseline_trials(scenario), *self.study.pair_trials(scenario)])

    def _done(self, trial: Trial, run: Run) -> None:
        if self.study.done(trial, run):
            self._session.keep(run)
        if self.ruling.waiting and run.stopped:
            self.ruling.stop()
        self._show_points()
        self._session.changed("trials")

    # ---- what is drawn

    def _show_points(self) -> None:
        scenario = self._session.scenario
        points = list(self.study.points.values())
        self.scatter.show(points, "?" + scenario.query(), work_of(scenario))

    def _arrange(self) -> None:
        scenario = self._session.scenario
        run = self._session.run
        fleet = run.fleet if run is not None else scenario.fleet_shape
        self.heatmap.arrange(fleet, self._narrow, mission(scenario.track).words["block"])

    def _show_moment(self) -> None:
        moment = self._session.moment
        if moment is not None:
            # the question is what gangs cost, so before the answer the scene is what waits for one
            marked = marked_gpus(moment) if self._session.prediction is not None else None
            self.heatmap.show(moment, self._session.job, self._colours, marked)
            self.queue.show(moment)
            self.transport.show()


def marked_gpus(moment: Moment) -> Any:
    """Return which GPUs the lesson is about: held and idle, or in gangs that cross the spine."""
    owner, used = occupied(moment)
    if moment.run.policy.gang != "whole":
        which = held_idle(moment.run, moment.time_ms)
    else:
        which = reach_of(moment.run, moment.time_ms).far
    return np.isin(owner, which) & (used > 0)
