"""Closed forms and exact algorithms against the plainest way to the same figure."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetlab.network import (
    CROSS_SPINE,
    SAME_NODE,
    all_gather_s,
    hierarchical_allreduce_s,
    reduce_scatter_s,
    ring_allreduce_s,
)
from fleetlab.policy.quota import Department, Queue, divide, divide_hierarchy
from fleetlab.theory.binpacking import lower_bound_l1, lower_bound_l2
from fleetlab.theory.checkpoint import daly, expected_time, optimal_interval, overhead
from fleetlab.theory.drf import fluid, progressive_filling
from fleetlab.theory.queueing import erlang_b, erlang_c, mean_queue_mmc, pollaczek_khinchine

EXAMPLES = settings(max_examples=100)
SHARES = st.integers(0, 6)


# ------------------------------------------------------------------------------------ fairness


@given(
    st.lists(st.tuples(SHARES, SHARES, SHARES).filter(any), min_size=1, max_size=4),
    st.tuples(*[st.integers(0, 20)] * 3),
    st.lists(st.integers(1, 4), min_size=4, max_size=4),
)
@EXAMPLES
def test_progressive_filling_gives_the_next_task_to_the_lowest_exact_share(
    demands, capacity, weights
):
    weights = weights[: len(demands)]
    tasks = [0] * len(demands)

    def size(user: int) -> Fraction:
        return max(Fraction(n, c) for n, c in zip(demands[user], capacity, strict=True) if c)

    def fits(user: int) -> bool:
        used = [
            sum(t * d[r] for t, d in zip(tasks, demands, strict=True)) + demands[user][r]
            for r in range(3)
        ]
        return all(u <= c for u, c in zip(used, capacity, strict=True))

    able = [user for user in range(len(demands)) if fits(user)]
    while able:
        user = min(able, key=lambda u: (tasks[u] * size(u) / weights[u], -size(u) / weights[u], u))
        tasks[user] += 1
        able = [user for user in able if fits(user)]
    assert progressive_filling(capacity, demands, weights) == tasks


@given(
    st.lists(st.tuples(SHARES, SHARES).filter(any), min_size=1, max_size=4),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
@EXAMPLES
def test_tiny_tasks_filled_one_by_one_come_to_the_fluid_division(demands, capacity):
    grains = 400
    fine = progressive_filling([c * grains for c in capacity], demands)
    for whole, poured in zip(fine, fluid(capacity, demands), strict=True):
        assert whole / grains == pytest.approx(poured, abs=12 / grains)


# --------------------------------------------------------------------------------------- quota


@given(st.integers(0, 60), st.lists(st.integers(1, 9), min_size=1, max_size=6))
@EXAMPLES
def test_what_is_left_over_is_hamiltons_apportionment_and_ties_go_in_order(total, weights):
    quotas = [Fraction(total * weight, sum(weights)) for weight in weights]
    seats = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(weights)), key=lambda i: (seats[i] - quotas[i], i))
    for lucky in by_remainder[: total - sum(seats)]:
        seats[lucky] += 1
    queues = [Queue(deserved=0, request=total, weight=weight) for weight in weights]
    assert divide(total, queues).shares == seats


QUEUES = st.builds(
    Queue,
    deserved=st.integers(0, 9),
    request=st.integers(0, 12),
    weight=st.integers(1, 4),
    priority=st.integers(0, 1),
)


@given(
    st.integers(0, 40),
    st.lists(st.builds(Department, queue=QUEUES, teams=st.lists(QUEUES, max_size=4)), max_size=3),
)
@EXAMPLES
def test_teams_together_get_what_their_department_gets_and_can_use(total, departments):
    below = divide_hierarchy(total, departments)
    usable = [min(d.queue.request, sum(team.request for team in d.teams)) for d in departments]
    tops = divide(
        total,
        [
            Queue(d.queue.deserved, most, d.queue.weight, d.queue.priority)
            for d, most in zip(departments, usable, strict=True)
        ],
    )
    for department, whole, division in zip(departments, tops.shares, below, strict=True):
        owed = [min(team.deserved, team.request) for team in department.teams]
        assert sum(division.shares) == max(whole, sum(owed))
        for share, team, least in zip(division.shares, department.teams, owed, strict=True):
            assert least <= share <= team.request


# -------------------------------------------------------------------------------------- packing


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(12, 20))
@EXAMPLES
def test_the_bounds_are_what_their_definitions_say(items, capacity):
    assert lower_bound_l1(items, capacity) == math.ceil(Fraction(sum(items), capacity))
    best = 0
    for least in range(capacity // 2 + 1):
        alone = [w for w in items if w > capacity - least]
        large = [w for w in items if capacity // 2 < w <= capacity - least]
        small = [w for w in items if least <= w <= capacity // 2]
        room = len(large) * capacity - sum(large)
        more = max(0, math.ceil(Fraction(sum(small) - room, capacity)))
        best = max(best, len(alone) + len(large) + more)
    assert lower_bound_l2(items, capacity) == best


# --------------------------------------------------------------------------------------- queues


@given(st.integers(1, 12), st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=50))
@EXAMPLES
def test_erlangs_formulas_are_the_balance_of_births_and_deaths_in_fractions(servers, rho):
    load = rho * servers
    states = list(accumulate(range(1, servers + 1), lambda p, n: p * load / n, initial=Fraction(1)))
    assert erlang_b(servers, float(load)) == pytest.approx(float(states[-1] / sum(states)))
    # with a queue, state c + k weighs rho**k times state c
    busy = states[-1] / (1 - rho)
    waits = busy / (sum(states[:-1]) + busy)
    assert erlang_c(servers, float(load)) == pytest.approx(float(waits))
    queue = waits * rho / (1 - rho)
    assert mean_queue_mmc(servers, float(load)) == pytest.approx(float(queue))


@given(
    st.fractions(Fraction(1, 20), Fraction(19, 20), max_denominator=20),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=4),
)
@EXAMPLES
def test_pollaczek_khinchine_is_the_mean_residual_service_over_what_is_idle(rho, services):
    # W = λ·E[S²]/2 / (1 - ρ), for services of a few lengths with these odds
    odds = sum(weight for _, weight in services)
    mean = Fraction(sum(s * weight for s, weight in services), odds)
    square = Fraction(sum(s * s * weight for s, weight in services), odds)
    wait = rho / mean * square / 2 / (1 - rho)
    cv = math.sqrt(square / mean**2 - 1)
    assert pollaczek_khinchine(float(rho), cv) == pytest.approx(float(wait / mean))


# ---------------------------------------------------------------------------------- checkpoints


@given(st.floats(1, 3600), st.floats(0, 600), st.floats(0, 600), st.floats(600, 10**5))
@EXAMPLES
def test_the_expected_time_is_that_of_trying_until_a_segment_passes(
    interval_s, cost_s, restart_s, mtbf_s
):
    # first-step analysis: a segment passes with odds p; before that, failures come 1/p - 1
    # times on average, each after a mean time given that it came, and then a restart passes too
    def passed_s(length_s: float, setup_s: float) -> float:
        odds = math.exp(-length_s / mtbf_s)
        if length_s == 0:
            return 0.0
        failed_s = mtbf_s - length_s * odds / -math.expm1(-length_s / mtbf_s)
        return length_s + -math.expm1(-length_s / mtbf_s) / odds * (failed_s + setup_s)

    restarting_s = passed_s(restart_s, 0.0)
    plain = passed_s(interval_s + cost_s, restarting_s)
    assert expected_time(interval_s, interval_s, cost_s, 0, mtbf_s) == pytest.approx(
        passed_s(interval_s + cost_s, 0.0), rel=1e-6
    )
    # Daly's factor counts a restart before the first attempt too; it is never less
    assert expected_time(interval_s, interval_s, cost_s, restart_s, mtbf_s) >= plain * (1 - 1e-9)


@given(st.floats(0.001, 0.4), st.floats(100, 10**6))
@EXAMPLES
def test_dalys_interval_costs_hardly_more_than_the_best(share, mtbf_s):
    cost_s = share * mtbf_s
    best = overhead(cost_s, mtbf_s, optimal_interval(cost_s, mtbf_s))
    assert best <= overhead(cost_s, mtbf_s, daly(cost_s, mtbf_s)) <= best * 1.01


# ------------------------------------------------------------------------------------ collectives


@given(st.integers(1, 40), st.floats(0, 10**10), st.floats(10**8, 10**12), st.floats(0, 10**-3))
@EXAMPLES
def test_a_ring_takes_as_long_as_its_steps_one_after_the_other(ranks, size, bandwidth, latency_s):
    # chunk[rank][part]: how many ranks' data are summed in it
    chunk = [[1] * ranks for _ in range(ranks)]
    seconds = {"scatter": 0.0, "gather": 0.0}
    for phase, step in product(seconds, range(ranks - 1)):
        lag = step if phase == "scatter" else step - 1
        sent = [(rank, (rank - lag) % ranks) for rank in range(ranks)]
        moved = [((rank + 1) % ranks, part, chunk[rank][part]) for rank, part in sent]
        for rank, part, count in moved:
            chunk[rank][part] = chunk[rank][part] + count if phase == "scatter" else count
        seconds[phase] += latency_s + size / ranks / bandwidth
    assert chunk == [[ranks] * ranks] * ranks, "not everybody has the whole sum"
    asked = (size, ranks, bandwidth, latency_s)
    assert reduce_scatter_s(*asked) == pytest.approx(seconds["scatter"])
    assert all_gather_s(*asked) == pytest.approx(seconds["gather"])
    assert ring_allreduce_s(*asked) == pytest.approx(sum(seconds.values()))


@given(st.integers(1, 16), st.integers(1, 16), st.floats(0, 10**10))
@EXAMPLES
def test_an_allreduce_along_the_rails_is_its_three_phases(gpus, nodes, size):
    inside = (SAME_NODE.bandwidth_bytes_s, SAME_NODE.latency_s)
    across = (CROSS_SPINE.bandwidth_bytes_s, CROSS_SPINE.latency_s)
    seconds = 2 * (gpus - 1) * (inside[1] + size / gpus / inside[0])
    seconds += 2 * (nodes - 1) * (across[1] + size / gpus / nodes / across[0])
    found = hierarchical_allreduce_s(size, gpus, nodes, SAME_NODE, CROSS_SPINE)
    assert found == pytest.approx(seconds)
