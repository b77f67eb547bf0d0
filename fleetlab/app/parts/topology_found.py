"""The ten scored runs, the pinned pair and the reader's rule, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fleetlab.app.parts.topology_runs import percent, whole
from fleetlab.app.parts.topology_study import (
    BLIND,
    COMMUNICATION,
    COST,
    RULED,
    YOURS,
    Slot,
    Study,
    bandwidth_ratio,
    in_words,
    rule_loss,
    rule_penalty,
)
from fleetlab.missions.goals import ITERATIONS, UNSEEN_SEEDS, goal
from fleetlab.wording import duration


def slots(study: Study, scoring: Sequence[str]) -> dict[str, Any]:
    """Return the ten slots, what is left of them, and how far the best has come."""
    wanted = goal(study.scenario.track)
    shown: dict[str, Any] = {
        "goal": (
            f"Ten scored runs at {whole(wanted.load)} load and a fabric "
            f"{whole(wanted.penalty)} slower across blocks, each on {UNSEEN_SEEDS} seeds you have "
            "not seen. Find the highest MFU: it passes when "
            f"{whole(wanted.work * 100)} of the work offered gets done and nobody of low priority "
            f"waits over {wanted.starved_h:g} h. Pin two runs, and A is set against B."
        )
    }
    for number in range(1, ITERATIONS + 1):
        there = number <= len(study.slots)
        shown[f"slot{number}"] = _slot(study, number) if there else ""
    left = ITERATIONS - len(study.slots)
    done = UNSEEN_SEEDS - len(scoring)
    shown["scored"] = (
        f"Scoring, {done} of {UNSEEN_SEEDS} seeds done."
        if scoring
        else f"{left} of {ITERATIONS} scored runs left."
    )
    shown["score_title"] = _standing(study)
    shown |= _pinned(study)
    shown["slots_table"] = [
        ["run", "policy", "MFU", "allocated", "mean wait", "longest low-priority wait", "passes"],
        *(
            [
                str(number),
                in_words(slot.policy, measured=False),
                f"{v.mfu:.3f}",
                percent(v.allocated),
                duration(v.wait_s),
                duration(v.worst_low_priority_s),
                "yes" if v.good else "no",
            ]
            for number, slot in enumerate(study.slots, 1)
            for v in (slot.verdict,)
        ),
    ]
    return shown


def _slot(study: Study, number: int) -> str:
    slot = study.slots[number - 1]
    v = slot.verdict
    missed = {"mfu": "too little work", "starvation": "somebody starves"}
    says = "passes" if v.good else " and ".join(missed[n] for n, ok in v.passed.items() if not ok)
    pins = "".join(f" ({name.upper()})" for name, at in study.pinned.items() if at == number - 1)
    return (
        f"{in_words(slot.policy, measured=False)}: MFU {v.mfu:.3f} ({v.wanted_mfu:.3f} passes), "
        f"longest low-priority wait "
        f"{duration(v.worst_low_priority_s)}: {says}{pins}"
    )


def _standing(study: Study) -> str:
    passing = [slot for slot in study.slots if slot.verdict.good]
    if not study.slots:
        return "No policy has been scored yet"
    if not passing:
        return f"{len(study.slots)} scored, none passes yet"
    best = max(passing, key=lambda slot: slot.verdict.mfu)
    return f"Best that passes: MFU {best.verdict.mfu:.3f}, {in_words(best.policy, measured=False)}"


def _pinned(study: Study) -> dict[str, Any]:
    """Return A against B: which choices differ, what came of it, and where the runs part."""
    if set(study.pinned) != {"a", "b"}:
        return {"pinned": ""}
    one, other = (study.slots[study.pinned[name]] for name in ("a", "b"))
    changed = _changed(one, other)
    if not changed:
        return {"pinned": "A and B are the same policy."}
    a, b = one.verdict, other.verdict
    words = [
        f"From A to B: {changed}. MFU {a.mfu:.3f} to {b.mfu:.3f}, allocated "
        f"{percent(a.allocated)} to {percent(b.allocated)}, mean wait {duration(a.wait_s)} to "
        f"{duration(b.wait_s)}, longest low-priority wait {duration(a.worst_low_priority_s)} to "
        f"{duration(b.worst_low_priority_s)}."
    ]
    if not one.figures.keys() & other.figures.keys():
        words.append("They were scored on different seeds, so part of that is chance.")
    elif study.difference is not None:
        parted = str(study.difference).replace("; there ", "; in B ")
        words.append(parted.replace(": here ", ": in A ").replace(" earlier here", " earlier in A"))
    return {"pinned": " ".join(words)}


def _changed(one: Slot, other: Slot) -> str:
    a, b = one.policy.to_json(), other.policy.to_json()
    return ", ".join(f"{name} {a[name]} to {b[name]}" for name in a if a[name] != b[name])


def rule_words(study: Study, ruling: Sequence[str]) -> dict[str, Any]:
    """Return what the reader's rule won back of what traffic across blocks costs."""
    results = study.rule_results
    shown: dict[str, Any] = {
        "rule_problem": study.rule_problem,
        "rule_model": (
            f"The model: {whole(COMMUNICATION * 100)} of a step is communication that compute "
            f"does not hide, and over the spine it takes {COST:g} times as long (the links are "
            f"{bandwidth_ratio():.1f} times narrower). A job that lies across takes "
            f"{whole(rule_penalty())} longer, so its goodput falls by {percent(rule_loss())}."
        ),
        "rule_state": f"Running: {ruling[0]}." if ruling else "",
        "rule_running": "yes" if ruling else "",
        "rule_title": "",
        "rule_table": [
            ["placement", "goodput", "lost", "MFU", "mean wait so far", "across blocks"],
            *(
                [
                    result.name + (" (stopped)" if result.stopped else ""),
                    percent(f["goodput"]),
                    percent(1 - f["goodput"]),
                    f"{f['mfu']:.3f}",
                    duration(f["wait_so_far_s"]),
                    percent(f["hops_spine"]),
                ]
                for result in (results[name] for name in RULED if name in results)
                for f in (result.figures,)
            ),
        ],
    }
    yours, blind = results.get(YOURS), results.get(BLIND)
    if yours is not None and blind is not None and not yours.stopped:
        before, after = 1 - blind.figures["goodput"], 1 - yours.figures["goodput"]
        back = (before - after) / before if before > 0 else 0.0
        shown["rule_title"] = (
            f"Your rule loses {percent(after)} of goodput where a blind one loses "
            f"{percent(before)}: it wins back {percent(back)} of that"
            if back > 0
            else f"Your rule loses {percent(after)} of goodput, a blind one {percent(before)}"
        )
    return shown


def deeds(study: Study) -> dict[str, Any]:
    """Return what the buttons can do now."""
    return {"undo": f"{len(study.before)} to undo" if study.before else ""}
