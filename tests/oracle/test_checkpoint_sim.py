"""Checkpointed runs in the engine, struck by memoryless outages, against Daly's expected time.

The standard error is the deviation over independent replications, one seed each, over the
root of their number.
"""

from __future__ import annotations

import math
from statistics import mean, stdev

import numpy as np
import pytest

from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.engine.reclaim import memoryless
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.theory.checkpoint import expected_time, expected_time_without_checkpoints, young

SECOND = 1000


def times_s(
    work_s: int, interval_s: int, cost_s: int, restart_s: int, mtbf_s: int, nodes: int, seeds: int
) -> list[float]:
    """Return how long one gang over all nodes takes, for each seed; a node is back at once.

    ``mtbf_s`` is of the whole gang: each of its nodes fails that much less often.
    """
    fleet = Fleet(1, nodes, 1)
    jobs = JobTable([0], [work_s * SECOND], [nodes])
    checkpoint = Checkpoint(interval_s * SECOND, cost_s * SECOND, restart_s * SECOND)
    horizon_ms = 40 * work_s * SECOND
    found = []
    for seed in range(1000, 1000 + seeds):
        rng = np.random.Generator(np.random.PCG64(seed))
        outages = memoryless(range(nodes), nodes * mtbf_s * SECOND, 0, horizon_ms, rng)
        conditions = Conditions(checkpoint=checkpoint, outages=outages)
        engine = Engine(fleet, jobs, Policy(), rng, conditions).run()
        assert 0 < engine.end_ms[0] < horizon_ms
        found.append(engine.end_ms[0] / SECOND)
    return found


def agrees(found: list[float], expected_s: float) -> bool:
    error = stdev(found) / math.sqrt(len(found))
    return abs(mean(found) - expected_s) <= 3 * error and error < expected_s / 20


@pytest.mark.parametrize("nodes", [1, 4])
@pytest.mark.parametrize(
    ("interval_s", "cost_s", "restart_s", "mtbf_s"),
    [
        (600, 60, 0, 3600),
        (600, 60, 300, 3600),
        (3600, 300, 1800, 6264),  # an hour, one interruption every 1.74 h: time doubles
        (1200, 120, 600, 1800),  # restarts are struck too
    ],
)
def test_a_checkpointed_run_takes_as_long_as_daly_expects(
    interval_s: int, cost_s: int, restart_s: int, mtbf_s: int, nodes: int
) -> None:
    work_s = 10 * interval_s
    found = times_s(work_s, interval_s, cost_s, restart_s, mtbf_s, nodes, 300)
    assert agrees(found, expected_time(work_s, interval_s, cost_s, restart_s, mtbf_s))


def test_without_checkpoints_every_failure_starts_the_work_afresh() -> None:
    found = times_s(3600, 0, 0, 300, 3600, 1, 300)
    assert agrees(found, expected_time_without_checkpoints(3600, 300, 3600))


def test_youngs_interval_is_shorter_than_a_quarter_and_four_times_of_it() -> None:
    cost_s, mtbf_s = 60, 7200
    best = round(young(cost_s, mtbf_s))
    often, right, rarely = (
        mean(times_s(8 * best, interval, cost_s, 0, mtbf_s, 1, 100))
        for interval in (best // 4, best, 4 * best)
    )
    assert right < often and right < rarely


def test_without_failures_only_the_checkpoints_cost() -> None:
    jobs = JobTable([0], [3600 * SECOND], [1])
    conditions = Conditions(checkpoint=Checkpoint(600 * SECOND, 60 * SECOND))
    rng = np.random.default_rng(0)
    engine = Engine(Fleet.pool(1), jobs, Policy(), rng, conditions).run()
    assert engine.end_ms[0] == expected_time(3600, 600, 60, 0, math.inf) * SECOND
