"""What the instructor's page says of each regime, checked against the engine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from fleetlab.missions import TRACKS
from fleetlab.missions.questions import questions
from fleetlab.prose import key

PAGE = Path(__file__).resolve().parents[2] / "site" / "content" / "instructor.md"


@cache
def audit(track: str, **choices: str) -> dict[str, float]:
    return key.audit(track, **choices)


@cache
def crowd(track: str = "titan", **choices: str | int) -> dict[str, float]:
    return key.crowd(track, **choices)


def ratio(figures: dict[str, float]) -> float:
    return figures["near_wait_s"] / figures["any_wait_s"]


@pytest.mark.parametrize("track", TRACKS)
def test_on_every_track_the_job_in_one_piece_waits_longer(track: str) -> None:
    assert ratio(audit(track)) > 1.2


def test_on_titan_it_waits_much_longer_and_most_under_random_placement() -> None:
    best, random = ratio(audit("titan")), ratio(audit("titan", placement="random"))
    assert random > best > 2


def test_under_strict_fifo_both_wait_the_same() -> None:
    assert ratio(audit("titan", backfill="none")) == pytest.approx(1, abs=0.05)


def test_with_jobs_of_one_size_contiguity_costs_nothing() -> None:
    assert ratio(audit("titan", workload="titan-one-size")) == pytest.approx(1, abs=0.1)


def test_blind_dispatch_drops_jobs_and_nobody_waits() -> None:
    blind = audit("pioneer", placement="random")
    assert blind["dropped"] > 0
    assert blind["wait_p95_s"] == 0
    assert audit("pioneer")["dropped"] == 0


def test_hold_and_wait_is_allocated_and_not_productive() -> None:
    holding, whole = crowd(load=60, gang="hold-and-wait"), crowd(load=60)
    assert holding["allocated"] > whole["allocated"] + 0.1
    assert holding["productive"] < whole["productive"] / 2


@pytest.mark.parametrize("track", TRACKS)
def test_holding_keeps_gpus_idle_on_every_track(track: str) -> None:
    holding = crowd(track, load=60, gang="hold-and-wait")
    assert holding["allocated"] > holding["productive"] + 0.1


@pytest.mark.parametrize("track", ["nomad", "pioneer"])
def test_where_holding_does_not_lock_waits_grow(track: str) -> None:
    holding, whole = crowd(track, load=60, gang="hold-and-wait"), crowd(track, load=60)
    assert not holding["deadlocked"]
    assert holding["wait_mean_s"] > 1.5 * whole["wait_mean_s"]


def test_on_an_idle_fleet_holding_and_gangs_are_the_same() -> None:
    holding, whole = crowd(load=20, gang="hold-and-wait"), crowd(load=20)
    assert holding["productive"] == pytest.approx(whole["productive"], abs=0.005)
    assert holding["wait_mean_s"] == pytest.approx(whole["wait_mean_s"], abs=60)


def test_loose_placement_is_busier_gets_no_more_done_and_waits_longer() -> None:
    loose = crowd(load=85, penalty=30, patience=key.LOOSE)
    strict = crowd(load=85, penalty=30, patience=key.STRICT)
    assert loose["allocated"] > strict["allocated"] + 0.05
    assert loose["mfu"] <= strict["mfu"]
    assert loose["wait_mean_s"] > 2 * strict["wait_mean_s"]


def test_at_a_penalty_of_10_percent_the_seesaw_is_near_its_turning_point() -> None:
    loose = crowd(load=85, penalty=10, patience=key.LOOSE)
    strict = crowd(load=85, penalty=10, patience=key.STRICT)
    assert 0.5 < loose["wait_mean_s"] / strict["wait_mean_s"] < 1.5


def test_elastic_keeps_more_of_the_saving_than_static_and_takes_less_time() -> None:
    static, elastic = key.spot(elastic=0), key.spot(elastic=1)
    assert elastic["cost_dollars"] < static["cost_dollars"]
    assert elastic["stretch"] < 1.2 < 1.8 < static["stretch"]


@pytest.mark.parametrize("track", TRACKS)
def test_on_every_track_less_is_lost_elastic_than_static(track: str) -> None:
    assert key.lost_of_100(track, 1) < key.lost_of_100(track, 0) / 2


def test_every_option_of_every_question_has_its_row_in_the_answer_key() -> None:
    rows = PAGE.read_text("utf-8").splitlines()
    for question in questions().values():
        for choice, text in question.options:
            row = next(row for row in rows if row.startswith(f"| {text} |"))
            assert (row.split("|")[2].strip() == "right") == (choice == question.answer)


def test_the_options_of_the_answer_key_are_those_of_the_lab() -> None:
    known = {text for question in questions().values() for _, text in question.options}
    rows = PAGE.read_text("utf-8").split("| option | who chooses it believes | ask them to |")[1:]
    shown = {
        line.split("|")[1].strip()
        for table in rows
        for line in table.split("\n\n")[0].splitlines()[2:]
    }
    assert shown == known
