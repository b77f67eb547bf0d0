"""Published answers that the closed forms reproduce."""

import pytest

from fleetlab.theory.binpacking import first_fit_decreasing, optimum
from fleetlab.theory.checkpoint import daly, optimal_interval, overhead, young
from fleetlab.theory.drf import asset_fairness, ceei, filling_steps, fluid, progressive_filling
from fleetlab.theory.queueing import erlang_c, mean_wait_mmc, pollaczek_khinchine

CAPACITY = (9, 18)
DEMANDS = {"A": (1, 4), "B": (3, 1)}


@pytest.mark.parametrize(
    ("servers", "load", "waits", "wait"),
    [(2, 1.6, 0.711111, 1.777778), (4, 3.2, 0.596432, 0.745541), (16, 14.4, 0.591343, 0.369590)],
)
def test_erlang_c_and_its_mean_wait_match_the_tables(servers, load, waits, wait):
    assert erlang_c(servers, load) == pytest.approx(waits, abs=5e-7)
    assert mean_wait_mmc(servers, load) == pytest.approx(wait, abs=5e-7)


@pytest.mark.parametrize(("cv", "wait"), [(0, 2), (1, 4), (3, 20), (5, 52)])
def test_pollaczek_khinchine_at_80_percent_matches(cv, wait):
    assert pollaczek_khinchine(0.8, cv) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("cost", "mtbf", "youngs", "dalys", "exact", "lost"),
    [
        (60, 86_400, 3219.94, 3180.06, 3180.1, 0.03821),
        (300, 86_400, 7200.00, 7001.39, 7001.4, 0.08818),
    ],
)
def test_the_checkpoint_intervals_match(cost, mtbf, youngs, dalys, exact, lost):
    assert young(cost, mtbf) == pytest.approx(youngs, abs=0.005)
    assert daly(cost, mtbf) == pytest.approx(dalys, abs=0.005)
    assert optimal_interval(cost, mtbf) == pytest.approx(exact, abs=0.05)
    assert overhead(cost, mtbf) == pytest.approx(lost, abs=5e-6)


def test_drf_grants_in_the_order_of_the_papers_table():
    steps = filling_steps(CAPACITY, DEMANDS)
    assert [s.user for s in steps] == ["B", "A", "A", "B", "A"]
    assert progressive_filling(CAPACITY, DEMANDS) == {"A": 3, "B": 2}
    assert [float(s) for s in steps[-1].dominant_shares] == pytest.approx([2 / 3, 2 / 3])


def test_weighted_drf_asset_fairness_and_ceei_match_the_paper():
    assert fluid(CAPACITY, DEMANDS, {"A": 2, "B": 1}) == pytest.approx(
        {"A": 4.1538, "B": 1.3846}, abs=5e-5
    )
    assert asset_fairness(CAPACITY, DEMANDS) == pytest.approx({"A": 2.52, "B": 2.16})
    assert ceei(CAPACITY, DEMANDS) == pytest.approx({"A": 45 / 11, "B": 18 / 11}, rel=1e-14)
    assert asset_fairness((30, 30), [(1, 3), (1, 1)]) == [6.0, 12.0]


def test_ffd_needs_11_bins_where_9_will_do():
    items = [510] * 6 + [270] * 6 + [260] * 6 + [230] * 12
    assert len(first_fit_decreasing(items, 1000)) == 11
    assert len(optimum(items, 1000)) == 9
