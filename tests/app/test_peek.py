"""Math Peek behind the page: what is asked is answered in slices, and the newest question wins."""

from typing import Any

import pytest

from fleetlab.app.host import ManualClock
from fleetlab.app.page import Page
from fleetlab.app.peek import Peek

WORKED = {"page": "sharing", "capacity": ["9", "18"], "demands": [["1", "4"], ["3", "1"]]}


@pytest.fixture(autouse=True)
def _a_step_is_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetlab.app.peek.SLICE_S", 0)


def opened() -> tuple[Peek, ManualClock, list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    clock = ManualClock()
    return Peek(clock, told.append), clock, told


def test_nothing_is_made_or_told_before_a_page_is_asked():
    peek, clock, told = opened()
    assert not told and not clock.calls and not peek._pages


def test_the_steps_come_at_once_and_the_rules_in_later_slices():
    peek, clock, told = opened()
    peek.hear(WORKED)
    assert told[0]["order"] == "B, A, A, B, A"
    assert len(told) == 1
    while clock.turn():
        pass
    assert len(told[-1]["rules"]) == 5


def test_a_newer_question_ends_the_work_on_the_older():
    peek, clock, told = opened()
    peek.hear({"page": "queueing", "load": "80", "cv": "30", "servers": "1"})
    peek.hear(WORKED)
    told.clear()
    while clock.turn():
        pass
    assert {view["page"] for view in told} == {"sharing"}


def test_closing_ends_the_work():
    peek, clock, told = opened()
    peek.hear(WORKED)
    peek.hear({"page": ""})
    while clock.turn():
        pass
    assert len(told) == 1


def test_a_field_that_cannot_be_used_is_told_with_its_sentence_and_nothing_else():
    peek, clock, told = opened()
    peek.hear(WORKED | {"capacity": ["-1", "18"]})
    assert [set(view) for view in told] == [{"page", "problem", "field"}]
    assert told[0]["field"] == "capacity-0"
    assert not clock.calls


def test_what_no_page_understands_is_left_alone():
    peek, _, told = opened()
    for question in (None, 3, {}, {"page": "../x"}, {"page": ["sharing"]}):
        peek.hear(question)
    assert told == []


def test_the_page_hears_the_peek_by_name_whatever_part_is_open():
    told: list[tuple[str, Any]] = []
    page = Page(
        "?track=nomad&part=3", "light", ManualClock(),
        lambda name, value: told.append((name, value)), lambda: None,
    )  # fmt: skip
    page.hear("peek", WORKED)
    assert told[-1][0] == "peek"
    assert told[-1][1]["page"] == "sharing"
