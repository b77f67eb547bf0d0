"""What DRF promises, on random fleets and users."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from fleetlab.theory.drf import ceei, filling_steps, fluid, market, max_min, progressive_filling
from fleetlab.theory.sharing import (
    envious_pairs,
    tasks_when_claiming,
    users_with_room,
    worse_than_equal_split,
)


@st.composite
def markets(draw, least_demand=0):
    resources = draw(st.integers(1, 3))
    row = st.lists(st.integers(least_demand, 6), min_size=resources, max_size=resources).filter(any)
    capacity = draw(st.lists(st.integers(5, 60), min_size=resources, max_size=resources))
    return capacity, draw(st.lists(row, min_size=1, max_size=5))


def used(demands, tasks, resource):
    pairs = zip(tasks, demands, strict=True)
    return sum(Fraction(t) * row[resource] for t, row in pairs)


@given(markets(), st.data())
def test_fluid_drf_keeps_the_sharing_incentive_is_free_of_envy_and_wastes_nothing(case, data):
    capacity, demands = case
    weights = data.draw(st.lists(st.integers(1, 4), min_size=len(demands), max_size=len(demands)))
    tasks = fluid(capacity, demands, weights)
    assert worse_than_equal_split(capacity, demands, tasks, weights) == []
    assert envious_pairs(capacity, demands, tasks, weights) == []
    assert users_with_room(capacity, demands, tasks) == []
    for resource, have in enumerate(capacity):
        assert used(demands, tasks, resource) <= have * (1 + Fraction(1, 10**12))


@given(markets(least_demand=1), st.data())
def test_nobody_gains_under_fluid_drf_by_lying(case, data):
    capacity, demands = case
    user = data.draw(st.integers(0, len(demands) - 1))
    claim = data.draw(st.lists(st.integers(1, 9), min_size=len(capacity), max_size=len(capacity)))
    honest = fluid(capacity, demands)[user]
    lying = tasks_when_claiming(fluid, capacity, demands, user, claim)
    assert lying <= Fraction(honest) * (1 + Fraction(1, 10**9))


@given(markets())
def test_whole_tasks_fit_and_leave_no_room_for_one_more(case):
    capacity, demands = case
    tasks = progressive_filling(capacity, demands)
    left = [have - used(demands, tasks, r) for r, have in enumerate(capacity)]
    assert min(left) >= 0
    for row in demands:
        assert any(need > room for need, room in zip(row, left, strict=True))


@given(markets())
def test_every_grant_goes_to_a_user_no_better_off_than_any_who_is_granted_later(case):
    capacity, demands = case
    shares = [Fraction(0)] * len(demands)
    steps = filling_steps(capacity, demands)
    for number, step in enumerate(steps):
        later = {s.user for s in steps[number:]}
        assert shares[step.user] == min(shares[u] for u in later)
        shares = list(step.dominant_shares)


@given(markets(), st.randoms(use_true_random=False))
def test_names_and_their_order_change_nothing_but_between_equals(case, random):
    capacity, demands = case
    distinct = [list(row) for row in dict.fromkeys(map(tuple, demands))]
    named = {f"user{n}": row for n, row in enumerate(distinct)}
    shuffled = list(named.items())
    random.shuffle(shuffled)
    pace = [market(capacity, distinct).dominant(u) for u in range(len(distinct))]
    # Tasks of equal dominant share are the one tie that the order given settles.
    if len(set(pace)) == len(pace):
        assert progressive_filling(capacity, dict(shuffled)) == progressive_filling(capacity, named)
    assert fluid(capacity, dict(shuffled)) == fluid(capacity, named)


@given(markets())
def test_the_prices_of_ceei_clear_so_no_other_division_has_a_greater_product(case):
    capacity, demands = case
    tasks = ceei(capacity, demands)
    for resource, have in enumerate(capacity):
        assert used(demands, tasks, resource) <= have * (1 + Fraction(1, 10**12))
    assert users_with_room(capacity, demands, tasks) == []
    assert envious_pairs(capacity, demands, tasks) == []
    # Concavity: at the best point no feasible division gains in Σ ln, whose slope is 1/tasks.
    rival = fluid(capacity, demands)
    gain = sum(r / t for r, t in zip(rival, tasks, strict=True))
    assert gain <= len(tasks) * (1 + 1e-9)


@given(st.integers(0, 50), st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_max_min_lets_nobody_gain_but_from_one_who_has_no_more(capacity, requests):
    parts = max_min(capacity, requests)
    assert all(p <= r for p, r in zip(parts, requests, strict=True))
    assert abs(sum(parts) - min(capacity, sum(requests))) < 1e-9
    for part, request in zip(parts, requests, strict=True):
        if part < request - 1e-9:
            assert part >= max(parts) - 1e-9
