"""One reader's session without a page: choices, runs in slices, the moment looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fleetlab.analysis.moment import crowded_instant
from fleetlab.app.host import ManualClock
from fleetlab.app.parts.fragmentation_words import replica_of
from fleetlab.app.session import REPLICATIONS, RESPITE_MS, Session
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

SHORT = Scenario.default("titan").but(jobs=1500)
LONG = SHORT.but(jobs=6000)


class Reader:
    """A session on a clock that is turned by hand, with all that it said."""

    def __init__(self, scenario: Scenario = SHORT) -> None:
        self.clock = ManualClock()
        self.changes: list[str] = []
        self.complaints: list[str] = []
        self.session = Session(scenario, self.clock, self.changes.append, self.complaints.append)

    def finish(self) -> None:
        """Turn the clock until nothing is left to do."""
        while self.clock.turn():
            pass


def test_a_run_comes_in_slices_and_is_the_run_of_its_scenario() -> None:
    reader = Reader()
    reader.session.open(LONG)
    reader.finish()
    assert reader.changes[:2] == ["progress", "scenario"], "that it is busy is said at once"
    assert reader.changes.count("progress") > 2
    assert reader.changes[-1] == "run"
    assert reader.session.run is not None
    assert reader.session.run.digest == simulate(LONG).digest


def test_a_choice_says_at_once_that_its_run_has_begun() -> None:
    reader = Reader()
    reader.session.open(LONG)
    assert reader.changes == ["progress", "scenario"]
    assert reader.session.progress == 0


def test_the_first_repetition_waits_for_what_the_reader_does_next() -> None:
    reader = Reader()
    waits_ms: list[int] = []
    later = reader.clock.later

    def noted(milliseconds: int, call: Callable[[], None]) -> None:
        waits_ms.append(milliseconds)
        later(milliseconds, call)

    reader.clock.later = noted  # type: ignore[method-assign]
    reader.session.measure = replica_of
    reader.session.open(SHORT)
    while reader.session.run is None:
        assert set(waits_ms) == {0}
        reader.clock.turn()
    assert waits_ms[-1] == RESPITE_MS
    reader.finish()
    assert waits_ms.count(RESPITE_MS) == 1
    assert len(reader.session.replicas) == REPLICATIONS


def test_a_newer_choice_cancels_a_run_under_way() -> None:
    reader = Reader()
    reader.session.open(LONG)
    reader.clock.turn()
    reader.session.choose(jobs=1500)
    reader.finish()
    assert reader.changes.count("run") == 1
    assert reader.session.run is not None
    assert reader.session.run.digest == simulate(SHORT).digest


def test_a_run_that_was_overtaken_before_its_first_slice_never_starts() -> None:
    reader = Reader()
    reader.session.open(LONG)
    reader.session.open(SHORT)
    reader.finish()
    assert reader.changes.count("run") == 1
    assert reader.session.run is not None
    assert reader.session.run.digest == simulate(SHORT).digest


def test_an_impossible_choice_is_refused_in_a_sentence_and_the_old_one_stays() -> None:
    reader = Reader()
    reader.session.choose(size=1000)
    assert reader.complaints == ["size: a gang of 1000 never fits on 512 GPUs"]
    assert reader.changes == ["scenario"]
    assert reader.session.scenario == SHORT


def test_a_scenario_whose_trace_is_not_here_says_so() -> None:
    reader = Reader()
    reader.session.choose(workload="trace", trace="0" * 16)
    reader.finish()
    assert reader.complaints == ["trace: this Scenario replays a file; open that file first"]
    assert "run" not in reader.changes


def test_the_scenario_is_repeated_on_the_seeds_that_follow() -> None:
    reader = Reader()
    reader.session.measure = replica_of
    reader.session.open(SHORT)
    reader.finish()
    replicas = reader.session.replicas
    assert [replica.seed for replica in replicas] == list(range(1, 1 + REPLICATIONS))
    assert replicas[3] == replica_of(simulate(SHORT.but(seed=4)))


def test_a_choice_ends_the_repetitions_of_the_one_before() -> None:
    reader = Reader()
    reader.session.measure = replica_of
    reader.session.open(SHORT)
    while len(reader.session.replicas) < 3:
        reader.clock.turn()
    reader.session.choose(placement="random")
    reader.finish()
    random = SHORT.but(placement="random")
    assert len(reader.session.replicas) == REPLICATIONS
    assert reader.session.replicas[1] == replica_of(simulate(random.but(seed=2)))


@pytest.fixture
def finished() -> Reader:
    """Return a reader who looks at a finished run."""
    reader = Reader(SHORT.but(load=120, backfill="none"))
    reader.session.open(reader.session.scenario)
    reader.finish()
    return reader


def test_a_run_opens_on_its_most_crowded_instant_with_the_head_asked_about(
    finished: Reader,
) -> None:
    session = finished.session
    assert session.run is not None
    assert session.time_ms == crowded_instant(session.run)
    assert session.job == session.run.waiting_at(session.time_ms)[0]
    assert f"Job {session.job} waits for" in session.why()


def test_a_step_leads_to_the_next_change_and_none_lies_between(finished: Reader) -> None:
    session = finished.session
    assert session.run is not None
    session.look(0)
    session.step()
    assert session.time_ms == int(session.run.log[session.run.log[:, 0] > 0, 0].min())


def test_the_clock_stays_within_the_run(finished: Reader) -> None:
    session = finished.session
    assert session.run is not None
    session.look(-5)
    assert session.time_ms == 0
    session.look(10**15)
    assert session.time_ms == session.run.last_ms


def test_playing_goes_on_until_the_end_and_starts_again_from_there(finished: Reader) -> None:
    session = finished.session
    assert session.run is not None
    session.play(True)
    before = session.time_ms
    finished.clock.turn()
    assert session.time_ms > before
    finished.finish()
    assert session.time_ms == session.run.last_ms
    assert not session.playing
    session.play(True)
    assert 0 < session.time_ms < session.run.last_ms


def test_play_pressed_twice_goes_no_faster(finished: Reader) -> None:
    session = finished.session
    session.look(0)
    for playing in (True, False, True):
        session.play(playing)
    begun = session.time_ms
    finished.clock.turn()
    once = session.time_ms - begun
    finished.clock.turn()
    assert session.time_ms - begun == 2 * once
    assert session.run is not None
    assert once == session.run.last_ms // 400


def test_a_paused_clock_stands(finished: Reader) -> None:
    session = finished.session
    session.play(True)
    session.play(False)
    stands = session.time_ms
    finished.finish()
    assert session.time_ms == stands


def test_a_job_that_does_not_exist_is_refused_in_a_sentence(finished: Reader) -> None:
    finished.session.ask(99_999)
    assert finished.complaints == ["There is no job 99999 in this run; its jobs are 0 to 1499."]
