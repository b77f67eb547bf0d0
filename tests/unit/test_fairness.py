"""Fair share, dominant share and least attained service, case by case."""

from fractions import Fraction

import pytest

from fleetlab.policy.fairness import (
    WEEK_MS,
    attained_service_gpu_ms,
    decayed_usage,
    dominant_share,
    drf_order,
    fair_share_priority,
    least_attained_key,
    service_queue,
)


def test_usage_counts_half_after_a_week_and_a_quarter_after_two():
    assert decayed_usage(80, WEEK_MS) == 40
    assert decayed_usage(80, 2 * WEEK_MS) == 20
    assert decayed_usage(80, 0) == 80


def test_usage_decays_alike_in_one_span_and_in_two_and_as_a_power_of_a_half():
    for elapsed in (1, WEEK_MS // 3, WEEK_MS // 2, WEEK_MS + 12345, 30 * WEEK_MS):
        share = 0.5 ** (elapsed / WEEK_MS)
        assert decayed_usage(1.0, elapsed) == pytest.approx(share, rel=1e-13)
        rest = decayed_usage(decayed_usage(1.0, elapsed), WEEK_MS // 5)
        assert rest == pytest.approx(decayed_usage(1.0, elapsed + WEEK_MS // 5), rel=1e-13)


def test_who_had_less_than_its_target_comes_first():
    under, over = fair_share_priority(10, 0.5, 0.24), fair_share_priority(10, 0.5, 0.99)
    assert under == pytest.approx(10 * 0.5 / 0.25)
    assert over == pytest.approx(5)
    assert fair_share_priority(10, 0.5, 0) == pytest.approx(500)


def test_the_dominant_share_is_the_largest_and_exact():
    assert dominant_share((9, 18), (3, 12)) == Fraction(2, 3)
    assert dominant_share((0, 10), (0, 1)) == Fraction(1, 10)
    assert dominant_share((10,), (0,)) == 0


def test_the_smallest_dominant_share_is_offered_first():
    held = {"a": (5, 5), "b": (6, 6), "c": (1, 1), "d": (3, 1)}
    assert drf_order((100, 100), held) == ["c", "d", "a", "b"]
    assert drf_order((100, 100), list(held.values())) == [2, 3, 0, 1]


def test_equal_shares_go_by_name_in_whatever_order_they_are_given():
    assert drf_order((10,), {"b": (1,), "a": (1,)}) == ["a", "b"]
    assert drf_order((0.3,), [(0.1,), (0.1,)]) == [0, 1]


def test_a_heavier_tenant_is_offered_first_at_equal_use():
    assert drf_order((100,), {"a": (5,), "b": (6,)}, {"b": 2}) == ["b", "a"]
    assert drf_order((100,), [(5,), (6,)], [1, 2]) == [1, 0]


def test_service_is_gpus_times_time_and_falls_into_queues_at_the_thresholds():
    assert attained_service_gpu_ms(8, 1000) == 8000
    assert [service_queue(s, [100, 200]) for s in (0, 99, 100, 199, 200)] == [0, 0, 1, 1, 2]


def test_little_served_jobs_run_first_and_equals_by_submission():
    jobs = {"long": (500, 0, 0), "late": (20, 9, 1), "early": (80, 5, 2)}
    order = sorted(
        jobs, key=lambda j: least_attained_key(jobs[j][0], [100], jobs[j][1], jobs[j][2])
    )
    assert order == ["early", "late", "long"]


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: decayed_usage(1, -1), "elapsed_ms is -1"),
        (lambda: decayed_usage(1, 1, 0), "half_life_ms is 0"),
        (lambda: fair_share_priority(1, -1, 0), "shares are -1"),
        (lambda: fair_share_priority(1, 1, 0, 0), "epsilon is 0"),
        (lambda: dominant_share((1, 2), (1,)), "allocation has 1 resources, total has 2"),
        (lambda: drf_order((1,), {"a": (1,)}, {"a": 0}), "weight of tenant a is 0"),
        (lambda: drf_order((1,), {"a": (1,)}, [1]), "give weights by name too"),
        (lambda: drf_order((1,), [(1,)], [1, 2]), "weights: 2 given for 1 tenants"),
        (lambda: service_queue(1, [2, 2]), "give rising numbers"),
    ],
)
def test_an_impossible_figure_is_refused_with_the_reason(ask, reason):
    with pytest.raises(ValueError, match=reason):
        ask()
