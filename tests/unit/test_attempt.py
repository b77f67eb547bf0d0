"""One attempt: checkpoints, speeds, and what is left of it at any time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetlab.attempt import UNIT, Attempt, Checkpoint, wall_ms


def attempt(interval: int, cost: int, work: int, **more: int) -> Attempt:
    return Attempt(Checkpoint(interval, cost, 0), 0, work, **more)


def test_every_interval_costs_a_checkpoint_and_the_end_is_saved_too() -> None:
    assert attempt(10, 2, 30).due_ms() == 36
    assert attempt(10, 2, 31).due_ms() == 39
    assert attempt(10, 2, 9).due_ms() == 11


def test_without_an_interval_nothing_is_saved_and_nothing_costs() -> None:
    plain = attempt(0, 5, 30)
    assert plain.due_ms() == 30
    plain.advance(29)
    assert (plain.left_ms, plain.unsaved_ms) == (1, 29)


def test_no_work_is_done_at_once() -> None:
    assert attempt(10, 2, 0).due_ms() == 0
    assert attempt(10, 2, 0, setup_ms=7).due_ms() == 7


def test_a_restart_comes_before_work() -> None:
    late = attempt(10, 2, 20, setup_ms=5)
    assert late.due_ms() == 5 + 24
    late.advance(4)
    assert (late.setup_ms, late.left_ms) == (1, 20)
    late.advance(8)
    assert (late.setup_ms, late.left_ms, late.unsaved_ms) == (0, 17, 3)


@pytest.mark.parametrize(
    ("now", "left", "unsaved", "writing"),
    [
        (9, 21, 9, False),
        (10, 20, 10, True),  # work stops; nothing is safe before the checkpoint is written
        (11, 20, 10, True),
        (12, 20, 0, False),
        (13, 19, 1, False),
        (24, 10, 0, False),
        (36, 0, 0, False),
    ],
)
def test_work_is_safe_when_its_checkpoint_is_written(now, left, unsaved, writing) -> None:
    saving = attempt(10, 2, 30)
    saving.advance(now)
    assert (saving.left_ms, saving.unsaved_ms, saving.writing) == (left, unsaved, writing)


def test_a_slow_attempt_takes_longer_in_proportion_and_checkpoints_do_not() -> None:
    slow = attempt(10, 2, 20, slow_ppm=3 * UNIT // 2)
    assert slow.due_ms() == 15 + 2 + 15 + 2
    slow.advance(15 + 2 + 3)
    assert (slow.left_ms, slow.unsaved_ms) == (8, 2)


def test_a_panic_saves_what_is_there_once() -> None:
    saving = attempt(100, 3, 200)
    saving.save_now()  # there is nothing to save yet
    assert not saving.writing
    saving.advance(40)
    saving.save_now()
    assert (saving.setup_ms, saving.writing) == (3, True)
    saving.advance(42)
    saving.save_now()  # the one under way goes on
    assert saving.setup_ms == 1
    saving.advance(43)
    assert saving.unsaved_ms == 0
    # 160 are left: 100 and a checkpoint, 60 and another
    assert saving.due_ms() == 43 + 103 + 63


@given(
    st.integers(0, 20),
    st.integers(0, 5),
    st.integers(0, 100),
    st.integers(0, 10),
    st.integers(UNIT // 2, 3 * UNIT),
    st.lists(st.integers(0, 30), max_size=6),
)
def test_looking_at_an_attempt_puts_its_end_off_by_rounding_alone(
    interval, cost, work, setup, slow, looks
) -> None:
    watched = attempt(interval, cost, work, setup_ms=setup, slow_ppm=slow)
    due = watched.due_ms()
    now = 0
    for pause in looks:
        now += pause
        if now > due:
            break
        watched.advance(now)
        # a look rounds down the work of the millisecond it cuts: a ms of work a look at most
        assert due <= watched.due_ms() <= due + (len(looks) + 1) * (wall_ms(1, slow) + 1)
    end = watched.due_ms()
    at_end = replace(watched)
    at_end.advance(end)
    assert (at_end.left_ms, at_end.setup_ms, at_end.writing) == (0, 0, False)
    assert at_end.unsaved_ms == (0 if interval else work)


@given(st.integers(0, 20), st.integers(0, 5), st.integers(0, 100), st.integers(0, 150))
def test_a_jump_comes_to_the_same_as_single_steps_at_the_given_speed(
    interval, cost, work, until
) -> None:
    jumped, stepped = attempt(interval, cost, work), attempt(interval, cost, work)
    jumped.advance(until)
    for now in range(1, until + 1):
        stepped.advance(now)
    assert jumped == replace(stepped, since_ms=until)


@pytest.mark.parametrize("name", ["interval_ms", "cost_ms", "restart_ms"])
def test_a_negative_time_is_refused_by_name(name) -> None:
    with pytest.raises(ValueError, match=f"checkpoint: {name} is -1; give 0 or more"):
        Checkpoint(**{name: -1})
