"""Where the numbers in the page's prose come from: their values in the code, by name.

Each is a setting of the track, a constant of the model, or worked out from them as the
comment says; what is only quoted has its source beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import ceil
from typing import Any

from fleetlab.app.parts.topology_study import rule_loss
from fleetlab.engine.reclaim import BURST_SHARE
from fleetlab.fleet import Fleet
from fleetlab.missions import mission
from fleetlab.network import GB, MB, TIERS, ring_allreduce_s, tensor_parallel_s
from fleetlab.scenario import Scenario
from fleetlab.services import loop, nearness
from fleetlab.services.frames import FRAME_MS, FULL_FPS, needed_nodes
from fleetlab.services.hearing import DEVICES, HEAVY, INFERENCES_S, LIMIT_MS, LIMIT_MW, SLIM
from fleetlab.services.prices import discount
from fleetlab.services.training import interruption_mean_s
from fleetlab.terms import LONGEST_RUN
from fleetlab.workloads.catalogue import crisis, resident

DAY_S = 86_400
HOUR_S = 3600
RACKS = Fleet.parse("50x4x8")
"""The fleet of Titan's crisis: 50 racks of 4 nodes of 8 GPUs."""


SPOKEN = """none one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"""
ONES, TENS = SPOKEN.split()[:20], SPOKEN.split()[20:]


class Fact(str):
    """A number as prose writes it: ``{x}`` in digits, ``{x:word}`` and ``{x:Word}`` in words."""

    __slots__ = ()

    def __format__(self, form: str) -> str:
        if not form:
            return str(self)
        number = int(self.replace(",", ""))
        spelled = number < 20 or number == 1000 or (number % 10 == 0 and number < 100)
        assert spelled, f"{number} is not spelled out in prose"
        if number == 1000:
            said = "thousand"
        else:
            said = ONES[number] if number < 20 else TENS[number // 10 - 2]
        return said.capitalize() if form == "Word" else said


def only(found: Sequence[Any] | set[Any]) -> Any:
    """Return the one value that all of ``found`` have."""
    (value,) = set(found)
    return value


def whole(number: float) -> str:
    """Return a number as prose has it: no zeros behind the point, commas in thousands."""
    return f"{number:,.10g}" if abs(number - round(number)) > 1e-9 else f"{round(number):,}"


def _opened(track: str, part: int) -> Scenario:
    return Scenario.default(track, part)


def _crisis() -> dict[str, float]:
    jobs = crisis(RACKS)
    taken = int(jobs.gpus[:-1].sum())
    return {
        "racks": RACKS.blocks,
        "crisis_free": RACKS.gpus - taken,
        "free_a_rack": (RACKS.gpus - taken) // RACKS.blocks,
        "gang": int(jobs.gpus[-1]),
        "whole_nodes": int(jobs.gpus[-1]) // RACKS.gpus_per_node,
    }


def _tiers() -> dict[str, float]:
    found: dict[str, float] = {"spine_hops": TIERS[-1].hops}
    for name, tier in zip(("node", "block", "spine"), TIERS, strict=True):
        found[f"{name}_gb_s"] = tier.bandwidth_bytes_s / GB
        found[f"{name}_us"] = round(tier.latency_s * 1e6, 6)
    return found


def _devices() -> dict[str, float]:
    found: dict[str, float] = {}
    for device in DEVICES:
        name = device.name.lower()
        found[f"{name}_gops"] = device.ops_s / 1e9
        found[f"{name}_kb"] = device.memory_kb
        found[f"{name}_pj"] = device.pj_op
    return found


@cache
def facts() -> dict[str, str]:
    """Return every fact that phrases name, as it is written."""
    titan, spot = mission("titan"), _opened("titan", 3).but(spot=100)
    guardian, nomad = _opened("guardian", 3), _opened("nomad", 3)
    wear = _opened("pioneer", 3)
    pioneer = _opened("pioneer", 2).fleet_shape
    city = nearness.EDGE_TIERS[-1]
    shared, near = (loop.SHARED_BYTES, loop.RANKS), TIERS[0]
    layer_s = tensor_parallel_s(1, *shared, near)
    one_s = ring_allreduce_s(*shared, near.bandwidth_bytes_s, near.latency_s)
    layer_allreduces = round(layer_s / one_s)
    nodes, needed = nomad.fleet_shape.nodes, needed_nodes(nomad)
    life_h = nodes * 24 / nomad.preemptions
    forgiven_s = loop.TAIL * DAY_S
    loads = {_opened(track, 1).load for track in ("titan", "guardian", "nomad", "pioneer")}
    shares = {_opened(track, 3).spot for track in ("titan", "guardian")}
    assert len(loads) == len(shares) == 1, "all tracks ask about the same load and spot share"
    assert rule_loss() * 100 < 40.5 and rule_loss() * 100 > 39.5
    values: dict[str, float] = {
        "load": loads.pop(),
        "spot": shares.pop(),
        "lost_goodput": round(rule_loss() * 100),
        "deadline_ms": loop.DEADLINE_MS,
        "compute_ms": loop.COMPUTE_MS,
        "layers": loop.LAYERS,
        "allreduces": layer_allreduces * loop.LAYERS,
        "layer_allreduces": layer_allreduces,
        "shared_mb": loop.SHARED_BYTES / MB,
        "ranks": loop.RANKS,
        "day_s": DAY_S,
        "tail_one_in": round(1 / loop.TAIL),
        "forgiven_s": forgiven_s,
        "about_forgiven_s": round(forgiven_s),
        "rendezvous_s": guardian.rendezvous,
        # three rebuilds a day fit into what is forgiven when each takes no more than this
        "third_s": int(forgiven_s / 3),
        "loop_nodes": guardian.fleet_shape.nodes,
        "fps": FULL_FPS,
        "frame_ms": round(FRAME_MS, 1),
        "notice_frames": 30 * FULL_FPS,
        "nomad_size": _opened("nomad", 1).size,
        "nomad_off": discount("nomad") * 100,
        "scene_mb": nearness.SCENE_BYTES / MB,
        "render_ms": nearness.RENDER_MS,
        "city_gbit_s": city.bandwidth_bytes_s * 8 / 1e9,
        "city_ms": city.latency_s * 1000,
        "pool": nodes,
        "pool_load": nomad.load,
        "rho": nomad.load / 100,
        "burst_takes": BURST_SHARE * nodes,
        "room": nodes - ceil(needed),
        "away_min": nomad.away,
        "life_h": life_h,
        "missing_one_in": life_h * 60 / nomad.away,
        "ops_m": HEAVY.ops / 1e6,
        "inferences": INFERENCES_S,
        "heavy_kb": HEAVY.memory_kb,
        "limit_ms": LIMIT_MS,
        "limit_mw": LIMIT_MW,
        # 1 mW over the operations of a second
        "limit_pj": int(LIMIT_MW * 1e9 / (HEAVY.ops * INFERENCES_S) * 100) / 100,
        "slim_share": SLIM.ops / HEAVY.ops * 100,
        "wearers": wear.fleet_shape.class_counts[-1] * wear.fleet_shape.blocks,
        "classes": len(mission("pioneer").classes),
        "group_v3": pioneer.class_counts[-1],
        "titan_size": _opened("titan", 1).size,
        "guardian_size": _opened("guardian", 1).size,
        "replica": nearness.REPLICA_GPUS,
        "batch": nearness.BATCH,
        "efficiency": nearness.EFFICIENCY * 100,
        "model_layers": nearness.LAYERS,
        "memory_tb_s": nearness.MEMORY_BYTES_S / 1e12,
        # to the nearest ten
        "about_tokens": round(nearness.replica_tokens_s()[0], -1),
        "dollars": titan.gpu_hour_dollars,
        "loose_load": _opened("titan", 2).load,
        "loose_penalty": _opened("titan", 2).penalty,
        "train_nodes": spot.fleet_shape.nodes,
        "interruption_h": round(interruption_mean_s(spot) / HOUR_S, 1),
        "checkpoint_min": spot.checkpoint / 60,
        "titan_off": discount("titan") * 100,
        "longest_run": LONGEST_RUN,
        "train_h": int(resident("titan-train", spot.fleet_shape, 1).duration_ms[0]) / 3.6e6,
    }
    values["v3_mb"] = DEVICES[-1].memory_kb / 1024
    values |= _crisis() | _tiers() | _devices()
    found: dict[str, str] = {name: Fact(whole(value)) for name, value in values.items()}
    found["spot_dollars"] = f"{titan.spot_hour_dollars:.2f}"
    found["demand_dollars"] = f"{titan.gpu_hour_dollars:.2f}"
    return found
