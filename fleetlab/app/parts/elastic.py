"""Part 3, the elastic buffer: a ring that is rebuilt or waits, and the case for the stakeholder."""

from __future__ import annotations

from itertools import pairwise
from statistics import mean
from typing import Any

import panel as pn

from fleetlab.analysis.timeline import Timeline
from fleetlab.app.batch import Batch
from fleetlab.app.instruments.converge import Converge, SweepView
from fleetlab.app.instruments.course import CourseChart, course_table
from fleetlab.app.instruments.release import on_release
from fleetlab.app.instruments.ring import AWAY, IDLE, IN, LEAVING, SLIM, Ring
from fleetlab.app.instruments.spot_controls import SpotControls
from fleetlab.app.instruments.transport import Transport
from fleetlab.app.palette import LIGHT, Palette
from fleetlab.app.parts.elastic_guardian import GuardianStory
from fleetlab.app.parts.elastic_nomad import NomadStory
from fleetlab.app.parts.elastic_pioneer import PioneerStory
from fleetlab.app.parts.elastic_story import HOUR_MS, Case, Story, points
from fleetlab.app.parts.elastic_titan import TitanStory
from fleetlab.app.picture import picture
from fleetlab.app.session import Session
from fleetlab.app.style import SLIDER
from fleetlab.ledger.evidence import record_of
from fleetlab.run import Run
from fleetlab.scenario import Scenario, ScenarioError

STORIES: dict[str, type[Story]] = {
    "titan": TitanStory,
    "guardian": GuardianStory,
    "nomad": NomadStory,
    "pioneer": PioneerStory,
}
TOP_SEED = 2**31 - 1
NOTICEABLE = 0.25
"""Hours of 100 by which two plans must differ to be told apart."""

STATE_WORDS = {
    IN: "at work", SLIM: "at work, slim model", IDLE: "free", LEAVING: "given notice",
    AWAY: "taken back",
}  # fmt: skip
PRICES = tuple(range(0, 50_001, 1000))
USUAL_PRICE = 10_000


class ElasticBuffer:
    """The instruments of Part 3; see ``Part``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        session.every_change = True
        self._colours = LIGHT
        self._narrow = False
        self._run: Run | None = None
        self._timeline: Timeline | None = None
        self._course_table: list[list[str]] = []
        self._node = -1
        self._case_key: Any = None
        self._told: Any = None
        self.ring = Ring(self._touched, session.clock)
        self.transport = Transport(session)
        self.controls = SpotControls(session)
        self.course = CourseChart()
        self.converge = Converge()
        self.batch = Batch(session.clock, self._outcomes, lambda: session.changed("replicas"))
        self.price = pn.widgets.IntSlider(
            name="What a day of delay costs, $", start=PRICES[0], end=PRICES[-1], step=1000,
            value=USUAL_PRICE, format="0,0", sizing_mode="stretch_width", margin=0,
            stylesheets=[SLIDER],
        )  # fmt: skip
        on_release(self.price, lambda _: session.changed("replicas"))
        self.slots: dict[str, Any] = {
            "controls": self.controls.view,
            "more": self.controls.more,
            "stage": self.ring.view,
            "transport": self.transport.view,
            "course": self.course.view,
            "converge": self.converge.view,
            "price": self.price,
        }

    @property
    def story(self) -> Story:
        """The story of the track that the session is on."""
        return _STORIES[self._session.scenario.track]

    # ---- what the page asks of a part

    def measure(self, run: Run) -> None:
        """Return nothing: the batch repeats a run, beside its opposite."""
        return None

    def opening(self, scenario: Scenario) -> Scenario:
        """Return the Scenario as it is: the scene is a run of its own."""
        return scenario

    def unlocked(self, scenario: Scenario) -> Scenario:
        """Return the Scenario as it is."""
        return scenario

    def dress(self, colours: Palette, narrow: bool) -> None:
        """Draw in a theme's colours, for the room there is."""
        self._colours, self._narrow, self._case_key = colours, narrow, None
        self.ring.arrange(narrow)
        for instrument in (self.ring, self.course, self.converge):
            instrument.paint(colours)
        self._show_moment()
        if self._run is not None:
            self._session.changed("replicas")  # the case's picture has colours of its own

    def show(self, what: str) -> None:
        """Show the session after ``what`` of it has changed."""
        session = self._session
        if what != "moment":
            self._told = None
        if what == "scenario":
            self.controls.show(session.scenario)
            self.price.visible = session.scenario.track == "titan"
            self.batch.want(())
        elif what == "run" and session.run is not None:
            self._take(session.run)
        elif what == "moment":
            self._show_moment()
        elif what == "replicas":
            self._show_sweep()

    def record(self, run: Run) -> dict[str, Any]:
        """Return what the ledger keeps of a run."""
        return record_of(run)

    def leave(self) -> None:
        """Stop the batch."""
        self.batch.want(())

    def hear(self, name: str, value: Any) -> None:
        """Take nothing: Part 3 has no messages of its own."""

    # ---- what it shows

    def _take(self, run: Run) -> None:
        self._run, self._timeline = None, None
        if run.scenario is None or not len(run.jobs) or not self._tells(run.scenario):
            return
        self._run, self._timeline = run, Timeline(run)
        self._session.time_ms = self.story.opening_ms(run)
        self._node = -1
        course = self.story.course(run, self._timeline)
        self.course.show(course)
        self._course_table = course_table(course)
        self._show_moment()
        self.batch.take(run)
        self.batch.want(self._wanted())
        self._show_sweep()

    def _tells(self, scenario: Scenario) -> bool:
        """Return whether the run is one of this part's, and not of an address made by hand."""
        return scenario.workload == Scenario.default(scenario.track, 3).workload

    def _show_moment(self) -> None:
        run, timeline, session = self._run, self._timeline, self._session
        if run is None or timeline is None or session.run is not run:
            return
        view = self.story.ring(run, timeline, session.time_ms)
        self.ring.still = session.still
        self.ring.show(view, self._colours)
        self.course.look(session.time_ms / HOUR_MS)
        self.transport.show()

    def _seeds(self, scenario: Scenario, count: int) -> list[Scenario]:
        first = self._session.scenario.seed
        return [scenario.but(seed=(first + number) % TOP_SEED) for number in range(count)]

    def _pair(self, elastic: int) -> list[Scenario]:
        return self._seeds(self._session.scenario.but(elastic=elastic), self.story.seeds[0])

    def _swept(self, elastic: int) -> list[list[Scenario]]:
        story, scenario = self.story, self._session.scenario
        groups: list[list[Scenario]] = []
        for value in story.sweep.values:
            try:
                there = scenario.but(elastic=elastic, **{story.sweep.field: value})
            except ScenarioError:
                groups.append([])
                continue
            groups.append(self._seeds(there, story.seeds[2 + elastic]))
        return groups

    def _wanted(self) -> list[Scenario]:
        """Return all that the charts compare: the pair first, then the case, then the sweep."""
        static, elastic = self._pair(0), self._pair(1)
        wanted = [one for pair in zip(static, elastic, strict=True) for one in pair]
        for plan in self.story.plans(self._session.scenario):
            wanted += self._seeds(plan.scenario, self.story.seeds[1])
        for groups in zip(self._swept(0), self._swept(1), strict=True):
            wanted += [scenario for group in groups for scenario in group]
        return list(dict.fromkeys(wanted))

    def _outcomes(self, run: Run) -> dict[Scenario, Any]:
        return self.story.outcomes(run)

    def _show_sweep(self) -> None:
        if self._run is not None:
            self.converge.show(self._sweep()[1])

    def _sweep(self) -> tuple[str, SweepView]:
        story, scenario = self.story, self._session.scenario
        sweep = story.sweep
        at = [float(place) for place in range(len(sweep.values))]
        rows = [
            points(at, [[story.swept(o) for o in self.batch.found(group)] for group in groups])
            for groups in (self._swept(0), self._swept(1))
        ]
        curve = [
            (place, height)
            for place, value in zip(at, sweep.values, strict=True)
            if (height := story.curve(scenario.but(**{sweep.field: value}))) is not None
        ]
        here = _place_of(getattr(scenario, sweep.field), sweep.values)
        view = SweepView(
            rows[0], rows[1], tuple(curve), tuple(zip(at, sweep.ticks, strict=True)),
            sweep.x_label, sweep.y_label, 0.0, 1.0, here,
        )  # fmt: skip
        return story.sweep_view(view)

    # ---- its words

    def frame(self) -> dict[str, Any]:
        """Return all texts and figures of the page; empty before the first run."""
        run, timeline, session = self._run, self._timeline, self._session
        if run is None or timeline is None or session.run is not run:
            return self._nothing()
        story, scenario, time = self.story, session.scenario, session.time_ms
        title = story.title(run, timeline, time)
        scene = story.scene(scenario)
        shown: dict[str, Any] = {
            "track": scenario.track,
            "playing": session.playing,
            "title": title,
            "scene": scene,
            "why": story.why(run, timeline, time),
            "stage_label": f"{title}. {scene}",
            "table": self._node_table(run, timeline),
        }
        known = session.prediction or {}
        if known == self._told:
            return shown  # the page keeps what it has been told
        self._told = known
        return shown | self._measured(run, timeline)

    def _measured(self, run: Run, timeline: Timeline) -> dict[str, Any]:
        """Return what does not change while the reader looks around in one run."""
        story, scenario = self.story, self._session.scenario
        static, elastic = (self.batch.found(self._pair(mode)) for mode in (0, 1))
        sweep_title, sweep = self._sweep()
        if len(sweep.static) + len(sweep.elastic) < 2 * len(sweep.ticks):
            sweep_title = f"A sweep is being measured: {sweep.x_label}"
        return {
            "course_title": story.course_title(run, timeline),
            "course_table": self._course_table,
            "sweep_title": sweep_title,
            "sweep_hint": _sweep_hint(sweep),
            "sweep_table": _sweep_table(sweep),
            **story.figures(scenario, static, elastic),
            **self._reveal(static, elastic),
            **self._case_frame(),
        }

    def _nothing(self) -> dict[str, Any]:
        if self._session.run is None:
            return {}
        return {
            "track": self._session.scenario.track,
            "title": "This workload is not one of part 3",
            "scene": "Choose part 3 again to go back to its own work.",
        }

    def _node_table(self, run: Run, timeline: Timeline) -> list[list[str]]:
        states = self.story.ring(run, timeline, self._session.time_ms).states
        rows = [["nodes that are", "how many", "which"]]
        for state, words in STATE_WORDS.items():
            which = [str(node + 1) for node, here in enumerate(states) if here == state]
            if which:
                short = ", ".join(which[:40]) + (" and more" if len(which) > 40 else "")
                rows.append([words, str(len(which)), short])
        return rows

    def _reveal(self, static: list[Any], elastic: list[Any]) -> dict[str, Any]:
        session, story = self._session, self.story
        if session.prediction is None or not static or not elastic:
            return {}
        lost = [mean(map(story.lost_of_100, found)) for found in (static, elastic)]
        answer = "elastic-nodes" if lost[0] - lost[1] > NOTICEABLE else "static"
        words = [story.lesson(session.scenario, static, elastic)]
        if answer == "static":
            words.append("Here neither loses more than the other. Turn up spot or frequency.")
        if not session.as_asked:
            words.append(
                f"Of 100 hours the static choice lost {lost[0]:.1f} here; your prediction was made "
                "for the part as it opens."
            )
            return {"reveal": " ".join(words), "answer": answer}
        chosen = session.prediction.get("choice")
        words.append(
            "That is what you said."
            if chosen == answer
            else "You said otherwise; it stays in your ledger as evidence."
        )
        number = session.prediction.get("number")
        if isinstance(number, int | float):
            off = abs(number - lost[0])
            verdict = "was close" if off <= 5 else f"was off by {off:.0f}"
            words.append(
                f"Of 100 hours the static choice lost {lost[0]:.1f}; your {number:g} {verdict}."
            )
        return {"reveal": " ".join(words), "answer": answer}

    def _case_frame(self) -> dict[str, Any]:
        story, scenario = self.story, self._session.scenario
        plans = [
            (plan, self.batch.found(self._seeds(plan.scenario, story.seeds[1])))
            for plan in story.plans(scenario)
        ]
        price = int(self.price.value)
        key = (scenario, price, tuple(len(found) for _, found in plans))
        if key == self._case_key:
            return {}
        self._case_key = key
        case = story.case(scenario, plans, price)
        return {
            "case_title": case.title,
            "case_table": case.table,
            "case_label": f"{case.title}. {case.note}",
            **_pictures(case, self._colours, self._narrow),
        }

    def _touched(self, node: int) -> None:
        """Go to the next time that a node is taken back, if it ever is."""
        run = self._run
        if run is None:
            return
        nodes, down, _ = run.outages
        times = sorted(down[nodes == node].tolist())
        later = [time for time in times if time > self._session.time_ms]
        if times:
            self._session.look((later or times)[0])
        else:
            self._session.complain(f"Node {node + 1} is never taken back in this run.")


_STORIES = {track: story() for track, story in STORIES.items()}


def _pictures(case: Case, colours: Palette, narrow: bool) -> dict[str, str]:
    return {
        "picture": picture(case.title, case.note, case.panels, colours, narrow),
        "picture_file": picture(case.title, case.note, case.panels, LIGHT, False),
    }


def _place_of(value: int, values: tuple[int, ...]) -> float:
    """Return where on an axis of evenly set ``values`` one between them stands."""
    if value <= values[0]:
        return 0.0
    for place, (low, high) in enumerate(pairwise(values)):
        if value <= high:
            return place + (value - low) / (high - low)
    return float(len(values) - 1)


def _sweep_hint(sweep: SweepView) -> str:
    words = (
        "Diamonds: static; circles: elastic; each the mean of its seeds, the bar from the least to "
        "the greatest. The dotted upright is your choice."
    )
    return words + (" Dashed: the closed form." if sweep.curve else "")


def _sweep_table(sweep: SweepView) -> list[list[str]]:
    form = "{:,.0f}" if sweep.log else "{:.2f}"
    curve = dict(sweep.curve)
    heads = ["static", "static, spread", "elastic", "elastic, spread", "closed form"]
    rows = [[sweep.x_label, *heads]]
    static, elastic = ({p.at: p for p in row} for row in (sweep.static, sweep.elastic))
    for at, words in sweep.ticks:
        row = [words]
        for found in (static.get(at), elastic.get(at)):
            row += (
                ["–", "–"]
                if found is None
                else [
                    form.format(found.mean),
                    f"{form.format(found.low)} to {form.format(found.high)}",
                ]
            )
        rows.append([*row, form.format(curve[at]) if at in curve else "–"])
    return rows
