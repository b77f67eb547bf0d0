"""The terms of a run: the Policy and the Conditions that a Scenario's choices mean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fleetlab.attempt import UNIT, Checkpoint
from fleetlab.engine.conditions import Conditions, Outage
from fleetlab.engine.interconnect import Interconnect
from fleetlab.engine.reclaim import DAY_MS, HOUR_MS, reclaimed
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.policy.quota import NONE, Queue, divide
from fleetlab.policy.settings import FOREVER_MS, Policy

if TYPE_CHECKING:
    from fleetlab.scenario import Scenario

MINUTE_MS, SECOND_MS = 60_000, 1000
MOST_OUTAGES = 20_000
"""Reclaims drawn for one run; a run that outlasts them meets no more."""

LONGEST_RUN = 12
"""Reclaims are drawn until so many times the longest job has passed since the last came."""


def policy_of(scenario: Scenario, shares: tuple[int, ...] = (1,)) -> Policy:
    """Return the Policy of ``scenario`` for tenants who are owed ``shares`` of the fleet.

    Raises ValueError for choices that contradict each other.
    """
    fleet = scenario.fleet_shape
    forever = scenario.patience < 0
    return Policy(
        order=scenario.order,
        backfill=scenario.backfill,
        placement=scenario.placement,
        # random dispatch to unlike devices does not ask what a device can do
        blind=bool(fleet.class_counts) and scenario.placement == "random",
        ageing_ms=scenario.ageing * HOUR_MS,
        weights=shares if scenario.order in ("fair", "drf") else (),
        starvation_ms=scenario.starvation * HOUR_MS,
        gang=scenario.gang,
        patience_ms=FOREVER_MS if forever else scenario.patience * MINUTE_MS,
        preemption=scenario.preemption,
        migration_pause_ms=scenario.migration * MINUTE_MS,
        quota_rule=scenario.quota,
        quota=quotas(fleet.gpus, shares) if scenario.quota != NONE else (),
    )


def quotas(gpus: int, shares: tuple[int, ...]) -> tuple[int, ...]:
    """Return ``gpus`` divided in proportion to ``shares``, the rest by largest remainder."""
    queues = [Queue(deserved=0, request=gpus, weight=share) for share in shares]
    return tuple(int(share) for share in divide(gpus, queues).shares)


def conditions_of(scenario: Scenario, jobs: JobTable, rng: np.random.Generator) -> Conditions:
    """Return what the jobs of ``scenario`` meet; reclaims are drawn from ``rng``."""
    return Conditions(
        checkpoint=Checkpoint(
            interval_ms=scenario.tau * MINUTE_MS,
            cost_ms=scenario.checkpoint * SECOND_MS,
            restart_ms=scenario.restart * SECOND_MS,
        ),
        interconnect=Interconnect(block_penalty_ppm=scenario.penalty * UNIT // 100),
        outages=_outages(scenario, jobs, rng),
        panic=scenario.notice > 0 and scenario.tau > 0,
        rendezvous_ms=scenario.rendezvous * SECOND_MS,
    )


def spot_nodes(scenario: Scenario) -> list[int]:
    """Return the nodes that can be taken back: ``spot`` percent of them, evenly spread."""
    nodes = scenario.fleet_shape.nodes
    count = nodes * scenario.spot // 100
    return [node for node in range(nodes) if (node + 1) * count // nodes > node * count // nodes]


def node_life_ms(scenario: Scenario) -> float:
    """Return how long a spot node lives on average, in ms."""
    return scenario.fleet_shape.nodes * DAY_MS / scenario.preemptions


def reclaim_horizon_ms(jobs: JobTable) -> int:
    """Return from when nothing is taken back; a run that lasts longer never came through."""
    return int(jobs.submit_ms.max()) + LONGEST_RUN * int(jobs.duration_ms.max())


def _outages(scenario: Scenario, jobs: JobTable, rng: np.random.Generator) -> tuple[Outage, ...]:
    nodes = spot_nodes(scenario)
    if not nodes or not scenario.preemptions or not len(jobs):
        return ()
    life_ms = node_life_ms(scenario)
    horizon_ms = reclaim_horizon_ms(jobs)
    horizon_ms = min(horizon_ms, round(MOST_OUTAGES / len(nodes) * life_ms))
    away_ms, notice_ms = scenario.away * MINUTE_MS, scenario.notice * SECOND_MS
    return reclaimed(scenario.reclaim, nodes, life_ms, away_ms, horizon_ms, rng, notice_ms)


def elastic(jobs: JobTable, fleet: Fleet) -> JobTable:
    """Return ``jobs`` with every gang of several whole nodes able to go on with fewer of them."""
    size = fleet.gpus_per_node
    stretches = (jobs.whole_nodes == 1) & (jobs.gpus > size)
    return replace(
        jobs,
        min_gpus=np.where(stretches, size, jobs.min_gpus),
        max_gpus=np.where(stretches, -(-jobs.gpus // size) * size, jobs.max_gpus),
    )
