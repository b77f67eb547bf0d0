"""The queue: in the order it is served, and by the GPUs asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleetlab.engine.waiting import Waiting


def queue(gpus: list[int], keys: list[tuple[int, ...]] | None = None) -> Waiting:
    waiting = Waiting(keys or [(job,) for job in range(len(gpus))], gpus)
    for job in range(len(gpus)):
        waiting.add(job)
    return waiting


def test_jobs_wait_in_the_order_of_their_keys_whenever_they_come() -> None:
    waiting = Waiting([(3,), (1,), (2,)], [1, 1, 1])
    for job in (0, 2, 1):
        waiting.add(job)
    assert list(waiting) == [1, 2, 0]
    assert waiting.head() == 1
    assert len(waiting) == 3


def test_behind_the_head_are_only_jobs_that_ask_for_no_more_than_is_free() -> None:
    waiting = queue([8, 2, 4, 1, 2])
    assert waiting.behind_the_head(2) == [1, 3, 4]
    assert waiting.behind_the_head(0) == []
    assert waiting.smallest() == 1


def test_the_head_is_never_behind_itself() -> None:
    assert queue([1, 1]).behind_the_head(9) == [1]


def test_the_smallest_size_is_forgotten_when_its_last_job_leaves() -> None:
    waiting = queue([4, 1, 2, 1])
    waiting.remove(1)
    assert waiting.smallest() == 1
    waiting.remove(3)
    assert waiting.smallest() == 2


def test_a_new_order_holds_for_those_who_wait_and_for_later_searches() -> None:
    waiting = queue([2, 1, 2, 1])
    waiting.reorder({0: 9, 1: 5, 2: 1, 3: 3})
    assert list(waiting) == [2, 3, 1, 0]
    assert waiting.behind_the_head(1) == [3, 1]
    waiting.remove(2)
    assert waiting.head() == 3


def test_who_was_put_first_and_started_waits_again_in_its_own_place() -> None:
    waiting = queue([1, 1, 1])
    waiting.put_first(2, 7)
    assert list(waiting) == [2, 0, 1]
    waiting.remove(2)
    waiting.stand(2, 0)
    waiting.add(2)
    assert list(waiting) == [0, 1, 2]


def test_of_those_put_first_the_lower_place_leads_and_no_standing_comes_before_them() -> None:
    waiting = queue([1, 1, 1, 1])
    waiting.put_first(3, 9)
    waiting.put_first(1, 4)
    waiting.reorder({0: -(10**30), 2: -(10**31)})
    assert list(waiting) == [1, 3, 2, 0]
    assert waiting.in_order([0, 3, 2]) == [3, 2, 0]


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=12),
    st.lists(st.integers(0, 11), max_size=40),
    st.integers(0, 6),
)
def test_the_queue_is_what_a_sorted_list_would_be(gpus, moves, room) -> None:
    waiting = Waiting([(gpus[job] % 3, job) for job in range(len(gpus))], gpus)
    plain: list[int] = []
    for job in moves:
        if job >= len(gpus):
            continue
        if job in plain:
            plain.remove(job)
            waiting.remove(job)
        else:
            plain = sorted([*plain, job], key=lambda j: (gpus[j] % 3, j))
            waiting.add(job)
        assert list(waiting) == plain
        if plain:
            assert waiting.head() == plain[0]
            assert waiting.smallest() == min(gpus[j] for j in plain)
            assert waiting.behind_the_head(room) == [j for j in plain[1:] if gpus[j] <= room]
