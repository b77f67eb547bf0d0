"""The page of bin packing: the worst case, the bounds, the search and its limits."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetlab.peek import FieldError
from fleetlab.peek.packing import (
    CAPACITY,
    DRAWN,
    EXACT,
    GROWTH_ITEMS,
    GROWTH_PLAIN_LIMIT,
    Packing,
    draw,
)
from fleetlab.theory.binpacking import SearchLimit, Work, optimum
from fleetlab.theory.binplain import fewest_bins

WORST = [510] * 6 + [270] * 6 + [260] * 6 + [230] * 12


def packed(question: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows when the exact search has ended."""
    for view in Packing().answer(question):
        if view and not view.get("searching", True):
            return view
    raise AssertionError("the search has no end")


def typed(items: list[Any], capacity: Any = 1000) -> dict[str, str]:
    return {"items": " ".join(map(str, items)), "capacity": str(capacity)}


def test_the_worst_case_of_largest_first_opens_eleven_bins_where_nine_are_enough():
    view = packed(typed(WORST))
    assert view["title"] == "Largest first opens 11 bins where 9 are enough"
    assert (view["l1"], view["l2"], view["fewest"]) == (9, 9, 9)
    # 11/9 · 9 + 6/9 = 11.67, of which whole bins are 11.
    assert "For 9 bins that is 11: exactly what it opened here" in view["guarantee"]


def test_every_rule_packs_every_item_once_and_overfills_no_bin():
    view = packed({"count": "25", "seed": "3"})
    for row in view["rules"]:
        shares = list(chain.from_iterable(row["bins"]))
        assert sorted(shares) == sorted(item / CAPACITY for item in draw(25, 3))
        assert all(sum(bin_) <= 1 + 1e-9 for bin_ in row["bins"])


def test_what_is_over_the_fewest_is_counted_from_the_exact_search():
    view = packed({"count": "30", "seed": "7"})
    exact = next(row for row in view["rules"] if row["name"] == EXACT)
    for row in view["rules"]:
        assert row["over"] == len(row["bins"]) - len(exact["bins"])


def test_a_bound_that_is_met_proves_the_fewest_before_any_search():
    first = next(Packing().answer(typed([500, 500])))
    assert first is not None
    assert (first["fewest"], first["title"]) == (
        1, "All four rules of thumb find the fewest: 1 bin",
    )  # fmt: skip


def test_a_search_given_up_says_between_which_counts_the_optimum_lies(monkeypatch):
    monkeypatch.setattr("fleetlab.peek.packing.NODE_LIMIT", 0)
    hard = [442, 252, 127, 106, 37, 10, 10, 252, 252, 127, 106, 85, 84, 46, 37, 12, 12, 12, 10]
    given_up = 0
    for seed in range(40):
        view = packed({"count": "24", "seed": str(seed)})
        if view["fewest"] is None:
            given_up += 1
            least = min(len(row["bins"]) for row in view["rules"] if row["bins"])
            assert view["title"].startswith(
                f"The search was given up: {view['l2']} to {least} bins"
            )
    assert given_up and packed(typed(hard, 524))["rules"]


def test_drawn_items_come_from_the_seed_and_lie_in_their_range():
    assert draw(40, 7) == draw(40, 7) != draw(40, 8)
    assert all(DRAWN[0] <= item <= DRAWN[1] for item in draw(60, 1))


def test_decimals_are_packed_at_their_decimal_value():
    # Three times 0.1 and once 0.7 are exactly one bin; floats would say a little more.
    assert packed(typed([0.1, 0.1, 0.1, 0.7], 1))["fewest"] == 1


@pytest.mark.parametrize(
    ("question", "field", "says"),
    [
        ({"items": "", "capacity": "10"}, "items", "There are 0 items: give 1 to 60."),
        ({"items": "1 " * 61, "capacity": "10"}, "items", "There are 61 items"),
        ({"items": "3 x", "capacity": "10"}, "items", "Item 2 is “x”"),
        ({"items": "3 11", "capacity": "10"}, "items", "at most 10, the size of a bin"),
        ({"items": "3", "capacity": "0"}, "bin", "The size of a bin is “0”"),
        ({"count": "61", "seed": "1"}, "count", "The number of items is “61”"),
        ({"count": "3", "seed": "-1"}, "seed", "The seed is “-1”"),
    ],
)
def test_what_cannot_be_packed_is_one_sentence_at_its_field(question, field, says):
    with pytest.raises(FieldError) as caught:
        next(Packing().answer(question))
    assert caught.value.field == field
    assert says in str(caught.value)


def test_trying_everything_explodes_and_is_not_tried_again_after_its_limit():
    page = Packing()
    view: dict[str, Any] = {}
    for each in page.answer({"count": "4", "seed": "1"}):
        view |= each or {}
    plain, *_ = (series["points"] for series in view["growth"]["series"])
    counts = [nodes for _, nodes in plain]
    assert counts == sorted(counts) and counts[-1] == GROWTH_PLAIN_LIMIT
    assert [row[1] for row in view["growth_table"][1:]].count("not tried") == len(
        GROWTH_ITEMS
    ) - len(counts)
    # What was counted stays: the next question shows it all at once.
    again = [each for each in page.answer({"count": "4", "seed": "2"}) if each]
    assert sum("growth" in each for each in again) == 1


def test_trying_everything_counts_each_placement():
    # Two halves: the first in a bin (1), the second beside it (2); a second bin cannot be better.
    work = Work()
    assert fewest_bins([5, 5], 10, work, 100) == 1
    assert work.nodes == 2
    with pytest.raises(SearchLimit, match="2 nodes searched"):
        fewest_bins([3, 3, 3], 10, Work(), 2)
    assert fewest_bins([], 10, Work(), 0) == 0


@settings(max_examples=150)
@given(st.lists(st.integers(1, 20), max_size=8))
def test_trying_everything_agrees_with_the_search_with_bounds(items):
    assert fewest_bins(items, 20, Work(), 10**6) == len(optimum(items, 20))
