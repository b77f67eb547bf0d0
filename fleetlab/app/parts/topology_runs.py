"""Runs set against each other, in words: strict and loose, all points, gangs and hold-and-wait."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

from fleetlab.app.instruments.scatter import Point, pareto
from fleetlab.app.parts.topology_study import BASELINE_LOADS, Figures, Study, work_of
from fleetlab.app.session import Session
from fleetlab.missions.questions import questions
from fleetlab.wording import duration, plural, times

PART = 2


def percent(share: float) -> str:
    """Return a share as it is read, to a tenth of a percent, never parted at a line's end."""
    return f"{share * 100:.1f}\u00a0%" if share < 0.9995 else "100\u00a0%"


# ---- the seesaw


def whole(number: float) -> str:
    """Return a number of percent as it is read."""
    return f"{number:g}\u00a0%"


def seesaw(study: Study) -> dict[str, Any]:
    """Return strict against loose placement on the same jobs: who waits less, who works more."""
    if set(study.pair) != {"strict", "loose"}:
        return {
            "bars": {"tilt": 0.5},
            "seesaw": "",
            "seesaw_title": "Strict and loose placement are being run on the same jobs",
            "seesaw_label": "A level seesaw: strict and loose placement are being weighed.",
        }
    strict, loose = study.pair["strict"], study.pair["loose"]
    ratio = _ratio(loose["wait_so_far_s"], strict["wait_so_far_s"])
    tilt = min(1.0, max(0.0, 0.5 + log2(ratio) / 8))
    return {
        "bars": {"tilt": tilt},
        "seesaw": "there",
        "seesaw_title": seesaw_title(strict, loose),
        "seesaw_strict": f"{duration(strict['wait_so_far_s'])} wait, MFU {strict['mfu']:.3f}",
        "seesaw_loose": f"{duration(loose['wait_so_far_s'])} wait, MFU {loose['mfu']:.3f}",
        "seesaw_label": (
            f"A seesaw with the waits of strict placement at the left, "
            f"{duration(strict['wait_so_far_s'])}, and of loose placement at the right, "
            f"{duration(loose['wait_so_far_s'])}. The side that waits longer hangs lower."
        ),
        "seesaw_detail": (
            f"At {whole(study.scenario.load)} offered load, with gangs across blocks "
            f"{whole(study.scenario.penalty)} slower. The heavier side waits longer. Move the "
            "fabric and look for where it turns over."
        ),
        "seesaw_table": [
            ["placement", "allocated", "productive", "MFU", "mean wait so far", "across blocks"],
            *(
                [
                    name,
                    percent(f["allocated"]),
                    percent(f["productive"]),
                    f"{f['mfu']:.3f}",
                    duration(f["wait_so_far_s"]),
                    percent(f.get("hops_spine", 0.0)),
                ]
                for name, f in (("strict", strict), ("loose", loose))
            ),
        ],
    }


def _ratio(one: float, other: float) -> float:
    """Return how many times longer, between 1/16 and 16; a second is the least that counts."""
    return min(16.0, max(1 / 16, max(one, 1.0) / max(other, 1.0)))


def seesaw_title(strict: Figures, loose: Figures) -> str:
    """Return what loosening did: to what is allocated, to the work done, to the waits."""
    held = percent(loose["allocated"])
    wait, base = loose["wait_so_far_s"], strict["wait_so_far_s"]
    if max(wait, base) < 1:
        return "Nobody waits under either; the fleet has room to spare"
    work = loose["mfu"] - strict["mfu"]
    done = "as much work done" if abs(work) < 0.002 else "less work done"
    if work >= 0.002:
        done = "more work done"
    if 0.9 < max(wait, 1) / max(base, 1) < 1.1:
        return f"Loose placement: {held} allocated, {done}, level waits"
    if wait > base:
        longer = times(max(wait, 1) / max(base, 1))
        return f"Loose placement: {held} allocated, {done}, {longer} the wait"
    return f"Loose placement: {held} allocated, {done}, shorter waits"


# ---- runs as points


def scatter(study: Study) -> dict[str, Any]:
    """Return the finding of the plot and its runs as rows; the front is that of the work now."""
    points = list(study.points.values())
    if not points:
        return {"scatter_title": "", "scatter_table": []}
    here = [point for point in points if point.work == work_of(study.scenario)]
    front = pareto(here)
    leading = {point.query for point in front}
    return {
        "scatter_title": _front_words(here, front),
        "scatter_table": [
            ["run", "mean wait", "MFU", "allocated", "longest low-priority wait", "on the front"],
            *(
                [
                    p.words,
                    duration(p.wait_s),
                    f"{p.mfu:.3f}",
                    percent(p.allocated),
                    duration(p.worst_low_priority_s),
                    "yes" if p.query in leading else "no",
                ]
                for p in points
            ),
        ],
    }


def _front_words(here: Sequence[Point], front: Sequence[Point]) -> str:
    if not here:  # what was found before stays in sight until the first run of this work
        return "No run of this work has ended yet"
    shortest, best = front[0], front[-1]
    if len(here) == 1:
        return f"One run of this work so far: {best.words}"
    if len(front) == 1:
        return f"One of {len(here)} runs has both the most work and the shortest wait: {best.words}"
    return (
        f"Of {plural(len(here), 'run')}, {len(front)} are on the front: from "
        f"{duration(shortest.wait_s)} and MFU {shortest.mfu:.3f} to {duration(best.wait_s)} and "
        f"{best.mfu:.3f}"
    )


# ---- the answer to the question


def reveal(session: Session, study: Study) -> dict[str, Any]:
    """Return what gangs and hold-and-wait measured against each other, and the reader's guess."""
    names = [f"{gang} {load}" for load in BASELINE_LOADS for gang in ("whole", "hold-and-wait")]
    if session.prediction is None or any(name not in study.baseline for name in names):
        return {"reveal": "", "answer": ""}
    low, high = BASELINE_LOADS
    hold, gang = study.baseline[f"hold-and-wait {low}"], study.baseline[f"whole {low}"]
    busy, busy_gang = study.baseline[f"hold-and-wait {high}"], study.baseline[f"whole {high}"]
    answer = questions()[PART].answer
    words = [
        f"At {whole(low)} load hold-and-wait allocates {percent(hold['allocated'])} of the "
        f"fleet, and {percent(hold['productive'])} does useful work; with gangs "
        f"{percent(gang['allocated'])} and {percent(gang['productive'])}."
    ]
    if hold.get("deadlocked") or busy.get("deadlocked"):
        at = low if hold.get("deadlocked") else high
        words.append(f"At {whole(at)} it ends in a deadlock: everyone holds, nobody has all.")
    else:
        words.append(
            "It never quite locks on this track, whose gangs are small beside the fleet; it only "
            "wastes what they hold."
        )
    words.append(
        f"At {whole(high)} the mean wait so far is {duration(busy['wait_so_far_s'])} "
        f"with hold-and-wait and {duration(busy_gang['wait_so_far_s'])} with gangs: once the fleet "
        "is busy, waiting for all of its GPUs at once is what keeps everybody's wait short."
    )
    choice = session.prediction.get("choice")
    words.append(
        "That is what you said."
        if choice == answer
        else "You said otherwise; it stays in your ledger as evidence."
    )
    number = session.prediction.get("number")
    if isinstance(number, int | float):
        off = abs(number - hold["productive"] * 100)
        verdict = "was close" if off <= 10 else f"was off by {off:.0f} points"
        words.append(f"Your {whole(number)} {verdict}.")
    return {"reveal": " ".join(words), "answer": answer}
