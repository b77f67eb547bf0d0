"""Queueing closed forms: small cases, edges and refusals."""

import math

import pytest

from fleetlab.theory.queueing import (
    allen_cunneen,
    erlang_b,
    erlang_c,
    kingman,
    mean_queue_mmc,
    mean_wait_mm1,
    mean_wait_mmc,
    pollaczek_khinchine,
    wait_exceeds_mmc,
)


def test_at_one_server_an_arrival_waits_as_often_as_the_server_is_busy():
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert mean_wait_mmc(1, 0.7) == pytest.approx(mean_wait_mm1(0.7)) == pytest.approx(0.7 / 0.3)


def test_erlang_b_of_two_servers_is_the_middle_of_three_states():
    # States 0, 1, 2 weigh 1, a, a²/2; all busy is the last.
    assert erlang_b(2, 1.0) == pytest.approx(0.5 / 2.5)


def test_nobody_waits_where_nothing_arrives():
    assert erlang_c(8, 0) == 0.0
    assert mean_wait_mmc(8, 0) == 0.0
    assert pollaczek_khinchine(0, 3) == 0.0


def test_thousands_of_servers_neither_overflow_nor_lose_the_answer():
    # The factorials of the textbook sum overflow near 170 servers. In the heavy-traffic
    # regime with c = a + √a (β near 1) Halfin and Whitt's limit is 0.2234.
    servers = 10_000
    assert erlang_c(servers, servers - math.sqrt(servers)) == pytest.approx(0.2234, abs=0.002)


def test_a_fleet_of_many_servers_waits_far_less_than_one_server_at_the_same_load():
    assert allen_cunneen(1, 0.8, 1, 3) == pytest.approx(20)
    assert allen_cunneen(512, 0.8 * 512, 1, 3) < 0.01


def test_allen_cunneen_and_kingman_agree_with_the_exact_forms_where_those_hold():
    assert allen_cunneen(4, 3.2, 1, 1) == pytest.approx(mean_wait_mmc(4, 3.2))
    assert kingman(0.8, 1, 3) == pytest.approx(pollaczek_khinchine(0.8, 3))


def test_the_waits_of_all_arrivals_average_to_the_mean_wait():
    # ∫ P(W > t) dt over a fine grid is the mean wait.
    step = 0.001
    area = sum(wait_exceeds_mmc(4, 3.2, k * step) for k in range(40_000)) * step
    assert area == pytest.approx(mean_wait_mmc(4, 3.2), rel=1e-3)


def test_littles_law_gives_the_number_waiting():
    assert mean_queue_mmc(2, 1.6) == pytest.approx(1.6 * 1.777778, rel=1e-6)


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: erlang_c(4, 4), "offered_load is 4 for 4 servers, so the queue grows without end"),
        (lambda: mean_wait_mmc(2, 5), "give a load below 2"),
        (lambda: erlang_c(0, 0.5), "servers is 0; give a whole number of at least 1"),
        (lambda: erlang_c(2.5, 0.5), "servers is 2.5; give a whole number"),
        (lambda: erlang_c(2, -1), "offered_load is -1"),
        (lambda: erlang_c(2, math.nan), "offered_load is nan"),
        (lambda: pollaczek_khinchine(1, 1), "utilisation is 1, so the queue grows without end"),
        (lambda: pollaczek_khinchine(0.5, -1), "cv is -1"),
        (lambda: wait_exceeds_mmc(2, 1, -1), "wait is -1"),
    ],
)
def test_an_impossible_queue_is_refused_with_the_reason(ask, reason):
    with pytest.raises(ValueError, match=reason):
        ask()
