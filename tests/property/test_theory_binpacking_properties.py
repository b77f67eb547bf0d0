"""Packings are packings, and the bounds stand in their order."""

from collections import Counter
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetlab.theory.binpacking import (
    best_fit,
    best_fit_decreasing,
    first_fit,
    first_fit_decreasing,
    lower_bound_l1,
    lower_bound_l2,
    next_fit,
    optimum,
)
from fleetlab.theory.binsearch import Completion, Work

CAPACITY = 60
ITEMS = st.lists(st.integers(1, CAPACITY), max_size=14)
RULES = (next_fit, first_fit, best_fit, first_fit_decreasing, best_fit_decreasing, optimum)


def fewest(items, capacity):
    """Return the optimum by dynamic programming over subsets, sharing no code with the module."""
    best = [(len(items) + 1, 0)] * (1 << len(items))
    best[0] = (0, capacity)
    for chosen in range(1 << len(items)):
        bins, full = best[chosen]
        for number, size in enumerate(items):
            if chosen >> number & 1:
                continue
            after = (bins, full + size) if full + size <= capacity else (bins + 1, size)
            best[chosen | 1 << number] = min(best[chosen | 1 << number], after)
    return best[-1][0] if items else 0


@given(ITEMS)
def test_every_rule_packs_each_item_once_and_overfills_nothing(items):
    for rule in RULES:
        bins = rule(items, CAPACITY)
        assert sorted(chain.from_iterable(bins)) == sorted(items), rule.__name__
        assert all(0 < sum(b) <= CAPACITY for b in bins), rule.__name__


@given(ITEMS)
def test_l1_is_at_most_l2_at_most_the_optimum_at_most_what_ffd_guarantees(items):
    l1, l2 = lower_bound_l1(items, CAPACITY), lower_bound_l2(items, CAPACITY)
    best = len(optimum(items, CAPACITY))
    ffd = len(first_fit_decreasing(items, CAPACITY))
    assert l1 <= l2 <= best <= ffd
    assert 9 * ffd <= 11 * best + 6
    assert 10 * len(first_fit(items, CAPACITY)) <= 17 * best
    assert len(next_fit(items, CAPACITY)) <= max(0, 2 * best - 1)


@given(st.lists(st.integers(1, CAPACITY), max_size=9))
def test_the_optimum_is_that_of_trying_every_subset(items):
    assert len(optimum(items, CAPACITY)) == fewest(items, CAPACITY)


@given(st.lists(st.integers(8, 30), max_size=11))
def test_the_optimum_of_small_pieces_is_that_of_trying_every_subset(items):
    assert len(optimum(items, CAPACITY)) == fewest(items, CAPACITY)


@given(ITEMS)
def test_in_first_fit_no_item_could_have_gone_into_an_older_bin(items):
    bins = first_fit(items, CAPACITY)
    for newer in range(len(bins)):
        for older in range(newer):
            # The older bin only grew, so its final room is the least it ever had.
            assert sum(bins[older]) + bins[newer][0] > CAPACITY


@given(ITEMS)
def test_a_finer_unit_changes_no_packing(items):
    tenths = [size / 10 for size in items]
    for rule in RULES:
        whole = rule(items, CAPACITY)
        assert rule(tenths, CAPACITY / 10) == [[size / 10 for size in b] for b in whole]


@settings(max_examples=300)
@given(st.lists(st.integers(3, 25), min_size=4, max_size=11))
def test_bin_completion_alone_finds_a_packing_exactly_from_the_optimum_on(items):
    # The heuristics of optimum() hide most of the search; here it stands alone.
    best = fewest(items, 30)
    for bins in (best - 1, best):
        *_, found = [None, *Completion(30, Work(), 10**6).steps(Counter(items), bins)]
        assert (found is not None) is (bins >= best)
    assert sorted(chain.from_iterable(found)) == sorted(items)
    assert max(map(sum, found)) <= 30
