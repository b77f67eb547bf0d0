"""Quota: who is refused and why, who gives back, and how the rest is divided."""

import pytest

from fleetlab.policy.quota import (
    BORROWABLE,
    HARD,
    NONE,
    RECLAIMABLE,
    Department,
    Queue,
    cohort_share,
    divide,
    divide_hierarchy,
    effective_quota,
    reclaim_order,
    refusal,
)


def test_a_team_has_its_quota_or_what_its_department_has_left():
    assert effective_quota(8, 20, 4) == 8
    assert effective_quota(8, 20, 15) == 5
    assert effective_quota(8, 20, 25) == 0


def test_hard_quota_refuses_even_while_others_are_idle():
    assert refusal(HARD, 0, 2, [6, 0], [8, 8]) is None
    assert refusal(HARD, 0, 4, [6, 0], [8, 8]) == (
        "tenant 0 holds 6 of its quota of 8 and asks for 4 more: the quota is hard"
    )


def test_borrowing_is_refused_only_beyond_what_nobody_uses():
    assert refusal(BORROWABLE, 0, 4, [6, 0], [8, 8]) is None
    assert refusal(BORROWABLE, 0, 4, [8, 5], [8, 8]) == (
        "tenant 0 holds 8 of its quota of 8 and asks for 4 more: "
        "only 3 GPUs of all quotas are unused"
    )


def test_an_owner_waits_for_a_borrower_unless_quota_is_reclaimable():
    used, quota = [14, 0], [8, 8]  # tenant 0 borrows 6
    assert "only 2 GPUs of all quotas are unused" in refusal(BORROWABLE, 1, 8, used, quota)
    assert refusal(RECLAIMABLE, 1, 8, used, quota) is None
    assert reclaim_order(1, used, quota) == [0]
    assert "only 2 GPUs" in refusal(RECLAIMABLE, 0, 8, used, quota)


def test_without_quota_nobody_is_refused():
    assert refusal(NONE, 0, 100, [6, 0], [8, 8]) is None


def test_the_greatest_borrower_for_its_size_gives_back_first():
    # Borrowed: 2 of 8, 2 of 2, nothing, 1 with no quota at all.
    assert reclaim_order(2, [10, 4, 5, 1], [8, 2, 8, 0]) == [3, 1, 0]


@pytest.mark.parametrize(
    ("total", "queues", "shares", "left"),
    [
        (15, [Queue(2, 6, 2), Queue(2, 6, 2)], [6, 6], 3),
        (8, [Queue(2, 6, 1), Queue(2, 6, 3)], [3, 5], 0),
        (11, [Queue(2, 10, 1), Queue(2, 10, 4)], [3, 8], 0),
        (6, [Queue(2, 6, 100, 0), Queue(2, 6, 1, 1)], [2, 4], 0),
    ],
)
def test_what_is_left_over_is_divided_by_priority_weight_and_remainder(total, queues, shares, left):
    answer = divide(total, queues)
    assert (answer.shares, answer.left) == (shares, left)


def test_equal_remainders_go_in_the_order_given():
    assert divide(3, [Queue(0, 9), Queue(0, 9)]).shares == [2, 1]


def test_who_needs_less_than_its_part_leaves_the_rest_to_the_others():
    assert divide(12, [Queue(0, 1), Queue(0, 20), Queue(0, 20)]).shares == [1, 6, 5]


def test_deserved_is_given_even_beyond_what_there_is():
    answer = divide(3, [Queue(2, 6), Queue(2, 6)])
    assert (answer.shares, answer.left) == ([2, 2], 0)


def test_weight_0_gets_no_more_than_deserved_and_a_limit_caps():
    assert divide(10, [Queue(2, 9, 0), Queue(0, 9, 1, limit=3)]).shares == [2, 3]


def test_deserved_without_limit_takes_all_it_asks_for():
    assert divide(10, {"all": Queue(None, 7), "rest": Queue(0, 9)}).shares == {"all": 7, "rest": 3}


def test_fractions_of_a_gpu_are_divided_too():
    answer = divide(1.5, [Queue(0, 0.5), Queue(0, 4)])
    assert (answer.shares, answer.left) == ([0.5, 1], 0)


def test_a_departments_share_is_divided_among_its_teams():
    departments = {
        "vision": Department(Queue(4, 12), {"a": Queue(2, 6), "b": Queue(2, 2)}),
        "speech": Department(Queue(4, 99), {"c": Queue(4, 6)}),
    }
    answer = divide_hierarchy(12, departments)
    # Vision can use 8, speech 6; each has 4, and the 4 left are shared 2 and 2.
    assert answer["vision"].shares == {"a": 4, "b": 2}
    assert answer["speech"].shares == {"c": 6}


@pytest.mark.parametrize(
    ("cpu", "gpu", "permille", "resource"),
    [(3, 7, 200, "gpu"), (3, 3, 100, "cpu"), (1, 1, 0, None), (2, 5, 0, None), (3, 6, 100, "cpu")],
)
def test_the_share_of_a_cohort_is_the_largest_part_borrowed(cpu, gpu, permille, resource):
    share = cohort_share({"cpu": 2, "gpu": 5}, {"cpu": cpu, "gpu": gpu}, {"cpu": 10, "gpu": 10})
    assert (share.permille, share.resource) == (permille, resource)


def test_a_weight_of_two_halves_the_share_of_a_cohort():
    share = cohort_share({"gpu": 5}, {"gpu": 7}, {"gpu": 10}, weight=2)
    assert share.permille == 100


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: refusal("soft", 0, 1, [0], [1]), "quota rule is 'soft'; choose one of none, hard"),
        (lambda: refusal(HARD, 0, 1, [0], [1, 2]), "quota: 2 quotas for 1 tenants"),
        (lambda: divide(-1, []), "total is -1"),
        (lambda: divide(1, {"a": Queue(-1, 1)}), "deserved of queue a is -1"),
        (lambda: divide(1, [Queue(1, 1, weight=-2)]), "weight of queue 0 is -2"),
        (lambda: cohort_share({}, {"gpu": 1}, {"gpu": 1}, 0), "weight is 0"),
    ],
)
def test_an_impossible_quota_is_refused_with_the_reason(ask, reason):
    with pytest.raises(ValueError, match=reason):
        ask()
