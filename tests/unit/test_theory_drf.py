"""DRF and its rivals: small cases by hand, shapes, ties and refusals."""

from fractions import Fraction

import pytest

from fleetlab.theory.drf import (
    asset_fairness,
    ceei,
    filling_steps,
    fluid,
    max_min,
    progressive_filling,
    single_resource,
)
from fleetlab.theory.sharing import (
    envious_pairs,
    tasks_when_claiming,
    users_with_room,
    worse_than_equal_split,
)

CAPACITY = (9, 18)
DEMANDS = {"A": (1, 4), "B": (3, 1)}


def test_the_answer_has_the_shape_of_the_demands():
    assert progressive_filling(CAPACITY, DEMANDS) == {"A": 3, "B": 2}
    assert progressive_filling(CAPACITY, [(1, 4), (3, 1)]) == [3, 2]
    named = {"cpu": 9, "memory": 18}
    assert progressive_filling(named, {"A": {"cpu": 1, "memory": 4}, "B": (3, 1)}) == {
        "A": 3,
        "B": 2,
    }
    assert progressive_filling(CAPACITY, {}) == {}
    assert fluid(CAPACITY, []) == []


def test_the_order_of_users_does_not_change_who_gets_what():
    turned = {"B": (3, 1), "A": (1, 4)}
    assert [s.user for s in filling_steps(CAPACITY, turned)] == [
        s.user for s in filling_steps(CAPACITY, DEMANDS)
    ]


def test_users_who_ask_for_the_same_are_served_in_the_order_given():
    steps = filling_steps([3], {"late": [1], "early": [1]})
    assert [s.user for s in steps] == ["late", "early", "late"]


def test_a_step_tells_what_is_used_and_everyones_dominant_share():
    first, *_, last = filling_steps(CAPACITY, DEMANDS)
    assert (first.tasks, first.used) == ((0, 1), (3, 1))
    assert first.dominant_shares == (0, Fraction(1, 3))
    assert (last.tasks, last.used) == ((3, 2), (9, 14))
    assert last.dominant_shares == (Fraction(2, 3), Fraction(2, 3))


def test_tenths_tie_exactly_although_binary_floats_cannot_hold_them():
    # Three times 0.1 is more than 0.3 in floats; here it fills it.
    assert progressive_filling([0.3], [[0.1]]) == [3]


def test_who_does_not_fit_leaves_and_the_others_go_on():
    # A's second task needs 6 of the 4 CPUs left; B can still use them.
    assert progressive_filling([10, 100], {"A": (6, 0), "B": (1, 0)}) == {"A": 1, "B": 4}


def test_weights_tilt_whole_tasks_too():
    assert progressive_filling([9], [[1], [1]], [2, 1]) == [6, 3]


def test_a_user_of_another_resource_goes_on_when_one_is_full():
    # A and B share the CPU half and half; C alone takes all the memory.
    assert fluid([10, 8], [(1, 0), (1, 0), (0, 1)]) == [5.0, 5.0, 8.0]


def test_who_needs_what_does_not_exist_gets_nothing_and_hinders_nobody():
    demands = {"A": (1, 1), "B": (1, 0)}
    for rule in (progressive_filling, fluid, asset_fairness, ceei):
        assert rule((6, 0), demands) == {"A": 0, "B": pytest.approx(6)}


def test_max_min_gives_small_requests_whole_and_shares_the_rest():
    assert max_min(10, [2, 4, 9]) == [2.0, 4.0, 4.0]
    assert max_min(12, {"a": 100, "b": 100, "idle": 0}, {"a": 2, "b": 1, "idle": 1}) == {
        "a": 8.0,
        "b": 4.0,
        "idle": 0.0,
    }
    assert max_min(10, [1, 2]) == [1.0, 2.0]


def test_counting_one_resource_starves_those_who_use_another():
    # Both get 3 tasks of 1 CPU, and memory is full; half of ⟨30, 30⟩ would run 15 of A's.
    capacity, demands = (30, 30), {"A": (1, 1), "B": (1, 9)}
    tasks = single_resource(capacity, demands, 0)
    assert tasks == {"A": 3.0, "B": 3.0}
    assert worse_than_equal_split(capacity, demands, tasks) == ["A"]
    assert worse_than_equal_split(capacity, demands, fluid(capacity, demands)) == []


def test_asset_fairness_leaves_a_user_worse_off_than_an_equal_split():
    capacity, demands = (30, 30), {"A": (1, 3), "B": (1, 1)}
    assert asset_fairness(capacity, demands) == {"A": 6.0, "B": 12.0}
    # Half of ⟨30, 30⟩ would run 5 of A's tasks and 15 of B's.
    assert worse_than_equal_split(capacity, demands, {"A": 6, "B": 12}) == ["B"]


def test_ceei_rewards_a_lie_that_drf_does_not():
    # B claims to use more memory than it does and crowds A out.
    lie = (3, 2)
    for rule, pays in ((ceei, True), (fluid, False)):
        honest = rule(CAPACITY, DEMANDS)["B"]
        lying = tasks_when_claiming(rule, CAPACITY, DEMANDS, "B", lie)
        assert (lying > Fraction(honest) + Fraction(1, 1000)) is pays


def test_ceei_finds_a_division_where_a_full_resource_is_free():
    # ⟨1, 1⟩ twice: the second resource fills exactly when the first does.
    assert ceei((1, 0.5), [(1, 0.5), (1, 0.5)]) == pytest.approx([0.5, 0.5], rel=1e-14)
    assert ceei((1, 1), [(1, 1), (1, 0)], [3, 1]) == pytest.approx([0.75, 0.25], rel=1e-14)


def test_envy_is_told_by_pairs():
    assert envious_pairs([10], {"A": [1], "B": [1]}, {"A": 2, "B": 8}) == [("A", "B")]
    assert users_with_room([10], {"A": [1]}, {"A": 9}) == ["A"]


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: fluid((9, 18), {"A": (0, 0)}), "user A asks for nothing"),
        (lambda: fluid((9, 18), [(1,)]), "user 0 gives 1 resources, capacity has 2"),
        (lambda: fluid((9, -1), [(1, 1)]), "capacity of resource 1 is -1"),
        (lambda: fluid((9, 1), [(1, float("nan"))]), "demand of user 0 for resource 1 is nan"),
        (lambda: fluid((float("inf"),), [(1,)]), "capacity of resource 0 is inf"),
        (lambda: fluid((9,), [("x",)]), "demand of user 0 for resource 0 is x"),
        (lambda: fluid({"gpu": 9}, {"A": {"tpu": 1}}), "user A asks for tpu, which has no cap"),
        (lambda: ceei((9,), {"A": (1,)}, {"A": 0}), "weight of user A is 0"),
        (lambda: ceei((9,), [(1,)], [1, 2]), "weights: 2 given for 1 users"),
        (lambda: ceei((9,), {"A": (1,)}, {"B": 1}), "there is no user B"),
        (lambda: progressive_filling([1e9], [[1]]), "more than 100,000 tasks fit"),
        (lambda: single_resource((9, 9), {"A": (1, 0)}, 1), "user A asks for none of 1"),
        (lambda: single_resource((9, 9), {"A": (1, 0)}, 2), "resource 2 has no capacity given"),
        (lambda: max_min(-1, [1]), "capacity of resource 0 is -1"),
    ],
)
def test_an_impossible_market_is_refused_with_the_reason(ask, reason):
    with pytest.raises(ValueError, match=reason):
        ask()
