"""What reclaims do to a training run: time to converge, what it went on, and the closed form."""

from __future__ import annotations

from dataclasses import dataclass

from fleetlab.analysis.timeline import Timeline, TimeSpent
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.services.prices import bill
from fleetlab.terms import reclaim_horizon_ms, spot_nodes
from fleetlab.theory.checkpoint import expected_time, expected_time_without_checkpoints

DAY_S = 86_400


@dataclass(frozen=True)
class Training:
    """A training run as a whole, in seconds and dollars.

    ``stretch`` is how many times as long it took as undisturbed and without checkpoints;
    ``converged`` is false where it came to its end only because reclaims stop being
    drawn, which no real provider does.
    """

    seed: int
    time_to_converge_s: float
    stretch: float
    converged: bool
    interruptions: int
    rebuilds: int
    lost_s: float
    dollars: float
    spent: TimeSpent


def training_of(run: Run) -> Training:
    """Return what ``run``'s one training run came to; raises ValueError without a Scenario."""
    if run.scenario is None:
        raise ValueError("a run of no Scenario has no prices; simulate a Scenario")
    timeline = Timeline(run)
    last = timeline.at(run.last_ms)
    end_ms, work_ms = int(run.end_ms[0]), int(run.jobs.duration_ms[0])
    return Training(
        seed=run.scenario.seed,
        time_to_converge_s=end_ms / 1000,
        stretch=end_ms / work_ms,
        converged=end_ms <= reclaim_horizon_ms(run.jobs),
        interruptions=last.interruptions,
        rebuilds=last.rebuilds,
        lost_s=timeline.spent.lost_ms / 1000,
        dollars=bill(run, end_ms).dollars,
        spent=timeline.spent,
    )


def interruption_mean_s(scenario: Scenario) -> float:
    """Return the mean time between two reclaims anywhere in the fleet, in s; inf without any."""
    spot, nodes = len(spot_nodes(scenario)), scenario.fleet_shape.nodes
    if not spot or not scenario.preemptions:
        return float("inf")
    return DAY_S * nodes / (scenario.preemptions * spot)


def expected_stretch(scenario: Scenario, work_s: float) -> float:
    """Return how many times as long ``work_s`` of static training takes on average.

    Daly's expected time over the work, for memoryless reclaims of any of the nodes.
    Its R is the time until the static ring works again: the node's replacement and the
    restart. Without checkpoints every reclaim starts the work afresh.
    """
    mean_s = interruption_mean_s(scenario)
    restart_s = scenario.restart + 60 * scenario.away
    if not scenario.tau:
        return expected_time_without_checkpoints(work_s, restart_s, mean_s) / work_s
    return expected_time(work_s, 60 * scenario.tau, scenario.checkpoint, restart_s, mean_s) / work_s
