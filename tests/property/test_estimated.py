"""Backfill starts every job when a plain scheduler does, however wrong the estimates are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from tests.oracle import estimated
from tests.replay import check

EXAMPLES = settings(max_examples=100)
Rows = list[tuple[int, int, int, int]]


@st.composite
def crowds(draw: st.DrawFn, processors: int, upper_bounds: bool) -> Rows:
    """Return up to sixteen (submit, estimate, processors, actual) that come close together.

    Drawn evenly from a seed: estimates are up to three times and, without ``upper_bounds``,
    down to a third of what a job takes.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 16))
    actual = 1 + rng.integers(20, size=count)
    wrong = np.exp(rng.uniform(0 if upper_bounds else -1.1, 1.1, size=count))
    estimate = np.maximum(1, np.rint(actual * np.where(rng.random(count) < 0.3, 1, wrong)))
    submit = np.sort(rng.integers(draw(st.sampled_from([1, 10, 40])), size=count))
    wanted = 1 + rng.integers(processors, size=count)
    columns = (submit, estimate.astype(np.int64), wanted, actual)
    return [tuple(row) for row in np.array(columns).T.tolist()]


def starts(rows: Rows, processors: int, backfill: str, kill: bool) -> list[int]:
    submit, estimate, gpus, actual = (list(column) for column in zip(*rows, strict=True))
    jobs = JobTable(submit, actual, gpus, estimate_ms=estimate)
    policy = Policy(backfill=backfill, kill_at_estimate=kill)
    fleet = Fleet.pool(processors)
    engine = Engine(fleet, jobs, policy, np.random.default_rng(0)).run()
    check(fleet, jobs, engine)
    return engine.start_ms


@given(st.data(), st.integers(1, 8), st.booleans())
@EXAMPLES
def test_easy_starts_every_job_when_the_plain_scheduler_does(data, processors, kill):
    rows = data.draw(crowds(processors, upper_bounds=False))
    assert starts(rows, processors, "easy", kill) == estimated.easy(rows, processors, kill)


@given(st.data(), st.integers(1, 8), st.booleans())
@EXAMPLES
def test_conservative_starts_every_job_when_the_plain_scheduler_does(data, processors, kill):
    rows = data.draw(crowds(processors, upper_bounds=not kill))
    found = starts(rows, processors, "conservative", kill)
    assert found == estimated.conservative(rows, processors, kill)


@pytest.mark.parametrize(
    ("schedule", "finish"),
    [(estimated.easy, [600, 10, 610, 20]), (estimated.conservative, [600, 10, 610, 20])],
)
def test_the_plain_schedulers_meet_a_published_schedule(schedule, finish):
    rows = [(0, 600, 90, 600), (0, 10, 10, 10), (1, 10, 100, 10), (10, 10, 10, 10)]
    found = schedule(rows, 100, False)
    assert [start + row[3] for start, row in zip(found, rows, strict=True)] == finish


def test_the_plain_scheduler_compresses_as_the_published_one_does():
    rows = [(0, 800, 50, 600), (1, 400, 100, 200), (2, 200, 10, 100), (99, 10, 10, 10),
            (100, 31, 40, 30)]  # fmt: skip
    found = estimated.conservative(rows, 100, False)
    assert [start + row[3] for start, row in zip(found, rows, strict=True)] == [
        600, 800, 102, 109, 132]  # fmt: skip
