"""From a Scenario to its Run: the one way in, for the page, the command line and the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from fleetlab.engine.event_loop import Engine
from fleetlab.job import JobTable
from fleetlab.policy.custom import Custom
from fleetlab.run import Run
from fleetlab.scenario import Scenario, ScenarioError
from fleetlab.terms import conditions_of, elastic, policy_of
from fleetlab.workloads.catalogue import Pair, jobs_of, tenant_shares

SHOWN_EVENTS = 20_000
"""Events after which a simulation tells how far it is."""


def prepare(
    scenario: Scenario, trace: JobTable | None = None, placement: Custom | None = None
) -> tuple[Engine, Pair | None]:
    """Return an engine ready to run ``scenario``, and the pair of kinds it compares.

    Three generators come from the seed, one for the jobs, one for placements that
    draw and one for reclaims, so that two policies on one seed meet the same. ``placement``
    is a function of the user's own in place of the Scenario's. Raises ScenarioError
    when the Scenario asks for a trace and none is given.
    """
    draws, places, reclaims = np.random.SeedSequence(scenario.seed).spawn(3)
    fleet = scenario.fleet_shape
    pair = None
    if scenario.workload == "trace":
        if trace is None:
            raise ScenarioError("trace: this Scenario replays a file; open that file first")
        jobs = trace
    elif scenario.load == 0:
        nothing = np.zeros(0, dtype=np.int64)
        jobs = JobTable(nothing, nothing, nothing)
    else:
        jobs, pair = jobs_of(
            scenario.workload,
            fleet,
            load=scenario.load / 100,
            count=scenario.jobs,
            size=scenario.size,
            rng=np.random.Generator(np.random.PCG64(draws)),
        )
    if scenario.elastic:
        jobs = elastic(jobs, fleet)
    policy = policy_of(scenario, tenant_shares(scenario.workload, jobs))
    if placement is not None:
        policy = replace(policy, placement=placement)
    conditions = conditions_of(scenario, jobs, np.random.Generator(np.random.PCG64(reclaims)))
    places_rng = np.random.Generator(np.random.PCG64(places))
    try:
        return Engine(fleet, jobs, policy, places_rng, conditions), pair
    except ValueError as error:
        raise ScenarioError(str(error)) from None


def steps(
    scenario: Scenario,
    trace: JobTable | None = None,
    budget: int = 1000,
    placement: Custom | None = None,
) -> Iterator[float | Run]:
    """Yield progress from 0 to 1 after every ``budget`` events, and last the Run."""
    engine, pair = prepare(scenario, trace, placement)
    yield from engine.steps(budget)
    yield Run.of(engine, pair, scenario)


def simulate(
    scenario: Scenario,
    trace: JobTable | None = None,
    placement: Custom | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Run:
    """Return the Run of ``scenario``: the same Scenario always gives the same Run.

    ``placement`` is as in ``prepare``; ``progress`` is told from time to time the share
    of the jobs that have come.
    """
    engine, pair = prepare(scenario, trace, placement)
    for share in engine.steps(SHOWN_EVENTS):
        progress(share)
    return Run.of(engine, pair, scenario)
