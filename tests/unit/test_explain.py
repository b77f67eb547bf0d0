"""Why a job waits, in words: one small fleet for each reason."""

from __future__ import annotations

from typing import Any

import numpy as np

from fleetlab.analysis.explain import waits_for
from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import CALM, Conditions, Outage
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.engine.interconnect import Interconnect
from fleetlab.fleet import Fleet
from fleetlab.job import NODE, JobTable
from fleetlab.run import Run

MINUTE_MS = 60_000


def run_of(fleet: Fleet, jobs: JobTable, conditions: Conditions = CALM, **policy: Any) -> Run:
    engine = Engine(fleet, jobs, Policy(**policy), np.random.default_rng(0), conditions)
    return Run.of(engine.run())


def test_a_gang_that_could_lie_wider_says_that_it_holds_out_and_for_how_long() -> None:
    # each node has 1 of 2 free: two GPUs are there, but not in one node
    jobs = JobTable([0, 0, 1], [9 * MINUTE_MS] * 3, [1, 1, 2])
    run = run_of(Fleet(1, 2, 2), jobs, placement="worst-fit", patience_ms=5 * MINUTE_MS)
    assert "could start now, spread more widely: " in run.why(2, 60)
    assert "It holds out for a closer place, for 5.0 min at each step." in run.why(2, 60)
    assert waits_for(run, 2, 60_000) == "2 GPUs, holding out for a closer place"


def test_a_gang_that_waits_for_room_is_said_to_ask_for_what_its_request_allows() -> None:
    run = run_of(Fleet(1, 2, 1), JobTable([0, 1], [9 * MINUTE_MS] * 2, [2, 2]))
    assert waits_for(run, 1, 60_000) == "2 GPUs anywhere"


def test_a_job_over_its_tenants_quota_says_so_although_gpus_are_free() -> None:
    jobs = JobTable([0, 1], [MINUTE_MS] * 2, [2, 1], tenant=[0, 0])
    run = run_of(Fleet.pool(4), jobs, quota_rule="hard", quota=(2, 2))
    assert run.why(1, 30) == (
        "Job 1 waits for one GPU: 2 are free, but its tenant 1 would go over its quota of 2 GPUs, "
        "which is hard."
    )


def test_a_job_larger_than_its_tenants_quota_can_never_run() -> None:
    run = run_of(Fleet.pool(4), JobTable([0], [1000], [3]), quota_rule="hard", quota=(2,))
    assert run.why(0, 1).startswith("Job 0 can never run here")
    assert run.why(0, 1).endswith("its tenant may never hold that much.")


def test_a_job_whose_node_was_taken_back_says_when_by_whom_and_what_it_lost() -> None:
    jobs = JobTable([0], [60 * MINUTE_MS], [2], span=NODE)
    outage = Outage(0, 25 * MINUTE_MS, 40 * MINUTE_MS)
    conditions = Conditions(checkpoint=Checkpoint(10 * MINUTE_MS), outages=(outage,))
    run = run_of(Fleet(1, 1, 2), jobs, conditions)
    waiting = run.why(0, 30 * 60)
    assert "It was running until day 1, 00:25: node 1 failed" in waiting
    assert "5.0 min of its work was lost" in waiting
    assert run.why(0, 41 * 60).startswith(
        "Job 0 runs: 2 GPUs on node 1 of block 1, from day 1, 00:40"
    )


def test_a_gang_over_two_blocks_says_how_much_longer_it_takes() -> None:
    # two blocks of one node with 2 GPUs; one GPU of each is taken
    jobs = JobTable([0, 0, 1], [9 * MINUTE_MS, 9 * MINUTE_MS, MINUTE_MS], [1, 1, 2])
    conditions = Conditions(interconnect=Interconnect(block_penalty_ppm=300_000))
    run = run_of(Fleet(2, 1, 2), jobs, conditions, placement="worst-fit")
    assert run.why(2, 30).endswith("it takes 30 % longer than on one block.")


def test_gangs_that_hold_and_wait_name_the_deadlock() -> None:
    jobs = JobTable([0, 0], [10, 10], [6, 6])
    run = run_of(Fleet.pool(8), jobs, gang="hold-and-wait")
    assert run.why(0, 1) == (
        "Job 0 holds 4 of the 6 GPUs it needs, idle, and waits for 2 more. Deadlock: 2 jobs hold "
        "8 GPUs and wait for each other, so none will ever run."
    )


def test_a_preempted_job_names_who_goes_before_it() -> None:
    jobs = JobTable([0, MINUTE_MS], [10 * MINUTE_MS, MINUTE_MS], [4, 4], priority=[0, 1])
    run = run_of(Fleet.pool(4), jobs, order="priority", preemption="priority")
    assert "job 1 goes before it, and 1.0 min of its work was lost" in run.why(0, 90)
