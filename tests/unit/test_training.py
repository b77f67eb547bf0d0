"""Part 3's training run: Daly's closed form beside it, and the regimes in which time doubles."""

from __future__ import annotations

import math
from statistics import mean, stdev

import pytest

from fleetlab.scenario import Scenario
from fleetlab.services.prices import break_even_stretch, case, discount, effective_cost
from fleetlab.services.training import Training, expected_stretch, interruption_mean_s, training_of
from fleetlab.simulate import simulate

ALL_SPOT = Scenario.default("titan", 3).but(spot=100)
WORK_S = 30 * 3600


def trained(scenario: Scenario, seeds: int) -> list[Training]:
    return [training_of(simulate(scenario.but(seed=seed))) for seed in range(1, seeds + 1)]


def spread(scenario: Scenario, seeds: int) -> tuple[float, float]:
    """Return the mean stretch and its standard error."""
    found = [training.stretch for training in trained(scenario, seeds)]
    return mean(found), stdev(found) / math.sqrt(seeds)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tau": 30},
        {"tau": 240, "preemptions": 6},
        {"spot": 20},
        {"tau": 0, "preemptions": 1},
    ],
)
def test_static_memoryless_training_takes_as_long_as_daly_says(changes: dict[str, int]) -> None:
    scenario = ALL_SPOT.but(**changes)
    measured, error = spread(scenario, 60)
    assert abs(measured - expected_stretch(scenario, WORK_S)) < 3 * error
    assert error < 0.15 * measured


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "one hour between checkpoints, an interruption every 1.7 h"),
        ({"tau": 240, "preemptions": 6}, "four hours between checkpoints, six a day"),
        ({"tau": 0, "preemptions": 1}, "no checkpoints and 1.25 expected interruptions a run"),
    ],
)
def test_without_elasticity_time_doubles_in_these_regimes(
    changes: dict[str, int], why: str
) -> None:
    assert expected_stretch(ALL_SPOT.but(**changes), WORK_S) == pytest.approx(2.0, abs=0.06), why


def test_outside_those_regimes_it_does_not_double() -> None:
    assert expected_stretch(ALL_SPOT.but(spot=20), WORK_S) < 1.3
    assert spread(ALL_SPOT.but(reclaim="bursts"), 8)[0] < 1.3


def test_an_elastic_ring_loses_nothing_and_takes_little_longer_than_its_checkpoints() -> None:
    runs = trained(ALL_SPOT.but(elastic=1), 8)
    assert all(training.lost_s == 0 and training.interruptions == 0 for training in runs)
    # a checkpoint of 5 minutes every hour is 8.3 %
    assert 1.083 < mean(training.stretch for training in runs) < 1.11


def test_a_run_that_only_ends_when_reclaims_do_has_not_converged() -> None:
    never = training_of(simulate(ALL_SPOT.but(tau=0)))
    assert not never.converged
    assert training_of(simulate(ALL_SPOT)).converged


def test_interruptions_come_more_often_with_more_spot_nodes() -> None:
    assert interruption_mean_s(ALL_SPOT) == pytest.approx(86_400 / 14)
    assert interruption_mean_s(ALL_SPOT.but(spot=50)) == pytest.approx(2 * 86_400 / 14)
    assert interruption_mean_s(ALL_SPOT.but(spot=0)) == math.inf
    assert interruption_mean_s(ALL_SPOT.but(preemptions=0)) == math.inf


def test_the_cfo_saves_five_million_and_doubled_time_leaves_2_3_of_it() -> None:
    hours = 125 * 30
    gpu_h = 1024 * hours
    plain, spot = gpu_h * 2.0, gpu_h * 0.7
    assert plain - spot == pytest.approx(5e6, rel=0.01)
    doubled = case(2 * spot, 2 * hours, plain, hours)
    assert doubled.saved_dollars == pytest.approx(2.31e6, rel=0.01)
    assert doubled.flips_at_dollars_a_day == pytest.approx(14_800, rel=0.01)
    assert doubled.net_dollars(14_000) > 0 > doubled.net_dollars(15_500)
    assert case(spot, hours, plain, hours).flips_at_dollars_a_day == math.inf


def test_elastic_keeps_more_than_4_7_million() -> None:
    rents = [125 * training.dollars for training in trained(ALL_SPOT.but(elastic=1), 8)]
    assert 125 * 30 * 1024 * 2.0 - mean(rents) > 4.7e6


def test_spot_breaks_even_at_2_86_times_the_time_at_65_per_cent_off_and_at_5_at_80() -> None:
    assert break_even_stretch(discount("titan")) == pytest.approx(2.857, abs=0.001)
    assert break_even_stretch(discount("nomad")) == pytest.approx(5.0)
    assert discount("pioneer") == 0
    with pytest.raises(ValueError, match="discount is 1"):
        break_even_stretch(1)


def test_an_hour_that_counts_costs_more_than_an_hour() -> None:
    # the chapter's case: 62.5 % off, 7.1 % more time
    assert effective_cost(0.7, 360, 336) == pytest.approx(0.75)
    with pytest.raises(ValueError, match="productive_hours is 0"):
        effective_cost(0.7, 360, 0)
