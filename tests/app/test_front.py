"""The page of the bare address stands laid before anybody has come: who comes finds the same."""

import json
from typing import Any

import pytest

from fleetlab.app import host, openings
from fleetlab.app.finished import Finished, unpack

Posted = list[tuple[str, str, Any]]
NEW = json.dumps({"track": "titan", "predictions": []})
LOCKED = json.dumps({"track": "titan", "predictions": [{"part": 1}]})


@pytest.fixture
def run() -> Finished:
    """Return the run that the bare address shows."""
    host._desks.clear()
    openings.prepare()
    return unpack(openings.first_run("titan", 1, "open"))


@pytest.fixture
def laid(run: Finished) -> host.Desk:
    """Return the desk that is laid, with another of the same part built after it."""
    host._desks.clear()
    host.lay_front(run)
    host.prepare(1)
    return host._front[0]


def start(query: str = "", look: str = "light", record: str = NEW, shown: str = "") -> Posted:
    posted: Posted = []
    host.start(lambda *message: posted.append(message), query, look, record, shown)
    return posted


def turn(desk: host.Desk, times: int = 40) -> None:
    clock = desk.page.session.clock
    assert isinstance(clock, host.ManualClock)
    for _ in range(times):
        clock.turn()


CRISIS = "?track=titan&part=1&workload=titan-crisis&seed=1"  # as the drawn opening has it by then


@pytest.mark.parametrize(
    ("query", "record"), [("", NEW), ("?", ""), ("?track=titan&part=1", NEW), (CRISIS, NEW)]
)
def test_it_is_the_page_that_the_build_has_drawn(
    run: Finished, laid: host.Desk, query: str, record: str
) -> None:
    drawn = json.loads(openings.shown("titan", 1, "open", "light", run.pack()))
    posted = start(query, record=record, shown=drawn["fingerprint"])
    assert host._live["desk"] is laid
    kinds = [kind for kind, _, _ in posted]
    assert kinds[0] == "linked"
    assert kinds[-1] == "live"
    told = [[name, json.loads(value)] for kind, name, value in posted if kind == "tell"]
    assert told == [pair for pair in drawn["told"] if pair[0] != "run"]


def test_another_document_than_the_page_shows_is_handed_over_whole(laid: host.Desk) -> None:
    (kind, fingerprint, text), *rest = start(shown="another")
    assert (kind, fingerprint) == ("document", laid.link.fingerprint())
    assert json.loads(text) == json.loads(laid.link.text())
    assert "run" in [name for kind, name, _ in rest if kind == "tell"]


@pytest.mark.parametrize(
    ("query", "look", "record"),
    [
        ("?track=nomad", "light", NEW),
        ("?part=2", "light", NEW),
        ("?seed=2", "light", NEW),
        ("?load=nothing", "light", NEW),  # it has something to complain of
        ("", "dark", NEW),
        ("", "light narrow", NEW),
        ("", "light", LOCKED),
    ],
)
def test_who_is_to_see_anything_else_gets_a_page_of_their_own(
    laid: host.Desk, query: str, look: str, record: str
) -> None:
    posted = start(query, look, record)
    assert host._live["desk"] is not laid
    assert [kind for kind, _, _ in posted if kind == "live"] == ["live"]


def test_nothing_is_left_to_happen_in_it_while_nobody_is_there(laid: host.Desk) -> None:
    clock = laid.page.session.clock
    assert isinstance(clock, host.ManualClock)
    assert clock.calls == [], "a snapshot holds no timers"


def test_its_controls_answer_and_its_lock_is_heard(laid: host.Desk) -> None:
    posted: Posted = []
    host.start(lambda *message: posted.append(message), "", "light", NEW)
    session = laid.page.session
    assert session.scenario.workload == "titan-crisis"
    host.receive("tell", "prediction", json.dumps({"part": 1, "choice": "much"}))
    assert session.scenario.workload == "titan"
    turn(laid)
    before = session.run
    labels = ["Best fit", "Random"]
    radio = next(m for m in laid.link.document.models if getattr(m, "labels", None) == labels)
    change = {"kind": "ModelChanged", "model": {"id": radio.id}, "attr": "active", "new": 1}
    posted.clear()
    host.receive("patch", json.dumps({"events": [change]}))
    turn(laid)
    assert session.scenario.placement == "random"
    assert session.run is not None and session.run is not before
    assert any(kind == "patch" for kind, _, _ in posted)
