"""What tenants and jobs may count on, read off the log and reckoned anew in exact figures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from math import exp, log

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetlab.engine.conditions import Conditions
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import FLEET, JobTable
from fleetlab.log import Event
from fleetlab.policy.patience import closest
from fleetlab.policy.refusal import Refusal
from tests.replay import rows_of
from tests.strategies import busy_policies, crowds, fleets, gangs, hardships

EXAMPLES = settings(max_examples=100)


def _run(
    fleet: Fleet, jobs: JobTable, policy: Policy, conditions: Conditions | None = None
) -> Engine:
    rng = np.random.default_rng(0)
    return Engine(fleet, jobs, policy, rng, conditions or Conditions()).run()


@given(st.data())
@EXAMPLES
def test_who_starts_is_within_the_quotas_that_bound_it(data):
    fleet = data.draw(fleets())
    policy = data.draw(busy_policies(fleet).filter(lambda policy: policy.quota_rule != "none"))
    jobs = data.draw(st.one_of(crowds(fleet), gangs(fleet, fixed=True)))
    engine = _run(fleet, jobs, policy, data.draw(hardships(fleet)))
    amount = (jobs.gpus * jobs.gpu_milli).tolist()
    held: dict[int, int] = defaultdict(int)
    for row in rows_of(engine):
        if row.kind in (Event.END, Event.INTERRUPT):
            held[int(jobs.tenant[row.job])] -= amount[row.job]
        elif row.kind == Event.START:
            tenant = int(jobs.tenant[row.job])
            held[tenant] += amount[row.job]
            own = held[tenant] <= 1000 * policy.quota[tenant]
            together = sum(held.values()) <= 1000 * sum(policy.quota)
            assert {"hard": own, "borrowable": together, "reclaimable": own or together}[
                policy.quota_rule
            ]
            if policy.departments:
                department = policy.departments[tenant]
                teams = [t for t in held if policy.departments[t] == department]
                whole = 1000 * policy.department_quota[department]
                assert sum(held[t] for t in teams) <= whole


@given(st.data())
@EXAMPLES
def test_nobody_starts_before_an_overdue_job_but_one_overdue_that_came_before_it(data):
    fleet = data.draw(fleets())
    jobs = data.draw(st.one_of(crowds(fleet), gangs(fleet, fixed=True)))
    jobs = replace(jobs, memory_gb=np.zeros(len(jobs), dtype=np.int64))
    policy = replace(
        data.draw(busy_policies(fleet)),
        starvation_ms=data.draw(st.integers(1, 15)),
        migration_pause_ms=0,
        quota_rule="none",
        quota=(),
        departments=(),
        department_quota=(),
    )
    conditions = replace(data.draw(hardships(fleet)), memory_gb=0)
    engine = _run(fleet, jobs, policy, conditions)
    overdue: set[int] = set()
    since: dict[int, int] = {}
    for row in rows_of(engine):
        if row.kind in (Event.SUBMIT, Event.INTERRUPT):
            since[row.job] = row.time_ms
        elif row.kind == Event.OVERDUE:
            assert row.time_ms - since[row.job] == policy.starvation_ms
            overdue.add(row.job)
        elif row.kind == Event.START:
            first = min(overdue, key=lambda job: (jobs.submit_ms[job], job), default=row.job)
            assert row.job == first, f"job {row.job} passed job {first}, which was overdue"
            overdue.discard(row.job)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 6), st.integers(0, 9)), min_size=1, max_size=20
    ),
    st.tuples(*[st.integers(1, 5)] * 4),
    st.integers(4, 40),
    st.sampled_from([0, 30, 97]),
)
@EXAMPLES
def test_drf_grants_in_the_order_of_exact_dominant_shares_over_weights(
    asked, weights, gpus, memory
):
    tenant, size, memory_gb = (list(column) for column in zip(*asked, strict=True))
    ones = [1] * len(asked)
    size = [min(n, gpus) for n in size]
    jobs = JobTable([0] * len(asked), ones, size, tenant=tenant, memory_gb=memory_gb)
    policy = Policy(order="drf", backfill="none", weights=weights)
    engine = _run(Fleet.pool(gpus), jobs, policy, Conditions(memory_gb=memory))
    found = [row.job for row in rows_of(engine) if row.kind == Event.START and row.time_ms == 0]

    def share(owner: int) -> Fraction:
        of_gpus = Fraction(sum(size[j] for j in granted if tenant[j] == owner), gpus)
        of_memory = Fraction(
            sum(memory_gb[j] for j in granted if tenant[j] == owner), memory or 10**9
        )
        return max(of_gpus, of_memory if memory else Fraction(0)) / weights[owner]

    granted: list[int] = []
    waiting = list(range(len(asked)))
    while waiting:
        head = min(waiting, key=lambda job: (share(tenant[job]), job))
        waiting.remove(head)
        if memory and memory_gb[head] + sum(memory_gb[j] for j in granted) > memory:
            continue  # set aside: the others go on
        if size[head] + sum(size[j] for j in granted) > gpus:
            break
        granted.append(head)
    assert found == granted


@given(st.data(), st.sampled_from([20_000, 10**9]))
@EXAMPLES
def test_fair_share_serves_whoever_had_least_of_its_share_as_it_fades(data, half_life_ms):
    fleet = Fleet.pool(data.draw(st.integers(1, 8)))
    jobs = data.draw(crowds(fleet))
    seconds = {name: getattr(jobs, name) * 1000 for name in ("submit_ms", "duration_ms")}
    jobs = replace(jobs, **seconds, estimate_ms=seconds["duration_ms"])
    weights = (1, 2, 3)
    policy = Policy(order="fair", backfill="none", weights=weights, half_life_ms=half_life_ms)
    engine = _run(fleet, jobs, policy)

    def priority(job: int, now: int) -> float:
        used = [0.0, 0.0, 0.0]
        rate = log(2) / half_life_ms
        for other, begun in began.items():
            until = min(now, engine.end_ms[other])
            faded = exp(-rate * (now - until)) - exp(-rate * (now - begun))
            used[int(jobs.tenant[other])] += int(jobs.gpus[other]) * faded / rate
        tenant = int(jobs.tenant[job])
        actual = used[tenant] / sum(used) if sum(used) else 0.0
        return (1 + int(jobs.priority[job])) * weights[tenant] / 6 / (actual + 0.01)

    began: dict[int, int] = {}
    waiting: set[int] = set()
    for row in rows_of(engine):
        if row.kind == Event.SUBMIT:
            waiting.add(row.job)
        elif row.kind == Event.START:
            best = max(priority(job, row.time_ms) for job in waiting)
            assert priority(row.job, row.time_ms) >= best * (1 - 1e-4)
            waiting.remove(row.job)
            began[row.job] = row.time_ms


@given(st.data(), st.integers(1, 8))
@EXAMPLES
def test_a_gang_lies_wider_than_it_could_only_after_it_held_out_that_long(data, patience_ms):
    fleet = Fleet(data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3)), 2)
    jobs = replace(data.draw(crowds(fleet, 14)), span=np.full(14, FLEET))
    engine = _run(fleet, jobs, Policy(patience_ms=patience_ms))
    nodes: dict[int, list[int]] = defaultdict(list)
    turned_down: dict[int, int] = {}
    for row in rows_of(engine):
        if row.kind == Event.REFUSE and row.a == Refusal.HOLDING_OUT_FOR_LOCALITY:
            turned_down.setdefault(row.job, row.time_ms)
        elif row.kind == Event.PLACE:
            nodes[row.job].append(row.a)
        elif row.kind == Event.START:
            shape = engine.shapes[row.job]
            least = closest(shape._replace(span=FLEET), fleet).span
            lies = {0: 1, 1: 2, 3: 3}[fleet.hops(nodes[row.job])]
            if lies > least:
                held_out = row.time_ms - turned_down[row.job]
                assert held_out >= patience_ms * (lies - least)
