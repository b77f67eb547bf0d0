"""The engine preempts as a scheduler does that looks again every millisecond."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from tests.attempts import play
from tests.oracle import stepped

Rows = list[tuple[int, int, int, int]]


@st.composite
def crowds(draw: st.DrawFn, gpus: int) -> Rows:
    """Return up to fourteen (submit, duration, GPUs, priority) that come close together."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 14))
    columns = (
        rng.integers(25, size=count),
        rng.integers(20, size=count),
        1 + rng.integers(gpus, size=count),
        rng.integers(3, size=count),
    )
    return [tuple(row) for row in np.array(columns).T.tolist()]


def engine_times(
    rows: Rows, gpus: int, interval: int, restart: int, **policy: Any
) -> tuple[list[int], list[int]]:
    submit, duration, size, priority = (list(column) for column in zip(*rows, strict=True))
    jobs = JobTable(submit, duration, size, priority=priority)
    conditions = Conditions(checkpoint=Checkpoint(interval, 0, restart))
    engine = play(Fleet.pool(gpus), jobs, conditions, backfill="none", **policy)
    return engine.start_ms, engine.end_ms


@pytest.mark.parametrize(
    ("standing", "policy"),
    [
        (stepped.by_priority, {"order": "priority", "preemption": "priority"}),
        (stepped.by_remaining, {"order": "srpt", "preemption": "order"}),
        (
            stepped.by_service([8, 30]),
            {"order": "las", "preemption": "order", "service_thresholds_gpu_ms": (8, 30)},
        ),
    ],
    ids=["priority", "shortest remaining", "least attained service"],
)
@given(st.data())
@settings(max_examples=120)
def test_every_job_starts_and_ends_when_the_plain_scheduler_says(standing, policy, data):
    gpus = data.draw(st.integers(1, 6))
    rows = data.draw(crowds(gpus))
    interval, restart = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 4))
    assert engine_times(rows, gpus, interval, restart, **policy) == stepped.simulate(
        rows, gpus, standing, interval, restart
    )


@given(st.data())
@settings(max_examples=60)
def test_on_one_machine_nothing_has_a_shorter_mean_response_than_shortest_remaining(data):
    # Schrage, Operations Research 16(3), 1968: optimal where preemption costs nothing
    rows = data.draw(crowds(1))
    submitted = np.array([row[0] for row in rows])

    def response(**policy: Any) -> int:
        _, ends = engine_times(rows, 1, 1, 0, **policy)
        return int((np.array(ends) - submitted).sum())

    best = response(order="srpt", preemption="order")
    for order in ("fifo", "sjf", "priority", "fair", "las"):
        assert best <= response(order=order)
    assert best <= response(order="priority", preemption="priority")
    assert best <= response(order="las", preemption="order", service_thresholds_gpu_ms=(3, 9))
