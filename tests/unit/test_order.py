"""Which job is served next."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.policy.order import ORDERS, by_priority

#               job 0   1   2   3
JOBS = JobTable(
    submit_ms=[0, 1, 2, 2],
    duration_ms=[9, 5, 5, 7],
    gpus=[2, 4, 1, 1],
    priority=[0, 2, 1, 2],
)


@pytest.mark.parametrize(
    ("order", "served"),
    [
        ("fifo", [0, 1, 2, 3]),
        ("sjf", [1, 2, 3, 0]),  # 5, 5, 7, 9; of equal ones the earlier
        ("smallest", [2, 3, 0, 1]),
        ("priority", [1, 3, 2, 0]),
    ],
)
def test_an_order_serves_first_what_its_name_says(order: str, served: list[int]) -> None:
    keys = ORDERS[order].keys(JOBS)
    assert sorted(range(len(JOBS)), key=keys.__getitem__) == served


@pytest.mark.parametrize("order", list(ORDERS))
def test_no_two_jobs_tie_and_equal_jobs_keep_their_running_order(order: str) -> None:
    keys = ORDERS[order].keys(JobTable([3] * 6, [5] * 6, [1] * 6))
    assert len(set(keys)) == 6
    assert keys == sorted(keys)


@pytest.mark.parametrize("order", list(ORDERS))
def test_an_order_says_in_words_what_it_does(order: str) -> None:
    assert ORDERS[order].words.endswith((" first", " served"))


def test_a_level_of_priority_is_worth_so_much_waiting() -> None:
    # the low job came at 0, the high one at 9 or 11; ten ms of waiting are worth one level
    for submit, first in ((9, 1), (11, 0)):
        jobs = JobTable([0, submit], [5, 5], [1, 1], priority=[0, 1])
        keys = by_priority(jobs, ageing_ms=10)
        assert min((0, 1), key=keys.__getitem__) == first


def test_ageing_that_makes_two_jobs_equal_serves_the_earlier() -> None:
    keys = by_priority(JobTable([10, 0], [5, 5], [1, 1], priority=[1, 0]), ageing_ms=10)
    assert min((0, 1), key=keys.__getitem__) == 1


def test_without_ageing_a_low_job_waits_behind_every_high_one() -> None:
    keys = by_priority(JobTable([0, 10**12], [5, 5], [1, 1], priority=[0, 1]))
    assert min((0, 1), key=keys.__getitem__) == 1


@pytest.mark.parametrize(
    ("order", "starts"),
    [
        # one GPU; job 0 holds it till 10; then 1 (5 ms, low), 2 (3 ms), 3 (5 ms, high) wait
        ("fifo", [0, 10, 15, 18]),
        ("sjf", [0, 13, 10, 18]),
        ("priority", [0, 15, 20, 10]),
    ],
)
def test_the_engine_serves_in_the_order_it_was_given(order: str, starts: list[int]) -> None:
    jobs = JobTable([0, 1, 2, 3], [10, 5, 3, 5], [1] * 4, priority=[0, 0, 0, 1])
    engine = Engine(Fleet.pool(1), jobs, Policy(order=order), np.random.default_rng(0)).run()
    assert engine.start_ms == starts
