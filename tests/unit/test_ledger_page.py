"""The page and Python judge a ledger alike: what it lacks, and whether its two runs diverge."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from builder.node import node_program
from builder.say import BuildError
from fleetlab.ledger.evidence import DIVERGENCE, EVIDENCE
from fleetlab.ledger.record import FIRST_SCHEMA, PARTS, PRIORITIES, SCHEMA, parse_ledger
from fleetlab.missions import TRACKS
from tests.ledgers import complete

RECORD = Path(__file__).resolve().parents[2] / "site" / "record.js"
SCRIPT = f"""
    import * as page from {json.dumps(RECORD.as_uri())};
    import {{ readFileSync }} from "node:fs";
    const found = JSON.parse(readFileSync(0, "utf8")).map((ledger) => page.missingFrom(ledger));
    const {{ SCHEMA, FIRST_SCHEMA, TRACKS, PARTS, PRIORITIES, EVIDENCE }} = page;
    console.log(JSON.stringify([found,
      {{ SCHEMA, FIRST_SCHEMA, TRACKS, PARTS, PRIORITIES, EVIDENCE }}]));
"""


def ledgers() -> list[dict[str, Any]]:
    """Return the complete ledger, and it with one thing taken away or changed at a time."""
    whole = complete()
    digests = [run["digest"] for run in whole["runs"]]
    changes: list[dict[str, Any]] = [
        {},
        {"predictions": []},
        {"predictions": whole["predictions"][1:]},
        {"runs": whole["runs"][:1]},
        {"reflections": {"part1": " ", "part3": "x"}},
        {"evidence": {"runs": []}},
        {"rejected_alternative": ""},
        {"priority": None},
        {"residual_risk": "\n"},
        {"paradox_answer": {"text": "", "runs": digests[1:3]}},
        {"paradox_answer": {"text": "x", "runs": []}},
        {"paradox_answer": {"text": "x", "runs": digests[1:2]}},
        {"paradox_answer": {"text": "x", "runs": [digests[2], digests[1]]}},
        {"paradox_answer": {"text": "x", "runs": [digests[1], digests[1]]}},
        {"paradox_answer": {"text": "x", "runs": [digests[0], digests[1]]}},
        {"paradox_answer": {"text": "x", "runs": [digests[1], "0" * 64]}},
    ]
    for gap in (DIVERGENCE, DIVERGENCE * 0.9):
        runs = [run | {"figures": dict(run["figures"])} for run in whole["runs"]]
        runs[1]["figures"] = {"allocated": 0.75, "mfu": 0.25}
        runs[2]["figures"] = {"allocated": 0.5, "mfu": 0.25 + gap}
        changes.append({"runs": runs})
    return [whole | change for change in changes]


@pytest.fixture(scope="module")
def page() -> Any:
    """Return what site/record.js says of the ledgers, and its constants."""
    try:
        node = node_program()
    except BuildError as error:
        pytest.skip(f"the locked Node is not here: {error}")
    done = subprocess.run(
        [str(node), "--input-type=module", "--eval", SCRIPT],
        input=json.dumps(ledgers()), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_both_list_the_same_as_missing(page: Any) -> None:
    for ledger, missing in zip(ledgers(), page[0], strict=True):
        assert parse_ledger(json.dumps(ledger).encode()).missing == missing
    # the list is not empty by accident
    assert [len(missing) for missing in page[0]][:3] == [0, 3, 1]


def test_both_use_the_same_names(page: Any) -> None:
    assert page[1] == {
        "SCHEMA": SCHEMA,
        "FIRST_SCHEMA": FIRST_SCHEMA,
        "TRACKS": list(TRACKS),
        "PARTS": list(PARTS),
        "PRIORITIES": list(PRIORITIES),
        "EVIDENCE": EVIDENCE,
    }
