"""The reader's record in the browser: what two tabs hold together, and what older ones become."""

from typing import Any

import pytest

from fleetlab.ledger.evidence import DIVERGENCE, EVIDENCE, diverge
from tests.javascript import evaluate

NINE = "2026-01-01T09:00:00.000Z"
TEN = "2026-01-01T10:00:00.000Z"
ELEVEN = "2026-01-01T11:00:00.000Z"


def record(**fields: Any) -> dict[str, Any]:
    empty: dict[str, Any] = evaluate("record.js", 'm.newRecord("titan", "1")')
    return empty | fields


def run(at: str, digest: str, part: int = 1, **figures: float) -> dict[str, Any]:
    return {
        "at": at,
        "digest": digest,
        "part": part,
        "scenario": f"?s={digest}",
        "figures": figures,
    }


def prediction(at: str, choice: str = "much") -> dict[str, Any]:
    return {"part": 1, "choice": choice, "number": 2, "confidence": 3, "at": at}


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = evaluate("record.js", "[m.merge(v[0], v[1]), m.merge(v[1], v[0])]", one, other)
    assert both[0] == both[1], "two tabs must come to the same, whichever saves first"
    return dict(both[0])


def test_of_two_predictions_of_a_part_the_earlier_one_counts() -> None:
    both = merged(
        record(predictions=[prediction(TEN, "much")]),
        record(predictions=[prediction(NINE, "shorter")]),
    )
    assert [made["choice"] for made in both["predictions"]] == ["shorter"]


def test_of_each_text_the_newest_stays_and_all_runs_do() -> None:
    both = merged(
        record(
            runs=[run(NINE, "a"), run(TEN, "b")],
            residual_risk="old",
            reflections={"part1": "new"},
            written_at={"residual_risk": NINE, "part1": ELEVEN},
        ),
        record(
            runs=[run(ELEVEN, "c")],
            residual_risk="new",
            reflections={"part1": "old"},
            written_at={"residual_risk": TEN, "part1": TEN},
        ),
    )
    assert [entry["digest"] for entry in both["runs"]] == ["a", "b", "c"]
    assert (both["residual_risk"], both["reflections"]["part1"]) == ("new", "new")


def test_a_record_started_afresh_outlives_the_copy_of_another_tab() -> None:
    both = merged(record(runs=[run(TEN, "a")]), record(generation=1))
    assert both["runs"] == []


def test_a_record_of_the_first_schema_keeps_all_it_had() -> None:
    first = {
        "schema": "fleetlab-ledger/1",
        "track": "titan",
        "seed": 7,
        "version": "0.1.0",
        "generation": 2,
        "predictions": [prediction(NINE)],
        "runs": [{"at": TEN, "digest": "a", "scenario": "?track=titan&part=1", "figures": {}}],
        "reflections": {"part1": "Idle silicon."},
        "reflected_at": {"part1": ELEVEN},
    }
    now = evaluate("record.js", 'm.asRecord(v[0], "titan")', first)
    assert now["schema"] == "fleetlab-ledger/2"
    assert now["runs"][0]["part"] == 1
    assert now["predictions"] == first["predictions"]
    assert (now["generation"], now["seed"]) == (2, 7)
    assert now["written_at"] == {"part1": ELEVEN}
    assert "reflected_at" not in now


@pytest.mark.parametrize("value", [None, [], "text", {"schema": "fleetlab-ledger/9"}, {"track": 1}])
def test_what_storage_holds_and_is_no_record_counts_as_nothing(value: Any) -> None:
    assert evaluate("record.js", 'm.asRecord(v[0], "titan")', value) is None


def test_cited_runs_outlast_four_hundred_others() -> None:
    cited, first = run(NINE, "cited", part=2), run(NINE, "first", part=2)
    many = [run(TEN, f"d{number}", part=2) for number in range(450)]
    crowded = record(runs=[first, cited, *many[:-1]], evidence={"runs": ["cited"]})
    kept = evaluate("record.js", "m.withRun(v[0], v[1])", crowded, many[-1])["runs"]
    assert len(kept) == 400
    assert [entry["digest"] for entry in kept[:2]] == ["first", "cited"]
    assert kept[-1]["digest"] == "d449"


def test_the_page_and_verify_agree_on_which_utilisations_diverge() -> None:
    edge = DIVERGENCE
    figures = [
        ({"allocated": 0.8, "mfu": 0.4}, {"allocated": 0.9, "mfu": 0.3}),
        ({"allocated": 0.8, "mfu": 0.3}, {"allocated": 0.9, "mfu": 0.4}),
        ({"allocated": 0.8, "productive": 0.8}, {"allocated": 0.9, "productive": 0.7}),
        ({"allocated": 0.8, "mfu": 0.4}, {"allocated": 0.8 + edge / 2, "mfu": 0.3}),
        ({"allocated": 0.8, "mfu": 0.4}, {"allocated": 0.9, "mfu": 0.4 - edge / 2}),
        ({"allocated": 0.8}, {"allocated": 0.9}),
    ]
    cited = [
        record(
            runs=[run(NINE, "a", **one), run(TEN, "b", **other)],
            paradox_answer={"text": "", "runs": ["a", "b"]},
        )
        for one, other in figures
    ]
    found = evaluate("record.js", "v.map((r) => Boolean(m.divergenceIn(r)))", *cited)
    assert found == [diverge(one, other) for one, other in figures]
    assert found == [True, False, True, False, False, False]


def test_a_run_that_was_made_before_is_kept_once() -> None:
    one, other = run(NINE, "a"), run(TEN, "b")
    both = record(runs=[one, other])
    again = run(ELEVEN, "a")
    assert evaluate("record.js", "m.withRun(v[0], v[1])", both, again)["runs"] == [one, other]
    ruled = again | {"rule": "def place(job, free): ..."}  # the same Scenario, placed by a rule
    kept = evaluate("record.js", "m.withRun(v[0], v[1])", both, ruled)["runs"]
    assert kept == [one, other, ruled]


def test_the_service_of_a_track_is_evidence_where_a_run_has_it() -> None:
    guardian = record(runs=[run(NINE, "a", allocated=0.9, loop_p999_ms=20.0)])
    found = evaluate("record.js", 'm.evidenceOf(v[0], ["a"])', guardian)
    assert (found["loop_p999"], found["allocated"], found["cost"]) == (20.0, 0.9, None)
    assert "tokens" not in found, "a service of another track is not asked for"


def test_the_page_takes_evidence_from_the_figures_that_verify_expects() -> None:
    assert evaluate("record.js", "m.EVIDENCE") == EVIDENCE


def test_runs_of_another_reader_cannot_be_cited() -> None:
    foreign = record(
        runs=[run(NINE, "a", allocated=0.8, mfu=0.4)],
        paradox_answer={"text": "", "runs": ["a", "not-mine"]},
    )
    assert evaluate("record.js", "m.divergenceIn(v[0])", foreign) is None
