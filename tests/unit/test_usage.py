"""Where GPU-time went, on fleets small enough to add up by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fleetlab.analysis.usage import Usage, jain_index
from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import CALM, Conditions, Outage
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.engine.interconnect import Interconnect
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.network import CLOSE_MFU
from fleetlab.run import Run


def run_of(fleet: Fleet, jobs: JobTable, conditions: Conditions = CALM, **policy: Any) -> Run:
    engine = Engine(fleet, jobs, Policy(**policy), np.random.default_rng(0), conditions)
    return Run.of(engine.run())


def test_what_is_held_and_what_is_worked_are_the_same_where_nothing_is_in_the_way() -> None:
    run = run_of(Fleet(1, 1, 4), JobTable([0, 0], [100, 50], [2, 1]))
    usage = Usage(run)
    assert usage.held_gpu_ms(0, 100) == 2 * 100 + 1 * 50
    assert usage.worked_gpu_ms(0, 100) == 2 * 100 + 1 * 50
    # of the second half of the first job, only its own GPUs
    assert usage.held_gpu_ms(50, 100) == 2 * 50


def test_a_share_of_a_gpu_counts_as_that_share() -> None:
    run = run_of(Fleet(1, 1, 1), JobTable([0, 0], [100, 100], [1, 1], gpu_milli=[250, 500]))
    assert Usage(run).held_gpu_ms(0, 100) == pytest.approx(75)
    assert Usage(run).worked_gpu_ms(0, 100) == pytest.approx(75)


def test_whole_nodes_hold_more_than_they_work_when_the_gang_does_not_fill_them() -> None:
    run = run_of(Fleet(1, 1, 8), JobTable([0], [100], [6], whole_nodes=1))
    assert Usage(run).held_gpu_ms(0, 100) == 800
    assert Usage(run).worked_gpu_ms(0, 100) == 600


def test_a_slow_network_holds_gpus_longer_for_the_same_work() -> None:
    # one GPU free in each of two blocks: the gang of two lies across, and takes 30 % longer
    jobs = JobTable([0, 0, 1], [1000, 1000, 100], [1, 1, 2])
    conditions = Conditions(interconnect=Interconnect(block_penalty_ppm=300_000))
    run = run_of(Fleet(2, 1, 2), jobs, conditions, placement="worst-fit")
    usage = Usage(run)
    assert usage.held_gpu_ms(1, 131) == 2 * 130 + 2 * 130
    assert usage.worked_gpu_ms(1, 131) == pytest.approx(2 * 100 + 2 * 130)
    # all of the gang's GPU-time crosses blocks; jobs of one GPU are no gangs
    assert usage.hop_shares(0, 1000) == (0.0, 0.0, 1.0)


def test_lost_work_was_held_and_does_not_count() -> None:
    minute = 60_000
    jobs = JobTable([0], [60 * minute], [2])
    conditions = Conditions(
        checkpoint=Checkpoint(10 * minute), outages=(Outage(0, 25 * minute, 40 * minute),)
    )
    run = run_of(Fleet(1, 1, 2), jobs, conditions)
    # 20 of the first 25 minutes were saved; the rest takes 40 more, from minute 40 to 80
    assert Usage(run).held_gpu_ms(0, 80 * minute) == 2 * (25 + 40) * minute
    assert Usage(run).worked_gpu_ms(0, 80 * minute) == 2 * 60 * minute
    metrics = run.metrics
    assert metrics.interruptions == 1
    assert metrics.lost_gpu_h == pytest.approx(2 * 5 / 60)
    assert metrics.productive == pytest.approx(60 / 80)
    assert metrics.goodput == pytest.approx(60 / 65)
    assert metrics.mfu == pytest.approx(CLOSE_MFU * 60 / 80)


def test_who_still_waits_at_the_end_counts_as_having_waited_until_then() -> None:
    jobs = JobTable([0, 0, 5], [10, 10, 5], [6, 6, 1], priority=[1, 1, 0])
    run = run_of(Fleet.pool(8), jobs, gang="hold-and-wait")
    assert run.metrics.deadlocked
    assert run.metrics.longest_wait_s == {0: 0.0, 1: 0.005}


def test_fairness_is_one_when_all_fare_alike_and_a_share_when_one_has_all() -> None:
    assert jain_index(np.array([3.0, 3.0, 3.0])) == pytest.approx(1)
    assert jain_index(np.array([1.0, 0.0, 0.0, 0.0])) == pytest.approx(1 / 4)
    assert jain_index(np.array([])) == 1.0
