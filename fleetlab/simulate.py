"""From a Scenario to its Run: the one way in, for the page, the command line and the tests."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fleetlab.catalogue import Pair, jobs_of
from fleetlab.engine import Engine, Policy
from fleetlab.job import JobTable
from fleetlab.run import Run
from fleetlab.scenario import Scenario, ScenarioError


def prepare(scenario: Scenario, trace: JobTable | None = None) -> tuple[Engine, Pair | None]:
    """Return an engine ready to run ``scenario``, and the pair of kinds it compares.

    Two generators come from the seed, one for the jobs and one for placements that
    draw, so that two policies on one seed meet the same jobs. Raises ScenarioError
    when the Scenario asks for a trace and none is given.
    """
    draws, places = np.random.SeedSequence(scenario.seed).spawn(2)
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
    policy = Policy(
        order=scenario.order,
        backfill=scenario.backfill,
        placement=scenario.placement,
        # random dispatch to unlike devices does not ask what a device can do
        blind=bool(fleet.class_counts) and scenario.placement == "random",
    )
    return Engine(fleet, jobs, policy, np.random.Generator(np.random.PCG64(places))), pair


def steps(
    scenario: Scenario, trace: JobTable | None = None, budget: int = 1000
) -> Iterator[float | Run]:
    """Yield progress from 0 to 1 after every ``budget`` events, and last the Run."""
    engine, pair = prepare(scenario, trace)
    yield from engine.steps(budget)
    yield Run.of(engine, pair, scenario)


def simulate(scenario: Scenario, trace: JobTable | None = None) -> Run:
    """Return the Run of ``scenario``: the same Scenario always gives the same Run."""
    engine, pair = prepare(scenario, trace)
    return Run.of(engine.run(), pair, scenario)
