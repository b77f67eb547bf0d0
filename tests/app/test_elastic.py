"""Part 3 without a browser: its story on each track, its batch of runs, its ring, its picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import param
import pytest

from fleetlab.app.batch import Batch
from fleetlab.app.host import ManualClock
from fleetlab.app.instruments.ring import AWAY, BROKEN, IN, WORKING, Ring, RingView
from fleetlab.app.page import Page
from fleetlab.app.palette import DARK, LIGHT
from fleetlab.app.parts.elastic import ElasticBuffer
from fleetlab.app.parts.fragmentation import FragmentationAudit
from fleetlab.app.picture import Bar, Panel, picture, wrap
from fleetlab.missions import TRACKS
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

PREDICTION = {"part": 3, "choice": "elastic-nodes", "number": 20, "confidence": 3}
SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Visit:
    """A reader of Part 3, and all that the page has been told."""

    query: str
    frame: dict[str, Any] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.page = Page(self.query, "light", self.clock, self._hear, lambda: None)
        self.page.begin()

    def _hear(self, name: str, value: Any) -> None:
        if name == "frame":
            self.frame |= value
        elif name == "run":
            self.runs.append(value)
        elif name == "notice":
            self.notices.append(value)

    @property
    def part(self) -> ElasticBuffer:
        part = self.page.part
        assert isinstance(part, ElasticBuffer)
        return part

    def first_run(self) -> None:
        """Go on until the first run is there."""
        runs = len(self.runs)
        while len(self.runs) == runs:
            assert self.clock.turn()

    def rest(self) -> None:
        """Go on until nothing is left to run."""
        while self.clock.turn():
            pass

    def until(self, name: str, words: str) -> str:
        """Go on until a text of the frame has these words, and return it."""
        while words not in str(self.frame.get(name, "")):
            assert self.clock.turn(), f"{name} is {self.frame.get(name)!r} to the end"
        return str(self.frame[name])


@pytest.fixture(scope="module", params=TRACKS)
def played(request: pytest.FixtureRequest) -> Visit:
    """Return a reader who has predicted and waited for every chart."""
    visit = Visit(f"?track={request.param}&part=3")
    visit.first_run()
    visit.page.hear("prediction", PREDICTION)
    visit.rest()
    return visit


def test_before_the_prediction_nothing_is_revealed() -> None:
    visit = Visit("?track=titan&part=3")
    visit.first_run()
    assert "reveal" not in visit.frame and "answer" not in visit.frame
    assert visit.frame["title"] == "1 node is gone, and 127 wait"


def test_elastic_by_whole_nodes_is_what_every_track_measures(played: Visit) -> None:
    assert played.frame["answer"] == "elastic-nodes"
    assert "That is what you said." in played.frame["reveal"]
    assert "Of 100 hours the static choice lost" in played.frame["reveal"]


def test_every_figure_has_its_words(played: Visit) -> None:
    for name in ("main", "lost", "cost", "goal"):
        for text in (name, f"{name}_detail"):
            assert re.search(r"\w", played.frame[text]), text
        assert played.frame["labels"][name]
    words = " ".join(str(value) for value in played.frame.values())
    assert "nan" not in words.lower().split() and "inf" not in words.lower().split()


def test_the_sweep_has_a_row_for_each_of_its_places_and_a_finding(played: Visit) -> None:
    heads, *rows = played.frame["sweep_table"]
    assert len(rows) == len(played.part.story.sweep.values)
    assert all(len(row) == len(heads) for row in rows)
    assert all("–" not in row[:5] for row in rows)
    assert "being measured" not in played.frame["sweep_title"]


def test_the_case_is_a_picture_whose_words_are_in_its_title_and_its_table(played: Visit) -> None:
    for name in ("picture", "picture_file"):
        root = ElementTree.fromstring(played.frame[name])
        assert root.tag == f"{SVG}svg"
        title = root.find(f"{SVG}title")
        assert title is not None and title.text == played.frame["case_title"]
    shown = " ".join(ElementTree.fromstring(played.frame["picture"]).itertext())
    for plan in played.frame["case_table"][1:]:
        assert plan[0] in shown


def test_what_the_ledger_keeps_can_be_run_again(played: Visit) -> None:
    kept = played.runs[0]
    run = simulate(Scenario.parse(kept["scenario"]))
    assert (run.digest, kept["part"]) == (kept["digest"], 3)
    assert kept["figures"]


def test_every_moment_has_a_title_and_a_ring_of_all_nodes(played: Visit) -> None:
    session = played.page.session
    assert session.run is not None
    titles = set()
    session.look(0)
    for _ in range(30):
        session.step()
        titles.add(played.frame["title"])
        rows = played.frame["table"][1:]
        assert sum(int(row[1]) for row in rows) == session.run.fleet.nodes
    assert len(titles) > 1


def test_stepping_goes_from_change_to_change(played: Visit) -> None:
    session = played.page.session
    session.look(0)
    session.step()
    first = session.time_ms
    session.step()
    assert 0 < first < session.time_ms


def test_titan_s_case_is_the_cfo_s() -> None:
    visit = Visit("?track=titan&part=3")
    visit.first_run()
    visit.page.hear("prediction", PREDICTION)
    visit.until("case_label", "over 10 seeds")
    rows = {row[0]: row for row in visit.frame["case_table"]}
    assert rows["on demand"][3] == "$7.68 M"
    static, elastic = rows["100 % spot, static"], rows["100 % spot, elastic"]
    assert 1.7 < float(static[1]) < 2.3 and 1.08 < float(elastic[1]) < 1.11
    assert elastic[4] == "$4.74 M"
    before = visit.frame["case_title"]
    with param.edit_constant(visit.part.price):
        visit.part.price.param.update(value=50_000, value_throttled=50_000)
    assert visit.frame["case_table"][2][-1].startswith("−$")
    assert visit.frame["case_title"] == before


def test_the_doubling_has_an_edge_that_a_reader_can_find() -> None:
    titles = {}
    for frequency in (4, 30):
        visit = Visit(f"?track=titan&part=3&preemptions={frequency}")
        visit.first_run()
        visit.page.hear("prediction", PREDICTION)
        visit.until("case_label", "over 10 seeds")
        titles[frequency] = visit.frame["case_title"]
    assert "which is not double" in titles[4]
    assert "double" not in titles[30]


def test_a_run_that_never_ends_is_said_not_to() -> None:
    visit = Visit("?track=titan&part=3&spot=100&tau=0&preemptions=40")
    visit.first_run()
    visit.page.hear("prediction", PREDICTION)
    assert visit.until("main", "never")
    visit.until("case_label", "Without")
    assert visit.frame["case_table"][2][1] == "never"


def test_with_nothing_on_spot_static_and_elastic_are_alike() -> None:
    visit = Visit("?track=titan&part=3&spot=0")
    visit.first_run()
    visit.page.hear("prediction", PREDICTION)
    visit.until("answer", "static")
    assert "neither loses more" in visit.frame["reveal"]
    assert "No node is ever taken back" in visit.frame["scene"]


def test_a_prediction_is_judged_where_it_was_made_and_not_in_another_regime() -> None:
    visit = Visit("?track=titan&part=3&spot=0")
    visit.first_run()
    visit.page.hear("prediction", PREDICTION)
    visit.until("answer", "static")
    assert "You said otherwise" not in visit.frame["reveal"]
    assert "your prediction was made for the part as it opens" in visit.frame["reveal"]


def ring_view(gone: int | None) -> RingView:
    states = tuple(AWAY if node == gone else IN for node in range(8))
    there = tuple(node for node in range(8) if node != gone)
    return RingView(states, (0,) * 8, there, WORKING, "", "")


def drawn(ring: Ring) -> list[tuple[float, float]]:
    return list(zip(ring._link.data["xs"][0], ring._link.data["ys"][0], strict=True))


def test_the_ring_closes_over_the_gap_of_a_node_that_goes_step_by_step() -> None:
    clock = ManualClock()
    ring, still = Ring(lambda node: None, clock), Ring(lambda node: None, clock)
    ring.still = False
    for one in (ring, still):
        one.arrange(narrow=True)
        one.paint(LIGHT)
        one.show(ring_view(None), LIGHT)
    before = drawn(ring)
    ring.show(ring_view(2), LIGHT)
    still.show(ring_view(2), LIGHT)
    seen = [drawn(ring)]
    while clock.turn():
        seen.append(drawn(ring))
    assert len(before) == len(seen[0]) == 9
    # the corner of the node that goes moves towards the middle of its neighbours
    middle = np.mean([before[1], before[3]], axis=0)
    away = [float(np.hypot(*(np.array(line[2]) - middle))) for line in seen[:-1]]
    assert away == sorted(away, reverse=True) and away[0] > away[-1]
    assert seen[-1] == drawn(still) and len(seen[-1]) == 8
    assert ring._dots[AWAY].data["x"].tolist() == still._dots[AWAY].data["x"].tolist()


def test_a_newer_instant_takes_the_place_of_a_movement() -> None:
    clock = ManualClock()
    ring = Ring(lambda node: None, clock)
    ring.still = False
    ring.arrange(narrow=False)
    ring.paint(LIGHT)
    for gone in (None, 2, None):
        ring.show(ring_view(gone), LIGHT)
    while clock.turn():
        pass
    assert len(drawn(ring)) == 9
    assert len(ring._dots[AWAY].data["x"]) == 0


def test_nothing_moves_for_a_reader_who_wants_no_motion() -> None:
    visit = Visit("?track=titan&part=3")
    visit.first_run()
    assert visit.page.session.still
    visit.page.hear("still", False)
    visit.part._show_moment()
    assert not visit.part.ring.still
    visit.page.hear("still", True)
    visit.part._show_moment()
    assert visit.part.ring.still


def test_turning_a_knob_runs_what_it_says_and_shows_it() -> None:
    visit = Visit("?track=titan&part=3")
    visit.first_run()
    visit.part.controls.elastic.value = 1
    visit.first_run()
    assert "elastic=1" in visit.runs[-1]["scenario"]
    assert visit.frame["labels"]["main"] == "time to converge, elastic"
    assert visit.frame["title"] == "127 nodes close the ring"


def test_the_knobs_of_training_are_titan_s_alone() -> None:
    for track in TRACKS:
        selects = Visit(f"?track={track}&part=3").part.controls.selects
        assert all(selects[name].visible == (track == "titan") for name in ("tau", "restart"))


@pytest.mark.parametrize("track", TRACKS)
def test_part_1_does_not_offer_what_only_another_part_is_about(track: str) -> None:
    page = Page(f"?track={track}&part=1", "light", ManualClock(), lambda *_: None, lambda: None)
    part = page.part
    assert isinstance(part, FragmentationAudit)
    offered = set(part.controls.workload.options.values())
    own = {Scenario.default(track, number).workload for number in (2, 3)}
    assert track in offered and not offered & own


def test_a_workload_of_another_part_is_said_to_be_one() -> None:
    visit = Visit("?track=titan&part=3&workload=titan&jobs=50&fleet=8x8x8")
    visit.first_run()
    assert visit.frame["title"] == "This workload is not one of part 3"


def test_clicking_a_node_goes_to_where_it_is_taken_back() -> None:
    visit = Visit("?track=titan&part=3")
    visit.first_run()
    run = visit.page.session.run
    assert run is not None
    node, down, _ = run.outages
    visit.part._touched(int(node[0]))
    assert visit.page.session.time_ms in down[node == node[0]].tolist()
    visit.part._touched(0)
    assert visit.notices == ["Node 1 is never taken back in this run."]


def test_playing_passes_over_no_reclaim_however_short() -> None:
    visit = Visit("?track=nomad&part=3")
    visit.first_run()
    session = visit.page.session
    assert session.run is not None
    session.look(0)
    session.play(True)
    seen = {session.time_ms}
    for _ in range(60):
        visit.clock.turn()
        seen.add(session.time_ms)
    _, down, _ = session.run.outages
    passed = {time for time in down.tolist() if time <= session.time_ms}
    assert passed and passed <= seen


# The batch


def some(seeds: int) -> list[Scenario]:
    return [Scenario.default("titan", 3).but(spot=0, seed=seed) for seed in range(seeds)]


def test_a_batch_runs_what_is_wanted_once() -> None:
    clock, ran = ManualClock(), []

    def measure(run: Run) -> dict[Scenario, str]:
        assert run.scenario is not None
        ran.append(run.scenario)
        return {run.scenario: run.digest}

    batch = Batch(clock, measure, lambda: None)
    batch.want(some(3))
    while clock.turn():
        pass
    batch.want([*some(2), *some(4)])
    while clock.turn():
        pass
    assert ran == some(4)
    assert batch.found(some(5)) == [simulate(scenario).digest for scenario in some(4)]


def test_a_newer_wish_stops_an_older_one() -> None:
    clock, ran = ManualClock(), []

    def measure(run: Run) -> dict[Scenario, str]:
        assert run.scenario is not None
        ran.append(run.scenario)
        return {run.scenario: run.digest}

    batch = Batch(clock, measure, lambda: None)
    batch.want(some(8))
    clock.turn()
    batch.want(())
    while clock.turn():
        pass
    assert ran == []


def test_a_run_that_answers_for_nothing_is_not_run_for_ever() -> None:
    clock, count = ManualClock(), 0

    def measure(run: Run) -> dict[Scenario, str]:
        nonlocal count
        count += 1
        return {}

    batch = Batch(clock, measure, lambda: None)
    batch.want(some(2))
    while clock.turn():
        pass
    assert count == 2


# The ring


def ring_of(states: list[str], linked: list[int], how: str = WORKING) -> Ring:
    ring = Ring(lambda node: None, ManualClock())
    ring.arrange(narrow=False)
    ring.paint(LIGHT)
    view = RingView(tuple(states), (0,) * len(states), tuple(linked), how, "50 %", "working")
    ring.show(view, LIGHT)
    return ring


def test_nodes_stand_equally_far_apart_around_the_ring() -> None:
    ring = ring_of([IN] * 64, list(range(64)))
    places = ring._places
    gaps = np.hypot(*(places - np.roll(places, 1, axis=0)).T)
    assert gaps.max() / gaps.min() < 1.05


def test_a_ring_closes_over_the_gap_and_a_broken_one_shows_it() -> None:
    states = [IN, IN, AWAY, IN, IN]
    (closed,) = ring_of(states, [0, 1, 3, 4])._link.data["xs"]
    assert len(closed) == 5 and closed[0] == closed[-1]
    (broken,) = ring_of(states, [0, 1, 3, 4], BROKEN)._link.data["xs"]
    assert len(broken) == 4, "from 3 over the top, where 4 and 0 are neighbours, to 1"
    two_gaps = ring_of([IN, AWAY, IN, IN, AWAY, IN], [0, 2, 3, 5], BROKEN)._link.data["xs"]
    assert [len(piece) for piece in two_gaps] == [2, 2], "5 and 0, 2 and 3"
    (whole,) = ring_of([IN] * 5, [0, 1, 2, 3, 4], BROKEN)._link.data["xs"]
    assert whole[0] == whole[-1], "it waits, and has no gap"


def test_a_node_that_is_gone_stands_outside() -> None:
    ring = ring_of([IN, AWAY, IN], [0, 2])
    x, y = ring._dots[AWAY].data["x"][0], ring._dots[AWAY].data["y"][0]
    assert np.hypot(x, y) > np.hypot(*ring._places[1])


# The picture


def test_words_from_outside_are_words_in_a_picture() -> None:
    bars = (Bar("<script>alert(1)</script> & more", 1.0, '"1" < 2', "static", (0.5, 1.5)),)
    svg = picture("a < b", "& so on", [Panel("<b>", bars, (2.0, "<i>"))], DARK, narrow=True)
    root = ElementTree.fromstring(svg)
    assert {element.tag for element in root.iter()}.isdisjoint({f"{SVG}script", f"{SVG}i"})
    assert "<script>alert(1)</script> & more" in list(root.itertext())


def test_a_bar_s_length_is_its_value() -> None:
    bars = (Bar("one", 1.0, "1"), Bar("two", 2.0, "2", "elastic"))
    root = ElementTree.fromstring(picture("t", "n", [Panel("p", bars)], LIGHT, narrow=False))
    wide = [float(r.get("width", 0)) for r in root.iter(f"{SVG}rect") if r.get("rx") == "3"]
    assert wide[1] == pytest.approx(2 * wide[0], rel=0.01)


def test_a_panel_without_bars_is_drawn_without_them() -> None:
    assert "<svg" in picture("t", "n", [Panel("p", ())], LIGHT, narrow=False)


def test_lines_are_broken_between_words() -> None:
    assert wrap("one two three", 60, 10) == ["one two", "three"]
