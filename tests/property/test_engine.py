"""What holds of every run, whatever the fleet, the workload and the policy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from tests.replay import check, rows_of
from tests.strategies import fleets, policies, workloads

EXAMPLES = settings(max_examples=80)


def _run(fleet: Fleet, jobs: JobTable, policy: Policy, seed: int = 0) -> Engine:
    return Engine(fleet, jobs, policy, np.random.default_rng(seed)).run()


def _promises(engine: Engine) -> dict[int, list[int]]:
    promises: dict[int, list[int]] = {}
    for row in rows_of(engine):
        if row.kind == Event.RESERVE:
            promises.setdefault(row.job, []).append(row.a)
    return promises


@given(st.data())
@EXAMPLES
def test_every_run_keeps_the_invariants_and_every_job_ends_or_is_refused_for_good(data):
    fleet = data.draw(fleets())
    policy = data.draw(policies(numbered=fleet.numbered))
    jobs = data.draw(workloads(fleet, shares=policy.backfill != "conservative"))
    if policy.blind:
        policy = replace(policy, blind=False)
    check(fleet, jobs, _run(fleet, jobs, policy))


@given(st.data())
@EXAMPLES
def test_blind_dispatch_drops_a_job_or_ends_it_and_leaves_the_fleet_empty(data):
    fleet = data.draw(fleets())
    policy = replace(data.draw(policies(numbered=fleet.numbered)), blind=True)
    jobs = data.draw(workloads(fleet, shares=False))
    engine = _run(fleet, jobs, policy)
    fate = [row for row in rows_of(engine) if row.kind in (Event.END, Event.REJECT, Event.DROP)]
    assert sorted(row.job for row in fate) == list(range(len(jobs)))
    assert engine.occupancy.free_total == fleet.gpus


@given(st.data())
@EXAMPLES
def test_no_head_of_an_easy_queue_starts_later_than_its_first_promise(data):
    fleet = data.draw(fleets())
    policy = replace(
        data.draw(policies(orders=["fifo"], backfills=["easy"], numbered=fleet.numbered)),
        blind=False,
    )
    jobs = data.draw(workloads(fleet, upper_bounds=True))
    engine = _run(fleet, jobs, policy)
    for job, promised in _promises(engine).items():
        assert engine.start_ms[job] <= promised[0]
        assert promised == sorted(promised, reverse=True), "a promise was put off"


@given(st.data())
@EXAMPLES
def test_no_job_of_a_conservative_queue_starts_later_than_any_promise(data):
    fleet = data.draw(fleets())
    policy = replace(
        data.draw(policies(orders=["fifo"], backfills=["conservative"], numbered=fleet.numbered)),
        blind=False,
    )
    jobs = data.draw(workloads(fleet, upper_bounds=True, shares=False))
    engine = _run(fleet, jobs, policy)
    for job, promised in _promises(engine).items():
        assert engine.start_ms[job] <= promised[-1]
        assert promised == sorted(promised, reverse=True), "a promise was put off"


@given(st.data())
@EXAMPLES
def test_without_backfill_jobs_start_in_the_order_they_were_submitted(data):
    fleet = data.draw(fleets())
    policy = replace(data.draw(policies(["fifo"], ["none"], numbered=fleet.numbered)), blind=False)
    jobs = data.draw(workloads(fleet))
    engine = _run(fleet, jobs, policy)
    started = [row.job for row in rows_of(engine) if row.kind == Event.START]
    assert started == sorted(started, key=lambda job: (jobs.submit_ms[job], job))


@given(st.data())
@EXAMPLES
def test_fifo_leaves_no_gpus_idle_that_the_head_of_its_queue_could_use(data):
    # Work conservation in the sense FIFO promises it: a job that may lie anywhere starts as
    # soon as all before it have started and enough GPUs are free.
    fleet = data.draw(fleets(classes=False))
    jobs = data.draw(workloads(fleet, shares=False, plain=True))
    policy = data.draw(
        policies(["fifo"], ["none"], ["random", "first-fit", "best-fit", "worst-fit"])
    )
    engine = _run(fleet, jobs, replace(policy, kill_at_estimate=False))
    order = [row.job for row in rows_of(engine) if row.kind == Event.START]
    turn_ms = 0
    for place, job in enumerate(order):
        turn_ms = max(turn_ms, int(jobs.submit_ms[job]))
        ends = [(engine.end_ms[j], int(jobs.gpus[j])) for j in order[:place]]
        moments = sorted({turn_ms, *(end for end, _ in ends if end > turn_ms)})
        busy = {t: sum(gpus for end, gpus in ends if end > t) for t in moments}
        first = next(t for t in moments if busy[t] + jobs.gpus[job] <= fleet.gpus)
        assert engine.start_ms[job] == first
        turn_ms = first


@given(st.data(), st.integers(0, 9))
@EXAMPLES
def test_slicing_a_run_and_repeating_it_change_no_byte_of_the_log(data, budget):
    fleet = data.draw(fleets())
    policy = data.draw(policies(numbered=fleet.numbered))
    jobs = data.draw(workloads(fleet, shares=policy.backfill != "conservative"))
    whole = _run(fleet, jobs, policy, seed=5)
    sliced = Engine(fleet, jobs, policy, np.random.default_rng(5))
    shares = list(sliced.steps(budget))
    assert sliced.log.tobytes() == whole.log.tobytes()
    assert shares == sorted(shares) and shares[-1] == 1.0


@given(st.data())
@EXAMPLES
def test_renaming_the_tenants_changes_nothing_where_no_rule_is_about_tenants(data):
    fleet = data.draw(fleets())
    policy = data.draw(policies(numbered=fleet.numbered))
    jobs = data.draw(workloads(fleet, shares=policy.backfill != "conservative"))
    renamed = replace(jobs, tenant=2 - jobs.tenant)
    assume((renamed.tenant != jobs.tenant).any())
    assert _run(fleet, renamed, policy).log.tobytes() == _run(fleet, jobs, policy).log.tobytes()


@given(st.data())
@EXAMPLES
def test_on_a_pool_every_placement_gives_the_same_schedule(data):
    fleet = Fleet.pool(data.draw(st.integers(1, 12)))
    jobs = data.draw(workloads(fleet, shares=False, plain=True))
    base = replace(data.draw(policies(numbered=fleet.numbered)), placement="best-fit", blind=False)
    first = _run(fleet, jobs, base)
    for placement in ("random", "first-fit", "worst-fit", "contiguous", "topology-aware"):
        other = _run(fleet, jobs, replace(base, placement=placement))
        assert other.start_ms == first.start_ms


@given(st.data())
@EXAMPLES
def test_ending_every_job_at_its_estimate_makes_conservative_keep_its_first_promise(data):
    fleet = data.draw(fleets(classes=False))
    jobs = data.draw(workloads(fleet, shares=False))
    duration_ms = np.maximum(jobs.duration_ms, 1)  # a plan books at least 1 ms
    jobs = replace(jobs, duration_ms=duration_ms, estimate_ms=duration_ms)
    engine = _run(fleet, jobs, Policy(backfill="conservative"))
    for job, promised in _promises(engine).items():
        assert promised == [engine.start_ms[job]]
