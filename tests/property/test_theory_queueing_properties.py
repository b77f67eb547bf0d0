"""How waits and checkpointed runs must move when one number moves."""

from hypothesis import given
from hypothesis import strategies as st

from fleetlab.theory.checkpoint import expected_time, optimal_interval, overhead, young
from fleetlab.theory.queueing import erlang_b, erlang_c, mean_wait_mmc

SERVERS = st.integers(1, 600)
RHO = st.floats(0.01, 0.98)


@given(SERVERS, RHO, RHO)
def test_more_load_never_waits_less(servers, one, other):
    low, high = sorted((one * servers, other * servers))
    assert erlang_c(servers, low) <= erlang_c(servers, high) * (1 + 1e-9)
    assert mean_wait_mmc(servers, low) <= mean_wait_mmc(servers, high) * (1 + 1e-9)


@given(SERVERS, RHO)
def test_a_larger_fleet_at_the_same_utilisation_waits_no_longer(servers, rho):
    small, large = (
        mean_wait_mmc(servers, rho * servers),
        mean_wait_mmc(servers + 1, rho * (servers + 1)),
    )
    assert large <= small * (1 + 1e-9)


@given(SERVERS, RHO)
def test_waiting_is_a_probability_and_at_least_that_of_loss(servers, rho):
    load = rho * servers
    assert 0 <= erlang_b(servers, load) <= erlang_c(servers, load) <= 1


@given(st.floats(1, 1e4), st.floats(1e3, 1e7), st.floats(0.2, 5))
def test_no_interval_beats_the_optimum(cost_s, mtbf_s, times):
    best = optimal_interval(cost_s, mtbf_s)
    assert overhead(cost_s, mtbf_s) <= overhead(cost_s, mtbf_s, best * times) * (1 + 1e-9)
    assert best <= young(cost_s, mtbf_s)


@given(st.floats(60, 1e5), st.floats(0, 600), st.floats(0, 3600), st.floats(3600, 1e7))
def test_failures_only_ever_add_time(interval_s, cost_s, restart_s, mtbf_s):
    without = 1e6 * (interval_s + cost_s) / interval_s
    assert expected_time(1e6, interval_s, cost_s, restart_s, mtbf_s) >= without * (1 - 1e-12)
