"""The Nomad's frames on nodes that come and go: frames per second, or pixels, and frozen screens.

The pool renders every pair of glasses. With fewer nodes than it needs it either keeps the
full size and shows fewer frames, or keeps 60 frames per second and shows fewer pixels. The
glasses on a node that goes without notice freeze until they are handed over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.services.prices import bill, effective_cost
from fleetlab.services.service import day_ms, live_nodes, still_ms

FULL_FPS = 60.0
FRAME_MS = 1000 / FULL_FPS


def needed_nodes(scenario: Scenario) -> float:
    """Return how many nodes' worth of frames the glasses ask for at full size and rate."""
    return scenario.fleet_shape.nodes * scenario.load / 100


def fps(nodes: float, needed: float) -> float:
    """Return the frames per second at full size on ``nodes`` of the ``needed`` ones."""
    return FULL_FPS * pixels(nodes, needed)


def pixels(nodes: float, needed: float) -> float:
    """Return the share of the pixels that ``nodes`` of the ``needed`` ones draw at 60 FPS."""
    return min(1.0, nodes / needed) if needed > 0 else 1.0


@dataclass(frozen=True)
class Frames:
    """A day of frames, averaged over all glasses; shares of 1.

    ``late_share`` of the frames come after 16.7 ms, in ``small_share`` of the time
    the picture is smaller; both are means over time. ``frozen_s`` is how long a pair of
    glasses stands still on average. ``effective_dollars`` is what a GPU-hour of frames on
    time and at full size costs.
    """

    seed: int
    late_share: float
    small_share: float
    frozen_s: float
    lowest_fps: float
    lowest_pixels: float
    mean_pixels: float
    reclaimed: int
    fewest_nodes: int
    dollars: float
    effective_dollars: float


def frames_of(run: Run) -> Frames:
    """Return the day of frames in ``run``; raises ValueError for a run without a Scenario."""
    scenario = run.scenario
    if scenario is None:
        raise ValueError("a run of no Scenario has no prices; simulate a Scenario")
    needed, end = needed_nodes(scenario), day_ms(run)
    day = live_nodes(run)
    drawn = [pixels(piece.nodes, needed) for piece in day]
    short = sum(p.length_ms for p, share in zip(day, drawn, strict=True) if share < 1) / end
    mean = sum(p.length_ms * share for p, share in zip(day, drawn, strict=True)) / end
    rescales = scenario.elastic == 1
    _, down, _ = run.outages
    reclaimed = int((down < end).sum())
    # each reclaim freezes the glasses of one node out of those that are needed
    freezing_s = reclaimed * min(1.0, needed / run.fleet.nodes) / max(1.0, needed)
    freezing_s *= still_ms(scenario) / 1000
    rent = bill(run, end)
    frozen = min(1.0, freezing_s * 1000 / end)
    useful = (mean if rescales else 1 - short) * (1 - frozen)
    return Frames(
        seed=scenario.seed,
        late_share=min(1.0, (0.0 if rescales else short) + frozen),
        small_share=short if rescales else 0.0,
        frozen_s=freezing_s,
        lowest_fps=FULL_FPS if rescales else FULL_FPS * min(drawn),
        lowest_pixels=min(drawn) if rescales else 1.0,
        mean_pixels=mean if rescales else 1.0,
        reclaimed=reclaimed,
        fewest_nodes=min(piece.nodes for piece in day),
        dollars=rent.dollars,
        effective_dollars=(
            effective_cost(rent.dollars / rent.gpu_h, 1.0, useful)
            if rent.gpu_h and useful > 0
            else float(np.inf)
        ),
    )
