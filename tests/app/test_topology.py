"""Part 2 without a browser: what a reader does, and what the page then says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetlab.analysis.moment import Moment
from fleetlab.app.host import ManualClock
from fleetlab.app.instruments.scatter import Point, WaitTimeVsMfuPlot, nearest, pareto
from fleetlab.app.page import Page
from fleetlab.app.parts.topology import TopologyPenalty, marked_gpus
from fleetlab.app.parts.topology_runs import scatter, seesaw_title
from fleetlab.app.parts.topology_study import Study, rule_loss, rule_penalty, work_of
from fleetlab.missions import TRACKS
from fleetlab.missions.goals import ITERATIONS, unseen_seeds
from fleetlab.policy.rule import START, Rule
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

PREDICTION = {"part": 2, "choice": "increases", "number": 50, "confidence": 3}
SMALL = "&jobs=150"


class Reader:
    """Opens Part 2 and keeps what the page is told."""

    def __init__(self, track: str = "titan", query: str = SMALL, locked: bool = True) -> None:
        self.clock = ManualClock()
        self.told: dict[str, Any] = {}
        self.notices: list[str] = []
        self.runs: list[dict[str, Any]] = []
        address = f"?track={track}&part=2{query}"
        self.page = Page(address, "light", self.clock, self._tell, lambda: None)
        self.page.hear("record", {"track": track, "predictions": [], "runs": []})
        self.page.begin()
        self.settle()
        if locked:
            self.page.hear("prediction", PREDICTION)
            self.settle()

    def _tell(self, name: str, value: Any) -> None:
        self.told[name] = json.loads(json.dumps(value))
        if name == "notice":
            self.notices.append(value)
        if name == "run":
            self.runs.append(self.told[name])

    def settle(self) -> None:
        while self.clock.turn():
            pass

    def do(self, name: str, value: Any = "") -> None:
        self.page.hear(name, value)
        self.settle()

    def choose(self, **changes: Any) -> None:
        self.part._choose(**changes)
        self.settle()

    @property
    def part(self) -> TopologyPenalty:
        assert isinstance(self.page.part, TopologyPenalty)
        return self.page.part

    @property
    def frame(self) -> dict[str, Any]:
        return dict(self.told["frame"])


def test_before_the_lock_only_the_readers_own_scene_is_run() -> None:
    reader = Reader(locked=False, query=SMALL + "&gang=hold-and-wait")
    assert len(reader.runs) == 1
    # holding is what the question is about: before the answer the scene is in whole gangs
    assert "gang=hold" not in reader.runs[0]["scenario"]
    assert reader.frame["reveal"] == reader.frame["answer"] == ""


@pytest.mark.parametrize("track", TRACKS)
def test_the_lock_opens_the_answer_and_the_seesaw_as_measured(track: str) -> None:
    reader = Reader(track)
    frame = reader.frame
    assert frame["answer"] == "decreases-busy"
    assert "You said otherwise" in frame["reveal"] and "At 85\u00a0%" in frame["reveal"]
    assert frame["seesaw_title"] and 0.0 <= frame["bars"]["tilt"] <= 1.0
    assert len(frame["seesaw_table"]) == 3
    # gangs and hold-and-wait at two loads, strict and loose, and the run itself
    assert len(reader.runs) == 7
    for run in reader.runs:
        assert (
            run["part"] == 2 and simulate(Scenario.parse(run["scenario"])).digest == run["digest"]
        )


def test_tracks_are_decided_by_different_physics() -> None:
    said = {track: Reader(track).frame for track in TRACKS}
    assert "tokens" in said["titan"]["labels"]["service"]
    assert "ms" in said["guardian"]["service"] and "10 ms" in said["guardian"]["service_detail"]
    assert "16.7 ms" in said["nomad"]["service_detail"]
    assert "phone" in said["pioneer"]["service_detail"] and "%" in said["pioneer"]["service"]


def test_the_deadlock_is_seen_to_happen() -> None:
    reader = Reader(query="&jobs=400")
    reader.choose(patience=-1)
    reader.choose(gang="hold-and-wait")
    assert reader.page.session.scenario.patience == 0  # what does not go with it is let go
    run = reader.page.session.run
    assert run is not None
    reader.page.session.look(0)
    first = reader.frame["title"]
    reader.page.session.look(run.last_ms)
    assert reader.frame["title"].startswith("Deadlock: 512 GPUs are held")
    assert first != reader.frame["title"]
    assert "Deadlock" in reader.frame["stability"]
    moment = Moment.of(run, run.last_ms)
    assert int(marked_gpus(moment).sum()) == 512


def test_gangs_across_blocks_are_marked_and_no_others() -> None:
    run = simulate(Scenario.default("titan", 2).but(jobs=150))
    strict = simulate(Scenario.default("titan", 2).but(jobs=150, patience=-1))
    at = run.last_ms // 2
    assert marked_gpus(Moment.of(run, at)).any()
    assert not marked_gpus(Moment.of(strict, at)).any()


def test_every_run_is_a_point_and_choosing_one_leads_back() -> None:
    reader = Reader()
    first = reader.told["query"]
    reader.choose(penalty=10)
    assert reader.told["query"] != first
    reader.part._return(first)
    reader.settle()
    assert reader.told["query"] == first
    assert len(reader.frame["scatter_table"]) == 1 + len(reader.part.study.points)


def test_undo_leads_back_one_choice_at_a_time() -> None:
    reader = Reader()
    start = reader.told["query"]
    reader.choose(penalty=10)
    reader.choose(order="drf")
    assert reader.frame["undo"] == "2 to undo"
    reader.do("undo")
    assert "penalty=10" in reader.told["query"] and "order" not in reader.told["query"]
    reader.do("undo")
    assert reader.told["query"] == start
    assert reader.frame["undo"] == ""


def test_a_scored_run_uses_unseen_seeds_and_keeps_them_as_evidence() -> None:
    reader = Reader()
    before = len(reader.runs)
    reader.do("score")
    scored = [Scenario.parse(run["scenario"]) for run in reader.runs[before:]]
    assert [scenario.seed for scenario in scored] == list(unseen_seeds(1))
    assert all((s.load, s.penalty) == (93, 30) for s in scored)
    assert reader.frame["slot1"].startswith("loose, FIFO: MFU ")
    assert reader.frame["scored"] == "9 of 10 scored runs left."


def test_the_same_policy_is_not_scored_twice_and_after_ten_there_is_no_more() -> None:
    reader = Reader()
    reader.do("score")
    reader.do("score")
    assert any("scored already" in notice for notice in reader.notices)
    slot = reader.part.study.slots[0]
    reader.part.study.slots = [slot] * ITERATIONS
    reader.choose(order="drf")
    reader.do("score")
    assert any("ten scored runs are used" in notice for notice in reader.notices)


def test_a_score_that_was_left_half_way_is_gone_on_with() -> None:
    reader = Reader()
    reader.page.hear("score", "")
    before = len(reader.runs)
    while len(reader.runs) == before:
        assert reader.clock.turn()
    reader.do("scenario", "?track=titan&part=1&jobs=300")
    kept = {"track": "titan", "predictions": [PREDICTION], "runs": reader.runs}
    left = [run for run in reader.runs if run["part"] == 2]
    assert len(left) == before + 1, "nothing of part 2 is run in part 1"
    reader.do("scenario", f"?track=titan&part=2{SMALL}")
    reader.do("record", kept)
    reader.do("score")
    assert set(reader.part.study.slots[0].figures) == set(unseen_seeds(1))


def test_pinned_runs_are_told_apart_by_what_changed_and_where_they_part() -> None:
    reader = Reader()
    reader.do("score")
    reader.choose(patience=-1)
    reader.do("score")
    reader.do("pin_a", "1")
    reader.do("pin_b", "2")
    words = reader.frame["pinned"]
    assert "patience 0 to -1" in words and "MFU" in words
    assert "The two part at" in words and "in A" in words and "in B" in words
    reader.do("pin_b", "1")
    assert reader.frame["pinned"] == "A and B are the same policy."
    reader.do("pin_b", "99")
    reader.do("pin_b", "x")
    assert reader.frame["pinned"] == "A and B are the same policy."


def test_scored_runs_come_back_from_the_ledger() -> None:
    reader = Reader()
    reader.do("score")
    kept = {"track": "titan", "predictions": [PREDICTION], "runs": reader.runs}
    again = Reader()
    again.do("record", kept)
    assert again.frame["slot1"] == reader.frame["slot1"]
    # what is no such run is left: broken lines, other parts, other tracks
    again.do("record", {**kept, "runs": [7, {"part": 1}, {"part": 2, "scenario": "?load=x"}]})
    assert again.frame["slot1"] == reader.frame["slot1"]


def test_a_rule_runs_beside_built_in_placements_and_says_what_it_wins_back() -> None:
    reader = Reader()
    reader.do("rule", START)
    names = [row[0] for row in reader.frame["rule_table"][1:]]
    assert names == [
        "blind to topology",
        "fewest hops that are free",
        "holds out for one block",
        "your rule",
    ]
    assert "wins back" in reader.frame["rule_title"]
    assert reader.frame["rule_problem"] == ""


def test_a_rule_s_run_is_evidence_that_can_be_run_again_and_comes_back_from_the_ledger() -> None:
    reader = Reader()
    before = len(reader.runs)
    reader.do("rule", START)
    kept = reader.runs[before:]
    assert [run.get("rule", "") for run in kept] == [START, "", "", ""]
    ruled = Scenario.parse(kept[0]["scenario"])
    assert simulate(ruled, placement=Rule(START)).digest == kept[0]["digest"]
    assert simulate(ruled).digest != kept[0]["digest"]
    again = Reader()
    again.do("record", {"track": "titan", "predictions": [PREDICTION], "runs": reader.runs})
    assert again.frame["rule_title"] == reader.frame["rule_title"]
    assert again.frame["rule_table"] == reader.frame["rule_table"]
    assert again.part.study.points.keys() >= reader.part.study.points.keys()
    assert kept[0]["scenario"] not in again.part.study.points


def test_a_rule_that_is_stopped_is_no_evidence_and_nothing_is_run_beside_it() -> None:
    reader = Reader()
    before = len(reader.runs)
    reader.do("rule", "def place(job, free):\n    return [(0, 99, job.gpus)]\n")
    assert len(reader.runs) == before
    assert reader.part.ruling.waiting == ()


def test_before_the_answer_the_scene_is_what_waits_and_not_what_lies_apart() -> None:
    reader = Reader(locked=False)
    assert "still waits" in reader.frame["title"]
    assert "until all of its GPUs are" in reader.frame["scene"]
    assert len(reader.part.heatmap._marks.data["x"]) == 0
    assert len(reader.part.heatmap._holes.data["x"]) > 0
    reader.do("prediction", PREDICTION)
    assert "across leaf blocks" in reader.frame["title"]
    assert len(reader.part.heatmap._marks.data["x"]) > 0
    assert len(reader.part.heatmap._holes.data["x"]) == 0


def test_the_forty_per_cent_come_from_the_model_and_the_blind_run_loses_about_as_much() -> None:
    assert rule_loss() == pytest.approx(0.40, abs=0.005)
    assert rule_penalty() == 67
    reader = Reader()
    reader.do("rule", START)
    blind = reader.part.study.rule_results["blind to topology"].figures["goodput"]
    assert 1 - blind == pytest.approx(rule_loss(), abs=0.05)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def place(job, free):\n    while True:\n        pass\n", "line 2: the rule was still"),
        ("def place(job, free):\n    import js\n", "line 2: a rule cannot use import"),
        ("def place(job, free):\n    return [(0, 99, job.gpus)]\n", "named node 99 of block 0"),
        ("def place(job, free):\n    return [0] * 10000000\n", "line 2: the rule was still"),
        ("def place(job, free)\n", "line 1: expected ':'"),
        ("", "no function place"),
    ],
)
def test_a_hostile_or_broken_rule_is_explained_and_nothing_is_lost(text: str, says: str) -> None:
    reader = Reader()
    points = len(reader.part.study.points)
    reader.do("rule", text)
    assert says in reader.frame["rule_problem"]
    assert reader.frame["rule_title"] == "" and reader.frame["rule_state"] == ""
    assert len(reader.part.study.points) == points
    reader.do("rule", START)
    assert reader.frame["rule_problem"] == "" and reader.frame["rule_title"]


def test_a_rule_that_takes_long_can_be_stopped() -> None:
    reader = Reader()
    reader.page.hear("rule", START)
    assert reader.part.ruling.waiting
    reader.do("rule_stop")
    assert reader.part.ruling.waiting == ()
    assert reader.frame["rule_problem"].startswith("Stopped.")


def test_another_track_begins_anew() -> None:
    reader = Reader()
    reader.do("score")
    reader.do("scenario", "?track=guardian&part=2" + SMALL)
    assert reader.part.study.slots == []
    assert all("track=guardian" in query for query in reader.part.study.points)


def test_the_seesaw_says_which_way_it_tips() -> None:
    strict = {"allocated": 0.8, "mfu": 0.37, "wait_so_far_s": 3600.0}
    loose = {"allocated": 0.98, "mfu": 0.35, "wait_so_far_s": 36_000.0}
    assert seesaw_title(strict, loose) == (
        "Loose placement: 98.0\u00a0% allocated, less work done, 10× the wait"
    )
    quick = loose | {"mfu": 0.37, "wait_so_far_s": 600.0}
    assert seesaw_title(strict, quick).endswith("as much work done, shorter waits")
    level = loose | {"mfu": 0.38, "wait_so_far_s": 3700.0}
    assert seesaw_title(strict, level).endswith("more work done, level waits")
    idle = {"allocated": 0.1, "mfu": 0.05, "wait_so_far_s": 0.0}
    assert seesaw_title(idle, idle).startswith("Nobody waits")


def point(wait_s: float, mfu: float) -> Point:
    return Point(f"?{wait_s}", f"{wait_s}", "work", wait_s, mfu, 0.9, 0.0)


def test_the_front_holds_whoever_no_other_beats_in_both() -> None:
    points = [point(60, 0.30), point(600, 0.35), point(600, 0.34), point(900, 0.35), point(30, 0.1)]
    assert [p.wait_s for p in pareto(points)] == [30, 60, 600]
    assert pareto([]) == []


def test_only_runs_of_the_same_work_are_set_against_each_other() -> None:
    # With a faster fabric everybody does better, whatever the policy.
    study = Study(Scenario.default("titan", 2))
    slow, fast = study.scenario, study.scenario.but(penalty=0)
    figures = {"allocated": 0.9, "productive": 0.8}
    study.remember(slow, figures | {"mfu": 0.30, "wait_so_far_s": 3600.0})
    study.remember(slow.but(patience=-1), figures | {"mfu": 0.35, "wait_so_far_s": 7200.0})
    study.remember(fast, figures | {"mfu": 0.40, "wait_so_far_s": 60.0})
    shown = scatter(study)
    assert shown["scatter_title"].startswith("Of 2 runs, 2 are on the front")
    assert [row[-1] for row in shown["scatter_table"][1:]] == ["yes", "yes", "no"]
    study.scenario = slow.but(load=60)
    waiting = scatter(study)
    assert waiting["scatter_title"] == "No run of this work has ended yet"
    assert len(waiting["scatter_table"]) == 4, "the runs there are stay while another is made"
    plot = WaitTimeVsMfuPlot(lambda _: None)
    plot.show(list(study.points.values()), "?" + slow.query(), work_of(slow))
    seen = plot.plot.renderers[1].data_source.data["alpha"]
    assert seen[0] == seen[1] > seen[2]


def test_a_click_finds_the_nearest_point_and_none_when_all_are_far() -> None:
    points = [point(100, 0.30), point(10_000, 0.30)]
    assert nearest(points, 110, 0.301, 0.1) == points[0]
    assert nearest(points, 1000, 0.30, 0.1) is None
    assert nearest([], 100, 0.3, 0.1) is None
