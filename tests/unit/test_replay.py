"""A trace replayed: starts in order of the trace, under names the trace gives."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from fleetlab import Scenario, simulate
from fleetlab.engine.event_loop import Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.replay import replay, seconds, start_lines
from fleetlab.workloads.traces import read_trace

# Two GPUs. Job b comes first and takes both until 10; a waits for it, then c has one at once.
TRACE = b"submit_s,duration_s,gpus,name\n1,5,2,a\n0,10,2,b\n2,3.5,1,c\n"


def test_starts_are_in_order_of_the_trace_and_not_of_submission() -> None:
    jobs = read_trace(TRACE)
    run = replay(jobs, Fleet.pool(2), Policy(backfill="none"))
    lines = list(start_lines(run, [jobs.name(job) for job in range(3)]))
    assert lines == [
        "job,submit_s,start_s,end_s,gpus\n",
        "a,1,10,15,2\n",
        "b,0,0,10,2\n",
        "c,2,15,18.5,1\n",
    ]


def test_a_killed_job_ends_at_its_estimate() -> None:
    jobs = JobTable(np.array([0]), np.array([9000]), np.array([1]), estimate_ms=np.array([4000]))
    late = replay(jobs, Fleet.pool(1), Policy())
    killed = replay(jobs, Fleet.pool(1), Policy(kill_at_estimate=True))
    assert (late.end_ms[0], killed.end_ms[0]) == (9000, 4000)


def test_a_gang_larger_than_the_fleet_is_refused_before_the_run() -> None:
    jobs = read_trace(TRACE)
    with pytest.raises(ValueError, match="job a asks for 2 GPUs and 1x1x1 has 1"):
        replay(jobs, Fleet.pool(1), Policy())


def test_a_replay_and_a_scenario_with_the_same_trace_are_the_same_run() -> None:
    rng = np.random.default_rng(5)
    jobs = JobTable(
        np.sort(rng.integers(0, 10**6, 300)), rng.integers(1, 10**5, 300), rng.integers(1, 9, 300)
    )
    scenario = Scenario(workload="trace", fleet="2x2x8", placement="random", seed=7)
    policy = Policy(placement="random")
    replayed = replay(jobs, Fleet.parse("2x2x8"), policy, seed=7)
    assert replayed.digest == simulate(scenario, jobs).digest
    assert replayed.digest != replay(jobs, Fleet.parse("2x2x8"), policy, seed=8).digest


def test_progress_ends_at_all_of_the_jobs() -> None:
    seen: list[float] = []
    replay(read_trace(TRACE), Fleet.pool(2), Policy(), progress=seen.append)
    assert seen[-1] == 1.0


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [(0, "0"), (1, "0.001"), (1500, "1.5"), (12_000, "12"), (100_010, "100.01"), (-1, "")],
)
def test_a_time_is_written_exactly_and_without_needless_zeros(time_ms: int, text: str) -> None:
    assert seconds(time_ms) == text
    assert not text or round(float(text) * 1000) == time_ms


def test_a_name_that_looks_like_a_formula_or_holds_a_comma_is_one_plain_cell() -> None:
    jobs = JobTable(np.array([0, 0]), np.array([1, 1]), np.array([1, 1]), names=("=1+1", 'a,"b'))
    run = replay(jobs, Fleet.pool(2), Policy())
    rows = list(csv.reader(io.StringIO("".join(start_lines(run, list(jobs.names))))))
    assert [row[0] for row in rows] == ["job", "'=1+1", 'a,"b']
    assert {len(row) for row in rows} == {5}
