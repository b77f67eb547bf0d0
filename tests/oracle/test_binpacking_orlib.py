"""Falkenauer's bin-packing instances from OR-Library, with their known answers."""

from itertools import chain
from pathlib import Path

import pytest

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

FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "orlib-binpack"


def uniform():
    """Return the instances of binpack1 as (name, capacity, best known, weights)."""
    path = FOLDER / "binpack1.txt"
    if not path.exists():
        pytest.skip("OR-Library's binpack1.txt is not beside the checkout")
    words = path.read_text().split()
    instances, at = [], 1
    for _ in range(int(words[0])):
        name, capacity, count, best = words[at], *map(int, words[at + 1 : at + 4])
        at += 4
        instances.append((name, capacity, best, [int(w) for w in words[at : at + count]]))
        at += count
    return instances


def test_u120_00_packs_as_published():
    _, capacity, best, items = uniform()[0]
    rules = (first_fit_decreasing, best_fit_decreasing, first_fit, best_fit, next_fit)
    assert [len(rule(items, capacity)) for rule in rules] == [49, 49, 50, 50, 64]
    assert len(optimum(items, capacity)) == best == 48


def test_the_sums_over_binpack1_are_as_published():
    instances = uniform()
    rules = (first_fit_decreasing, best_fit_decreasing, first_fit, best_fit, next_fit)
    sums = [sum(len(rule(w, c)) for _, c, _, w in instances) for rule in rules]
    assert sums == [995, 995, 1044, 1038, 1279]
    assert sum(lower_bound_l1(w, c) for _, c, _, w in instances) == 981


def test_every_instance_of_binpack1_is_solved_to_the_bound_and_never_above_the_best_known():
    for name, capacity, best, items in uniform():
        bins = optimum(items, capacity)
        assert sorted(chain.from_iterable(bins)) == sorted(items), name
        assert max(map(sum, bins)) <= capacity, name
        assert lower_bound_l2(items, capacity) == len(bins) <= best, name


def test_triplets_fill_forty_bins_without_a_unit_of_waste():
    path = FOLDER / "t120_07.txt"
    if not path.exists():
        pytest.skip("OR-Library's t120_07.txt is not beside the checkout")
    _, capacity, *items = map(int, path.read_text().split())
    bins = optimum(items, capacity)
    assert [sum(b) for b in bins] == [capacity] * 40
