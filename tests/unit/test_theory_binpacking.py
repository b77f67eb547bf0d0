"""Bin packing: each rule by hand, bounds, the optimum and the work counted."""

from itertools import chain

import pytest

from fleetlab.theory.binpacking import (
    SearchLimit,
    Work,
    best_fit,
    best_fit_decreasing,
    first_fit,
    first_fit_decreasing,
    lower_bound_l1,
    lower_bound_l2,
    next_fit,
    optimum,
)


def test_each_rule_puts_the_same_items_where_its_name_says():
    items = [5, 7, 5, 2, 4, 2, 5]
    assert next_fit(items, 10) == [[5], [7], [5, 2], [4, 2], [5]]
    assert first_fit(items, 10) == [[5, 5], [7, 2], [4, 2], [5]]
    assert best_fit(items, 10) == [[5, 5], [7, 2], [4, 2], [5]]
    assert first_fit_decreasing(items, 10) == [[7, 2], [5, 5], [5, 4], [2]]


def test_best_fit_takes_the_fullest_bin_and_first_fit_the_oldest():
    assert first_fit([4, 7, 3], 10) == [[4, 3], [7]]
    assert best_fit([4, 7, 3], 10) == [[4], [7, 3]]


def test_equally_full_bins_go_by_age():
    assert best_fit([6, 6, 4], 10) == [[6, 4], [6]]
    assert best_fit_decreasing([6, 6, 4], 10) == [[6, 4], [6]]


def test_ten_tenths_fill_one_bin_of_one():
    for rule in (next_fit, first_fit, best_fit, first_fit_decreasing, optimum):
        assert rule([0.1] * 10, 1) == [[0.1] * 10]
    assert lower_bound_l1([0.1] * 10, 1) == 1


def test_no_items_need_no_bins():
    for rule in (next_fit, first_fit, best_fit, best_fit_decreasing, optimum):
        assert rule([], 10) == []
    assert lower_bound_l1([], 10) == lower_bound_l2([], 10) == 0


def test_l2_sees_that_halves_and_more_cannot_share():
    # Three of 6 pour into 2 bins of 10, but no two share one.
    assert lower_bound_l1([6, 6, 6], 10) == 2
    assert lower_bound_l2([6, 6, 6], 10) == 3


def test_l2_fills_the_room_beside_the_large_with_the_small():
    # Room beside two 7s is 6, the three 3s and the 4 make 13: one bin more.
    assert lower_bound_l2([7, 7, 3, 3, 3, 4], 10) == 3
    assert len(optimum([7, 7, 3, 3, 3, 4], 10)) == 3


def test_six_gpu_jobs_take_a_node_each_however_they_are_packed():
    assert len(optimum([6] * 64, 8)) == lower_bound_l2([6] * 64, 8) == 64
    assert lower_bound_l1([6] * 64, 8) == 48


# Both decreasing rules and the exchanges need four bins of 100 for these; three will do.
HARD = [48, 44, 35, 34, 31, 21, 18, 17, 16, 16, 14]


def test_the_optimum_is_found_where_every_decreasing_rule_fails():
    assert len(first_fit_decreasing(HARD, 100)) == len(best_fit_decreasing(HARD, 100)) == 4
    work = Work()
    packed = optimum(HARD, 100, work)
    assert sorted(chain.from_iterable(packed), reverse=True) == HARD
    assert [sum(b) <= 100 for b in packed] == [True, True, True]
    assert work.nodes > 0


def test_the_work_of_first_fit_on_items_that_never_share_is_every_pair():
    work = Work()
    first_fit([6] * 10, 10, work)
    assert work.comparisons == 10 * 9 // 2
    work = Work()
    next_fit([6] * 10, 10, work)
    assert work.comparisons == 9


def test_a_search_that_is_too_long_says_what_it_knows():
    reason = "10 nodes searched: the optimum is between 3 and 4 bins; give fewer items"
    with pytest.raises(SearchLimit, match=reason):
        optimum(HARD, 100, node_limit=10)


@pytest.mark.parametrize(
    ("items", "capacity", "reason"),
    [
        ([11], 10, "weight of item 0 is 11; give one above 0 and at most the capacity of 10"),
        ([1, 0], 10, "weight of item 1 is 0"),
        ([-1], 10, "weight of item 0 is -1"),
        ([float("nan")], 10, "weight of item 0 is nan"),
        ([1], 0, "capacity is 0"),
        (["<b>"], 10, "weight of item 0 is <b>; give a finite number"),
    ],
)
def test_an_item_that_cannot_be_packed_is_refused_by_number(items, capacity, reason):
    for rule in (next_fit, first_fit, best_fit_decreasing, lower_bound_l1, lower_bound_l2, optimum):
        with pytest.raises(ValueError, match=reason):
            rule(items, capacity)
