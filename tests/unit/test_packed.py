"""Packing policies in the event loop, on fleets whose best node can be told by eye."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import NODE, JobTable
from fleetlab.log import Event
from fleetlab.policy.packed import PACKED, PackedOccupancy, popular_tasks
from tests.replay import rows_of


def nodes_of(engine: Engine) -> list[int]:
    """Return the node of every placement, in order of time."""
    return [row.a for row in rows_of(engine) if row.kind in (Event.PLACE, Event.SHARE)]


def run(fleet: Fleet, jobs: JobTable, placement: str) -> Engine:
    return Engine(fleet, jobs, Policy(placement=placement), np.random.default_rng(0)).run()


def test_clustering_sends_a_job_to_the_node_where_its_size_runs() -> None:
    # a 2 opens node 0 and a 1 goes to a node of its own; the next of each joins its like
    jobs = JobTable([0, 1, 2, 3], [100] * 4, [2, 1, 2, 1], span=NODE)
    assert nodes_of(run(Fleet(1, 3, 4), jobs, "clustering")) == [0, 1, 0, 1]


def test_packing_fills_a_used_node_before_an_idle_one_whatever_runs_there() -> None:
    jobs = JobTable([0, 1, 2], [100] * 3, [2, 1, 1], span=NODE)
    assert nodes_of(run(Fleet(1, 3, 4), jobs, "packing")) == [0, 0, 0]


def test_fgd_keeps_a_whole_node_for_the_whole_node_jobs_that_are_popular() -> None:
    # most jobs want 4 of 4: a job of one goes beside the other job of one
    jobs = JobTable([0, 1, 2, 3], [100] * 4, [1, 1, 4, 4], span=NODE)
    assert nodes_of(run(Fleet(1, 3, 4), jobs, "fgd")) == [0, 0, 1, 2]


def test_shares_go_where_the_policy_says_and_the_books_agree() -> None:
    jobs = JobTable([0, 1, 2], [100] * 3, [1, 1, 1], gpu_milli=[600, 500, 400])
    engine = run(Fleet(1, 2, 2), jobs, "fgd")
    rows = [(row.a, row.b // 1000) for row in rows_of(engine) if row.kind == Event.SHARE]
    # 600 and 400 make a GPU whole; 500 has to open another
    assert rows[0] == rows[2] != rows[1]


@pytest.mark.parametrize("placement", PACKED)
def test_after_every_job_has_ended_the_policys_own_books_are_as_before(placement: str) -> None:
    rng = np.random.default_rng(3)
    jobs = JobTable(
        np.arange(60),
        rng.integers(1, 40, 60),
        rng.choice([1, 1, 2, 4], 60),
        span=NODE,
    )
    engine = run(Fleet(2, 2, 4), jobs, placement)
    occupancy = engine.occupancy
    assert isinstance(occupancy, PackedOccupancy)
    assert occupancy.packer.state.used_milli == 0
    assert not occupancy.packer.state.kinds.any()


def test_a_gang_wider_than_a_node_is_expected_as_whole_nodes() -> None:
    fleet = Fleet(1, 2, 4)
    tasks = popular_tasks(JobTable([0, 0], [1, 1], [8, 4]), fleet)
    assert [(task.gpus, count) for task, count in tasks] == [(4, 2)]


def test_gpus_that_are_only_counted_cannot_be_packed_one_by_one() -> None:
    with pytest.raises(ValueError, match="fgd looks at single GPUs"):
        run(Fleet.pool(256), JobTable([0], [1], [1]), "fgd")
