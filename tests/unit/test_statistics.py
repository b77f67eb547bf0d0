"""Honest statistics: published quantiles, intervals that cover, pairs, and warm-up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetlab.statistics import estimate, mser5, paired, t_probability, t_quantile

# Upper percentage points of Student's t, as printed in NIST/SEMATECH's e-Handbook of
# Statistical Methods, table 1.3.6.7.2: degrees, then t of 0.90, 0.95, 0.975, 0.99, 0.995, 0.999.
PUBLISHED = [
    (1, 3.078, 6.314, 12.706, 31.821, 63.657, 318.313),
    (2, 1.886, 2.920, 4.303, 6.965, 9.925, 22.327),
    (3, 1.638, 2.353, 3.182, 4.541, 5.841, 10.215),
    (4, 1.533, 2.132, 2.776, 3.747, 4.604, 7.173),
    (5, 1.476, 2.015, 2.571, 3.365, 4.032, 5.893),
    (9, 1.383, 1.833, 2.262, 2.821, 3.250, 4.297),
    (10, 1.372, 1.812, 2.228, 2.764, 3.169, 4.143),
    (19, 1.328, 1.729, 2.093, 2.539, 2.861, 3.579),
    (20, 1.325, 1.725, 2.086, 2.528, 2.845, 3.552),
    (30, 1.310, 1.697, 2.042, 2.457, 2.750, 3.385),
    (60, 1.296, 1.671, 2.000, 2.390, 2.660, 3.232),
    (100, 1.290, 1.660, 1.984, 2.364, 2.626, 3.174),
]
PROBABILITIES = (0.90, 0.95, 0.975, 0.99, 0.995, 0.999)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row[0]} degrees")
def test_quantiles_are_those_of_the_published_table(row: tuple[float, ...]) -> None:
    for probability, published in zip(PROBABILITIES, row[1:], strict=True):
        found = t_quantile(probability, int(row[0]))
        # three decimals, some of them cut off and not rounded
        assert found == pytest.approx(published, abs=1e-3, rel=2e-5)


def test_one_and_two_degrees_have_closed_forms() -> None:
    for probability in (0.6, 0.9, 0.975, 0.9999):
        cauchy = math.tan(math.pi * (probability - 0.5))
        assert t_quantile(probability, 1) == pytest.approx(cauchy, rel=1e-9)
        x = 2 * probability - 1
        assert t_quantile(probability, 2) == pytest.approx(x * math.sqrt(2 / (1 - x * x)), rel=1e-9)


def test_many_degrees_come_to_the_normal_distribution() -> None:
    assert t_quantile(0.975, 100_001) == pytest.approx(1.959964, abs=3e-5)


@given(st.floats(0.001, 0.999), st.integers(1, 200))
def test_the_quantile_is_where_the_probability_is_reached(probability: float, degrees: int) -> None:
    t = t_quantile(probability, degrees)
    assert t_probability(t, degrees) == pytest.approx(probability, abs=1e-12)
    assert t_quantile(1 - probability, degrees) == pytest.approx(-t, abs=1e-9, rel=1e-9)


def test_impossible_probabilities_and_degrees_are_refused() -> None:
    for probability in (0.0, 1.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="is not between 0 and 1"):
            t_quantile(probability, 5)
    with pytest.raises(ValueError, match="degrees: 0 is below 1"):
        t_probability(1.0, 0)


def test_an_estimate_worked_by_hand() -> None:
    # mean 3, deviations -2 -1 0 1 2, variance 10/4; t of 4 degrees 2.776; 2.776 * sqrt(2.5/5)
    found = estimate([1, 2, 3, 4, 5])
    assert (found.count, found.mean, found.lowest, found.highest) == (5, 3.0, 1, 5)
    assert found.spread == pytest.approx(math.sqrt(2.5))
    assert found.half_width == pytest.approx(2.776 * math.sqrt(0.5), abs=1e-3)
    assert found.low < 3 < found.high
    assert found.excludes_zero


def test_one_value_says_nothing_of_its_error() -> None:
    found = estimate([7.0])
    assert (found.mean, found.spread, found.half_width) == (7.0, 0.0, math.inf)
    assert not found.excludes_zero
    with pytest.raises(ValueError, match="there is no value"):
        estimate([])


@pytest.mark.parametrize("count", [2, 5, 20])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_covers_the_true_mean_as_often_as_it_says(
    count: int, confidence: float
) -> None:
    rng = np.random.default_rng(1)
    trials = 4000
    covered = 0
    for values in rng.normal(10.0, 3.0, (trials, count)):
        found = estimate(values.tolist(), confidence)
        covered += found.low <= 10.0 <= found.high
    # three standard errors of a share counted over so many trials
    margin = 3 * math.sqrt(confidence * (1 - confidence) / trials)
    assert covered / trials == pytest.approx(confidence, abs=margin)


def test_intervals_of_skewed_values_cover_less_when_values_are_few() -> None:
    rng = np.random.default_rng(2)

    def coverage(count: int) -> float:
        found = [estimate(values.tolist()) for values in rng.exponential(1.0, (2000, count))]
        return sum(one.low <= 1.0 <= one.high for one in found) / len(found)

    few, many = coverage(5), coverage(60)
    assert few < many
    assert many > 0.92


def test_common_random_numbers_make_a_difference_sharper_than_the_two_means() -> None:
    rng = np.random.default_rng(3)
    shared = rng.normal(100, 30, 20)
    mine, other = shared.tolist(), (shared + 5 + rng.normal(0, 1, 20)).tolist()
    difference = paired(mine, other)
    assert difference.excludes_zero
    assert difference.low < 5 < difference.high
    assert difference.half_width < estimate(mine).half_width / 10


def test_a_pair_without_a_partner_is_refused() -> None:
    with pytest.raises(ValueError, match="paired: 2 values and 1"):
        paired([1, 2], [1])


def test_mser5_cuts_a_transient_and_keeps_what_is_steady() -> None:
    rng = np.random.default_rng(4)
    steady = rng.normal(50, 1, 400)
    rising = np.concatenate([np.linspace(0, 50, 100), steady])
    assert 90 <= mser5(rising) <= 120
    assert mser5(steady) <= 40
    assert mser5(rising) % 5 == 0


def test_mser5_never_cuts_more_than_half_and_nothing_of_a_handful() -> None:
    growing = np.arange(1000.0)
    assert mser5(growing) <= 500
    assert mser5([1, 2, 3, 4]) == 0
    assert mser5([]) == 0


@given(st.lists(st.floats(0, 1e6), min_size=10, max_size=200))
def test_mser5_is_the_cut_with_the_smallest_squared_standard_error(values: list[float]) -> None:
    batches = len(values) // 5
    means = [sum(values[5 * b : 5 * b + 5]) / 5 for b in range(batches)]

    def error(cut: int) -> float:
        left = means[cut:]
        middle = sum(left) / len(left)
        return sum((mean - middle) ** 2 for mean in left) / len(left) ** 2

    least = min(error(cut) for cut in range(batches // 2 + 1))
    scale = max(1.0, max(values)) ** 2
    assert error(mser5(values) // 5) <= least + 1e-9 * scale
