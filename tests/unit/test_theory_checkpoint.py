"""Checkpoint intervals and expected times: limits, regimes and refusals."""

import math

import pytest

from fleetlab.theory.checkpoint import (
    daly,
    expected_time,
    expected_time_without_checkpoints,
    mtbf_that_stretches,
    optimal_interval,
    overhead,
    young,
)

HOUR = 3600.0


def test_without_failures_only_the_checkpoints_cost():
    assert expected_time(10 * HOUR, HOUR, 300, 1800, math.inf) == 10 * (HOUR + 300)


def test_one_unsaved_segment_takes_the_textbook_time():
    # T = M: each attempt passes with probability 1/e, and (e - 1)·M is the mean time to pass.
    assert expected_time_without_checkpoints(100, 0, 100) == pytest.approx(100 * (math.e - 1))


def test_no_work_takes_no_time():
    assert expected_time(0, 60, 5, 5, 100) == 0.0
    assert expected_time_without_checkpoints(0, 5, 100) == 0.0


def test_hopeless_odds_take_for_ever_rather_than_overflow():
    assert expected_time(1e6, 1e6, 0, 0, 1) == math.inf


def test_the_optimum_is_lower_than_its_neighbours():
    best = optimal_interval(60, 86_400)
    assert overhead(60, 86_400, best) < overhead(60, 86_400, best * 1.01)
    assert overhead(60, 86_400, best) < overhead(60, 86_400, best * 0.99)


def test_a_checkpoint_dearer_than_two_mean_times_is_taken_once_a_mean_time():
    assert daly(200, 100) == 100
    assert optimal_interval(1e6, 100) == pytest.approx(100)


def test_young_and_daly_and_the_optimum_meet_when_checkpoints_are_cheap():
    # √(2·1e-6·1e6) = 1.414 s; the next term of the series is C/3, far below.
    assert young(1e-6, 1e6) == pytest.approx(1.414214, rel=1e-6)
    assert daly(1e-6, 1e6) == pytest.approx(1.414214, rel=1e-5)
    assert optimal_interval(1e-6, 1e6) == pytest.approx(1.414214, rel=1e-5)


def test_time_doubles_in_the_regimes_that_the_mission_names():
    hourly = mtbf_that_stretches(2, HOUR, 300, 1800)
    assert hourly / HOUR == pytest.approx(1.74, abs=0.01)
    four_hourly = mtbf_that_stretches(2, 4 * HOUR, 300, 1800)
    assert 86_400 / four_hourly == pytest.approx(6, abs=0.06)
    unsaved = mtbf_that_stretches(2, HOUR, 0, 0)
    assert HOUR / unsaved == pytest.approx(1.26, abs=0.005)


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: young(0, 100), "cost_s is 0; give a number of seconds above 0"),
        (lambda: daly(10, -1), "mtbf_s is -1"),
        (lambda: optimal_interval(math.nan, 1), "cost_s is nan"),
        (lambda: expected_time(10, 0, 1, 1, 10), "interval_s is 0"),
        (lambda: expected_time(-1, 1, 1, 1, 10), "work_s is -1"),
        (lambda: expected_time(math.inf, 1, 1, 1, 10), "work_s is inf; give a finite number"),
        (lambda: mtbf_that_stretches(1.05, 60, 6, 0), "without any failure .* make it 1.1"),
    ],
)
def test_an_impossible_duration_is_refused_with_the_reason(ask, reason):
    with pytest.raises(ValueError, match=reason):
        ask()
