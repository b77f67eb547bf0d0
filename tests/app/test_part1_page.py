"""Part 1's page on CPython: what it tells of what it hears, and what it draws."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import param
import pytest

from fleetlab.analysis.explain import explain
from fleetlab.app import host
from fleetlab.app.instruments.controls import disciplines
from fleetlab.app.instruments.heatmap import Layout, occupied
from fleetlab.app.page import Page
from fleetlab.app.parts.fragmentation import FragmentationAudit
from fleetlab.app.parts.fragmentation_words import SLIGHTLY, Replica, replica_of, reveal
from fleetlab.fleet import Fleet
from fleetlab.missions import TRACKS
from fleetlab.prose.runs import runs_of
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

PREDICTION = {"part": 1, "choice": "much", "number": 5, "confidence": 3, "at": ""}
SHORT = "?track=titan&part=1&jobs=1500&load=120&backfill=none"
TRACE = b"submit_s,duration_s,gpus,name\n0,100,512,one\n10,60,512,two\n"


class Told:
    """A page on a clock that is turned by hand, with the newest of each thing that it told."""

    def __init__(self, query: str, record: Any = None) -> None:
        self.clock = host.ManualClock()
        self.newest: dict[str, Any] = {}
        self.page = Page(query, "light", self.clock, self.newest.__setitem__, lambda: None)
        self.page.open(query, "light", record, None)
        self.page.begin()
        self.turn()

    def turn(self, turns: int = 40) -> None:
        """Turn the clock, as often as a run of this size needs."""
        for _ in range(turns):
            self.clock.turn()

    @property
    def part(self) -> FragmentationAudit:
        part = self.page.part
        assert isinstance(part, FragmentationAudit)
        return part


def record(track: str = "titan", *predictions: dict[str, Any]) -> dict[str, Any]:
    return {"track": track, "predictions": list(predictions)}


def test_titan_opens_on_its_crisis_and_says_why_the_gang_waits() -> None:
    told = Told("?track=titan&part=1")
    frame = told.newest["frame"]
    assert frame["title"] == "100 GPUs are free, and the gang of 64 still waits"
    assert frame["scene"].startswith("1,600 GPUs in 50 racks")
    assert frame["why"] == (
        "Job 200 waits for 64 GPUs as 8 whole nodes: 100 are free, and no node is whole. "
        "It is the head of the queue."
    )
    free_by_rack: dict[str, int] = {}
    for rack, _, free, useless, _ in frame["table"][1:]:
        assert free == useless
        free_by_rack[rack] = free_by_rack.get(rack, 0) + int(free)
    assert list(free_by_rack.values()) == [2] * 50
    assert len(told.part.heatmap._holes.data["x"]) == 100
    assert told.newest["query"] == "?track=titan&part=1&workload=titan-crisis&seed=1"


def test_a_prediction_opens_the_workbench_and_its_removal_closes_it() -> None:
    told = Told("?track=titan&part=1")
    told.page.hear("prediction", PREDICTION)
    told.turn()
    assert told.newest["run"]["scenario"] == "?track=titan&part=1&seed=1"
    assert told.newest["frame"]["reveal"].startswith("Here a job of 8 in one node waited")
    told.page.hear("record", record())
    told.turn()
    assert told.newest["run"]["scenario"].startswith("?track=titan&part=1&workload=titan-crisis")


def test_nothing_is_revealed_without_a_prediction_on_this_track() -> None:
    told = Told(SHORT, record("guardian", PREDICTION))
    assert told.newest["frame"]["reveal"] == ""
    told = Told(SHORT, record("titan", PREDICTION))
    assert told.newest["frame"]["reveal"].startswith("Here a job of 8 in one node waited")


def revealed(query: str, choice: str) -> dict[str, Any]:
    told = Told(query, record("titan", {**PREDICTION, "choice": choice}))
    return dict(told.newest["frame"])


def test_a_prediction_is_judged_by_the_fleet_that_it_was_made_for() -> None:
    opened = "?track=titan&part=1&jobs=1500"
    assert "You said shorter; it stays" in revealed(opened, "shorter")["reveal"]
    elsewhere = revealed(opened + "&backfill=none", "much")["reveal"]
    assert (
        "You said much longer of the settings that this part opens with; these are others."
        in elsewhere
    )
    assert "Your 5" not in elsewhere


@pytest.mark.parametrize("choice", ["slightly", "much"])
@pytest.mark.parametrize("near_s", [15.0, 20.0, 27.0])
def test_near_the_border_of_two_words_both_are_fair(choice: str, near_s: float) -> None:
    told = Told("?track=titan&part=1&jobs=1500", record("titan", {**PREDICTION, "choice": choice}))
    session = told.page.session
    session.replicas = [Replica(1, near_s, 10.0, 0, 0.0, False)]
    found = reveal(session, session.replicas, ("one", "other"))
    assert found["answer"] == choice
    assert "it stays in your ledger" not in found["reveal"]


@pytest.mark.parametrize("track", TRACKS)
def test_every_track_opens_where_one_piece_waits_much_longer(track: str) -> None:
    waits = [replica_of(run) for run in runs_of(Scenario.default(track, 1))]
    near, anywhere = (
        sum(getattr(replica, name) for replica in waits) for name in ("near_s", "anywhere_s")
    )
    assert near > 1.2 * SLIGHTLY * anywhere


@pytest.mark.parametrize("track", TRACKS)
def test_what_the_ledger_gets_of_a_run_is_its_scenario_digest_and_figures(track: str) -> None:
    query = f"?track={track}&part=1&jobs=1500&seed=4"
    told = Told(query)
    kept = told.newest["run"]
    run = simulate(Scenario.parse(query))
    assert kept["digest"] == run.digest
    assert Scenario.parse(kept["scenario"]) == run.scenario
    assert kept["figures"]["allocated"] == round(run.metrics.allocated, 4)


def test_a_knob_changes_the_scenario_and_its_address() -> None:
    told = Told(SHORT)
    controls = told.part.controls
    controls.placement.value = "random"
    with param.edit_constant(controls.load):
        controls.load.value_throttled = 80
    told.turn()
    scenario = Scenario.parse(SHORT).but(placement="random", load=80)
    assert told.newest["query"] == "?" + scenario.query()
    assert told.newest["run"]["digest"] == simulate(scenario).digest


def test_a_choice_that_cannot_be_is_taken_back_in_the_workbench() -> None:
    told = Told(SHORT)
    told.part.controls.fleet.value = "8x8"
    assert told.newest["notice"].startswith("fleet:")
    assert told.part.controls.fleet.value == "8x8x8"


def test_conservative_backfill_is_offered_where_gpus_are_not_shared() -> None:
    assert "conservative" in disciplines(Scenario.default("titan"))
    assert "conservative" not in disciplines(Scenario.default("nomad"))
    assert disciplines(Scenario.default("pioneer")) == ("none", "skip")


def test_a_trace_is_replayed_and_a_bad_one_changes_nothing() -> None:
    told = Told(SHORT)
    told.page.hear("trace_name", "mine.csv")
    told.page.hear("trace", b"submit_s,duration_s,gpus\n0,-1,4\n")
    assert told.newest["trace_error"].startswith("mine.csv, line 2, column duration_s: '-1'")
    assert told.page.session.scenario == Scenario.parse(SHORT)
    told.page.hear("trace", TRACE)
    told.turn()
    assert told.newest["trace_error"] == ""
    assert told.page.session.scenario.workload == "trace"
    run = told.page.session.run
    assert run is not None
    assert run.wait_ms.tolist() == [0, 90_000]


def test_another_track_brings_its_own_fleet_and_takes_no_prediction_along() -> None:
    told = Told(SHORT, record("titan", PREDICTION))
    told.page.hear("scenario", "?track=guardian&part=1&jobs=1500")
    told.turn()
    assert told.newest["frame"]["track"] == "guardian"
    assert told.newest["frame"]["reveal"] == ""
    assert told.newest["run"]["track"] == "guardian"


def test_a_gpu_that_is_touched_asks_about_its_job_and_a_free_one_about_the_head() -> None:
    told = Told(SHORT)
    session, heatmap = told.page.session, told.part.heatmap
    moment = session.moment
    assert moment is not None and session.run is not None
    owner, used = occupied(moment)
    busy, free = int(np.flatnonzero(used > 0)[0]), int(np.flatnonzero(used == 0)[0])
    heatmap._touched(busy)
    assert told.newest["frame"]["why"] == explain(session.run, int(owner[busy]), session.time_ms)
    lit = np.flatnonzero(owner == owner[busy])
    assert len(heatmap._lit.data["x"]) == len(lit)
    heatmap._touched(free)
    assert session.job == moment.state.waiting[0]


def test_a_click_that_names_a_job_no_longer_in_the_list_is_left_alone() -> None:
    told = Told(SHORT)
    jobs = told.part.queue.list
    chosen = jobs.value
    assert jobs._process_property_change({"active": 99}) == {}
    assert jobs.value == chosen


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize(
    "shape",
    ["8x8x8", "50x4x8", "4x8x8", "4x16x4", "12x8x2", "3x5x2", "8x16x1@9,5,2", "1x1x1", "1x1x256"],
)
def test_every_gpu_has_a_place_of_its_own_in_the_picture(shape: str, narrow: bool) -> None:
    layout = Layout.of(Fleet.parse(shape), narrow)
    places = set(zip(layout.x.tolist(), layout.y.tolist(), strict=True))
    assert len(places) == Fleet.parse(shape).gpus
    assert layout.x.min() > 0 and layout.x.max() < layout.width
    assert layout.y.max() < 0 and -layout.y.min() < layout.height


def test_a_change_made_in_the_browser_reaches_python_and_its_answer_goes_back() -> None:
    posted: list[tuple[str, str, Any]] = []
    host.start(lambda *message: posted.append(message), SHORT, "light", "")
    desk = host._live["desk"]
    clock = desk.page.session.clock
    for _ in range(40):
        clock.turn()
    assert [kind for kind, _, _ in posted if kind == "live"] == ["live"]
    document = desk.link.document
    radio = next(m for m in document.models if getattr(m, "labels", None) == ["Best fit", "Random"])
    change = {"kind": "ModelChanged", "model": {"id": radio.id}, "attr": "active", "new": 1}
    posted.clear()
    host.receive("patch", json.dumps({"events": [change]}))
    for _ in range(40):
        clock.turn()
    assert desk.page.session.scenario.placement == "random"
    told = {name: json.loads(value) for kind, name, value in posted if kind == "tell"}
    assert told["run"]["digest"] == simulate(Scenario.parse(SHORT).but(placement="random")).digest
    assert any(kind == "patch" for kind, _, _ in posted)
