"""The figures that a ledger keeps of a Run, at a fixed precision.

The page records them and ``verify`` computes them again, both from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from fleetlab.figures import figures_of
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.services.nearness import NEARNESS_FIGURES
from fleetlab.services.outcome import OUTCOME_FIGURES

DECIMALS = {
    "wait_mean_s": 3,
    "wait_p50_s": 3,
    "wait_p95_s": 3,
    "wait_so_far_s": 3,
    "near_wait_s": 3,
    "any_wait_s": 3,
    "worst_low_priority_s": 3,
    "offered": 4,
    "allocated": 4,
    "productive": 4,
    "goodput": 4,
    "mfu": 4,
    "fairness": 4,
    "hops_node": 4,
    "hops_block": 4,
    "hops_spine": 4,
    "tokens_s": 1,
    "frames_s": 3,
    "dropout_share": 4,
    "deadlocked": 0,
    "interruptions": 0,
    "lost_gpu_h": 2,
    "hole_gpus": 2,
    "dropped": 0,
    "cost_dollars": 2,
    "time_to_converge_s": 3,
    "stretch": 4,
    "converged": 0,
    "rebuilds": 0,
    "loop_p50_ms": 2,
    "loop_p999_ms": 2,
    "late_share": 5,
    "small_share": 5,
    "frozen_s": 2,
    "lowest_fps": 2,
    "mean_pixels": 5,
    "effective_dollars": 4,
    "heavy_share": 5,
    "slim_share": 5,
    "silent_share": 5,
    "mean_mw": 4,
}
"""Every figure that a ledger may keep, and how many decimals of it."""

_WAITS = ("wait_mean_s", "wait_p50_s", "wait_p95_s")
KEPT = {
    1: (*_WAITS, "allocated", "productive", "hole_gpus", "dropped", "near_wait_s", "any_wait_s"),
    2: (
        *_WAITS, "worst_low_priority_s", "allocated", "productive", "goodput", "mfu",
        "fairness", "deadlocked", "dropped", "offered", *NEARNESS_FIGURES,
    ),
    3: (
        "wait_p50_s", "wait_p95_s", "allocated", "productive", "goodput", "mfu",
        "interruptions", "lost_gpu_h", *OUTCOME_FIGURES,
    ),
}  # fmt: skip
"""The figures that a ledger keeps of a run, by part."""

EVIDENCE = {
    "allocated": "allocated",
    "productive": "productive",
    "mfu": "mfu",
    "wait_p50": "wait_p50_s",
    "wait_p95": "wait_p95_s",
    "worst_low_priority": "worst_low_priority_s",
    "cost": "cost_dollars",
    "time_to_converge": "time_to_converge_s",
    "tokens": "tokens_s",
    "loop_p999": "loop_p999_ms",
    "frames": "frames_s",
    "lowest_fps": "lowest_fps",
    "dropout": "dropout_share",
    "silent": "silent_share",
}
"""The evidence that a policy is defended with, and the figure of a run that each is."""

OWN_RULE = "own-rule"
"""The placement of a policy whose run was placed by the reader's own rule."""

POLICY = (
    "order", "backfill", "placement", "gang", "ageing", "starvation", "preemption", "migration",
    "quota", "patience", "spot", "elastic", "tau",
)  # fmt: skip
"""The choices of a Scenario that are policy; the rest is what the policy has to live with."""

ELASTIC = 3
OF_SPOT = {
    "titan": ("spot", "elastic", "tau"),
    "guardian": ("spot", "elastic"),
    "nomad": ("spot", "elastic"),
    "pioneer": ("spot", "elastic"),
}
"""The choices of policy that only Part 3 asks for; checkpoints are Titan's alone."""

DIVERGENCE = 0.005
"""By how much utilisations must part to be called different."""


def record_of(run: Run) -> dict[str, Any]:
    """Return what a ledger keeps of ``run``; the page adds when that was.

    Raises ValueError for a run without a Scenario, which nobody could repeat.
    """
    if run.scenario is None:
        raise ValueError("a run of no Scenario cannot be repeated, so a ledger does not keep it")
    found = {
        "part": run.scenario.part,
        "scenario": "?" + run.scenario.query(),
        "seed": run.scenario.seed,
        "track": run.scenario.track,
        "digest": run.digest,
        "figures": kept_figures(run),
    }
    return found | {"rule": run.rule} if run.rule else found


def final_policy(scenarios: Sequence[Scenario]) -> dict[str, str | int]:
    """Return the policy that Scenarios of several parts make up together.

    Each choice is that of the last Scenario that departs in it from how its part
    opens, or of the first where none does. What only Part 3 asks is Part 3's.
    """
    policy: dict[str, str | int] = {}
    for scenario in scenarios:
        usual = Scenario.default(scenario.track, scenario.part)
        own = OF_SPOT[scenario.track] if scenario.part == ELASTIC else ()
        for name in POLICY:
            choice = getattr(scenario, name)
            if name not in policy or name in own or choice != getattr(usual, name):
                policy[name] = choice
    return policy


def kept_figures(run: Run) -> dict[str, float]:
    """Return what the ledger of its part keeps of ``run``, rounded as ``DECIMALS`` says.

    Waits in seconds, shares of 1, counts, dollars. A figure that the run has no such
    thing for, or that is beyond all numbers, is not there.
    """
    found = figures_of(run)
    part = run.scenario.part if run.scenario is not None else 1
    return {
        name: rounded(name, found[name])
        for name in KEPT[part]
        if name in found and isfinite(found[name])
    }


def rounded(name: str, value: float) -> float:
    """Return a figure as a ledger keeps it; one that is counted is a whole number."""
    decimals = DECIMALS[name]
    return round(float(value), decimals) if decimals else round(value)


def agrees(name: str, recorded: float, measured: float) -> bool:
    """Decide whether a recorded figure is what was measured, at the precision that is kept.

    Two machines may round a value that lies on the edge to either side; both are right.
    """
    decimals = DECIMALS[name]
    exact = abs(recorded - measured) <= 0.5 * 10.0**-decimals * (1 + 1e-6)
    return exact and round(recorded, decimals) == recorded


def diverge(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Decide whether one of two runs kept more GPUs allocated and got less work done.

    By ``DIVERGENCE`` at least, in ``allocated`` one way and in ``productive`` or
    ``mfu`` the other way.
    """
    for busy, idle in ((one, other), (other, one)):
        gap = {name: busy[name] - idle[name] for name in busy.keys() & idle.keys()}
        if gap.get("allocated", 0.0) >= DIVERGENCE and (
            min(gap.get("productive", 0.0), gap.get("mfu", 0.0)) <= -DIVERGENCE
        ):
            return True
    return False
