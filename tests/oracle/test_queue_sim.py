"""The engine as a queue: simulated waits against Erlang-C and Pollaczek-Khinchine.

Each figure is the mean over independent replications, one seed each, of the waits after
the first fifth of the jobs. Its standard error is the deviation of the replications'
means over the root of their number: waits of one run hang together, replications do not.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import mean, stdev

import numpy as np
import pytest

from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.theory.queueing import erlang_c, mean_wait_mmc, pollaczek_khinchine
from fleetlab.workloads.workload import Kind, generate

SERVICE_S = 1000.0
REPLICATIONS = 24


@cache
def replication(servers: int, load: float, cv: float, jobs: int, seed: int) -> tuple[float, float]:
    """Return the mean wait, in service times, and the share of jobs that waited, of one run."""
    fleet = Fleet.pool(servers)
    rng = np.random.Generator(np.random.PCG64(seed))
    table = generate([Kind("job", 1, 1, SERVICE_S, cv)], fleet, load, jobs, rng)
    engine = Engine(fleet, table, Policy(backfill="none"), rng).run()
    waits_ms = (np.array(engine.start_ms) - table.submit_ms)[jobs // 5 :]
    return float(waits_ms.mean()) / (1000 * SERVICE_S), float((waits_ms > 0).mean())


def within(values: list[float], expected: float, errors: float = 3.0) -> bool:
    """Return whether the mean of ``values`` is so many standard errors from ``expected``.

    The error must be small enough to tell: below a tenth of what is expected.
    """
    error = stdev(values) / math.sqrt(len(values))
    return abs(mean(values) - expected) <= errors * error and error < expected / 10


@pytest.mark.parametrize(("servers", "offered"), [(2, 1.6), (4, 3.2), (16, 14.4), (1, 0.5)])
def test_a_simulated_mmc_waits_as_erlang_c_says(servers: int, offered: float) -> None:
    runs = [
        replication(servers, offered / servers, 1.0, 6000, seed) for seed in range(REPLICATIONS)
    ]
    assert within([wait for wait, _ in runs], mean_wait_mmc(servers, offered))
    assert within([share for _, share in runs], erlang_c(servers, offered))


@pytest.mark.parametrize(
    ("cv", "load", "jobs"),
    [(0.0, 0.8, 6000), (1.0, 0.8, 6000), (3.0, 0.8, 20_000)],
)
def test_a_simulated_mg1_waits_as_pollaczek_khinchine_says(
    cv: float, load: float, jobs: int
) -> None:
    runs = [replication(1, load, cv, jobs, seed) for seed in range(REPLICATIONS)]
    assert within([wait for wait, _ in runs], pollaczek_khinchine(load, cv))


@pytest.mark.parametrize("cv", [0.0, 3.0])
def test_in_any_mg1_as_large_a_share_waits_as_the_server_is_busy(cv: float) -> None:
    # Poisson arrivals see time averages
    jobs = 6000 if cv == 0 else 20_000
    runs = [replication(1, 0.8, cv, jobs, seed) for seed in range(REPLICATIONS)]
    assert within([share for _, share in runs], 0.8)


def test_gangs_of_half_the_fleet_queue_like_two_servers() -> None:
    fleet = Fleet(2, 1, 4)
    waits = []
    for seed in range(REPLICATIONS):
        rng = np.random.Generator(np.random.PCG64(seed))
        table = generate([Kind("gang", 1, 4, SERVICE_S)], fleet, 0.8, 6000, rng)
        engine = Engine(fleet, table, Policy(backfill="none"), rng).run()
        waits_ms = (np.array(engine.start_ms) - table.submit_ms)[1200:]
        waits.append(float(waits_ms.mean()) / (1000 * SERVICE_S))
    assert within(waits, mean_wait_mmc(2, 1.6))
