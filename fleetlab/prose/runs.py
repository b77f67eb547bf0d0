"""The runs behind the numbers in prose: every Scenario on the same few seeds."""

from __future__ import annotations

from collections.abc import Iterator

from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

SEEDS = (1, 2, 3)


def runs_of(scenario: Scenario) -> Iterator[Run]:
    """Yield the run of ``scenario`` on each of ``SEEDS``."""
    return (simulate(scenario.but(seed=seed)) for seed in SEEDS)
