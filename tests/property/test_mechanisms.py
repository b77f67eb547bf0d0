"""What holds of every run with mechanisms, whatever meets it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetlab.engine.conditions import Conditions
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.log import Event
from fleetlab.policy.placement import PLACEMENTS
from tests.attempts import check_attempts
from tests.replay import rows_of
from tests.strategies import busy_policies, crowds, fleets, gangs, hardships

EXAMPLES = settings(max_examples=100)


def _run(
    fleet: Fleet, jobs: JobTable, policy: Policy, conditions: Conditions, seed: int = 0
) -> Engine:
    engine = Engine(fleet, jobs, policy, np.random.default_rng(seed), conditions)
    for _ in engine.steps(1):
        assert engine.events_done < 5000, "it never ends"
    return engine


@given(st.data())
@EXAMPLES
def test_every_run_with_mechanisms_keeps_the_invariants_and_its_log_is_closed(data):
    fleet = data.draw(fleets())
    policy = data.draw(busy_policies(fleet))
    jobs = data.draw(st.one_of(crowds(fleet), gangs(fleet)))
    check_attempts(_run(fleet, jobs, policy, data.draw(hardships(fleet))))


@given(st.data(), st.integers(0, 9))
@EXAMPLES
def test_slicing_a_run_with_mechanisms_and_repeating_it_change_no_byte_of_the_log(data, budget):
    fleet = data.draw(fleets())
    policy = data.draw(busy_policies(fleet))
    jobs = data.draw(st.one_of(crowds(fleet), gangs(fleet)))
    conditions = data.draw(hardships(fleet))
    whole = Engine(fleet, jobs, policy, np.random.default_rng(5), conditions).run()
    sliced = Engine(fleet, jobs, policy, np.random.default_rng(5), conditions)
    shares = list(sliced.steps(budget))
    assert sliced.log.tobytes() == whole.log.tobytes()
    assert shares == sorted(shares) and shares[-1] == 1.0


@given(st.data())
@EXAMPLES
def test_renaming_the_tenants_with_all_that_is_theirs_changes_nothing(data):
    fleet = data.draw(fleets())
    policy = data.draw(busy_policies(fleet))
    jobs = data.draw(st.one_of(crowds(fleet), gangs(fleet)))
    conditions = data.draw(hardships(fleet))
    new = data.draw(st.permutations(range(3)))
    old = [new.index(tenant) for tenant in range(3)]

    def renamed(column: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(column[old[tenant]] for tenant in range(3)) if column else column

    other = replace(
        policy,
        quota=renamed(policy.quota),
        weights=renamed(policy.weights),
        departments=renamed(policy.departments),
    )
    moved = replace(jobs, tenant=np.array(new)[jobs.tenant])
    first = _run(fleet, jobs, policy, conditions)
    assert _run(fleet, moved, other, conditions).log.tobytes() == first.log.tobytes()


@given(st.data())
@EXAMPLES
def test_no_head_of_an_easy_queue_starts_later_than_promised_although_places_and_saving_take_time(
    data,
):
    # what evicts, refuses or takes nodes away may break a promise; what only takes time may not
    fleet = Fleet(data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2)), 2)
    jobs = data.draw(st.one_of(crowds(fleet), gangs(fleet)))
    jobs = replace(jobs, estimate_ms=np.maximum(jobs.estimate_ms, jobs.duration_ms))
    policy = Policy(
        placement=data.draw(st.sampled_from(list(PLACEMENTS))),
        patience_ms=data.draw(st.sampled_from([0, 4])),
        migration_pause_ms=data.draw(st.sampled_from([0, 2])),
    )
    conditions = replace(data.draw(hardships(fleet)), outages=(), memory_gb=0)
    network = replace(conditions.interconnect, spine_gpus=0)  # who comes later slows who runs
    engine = _run(fleet, jobs, policy, replace(conditions, interconnect=network))
    first: dict[int, int] = {}
    for row in rows_of(engine):
        if row.kind == Event.RESERVE:
            first.setdefault(row.job, row.a)
    for job, promised in first.items():
        assert engine.start_ms[job] <= promised
