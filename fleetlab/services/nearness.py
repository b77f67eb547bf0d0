"""What it makes of each track's service how near its gangs lie: Part 2's physics.

A gang lies in one node, in one block or over the spine (``network.TIERS``), and each track's
service is another function of that: tokens, the latency of a loop, frames, or hearables
that answer in time. Teaching values where no source is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleetlab.analysis.usage import Usage
from fleetlab.log import Event
from fleetlab.metrics import window
from fleetlab.network import GB, MB, TIERS, Tier, ring_allreduce_s, tensor_parallel_s
from fleetlab.run import Run
from fleetlab.services import loop
from fleetlab.services.frames import FRAME_MS
from fleetlab.services.hearing import DEVICES, HEAVY, LIMIT_MS, can_run, latency_ms
from fleetlab.services.loop import COMPUTE_MS, DEADLINE_MS, TAIL

SERVICE_KIND = 0
"""The kind of job in each of Part 2's workloads that the track's service runs as."""

GRADIENT_BYTES, GRADIENT_RANKS = 1 * GB, 64
"""The AllReduce that the hop gauge prices: 1 GB over 64 GPUs, as in the chapter."""

# Llama-3-70B: 141 GB of bf16 weights, 80 layers, 8192 wide; decode is bound by memory bandwidth.
WEIGHT_BYTES, LAYERS, WIDTH = 141 * GB, 80, 8192
BATCH, EFFICIENCY, MEMORY_BYTES_S, REPLICA_GPUS = 16, 0.8, 3350 * GB, 8

RENDER_MS = 12.0
SCENE_BYTES = 4 * MB
EDGE_TIERS = (TIERS[0], TIERS[1], Tier("another edge site", 1.25 * GB, 2e-3, 3, 10))
"""Between edge sites lies a city network: 10 Gbit/s and 2 ms one way."""

RADIO_MS = (0.0, 1.5, 12.0)
"""What two hearables need to agree: in one device, within a group of wearers, through a phone."""


@dataclass(frozen=True)
class Service:
    """A track's service in one run.

    ``by_tier`` is what a gang gives in one node, in one block and over the spine, ``shares``
    how much of the service's GPU-time lay in each, ``value`` what that comes to, ``limit``
    the objective (0: the more the better) and ``dropped`` the share that never ran.
    """

    name: str
    by_tier: tuple[float, float, float]
    shares: tuple[float, float, float]
    value: float
    limit: float = 0.0
    dropped: float = 0.0


def allreduce_ms() -> tuple[float, float, float]:
    """Return how long an AllReduce of 1 GB over 64 GPUs takes by its slowest tier, in ms."""
    times = [
        ring_allreduce_s(GRADIENT_BYTES, GRADIENT_RANKS, tier.bandwidth_bytes_s, tier.latency_s)
        for tier in TIERS
    ]
    return times[0] * 1000, times[1] * 1000, times[2] * 1000


def replica_tokens_s() -> tuple[float, float, float]:
    """Return the tokens a second of one 8-GPU replica by tier.

    A step reads all weights from memory; AllReduces within a node are in its efficiency, and
    a wider replica pays what they take beyond that.
    """
    step_s = WEIGHT_BYTES / (REPLICA_GPUS * MEMORY_BYTES_S * EFFICIENCY)
    talk_s = [tensor_parallel_s(LAYERS, BATCH * WIDTH * 2, REPLICA_GPUS, tier) for tier in TIERS]
    rates = [BATCH / (step_s + talk - talk_s[0]) for talk in talk_s]
    return rates[0], rates[1], rates[2]


def perception_ms() -> tuple[float, float, float]:
    """Return the latency of the 4-GPU safety loop by tier: compute and 48 AllReduces of 2.08 MB."""
    times = [
        COMPUTE_MS + 1000 * tensor_parallel_s(loop.LAYERS, loop.SHARED_BYTES, loop.RANKS, tier)
        for tier in TIERS
    ]
    return times[0], times[1], times[2]


def frame_ms() -> tuple[float, float, float]:
    """Return the time of one shared frame by tier: rendering, and an exchange of 4 MB."""
    times = [
        RENDER_MS + 1000 * ring_allreduce_s(SCENE_BYTES, 2, tier.bandwidth_bytes_s, tier.latency_s)
        for tier in EDGE_TIERS
    ]
    return times[0], times[1], times[2]


def pair_ms() -> tuple[float, float, float]:
    """Return how long a pair of V3 needs for one inference together, by tier."""
    compute = latency_ms(HEAVY, DEVICES[-1])
    return compute + RADIO_MS[0], compute + RADIO_MS[1], compute + RADIO_MS[2]


def talk_ms(track: str) -> tuple[str, tuple[float, float, float]]:
    """Return what a gang of ``track`` exchanges, in words, and how long it takes by tier, in ms."""
    match track:
        case "titan":
            return "an AllReduce of 1 GB over 64 GPUs", allreduce_ms()
        case "guardian":
            near, middle, far = perception_ms()
            talk = (near - COMPUTE_MS, middle - COMPUTE_MS, far - COMPUTE_MS)
            return "the chain of 48 AllReduces of one loop", talk
        case "nomad":
            near, middle, far = frame_ms()
            return "the AllReduce of one frame", (
                near - RENDER_MS,
                middle - RENDER_MS,
                far - RENDER_MS,
            )
        case _:
            return "the agreement of two hearables", RADIO_MS


def service_of(run: Run) -> Service | None:
    """Return what the run's placements made of its track's service; None outside Part 2."""
    scenario = run.scenario
    if scenario is None or not scenario.workload.endswith("-gangs") or not len(run.jobs):
        return None
    begin, end = window(run)
    usage = Usage(run)
    which = run.jobs.kind == SERVICE_KIND
    shares = usage.hop_shares(begin, end, which)
    match scenario.track:
        case "titan":
            rates = replica_tokens_s()
            spans = run.spans
            mine = which[spans.job] & (run.start_ms[spans.job] >= 0)
            held = usage.held_gpu_ms(begin, end, mine)
            replicas = held / max(1, end - begin) / REPLICA_GPUS
            total = replicas * sum(r * s for r, s in zip(rates, shares, strict=True))
            return Service("tokens_s", rates, shares, total)
        case "guardian":
            times = perception_ms()
            return Service("loop_p999_ms", times, shares, _tail(times, shares), DEADLINE_MS)
        case "nomad":
            times = frame_ms()
            rates = (1000 / times[0], 1000 / times[1], 1000 / times[2])
            capped = [min(1000 / FRAME_MS, rate) for rate in rates]
            mean = sum(r * s for r, s in zip(capped, shares, strict=True))
            return Service("frames_s", times, shares, mean, FRAME_MS)
        case _:
            times = pair_ms()
            gone = np.isin(np.flatnonzero(which), run.log[run.log[:, 1] == Event.DROP, 2])
            dropped = float(gone.mean()) if which.any() else 0.0
            late = sum(s for t, s in zip(times, shares, strict=True) if t > LIMIT_MS)
            return Service(
                "dropout_share", times, shares, dropped + (1 - dropped) * late, LIMIT_MS, dropped
            )


def _tail(times: tuple[float, float, float], shares: tuple[float, float, float]) -> float:
    """Return the time that all but ``TAIL`` of the loops keep to."""
    for number in (2, 1, 0):
        if sum(shares[number:]) > TAIL:
            return times[number]
    return times[0]


def capable_classes() -> tuple[bool, ...]:
    """Return for each class of hearable, V1 first, whether it can run the heavy model."""
    return tuple(can_run(HEAVY, device) for device in DEVICES)


NEARNESS_FIGURES = (
    "wait_so_far_s",
    "hops_node",
    "hops_block",
    "hops_spine",
    "tokens_s",
    "loop_p999_ms",
    "frames_s",
    "dropout_share",
)
"""Every name that ``nearness_figures`` may give, in this order."""


def nearness_figures(run: Run) -> dict[str, float]:
    """Return Part 2's figures of ``run`` by name: seconds, shares of 1, the track's service.

    ``wait_so_far_s`` is the mean wait of all jobs that came in the window, where who
    still waits at its end counts to there; ``hops_*`` are the shares of the GPU-time of
    gangs in one node, one block, several blocks.
    """
    service = service_of(run)
    if service is None:
        return {}
    begin, end = window(run)
    usage = Usage(run)
    near, middle, far = usage.hop_shares(begin, end)
    return {
        "wait_so_far_s": usage.mean_wait_s(begin, end),
        "hops_node": near,
        "hops_block": middle,
        "hops_spine": far,
        service.name: service.value,
    }
