"""The figures of the instructor's answer key, each a run of the engine or a closed form."""

from __future__ import annotations

from statistics import mean

from fleetlab.figures import figures_of
from fleetlab.missions import TRACKS, mission
from fleetlab.prose.runs import runs_of
from fleetlab.scenario import Scenario
from fleetlab.services.prices import break_even_stretch, case, discount
from fleetlab.theory.checkpoint import daly, mtbf_that_stretches
from fleetlab.wording import dollars, duration, percent, times

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


def measured(scenario: Scenario) -> dict[str, float]:
    """Return the figures of ``scenario``, each the mean over ``SEEDS``."""
    runs = [figures_of(run) for run in runs_of(scenario)]
    return {name: mean(run[name] for run in runs) for name in runs[0]}


def audit(track: str, **choices: str | int) -> dict[str, float]:
    """Return the figures of Part 1 on ``track`` as it opens, with other ``choices``."""
    return measured(Scenario.default(track, 1).but(**choices))


def compute() -> dict[str, str]:
    """Return the figures of the answer key by name, as they are to be read."""
    return part_1() | part_2() | part_3()


def part_1() -> dict[str, str]:
    """Return what Part 1 measures as each track opens it, and Titan's other regimes."""
    found: dict[str, str] = {}
    for track in TRACKS:
        opened = audit(track)
        found |= _waits(f"key_{track}", opened)
    found |= _waits("key_titan_random", audit("titan", placement="random"))
    found |= _waits("key_titan_fifo", audit("titan", backfill="none"))
    blind = audit("pioneer", placement="random")
    jobs = Scenario.default("pioneer", 1).jobs
    found["key_pioneer_dropped"] = percent(blind["dropped"] / jobs)
    return found


def _waits(name: str, figures: dict[str, float]) -> dict[str, str]:
    near, anywhere = figures["near_wait_s"], figures["any_wait_s"]
    return {
        f"{name}_near": duration(near),
        f"{name}_any": duration(anywhere),
        f"{name}_ratio": times(near / anywhere),
    }


def crowd(track: str = "titan", **choices: str | int) -> dict[str, float]:
    """Return the figures of Part 2 on ``track`` as it opens, with other ``choices``."""
    return measured(Scenario.default(track, 2).but(**choices))


LOOSE, STRICT = 0, -1
"""The patience that takes any place at once, and the one that never does."""


def part_2() -> dict[str, str]:
    """Return what holding and waiting costs, and what loose placement does to a fleet."""
    whole = crowd(load=60)
    found = {
        "key_gang_allocated": percent(whole["allocated"]),
        "key_gang_productive": percent(whole["productive"]),
    }
    for track in TRACKS:
        holding = crowd(track, load=60, gang="hold-and-wait")
        found[f"key_{track}_hold_allocated"] = percent(holding["allocated"])
        found[f"key_{track}_hold_productive"] = percent(holding["productive"])
    for name, patience in (("loose", LOOSE), ("strict", STRICT)):
        dear = crowd(load=85, penalty=30, patience=patience)
        cheap = crowd(load=85, penalty=10, patience=patience)
        found |= {
            f"key_{name}_allocated": percent(dear["allocated"]),
            f"key_{name}_mfu": f"{dear['mfu']:.3f}",
            f"key_{name}_wait": duration(dear["wait_mean_s"]),
            f"key_{name}_cheap_wait": duration(cheap["wait_mean_s"]),
        }
    return found


def part_3() -> dict[str, str]:
    """Return when a static run takes twice as long, and what is left of the CFO's saving then."""
    cost_s, restart_s = 5 * 60.0, 30 * 60.0
    hourly = mtbf_that_stretches(2, HOUR_S, cost_s, restart_s)
    rarely = mtbf_that_stretches(2, 4 * HOUR_S, cost_s, restart_s)
    # without checkpoints the whole run is one segment, so its length is the unit
    unsaved = 1 / mtbf_that_stretches(2, 1.0, 0.0, 0.0)
    return (
        {
            "key_doubling_hourly_h": f"{hourly / HOUR_S:.2f}",
            "key_doubling_four_hourly_a_day": f"{DAY_S / rarely:.0f}",
            "key_doubling_unsaved": f"{unsaved:.2f}",
            "key_best_interval": duration(daly(cost_s, hourly)),
        }
        | _campaign()
        | _losses()
    )


def spot(**choices: str | int) -> dict[str, float]:
    """Return the figures of Part 3 on Titan with all nodes spot, with other ``choices``."""
    return measured(Scenario.default("titan", 3).but(**{"spot": 100, **choices}))


def lost_of_100(track: str, elastic: int) -> float:
    """Return of how many of 100 hours nothing comes, as ``track`` opens Part 3."""
    figures = measured(Scenario.default(track, 3).but(elastic=elastic))
    if track == "titan":
        return 100 * (1 - 1 / figures["stretch"])
    return 100 * figures["silent_share" if track == "pioneer" else "late_share"]


def _losses() -> dict[str, str]:
    return {
        f"key_{track}_{name}_lost": f"{lost_of_100(track, elastic):.1f}"
        for track in TRACKS
        for elastic, name in enumerate(("static", "elastic"))
    }


def _campaign() -> dict[str, str]:
    """Return the CFO's case: the whole campaign on demand, on spot, twice as long, and elastic."""
    undisturbed = spot(spot=0, preemptions=0, tau=0, checkpoint=0)
    static, elastic = spot(elastic=0), spot(elastic=1)
    runs = mission("titan").campaign_runs
    hours = runs * undisturbed["time_to_converge_s"] / HOUR_S
    on_demand = runs * undisturbed["cost_dollars"]
    on_spot = on_demand * (1 - discount("titan"))
    doubled = case(2 * on_spot, 2 * hours, on_demand, hours)
    gpus = Scenario.default("titan", 3).fleet_shape.gpus
    return {
        "key_campaign_runs": f"{runs}",
        "key_gpu_hours": f"{hours * gpus / 1e6:.2f} M",
        "key_days": f"{hours / 24:.0f}",
        "key_on_demand": dollars(on_demand),
        "key_spot": dollars(on_spot),
        "key_saving": dollars(on_demand - on_spot),
        "key_left": dollars(doubled.saved_dollars),
        "key_break_even": f"{break_even_stretch(discount('titan')):.2f}×",
        "key_flip_a_day": dollars(doubled.flips_at_dollars_a_day),
        "key_static_stretch": times(static["stretch"]),
        "key_static_kept": dollars(on_demand - runs * static["cost_dollars"]),
        "key_elastic_stretch": times(elastic["stretch"]),
        "key_elastic_kept": dollars(on_demand - runs * elastic["cost_dollars"]),
    }
