"""The numbers in Part 3's prose, each a formula or a run at the values that the prose names."""

from __future__ import annotations

import math

from fleetlab.missions import mission
from fleetlab.scenario import Scenario
from fleetlab.services.frames import fps, needed_nodes, pixels
from fleetlab.services.hearing import DEVICES, HEAVY, SLIM, power_mw
from fleetlab.services.loop import fewest_nodes, loop_ms
from fleetlab.services.prices import break_even_stretch, case, discount
from fleetlab.services.training import expected_stretch, interruption_mean_s
from fleetlab.theory.checkpoint import optimal_interval, young
from fleetlab.wording import dollars, duration, percent

TRAINING_S = 30 * 3600
"""The work of one training run of ``titan-train``."""


def compute() -> dict[str, str]:
    """Return Part 3's figures by name, as they are to be read."""
    titan = Scenario.default("titan", 3).but(spot=100)
    prices = mission("titan")
    hours = prices.campaign_runs * TRAINING_S / 3600
    gpu_h = hours * titan.fleet_shape.gpus
    plain, spot = gpu_h * prices.gpu_hour_dollars, gpu_h * prices.spot_hour_dollars
    doubled = case(2 * spot, 2 * hours, plain, hours)
    mean_s = interruption_mean_s(titan)
    best_s = optimal_interval(titan.checkpoint, mean_s)
    best = expected_stretch(titan.but(tau=round(best_s / 60)), TRAINING_S)
    nomad = Scenario.default("nomad", 3)
    needed, half = needed_nodes(nomad), nomad.fleet_shape.nodes / 2
    rare, unsaved = titan.but(tau=240, preemptions=6), titan.but(tau=0, preemptions=1)
    guardian = Scenario.default("guardian", 3).fleet_shape.nodes
    return {
        "titan_spot_promise": dollars(plain - spot),
        "titan_doubled_left": dollars(doubled.saved_dollars),
        "titan_flip_day": dollars(doubled.flips_at_dollars_a_day),
        "titan_break_even": f"{break_even_stretch(discount('titan')):.2f}",
        "titan_static_stretch": f"{expected_stretch(titan, TRAINING_S):.2f}",
        "titan_rare_stretch": f"{expected_stretch(rare, TRAINING_S):.2f}",
        "titan_unsaved_stretch": f"{expected_stretch(unsaved, TRAINING_S):.2f}",
        "titan_young_interval": duration(young(titan.checkpoint, mean_s)),
        "titan_best_stretch": f"{best:.2f}",
        "guardian_loop_ms": f"{loop_ms(guardian, guardian):.1f}",
        "guardian_fewest_nodes": f"{fewest_nodes(guardian)}",
        "nomad_half_fps": f"{math.floor(fps(half, needed))}",
        "nomad_half_pixels": percent(pixels(half, needed), 1),
        "nomad_break_even": f"{break_even_stretch(discount('nomad')):.0f}",
        "pioneer_heavy_v2_mw": f"{power_mw(HEAVY, DEVICES[1]):.1f}",
        "pioneer_slim_v2_mw": f"{power_mw(SLIM, DEVICES[1]):.2f}",
    }
