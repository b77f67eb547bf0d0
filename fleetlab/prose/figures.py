"""The numbers in the page's prose, computed when the page is built.

Nothing here is typed in: each figure is a run of the engine or a formula of
``theory`` and ``network`` at the values that the prose names.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

from fleetlab.network import TIERS, tensor_parallel_s
from fleetlab.prose import key, spot_figures, topology_figures
from fleetlab.prose.runs import runs_of
from fleetlab.scenario import Scenario
from fleetlab.services import loop
from fleetlab.theory.queueing import pollaczek_khinchine
from fleetlab.wording import dollars, percent

HOURS_A_YEAR = 8760


def fifo_ceiling(placement: str) -> float:
    """Return the share of Titan's fleet that strict FIFO can fill, whatever is offered.

    Offered 130 % of the fleet, allocated share of the window, mean over three seeds.
    """
    crowded = Scenario.default("titan").but(
        load=130, jobs=20_000, backfill="none", placement=placement
    )
    return mean(run.metrics.allocated for run in runs_of(crowded))


def compute() -> dict[str, str]:
    """Return every figure that the prose asks for, by name, as it is to be read."""
    node_s, block_s, spine_s = (
        tensor_parallel_s(loop.LAYERS, loop.SHARED_BYTES, loop.RANKS, tier) for tier in TIERS
    )
    no_latency = tensor_parallel_s(
        loop.LAYERS, loop.SHARED_BYTES, loop.RANKS, replace(TIERS[-1], latency_s=0.0)
    )
    best, random = fifo_ceiling("best-fit"), fifo_ceiling("random")
    fleet = Scenario.default("titan").fleet_shape
    lost = (best - random) * fleet.gpus * 2.0 * HOURS_A_YEAR
    return {
        "guardian_node_ms": f"{node_s * 1000:.1f}",
        "guardian_block_ms": f"{block_s * 1000:.1f}",
        "guardian_spine_ms": f"{spine_s * 1000:.1f}",
        "guardian_spine_bandwidth_ms": f"{no_latency * 1000:.1f}",
        "pk_wait_cv1": f"{pollaczek_khinchine(0.8, 1):.0f}",
        "pk_wait_cv3": f"{pollaczek_khinchine(0.8, 3):.0f}",
        "titan_fifo_ceiling_best": percent(best),
        "titan_fifo_ceiling_random": percent(random),
        "titan_ceiling_cost_year": dollars(lost),
        **key.compute(),
        **spot_figures.compute(),
        **topology_figures.compute(),
    }
