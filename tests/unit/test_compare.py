"""Where two runs of the same jobs part, and what came of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fleetlab.analysis.compare import _words
from fleetlab.engine.conditions import CALM, Conditions, Outage
from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.run import Run

# One GPU; job 0 until 10; then 1 (5 ms) and 2 (3 ms) wait.
JOBS = JobTable([0, 1, 2], [10, 5, 3], [1, 1, 1])


def run(jobs: JobTable = JOBS, conditions: Conditions = CALM, gpus: int = 1, **policy: Any) -> Run:
    rng = np.random.default_rng(0)
    return Run.of(Engine(Fleet.pool(gpus), jobs, Policy(**policy), rng, conditions).run())


def test_two_equal_runs_never_part() -> None:
    difference = run().diff(run())
    assert difference.first_ms == -1
    assert (difference.mine, difference.other) == (None, None)
    assert (difference.earlier, difference.later, difference.same) == (0, 0, 3)
    assert str(difference) == "The two runs never part."


def test_it_names_the_first_decision_that_differs_and_who_starts_when() -> None:
    difference = run(backfill="none").diff(run(backfill="none", order="sjf"))
    # from 2 on the shorter job heads one of the two queues, and is told why it waits
    assert difference.first_ms == 2
    assert difference.mine is not None and difference.other is not None
    assert (difference.mine.time_ms, difference.mine.event, difference.mine.job) == (
        10, Event.END, 0,
    )  # fmt: skip
    assert (difference.other.event, difference.other.job) == (Event.REFUSE, 2)
    # fifo starts 1 at 10 and 2 at 15; shortest first starts 2 at 10 and 1 at 13
    assert difference.shifted_ms == ((2, -5), (1, 3))
    assert (difference.earlier, difference.later, difference.same) == (1, 1, 1)
    assert str(difference) == (
        "The two part at 0.002 s: here job 0 ends; there job 2 is refused (too few free). "
        "Of the jobs that ran in both, 1 start earlier here, 1 later and 1 at the same time."
    )


def test_the_other_way_round_the_same_is_seen_from_the_other_side() -> None:
    one, two = run(backfill="none"), run(backfill="none", order="sjf")
    there, back = one.diff(two), two.diff(one)
    assert (there.mine, there.other) == (back.other, back.mine)
    assert there.shifted_ms == tuple((job, -shift) for job, shift in back.shifted_ms)


def test_jobs_that_ran_in_one_run_alone_are_counted_apart() -> None:
    jobs = JobTable([0, 0], [10, 10], [1, 2])
    difference = run(jobs, gpus=1).diff(run(jobs, gpus=2))
    assert (difference.only_mine, difference.only_other) == (0, 1)
    assert difference.same == 1


@pytest.mark.parametrize(
    ("conditions", "policy", "words"),
    [
        (Conditions(outages=(Outage(0, 4, 6),)), {}, "node 1 of block 1 goes"),
        (Conditions(outages=(Outage(0, 4, 6, 3),)), {}, "node 1 of block 1 is given notice"),
        (CALM, {"starvation_ms": 5}, "job 1 is overdue"),
        (
            CALM,
            {"order": "srpt", "preemption": "order"},
            "job 0 has done 0 s of work that counts",
        ),
        (CALM, {"quota_rule": "hard", "quota": (0,)}, "job 0 is refused (over quota)"),
    ],
)
def test_what_mechanisms_do_is_told_in_words(conditions, policy, words) -> None:
    base = run(conditions=Conditions(rendezvous_ms=1))  # a run with mechanisms that do nothing
    difference = run(conditions=conditions, **policy).diff(base)
    assert difference.mine is not None
    assert difference.mine.words == words


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_words(event: Event) -> None:
    words = _words(run(), event, 0, 1, 1)
    assert words and "_" not in words and event.name not in words


def test_runs_of_different_jobs_are_refused() -> None:
    for other in (JobTable([0], [1], [1]), JobTable([0, 1, 2], [10, 5, 4], [1, 1, 1])):
        with pytest.raises(ValueError, match="diff: the two runs are not of the same jobs"):
            run().diff(run(other))
