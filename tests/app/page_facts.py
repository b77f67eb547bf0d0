"""Where the numbers in the page's own words, its scripts and the instructor's text come from.

What ``prose_facts`` has is here too. The answer key is asked what it asks the engine; the
lesson and the rubric are tables of the instructor's text, from which its sentences count.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from typing import Any
from unittest.mock import patch

from builder.assemble import SITE
from fleetlab.ledger.grade import SURENESS
from fleetlab.ledger.record import LARGEST_BYTES
from fleetlab.missions import PARTS, TRACKS
from fleetlab.missions.goals import ITERATIONS
from fleetlab.missions.questions import CONFIDENCES, questions
from fleetlab.peek import packing, queueing
from fleetlab.prose import key
from fleetlab.prose.runs import SEEDS
from fleetlab.scenario import LIMITS, Scenario
from fleetlab.services import loop
from fleetlab.statistics import CONFIDENCE
from tests.app.prose_facts import RACKS, Fact, facts, only, whole

GUIDE = (SITE / "content" / "instructor.md").read_text("utf-8")
TIMING = re.compile(r"^\| (\d+) to (\d+) \| ([^|]*) \|", re.MULTILINE)
MARKS = re.compile(r"^\| criterion \|([ |\d]*)\|$", re.MULTILINE)


def rubric() -> tuple[list[int], int]:
    """Return the marks of the rubric's columns, and how many criteria it has."""
    marks = MARKS.search(GUIDE)
    assert marks
    rows = GUIDE[marks.end() :].split("\n\n")[0].splitlines()
    return [int(mark) for mark in marks.group(1).split("|") if mark.strip()], len(rows) - 2


def _asked_by_the_key() -> dict[str, float]:
    """Return what the answer key sets: loads, penalties, spans; each is asked and not run."""
    asked: list[Scenario] = []
    spans: list[tuple[float, ...]] = []

    def measured(scenario: Scenario) -> dict[str, float]:
        asked.append(scenario)
        return defaultdict(lambda: 1.0)

    def stretches(*given: float) -> float:
        spans.append(given)
        return 3600.0

    with (
        patch.object(key, "measured", measured),
        patch.object(key, "mtbf_that_stretches", stretches),
    ):
        key.compute()
    crowds = [scenario for scenario in asked if scenario.part == 2]
    held = {s.load for s in crowds if s.gang == "hold-and-wait"}
    placed = [s for s in crowds if s.load not in held]
    (hourly, rarely, _) = spans
    cost_s, restart_s = hourly[2:]
    titan = Scenario.default("titan", 3)
    assert (cost_s, restart_s) == (titan.checkpoint, titan.restart + 60 * titan.away)
    assert rarely[2:] == hourly[2:] and hourly[1] == 3600, "saving once an hour"
    assert hourly[0] == rarely[0] == 2, "at twice the time"
    return {
        "held_load": only(held),
        "seesaw_load": only({s.load for s in placed}),
        "seesaw_penalty": max(s.penalty for s in placed),
        "cheap_penalty": min(s.penalty for s in placed),
        "cost_min": cost_s / 60,
        "restart_min": restart_s / 60,
        "rarely_h": rarely[1] / 3600,
    }


def _surenesses() -> dict[str, float]:
    found = {f"sure_{level}": 100 * share for level, share in SURENESS.items()}
    half = SURENESS[CONFIDENCES.index("half sure") + 1]
    return {**found, "half_sure_scores": half**2, "confidences": len(CONFIDENCES)}


def cases(module: str) -> dict[str, dict[str, Any]]:
    """Return the cases that a page of Math Peek sets by a button, by name."""
    text = (SITE / module).read_text("utf-8")
    found = re.findall(r"^  (\w+): (\{.*\}),$", text[: text.index("\n};")], re.MULTILINE)
    return {name: json.loads(re.sub(r"(\w+):", r'"\1":', value)) for name, value in found}


def _buttons() -> dict[str, str]:
    """Return what a button of Math Peek has to say for what it sets."""
    shares, queues = cases("sharing.js"), cases("queueing.js")
    found = {}
    for name in ("worked", "asset"):
        found[f"{name}_tasks"] = " and ".join(
            f"⟨{cpus}, {gb}⟩" for cpus, gb in shares[name]["demands"]
        )
    for name, case in shares.items():
        found[f"{name}_cpus"], found[f"{name}_gb"] = (Fact(each) for each in case["capacity"])
        found[f"{name}_users"] = Fact(len(case["demands"]))
    for name, case in queues.items():
        found[f"{name}_c"], found[f"{name}_servers"] = Fact(case["cv"]), Fact(case["servers"])
    return found


@cache
def page_facts() -> dict[str, str]:
    """Return every fact that the page's phrases name, as it is written."""
    marks, criteria = rubric()
    low, high = packing.DRAWN
    lesson = int(TIMING.findall(GUIDE)[-1][1])
    workers = re.findall(r"--workers (\d+)", GUIDE)
    values: dict[str, float] = {
        "tracks": len(TRACKS),
        "parts": len(PARTS),
        "lesson_min": lesson,
        "part_min": lesson / len(PARTS),
        "iterations": ITERATIONS,
        "seeds": len(SEEDS),
        "points": marks[-1] * criteria,
        "options": only([len(question.options) for question in questions().values()]),
        "of_hours": questions()[3].number.high,  # type: ignore[union-attr]
        "free": 100 - Scenario.default("titan", 1).load,
        "train_gpus": Scenario.default("titan", 3).fleet_shape.gpus,
        "workers": int(only(workers)),
        "ledger_mb": LARGEST_BYTES / 1e6,
        "rack_gpus": RACKS.nodes_per_block * RACKS.gpus_per_node,
        "rack_nodes": RACKS.nodes_per_block,
        "node_gpus": RACKS.gpus_per_node,
        # a ring's passes over N ranks: 2 (N - 1) latencies, and 2 (N - 1) / N of the bytes
        "ring_steps": 2 * (loop.RANKS - 1),
        "ring_share": 2 * (loop.RANKS - 1) / loop.RANKS,
        "slack_ms": loop.DEADLINE_MS - loop.COMPUTE_MS,
        "bin": packing.CAPACITY,
        "draws": len(packing.GROWTH_SEEDS),
        "heuristics": len(packing.HEURISTICS),
        "gpus": queueing.GPUS,
        "confidence": 100 * CONFIDENCE,
    }
    assert (4 * low, 2 * high) == (packing.CAPACITY, packing.CAPACITY), "a quarter and a half"
    values |= _asked_by_the_key() | _surenesses()
    found = {name: Fact(whole(value)) for name, value in values.items()}
    found["seed_low"], found["seed_top"] = map(Fact, LIMITS["seed"])
    return facts() | found | _buttons()
