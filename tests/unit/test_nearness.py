"""What distance makes of each track's service: the network's formulas, and runs small to add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fleetlab.analysis.reach import held_idle, idle_gpus, reach_of
from fleetlab.analysis.usage import Usage
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.run import Run
from fleetlab.scenario import FOR_EVER, Scenario
from fleetlab.services.nearness import (
    allreduce_ms,
    capable_classes,
    frame_ms,
    nearness_figures,
    pair_ms,
    perception_ms,
    replica_tokens_s,
    service_of,
)
from fleetlab.simulate import simulate


def run_of(fleet: Fleet, jobs: JobTable, **policy: Any) -> Run:
    return Run.of(Engine(fleet, jobs, Policy(**policy), np.random.default_rng(0)).run())


def test_a_replica_in_one_node_is_bound_by_memory_and_a_wider_one_by_its_allreduces() -> None:
    near, middle, far = replica_tokens_s()
    assert near == pytest.approx(16 * 8 * 3350 * 0.8 / 141, rel=1e-9)
    assert near > middle > far > 0


def test_the_safety_loop_passes_in_a_node_barely_in_a_leaf_and_fails_over_the_spine() -> None:
    near, middle, far = perception_ms()
    assert round(near, 1) == 6.0 and round(middle, 1) == 9.4 and round(far, 1) == 20.0


def test_a_frame_is_late_only_from_another_edge_site() -> None:
    near, middle, far = frame_ms()
    assert near < 16.7 and middle < 16.7 < far


def test_a_pair_of_ears_is_late_only_through_a_phone_and_only_a_v3_runs_the_model() -> None:
    _, middle, far = pair_ms()
    assert middle < 10 < far
    assert capable_classes() == (False, False, True)


def test_the_priced_allreduce_is_cheaper_the_nearer() -> None:
    assert sorted(allreduce_ms()) == list(allreduce_ms())
    assert allreduce_ms()[1] == pytest.approx(40, abs=0.1)  # the chapter's rail figure


@pytest.mark.parametrize(
    ("track", "name", "better"),
    [
        ("titan", "tokens_s", 1),
        ("guardian", "loop_p999_ms", -1),
        ("nomad", "frames_s", 1),
        ("pioneer", "dropout_share", -1),
    ],
)
def test_strict_placement_serves_every_track_better_by_its_own_measure(
    track: str, name: str, better: int
) -> None:
    loose = simulate(Scenario.default(track, 2).but(jobs=400))
    strict = simulate(Scenario.default(track, 2).but(jobs=400, patience=FOR_EVER))
    far, near = service_of(loose), service_of(strict)
    assert far is not None and near is not None
    assert far.name == near.name == name
    assert near.shares[2] == 0.0 < far.shares[2]
    assert better * near.value > better * far.value


def test_one_loop_in_a_hundred_across_the_spine_sets_the_p999() -> None:
    run = simulate(Scenario.default("guardian", 2).but(jobs=300))
    service = service_of(run)
    assert service is not None and service.shares[2] > 0.001
    assert service.value == pytest.approx(perception_ms()[2])
    assert nearness_figures(run)["loop_p999_ms"] == service.value


def test_blind_dispatch_drops_what_no_device_can_run() -> None:
    scenario = Scenario.default("pioneer", 2).but(jobs=300)
    blind = service_of(simulate(scenario.but(placement="random")))
    matched = service_of(simulate(scenario))
    assert blind is not None and matched is not None
    assert blind.dropped > 0.9 and matched.dropped == 0.0


def test_part_one_has_no_such_service() -> None:
    run = simulate(Scenario.default("titan").but(jobs=50))
    assert service_of(run) is None and nearness_figures(run) == {}


def test_who_still_waits_counts_in_the_mean_wait_so_far() -> None:
    # one GPU: job 0 runs for 100 ms; job 1 comes at 10 and waits still at 60
    run = run_of(Fleet.pool(1), JobTable([0, 10], [100, 10], [1, 1]))
    assert Usage(run).mean_wait_s(0, 60) == pytest.approx(0.025)
    assert Usage(run).mean_wait_s(0, 200) == pytest.approx(0.045)
    assert Usage(run).mean_wait_s(500, 600) == 0.0


def test_gangs_are_told_apart_by_how_far_they_lie() -> None:
    # two blocks of two nodes of two GPUs: a pair in a node, three in a block, three anywhere
    jobs = JobTable([0, 0, 0], [100, 100, 100], [2, 3, 3], span=[1, 2, 3])
    run = run_of(Fleet(2, 2, 2), jobs, placement="first-fit")
    reach = reach_of(run, 50)
    assert sum(reach.gpus) == 8
    assert reach.gpus[0] == 2
    assert sum(reach.shares) == pytest.approx(1.0)
    assert reach_of(run, 150).gpus == (0, 0, 0)


def test_pieces_that_are_held_and_idle_are_counted_and_named() -> None:
    run = run_of(Fleet.pool(8), JobTable([0, 0], [10, 10], [6, 6]), gang="hold-and-wait")
    assert held_idle(run, 5).tolist() == [0, 1]
    assert idle_gpus(run, 5) == 8
    assert reach_of(run, 5).gpus == (0, 0, 0)


def test_only_the_service_kind_is_asked_where_it_lies() -> None:
    jobs = JobTable([0, 0], [100, 100], [2, 4], kind=[0, 1], kinds=("near", "far"))
    run = run_of(Fleet(2, 2, 2), jobs, placement="first-fit")
    mine = run.jobs.kind == 0
    assert Usage(run).hop_shares(0, 100, mine) == (1.0, 0.0, 0.0)
    assert Usage(run).hop_shares(0, 100)[0] < 1.0
