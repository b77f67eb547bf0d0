"""The figures that a ledger keeps: which, how precisely, and when two runs diverge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetlab.figures import FIGURES
from fleetlab.ledger.evidence import (
    DECIMALS,
    EVIDENCE,
    KEPT,
    agrees,
    diverge,
    final_policy,
    record_of,
    rounded,
)
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.simulate import prepare, simulate
from tests.ledgers import AUDIT

NAMES = st.sampled_from(sorted(DECIMALS))


def test_a_run_is_kept_with_all_that_it_takes_to_repeat_it() -> None:
    run = simulate(AUDIT)
    kept = record_of(run)
    assert Scenario.parse(kept["scenario"]) == AUDIT
    assert (kept["part"], kept["track"], kept["seed"]) == (1, "titan", AUDIT.seed)
    assert kept["digest"] == run.digest
    assert kept["figures"]["allocated"] == round(run.metrics.allocated, 4)


def test_a_run_without_a_scenario_cannot_be_kept() -> None:
    engine, pair = prepare(AUDIT)
    with pytest.raises(ValueError, match="cannot be repeated"):
        record_of(Run.of(engine.run(), pair))


def test_every_figure_that_is_kept_has_its_precision() -> None:
    assert {name for names in KEPT.values() for name in names} == set(DECIMALS)
    assert set(EVIDENCE.values()) <= set(DECIMALS)


def test_part_1_and_2_keep_only_figures_that_a_run_has() -> None:
    assert {*KEPT[1], *KEPT[2]} <= set(FIGURES)


def test_counts_are_kept_whole() -> None:
    assert rounded("dropped", 3.0) == 3
    assert isinstance(rounded("dropped", 3.0), int)


@given(NAMES, st.floats(-1e9, 1e9))
def test_a_figure_as_it_was_kept_agrees(name: str, measured: float) -> None:
    assert agrees(name, rounded(name, measured), measured)


@given(NAMES, st.floats(0, 1e6), st.integers(-5, 5).filter(bool))
def test_a_figure_that_differs_in_its_last_digit_does_not_agree(
    name: str, measured: float, steps: int
) -> None:
    # two steps and more, for one step off may be the other side of an edge
    off = round(rounded(name, measured) + 2 * steps * 10.0 ** -DECIMALS[name], DECIMALS[name])
    assert not agrees(name, off, measured)


def test_a_figure_with_more_digits_than_are_kept_was_not_kept_by_the_page() -> None:
    assert agrees("allocated", 0.9012, 0.90123)
    assert not agrees("allocated", 0.90123, 0.90123)


def test_a_figure_on_the_edge_may_be_rounded_to_either_side() -> None:
    assert agrees("hole_gpus", 0.12, 0.125)
    assert agrees("hole_gpus", 0.13, 0.125)
    assert not agrees("hole_gpus", 0.14, 0.125)


def test_runs_diverge_when_the_busier_one_gets_less_done() -> None:
    loose = {"allocated": 0.976, "productive": 0.775, "mfu": 0.349}
    strict = {"allocated": 0.825, "productive": 0.825, "mfu": 0.371}
    assert diverge(loose, strict)
    assert diverge(strict, loose)


def test_runs_do_not_diverge_when_the_busier_one_also_gets_more_done() -> None:
    assert not diverge({"allocated": 0.9, "mfu": 0.4}, {"allocated": 0.8, "mfu": 0.3})


def test_a_difference_in_the_last_digit_is_no_divergence() -> None:
    assert not diverge({"allocated": 0.9000, "mfu": 0.4000}, {"allocated": 0.8999, "mfu": 0.4001})
    assert not diverge({"allocated": 0.9, "mfu": 0.400}, {"allocated": 0.8, "mfu": 0.404})


def test_runs_without_figures_do_not_diverge() -> None:
    assert not diverge({}, {})
    assert not diverge({"allocated": 0.9}, {"allocated": 0.8})


def test_a_policy_has_from_part_3_what_only_part_3_asks_for() -> None:
    first, second, third = (Scenario.default("titan", part) for part in (1, 2, 3))
    assert (first.backfill, third.backfill) == ("easy", "none"), "no reader chose Part 3's none"
    strict = second.but(patience=-1)
    policy = final_policy([first.but(placement="random"), strict, third.but(elastic=1)])
    assert (policy["placement"], policy["patience"], policy["backfill"]) == ("random", -1, "easy")
    assert (policy["spot"], policy["elastic"], policy["tau"]) == (20, 1, 60)


def test_no_policy_but_titan_s_has_checkpoints() -> None:
    parts = [Scenario.default("guardian", part) for part in (1, 3)]
    policy = final_policy(parts)
    assert (policy["spot"], policy["tau"]) == (parts[1].spot, 0)
