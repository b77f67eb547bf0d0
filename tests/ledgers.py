"""A complete ledger as the page would export it, to be checked as it is and forged."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from fleetlab import __version__
from fleetlab.ledger.evidence import record_of
from fleetlab.ledger.record import SCHEMA
from fleetlab.ledger.seal import sealed
from fleetlab.policy.rule import START, Rule
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

CROWDED = Scenario.default("titan", 2).but(workload="titan", load=120, jobs=400, penalty=60, seed=1)
LOOSE, STRICT = CROWDED, CROWDED.but(patience=-1)
AUDIT = Scenario.default("titan", 1).but(jobs=400, seed=1)
SPOT = Scenario.default("titan", 3).but(jobs=400, seed=1)


def at(minute: int) -> str:
    """Return the time so many minutes after nine."""
    return f"2026-03-02T09:{minute:02d}:00.000Z"


def recorded(scenario: Scenario, minute: int, rule: str = "") -> dict[str, Any]:
    """Return a run as the page records it, placed by ``rule`` if there is one."""
    run = simulate(scenario, placement=Rule(rule) if rule else None)
    return {**record_of(run), "at": at(minute)}


@cache
def _complete() -> dict[str, Any]:
    runs = [
        recorded(AUDIT, 2), recorded(LOOSE, 17), recorded(STRICT, 20), recorded(SPOT, 32),
    ]  # fmt: skip
    loose, strict = runs[1], runs[2]
    predictions = [
        {"part": 1, "choice": "much", "number": 5, "confidence": 4, "at": at(1)},
        {"part": 2, "choice": "same", "number": 60, "confidence": 2, "at": at(16)},
        {"part": 3, "choice": "elastic-nodes", "number": 2, "confidence": 5, "at": at(31)},
    ]
    return {
        "schema": SCHEMA,
        "track": "titan",
        "seed": 1,
        "version": __version__,
        "predictions": predictions,
        "runs": runs,
        "policy": {"placement": "best-fit", "patience": -1, "locality": "strict"},
        "evidence": {
            "allocated": strict["figures"]["allocated"],
            "mfu": strict["figures"]["mfu"],
            "wait_p95": strict["figures"]["wait_p95_s"],
            "cost": None,
            "runs": [strict["digest"]],
        },
        "rejected_alternative": "Loose placement: busier, and slower.",
        "priority": "locality",
        "paradox_answer": {
            "text": "Loose placement holds more GPUs and gets less done.",
            "runs": [loose["digest"], strict["digest"]],
        },
        "residual_risk": "One block fails and the large gangs wait.",
        "reflections": {"part1": "Idle silicon.", "part2": "Prefer a block.", "part3": "Elastic."},
    }


def complete() -> dict[str, Any]:
    """Return a complete ledger of Cloud Titan, sealed: one prediction wrong, the paradox shown.

    Runs: 1 of part 1, 2 loose and 3 strict of part 2, 4 of part 3.
    """
    return sealed(copy.deepcopy(_complete()))


def ruled(text: str) -> dict[str, Any]:
    """Return a ledger whose last run of part 2 was placed by START, and has ``text`` for it."""
    ledger = complete()
    run = recorded(STRICT, 20, START)
    ledger["runs"][2] = run | {"rule": text}
    ledger["evidence"] = {"runs": [run["digest"]]}
    ledger["policy"] = {"placement": "own-rule"}
    ledger["paradox_answer"] = {"text": "", "runs": []}
    return sealed(ledger)


def write(folder: Path, ledger: Any, name: str = "ledger.json") -> Path:
    """Write a value, or bytes as they are, to a file and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ledger if isinstance(ledger, bytes) else json.dumps(ledger).encode())
    return path
