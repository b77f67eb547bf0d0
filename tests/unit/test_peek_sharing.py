"""The page of fair shares: the worked case, the counterexamples, and what cannot be asked."""

from typing import Any

import pytest

from fleetlab.peek import FieldError
from fleetlab.peek.sharing import MOST_STEPS, Sharing

WORKED = {"capacity": ["9", "18"], "demands": [["1", "4"], ["3", "1"]]}


def answered(question: dict[str, Any]) -> dict[str, Any]:
    """Return all views of an answer laid over each other, as the page shows them."""
    seen: dict[str, Any] = {}
    for view in Sharing().answer(question):
        seen |= view or {}
    return seen


def rule(view: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in view["rules"] if each["name"] == name)


def test_the_worked_case_grants_b_a_a_b_a_and_ends_level():
    view = answered(WORKED)
    assert view["order"] == "B, A, A, B, A"
    assert view["title"] == "A runs 3, B 2: each ends with 2/3 of what it needs most"
    last = view["steps"][-1]
    assert (last["tasks"], last["share_texts"]) == ([3, 2], ["2/3", "2/3"])
    assert last["used_texts"] == ["9 of 9 CPUs", "14 of 18 GB"]


def test_each_step_says_why_it_is_that_users_turn():
    _, first, second, *_ = answered(WORKED)["steps"]
    # Level at the start: B's task is a third of the CPUs, A's two ninths of the memory.
    assert "level at 0" in first["reason"]
    assert "the largest task, B’s, goes first" in first["reason"]
    assert "A holds 0 of what it needs most, the least: the next has 1/3" in second["reason"]


def test_who_no_longer_fits_is_named_when_somebody_with_more_goes_on():
    view = answered({"capacity": ["10", "100"], "demands": [["6", "0"], ["1", "0"]]})
    # A's second task needs 6 of the 4 CPUs left; B passes A's share only if A is out.
    assert view["order"] == "A, B, B, B, B"
    tie = answered({"capacity": ["4", "100"], "demands": [["3", "0"], ["0", "1"]]})
    assert any("task of A no longer fits" in step["reason"] for step in tie["steps"])


def test_asset_fairness_gives_less_than_half_of_everything_would():
    view = answered({"capacity": ["30", "30"], "demands": [["1", "3"], ["1", "1"]]})
    asset = rule(view, "Asset fairness")
    assert [bar["text"] for bar in asset["bars"]] == ["6 tasks", "12 tasks"]
    assert asset["broken"] == [
        ["at least its part", "B gets 12; alone with half of everything it would run 15"]
    ]
    assert [bar["short"] for bar in asset["bars"]] == [False, True]
    assert rule(view, "DRF")["broken"] == []
    assert view["rules_title"].startswith("Unlike DRF, asset fairness gives B fewer tasks")


def test_a_market_of_equal_incomes_pays_for_a_lie_and_drf_does_not():
    view = answered(WORKED)
    market = rule(view, "A market of equal incomes")
    assert market["broken"] == [
        ["no gain by a lie", "B says ⟨3, 4⟩ and gets 2.25 in place of 1.64"]
    ]
    assert "no gain by a lie" in rule(view, "DRF")["kept"]


def test_max_min_on_one_resource_has_nothing_to_say_to_who_needs_none_of_it():
    view = answered({"capacity": ["9", "18"], "demands": [["1", "0"], ["3", "1"]]})
    silent = rule(view, "Max-min on memory")
    assert silent["bars"] == []
    assert silent["why_not"].startswith("A asks for no memory")


def test_four_users_are_shared_among_and_each_step_is_in_the_table():
    question = {"capacity": ["24", "48"], "demands": [["1", "1"]] * 4}
    view = answered(question)
    assert view["users"] == ["A", "B", "C", "D"]
    assert len(view["steps_table"]) == 1 + len(view["steps"])


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"capacity": ["", "18"]}, "capacity-0", "The amount of CPUs is empty"),
        ({"capacity": ["9", "-1"]}, "capacity-1", "is “-1”: give a number from 0 to 10,000"),
        ({"capacity": ["nan", "1"]}, "capacity-0", "is “nan”"),
        ({"demands": [["0", "0"]]}, "demand-A-0", "User A asks for nothing"),
        ({"demands": [["<b>", "1"]]}, "demand-A-0", "User A: CPUs of a task is “<b>”"),
        ({"demands": [["0.0001", "1"]]}, "demand-A-0", "at most 3 decimals"),
        ({"demands": [["1", "1"]] * 5}, "users", "There are 5 users: give 1 to 4."),
        ({"demands": [["0.001", "0"]]}, "capacity-0", f"More than {MOST_STEPS} tasks fit"),
    ],
)
def test_what_cannot_be_shared_is_one_sentence_at_its_field(change, field, says):
    with pytest.raises(FieldError) as caught:
        list(Sharing().answer(WORKED | change))
    assert caught.value.field == field
    assert says in str(caught.value)
