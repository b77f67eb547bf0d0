"""What a run of Part 3 came to, whatever its track: training, loops, frames or hearing."""

from __future__ import annotations

from collections.abc import Callable

from fleetlab.run import Run
from fleetlab.services.frames import Frames, frames_of
from fleetlab.services.hearing import Hearing, hearing_of
from fleetlab.services.loop import Loops, loops_of
from fleetlab.services.prices import bill
from fleetlab.services.service import day_ms
from fleetlab.services.training import Training, training_of

Outcome = Training | Loops | Frames | Hearing

_KINDS: dict[str, Callable[[Run], Outcome]] = {
    "titan-train": training_of,
    "guardian-loop": loops_of,
    "nomad-stream": frames_of,
    "pioneer-wear": hearing_of,
}

OUTCOME_FIGURES = (
    "cost_dollars",
    "time_to_converge_s",
    "stretch",
    "converged",
    "rebuilds",
    "loop_p50_ms",
    "loop_p999_ms",
    "late_share",
    "small_share",
    "frozen_s",
    "lowest_fps",
    "mean_pixels",
    "effective_dollars",
    "heavy_share",
    "slim_share",
    "silent_share",
    "mean_mw",
)
"""Every name that ``outcome_figures`` may give, in this order."""


def outcome_of(run: Run) -> Outcome | None:
    """Return what ``run`` came to; None for a run whose workload is not one of Part 3."""
    if run.scenario is None or run.scenario.workload not in _KINDS or not len(run.jobs):
        return None
    return _KINDS[run.scenario.workload](run)


def outcome_figures(run: Run) -> dict[str, float]:
    """Return the figures of ``outcome_of(run)`` by name, units in the names; shares of 1."""
    outcome = outcome_of(run)
    if outcome is None:
        return {}
    if isinstance(outcome, Training):
        return {
            "cost_dollars": outcome.dollars,
            "time_to_converge_s": outcome.time_to_converge_s,
            "stretch": outcome.stretch,
            "converged": int(outcome.converged),
            "rebuilds": outcome.rebuilds,
        }
    cost = bill(run, day_ms(run)).dollars
    if isinstance(outcome, Loops):
        return {
            "cost_dollars": cost,
            "loop_p50_ms": outcome.p50_ms,
            "loop_p999_ms": outcome.p999_ms,
            "late_share": outcome.late_share,
        }
    if isinstance(outcome, Frames):
        return {
            "cost_dollars": cost,
            "late_share": outcome.late_share,
            "small_share": outcome.small_share,
            "frozen_s": outcome.frozen_s,
            "lowest_fps": outcome.lowest_fps,
            "mean_pixels": outcome.mean_pixels,
            "effective_dollars": outcome.effective_dollars,
        }
    return {
        "heavy_share": outcome.heavy_share,
        "slim_share": outcome.slim_share,
        "silent_share": outcome.silent_share,
        "mean_mw": outcome.mean_mw,
    }
