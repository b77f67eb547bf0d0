"""What a change of size does to work that is not saved yet: nothing is lost, nothing is saved."""

from __future__ import annotations

import numpy as np

from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions, Outage
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.run import Run

MINUTE, HOUR = 60_000, 3_600_000


def trained(*outages: Outage, work_ms: int = HOUR, checkpoint: Checkpoint, nodes: int = 2) -> Run:
    """Return the run of one elastic gang over all nodes of one GPU, rendezvous 1 min."""
    jobs = JobTable(
        np.array([0]), np.array([work_ms]), np.array([nodes]),
        whole_nodes=np.array([1]), min_gpus=np.array([1]), max_gpus=np.array([nodes]),
    )  # fmt: skip
    conditions = Conditions(checkpoint=checkpoint, outages=outages, rendezvous_ms=MINUTE)
    rng = np.random.Generator(np.random.PCG64(0))
    engine = Engine(Fleet(1, nodes, 1), jobs, Policy(backfill="none"), rng, conditions)
    return Run.of(engine.run())


def test_a_change_of_size_does_not_put_off_the_next_checkpoint() -> None:
    # 20 min of work, 1 min of rendezvous, then 10 min until the checkpoint that was due after 30
    run = trained(
        Outage(1, 20 * MINUTE, 10 * HOUR),
        checkpoint=Checkpoint(30 * MINUTE, 5 * MINUTE, 0),
    )
    # alone, the other node takes twice as long: 10 min of work are 20 min, 30 min are an hour
    assert run.end_ms[0] == (20 + 1 + 20 + 5 + 60 + 5) * MINUTE


def test_when_the_last_node_goes_too_all_since_the_last_checkpoint_is_lost() -> None:
    run = trained(
        Outage(1, 20 * MINUTE, 24 * HOUR),
        Outage(0, 31 * MINUTE, 40 * MINUTE),
        checkpoint=Checkpoint(60 * MINUTE, 5 * MINUTE, 0),
    )
    # the second stretch did 5 min of work in its 10 min; it loses those and the 20 before them
    assert run.work.lost_ms.tolist() == [0, 25 * MINUTE, 0]
    assert int(run.work.kept_ms.sum()) == HOUR


def test_a_checkpoint_that_is_being_written_is_finished_after_the_rendezvous() -> None:
    run = trained(
        Outage(1, 32 * MINUTE, 24 * HOUR),
        checkpoint=Checkpoint(30 * MINUTE, 5 * MINUTE, 0),
        work_ms=30 * MINUTE,
    )
    # 2 of its 5 min are over when the node goes
    assert run.end_ms[0] == (30 + 2 + 1 + 3) * MINUTE


def test_a_restart_under_way_goes_on_in_the_smaller_ring() -> None:
    run = trained(
        Outage(0, 10 * MINUTE, 11 * MINUTE),
        Outage(1, 10 * MINUTE, 11 * MINUTE),
        Outage(1, 15 * MINUTE, 24 * HOUR),
        checkpoint=Checkpoint(0, 0, 20 * MINUTE),
    )
    # both go at once: all is lost and the restart takes 20 min from minute 11; then an hour of
    # work on one node alone
    assert run.end_ms[0] == (11 + 20 + 120) * MINUTE
