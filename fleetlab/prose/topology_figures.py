"""The numbers in Part 2's prose: strict against loose on Titan's mix, and each track's physics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import mean

from fleetlab.analysis.usage import Usage
from fleetlab.prose.runs import SEEDS, runs_of
from fleetlab.run import Run
from fleetlab.scenario import FOR_EVER, Scenario
from fleetlab.services.hearing import DEVICES, HEAVY, latency_ms, power_mw
from fleetlab.services.nearness import frame_ms, pair_ms, replica_tokens_s
from fleetlab.wording import duration, percent

PENALTIES = (5, 10, 15, 20)


def mean_wait_s(runs: Iterable[Run]) -> float:
    """Return the mean over runs of the mean wait so far of all jobs, in seconds."""
    return mean(Usage(run).mean_wait_s(*run.metrics.window_ms) for run in runs)


def crossover(strict_s: float, loose_s: Sequence[tuple[int, float]]) -> float:
    """Return the penalty, in percent, at which loose placement waits as long as strict.

    Straight lines between the ``loose_s`` measured, (penalty, wait), in order; the first or
    the last penalty where they do not meet.
    """
    for (low, before), (high, after) in pairwise(loose_s):
        if before <= strict_s <= after:
            return low + (high - low) * (strict_s - before) / max(1e-9, after - before)
    return loose_s[0][0] if strict_s < loose_s[0][1] else loose_s[-1][0]


def compute() -> dict[str, str]:
    """Return Part 2's figures by name, as they are to be read."""
    usual = Scenario.default("titan", 2)
    strict, loose = list(runs_of(usual.but(patience=FOR_EVER))), list(runs_of(usual))
    waits = [(p, mean_wait_s(runs_of(usual.but(penalty=p)))) for p in PENALTIES]
    turn = crossover(mean_wait_s(strict), waits)
    tokens, frames, pairs = replica_tokens_s(), frame_ms(), pair_ms()
    found = {
        "part2_seeds": str(len(SEEDS)),
        "titan_crossover": f"{turn:.0f} %",
        "nomad_node_ms": f"{frames[0]:.1f}",
        "nomad_block_ms": f"{frames[1]:.1f}",
        "nomad_spine_ms": f"{frames[2]:.1f}",
        "pioneer_block_ms": f"{pairs[1]:.1f}",
        "pioneer_spine_ms": f"{pairs[2]:.1f}",
    }
    for name, rate in zip(("node", "block", "spine"), tokens, strict=True):
        found[f"titan_{name}_tokens"] = f"{rate:,.0f}"
    for device in DEVICES:
        found[f"pioneer_{device.name.lower()}_ms"] = f"{latency_ms(HEAVY, device):.3g}"
        found[f"pioneer_{device.name.lower()}_mw"] = f"{power_mw(HEAVY, device):.3g}"
    for name, runs in (("strict", strict), ("loose", loose)):
        found[f"titan_{name}_allocated"] = percent(mean(r.metrics.allocated for r in runs), 1)
        found[f"titan_{name}_mfu"] = f"{mean(r.metrics.mfu for r in runs):.3f}"
        found[f"titan_{name}_wait"] = duration(mean_wait_s(runs))
    return found
