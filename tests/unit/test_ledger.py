"""Reading a ledger: what it may be, and one sentence for each file that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleetlab.ledger.record import LARGEST_BYTES, parse_ledger, read_ledger
from fleetlab.outside import OutsideError, plain
from tests.ledgers import at, complete, write


def parsed(value: Any) -> Any:
    return parse_ledger(json.dumps(value).encode(), "mine.json")


def changed(**fields: Any) -> dict[str, Any]:
    return complete() | fields


def first(entries: str, **fields: Any) -> dict[str, Any]:
    """Return a complete ledger whose first prediction or run has other fields."""
    ledger = complete()
    ledger[entries][0] |= fields
    return ledger


def test_a_complete_ledger_lacks_nothing() -> None:
    ledger = parsed(complete())
    assert ledger.missing == []
    assert [made.choice for made in ledger.predictions] == ["much", "same", "elastic-nodes"]
    assert ledger.runs[1].figures["allocated"] > ledger.runs[2].figures["allocated"]
    assert ledger.paradox_runs == (ledger.runs[1].digest, ledger.runs[2].digest)


def test_an_empty_ledger_lists_everything_that_it_lacks() -> None:
    ledger = parsed({"schema": "fleetlab-ledger/2", "track": "nomad"})
    # prediction, run and reflection of each part; policy, alternative, priority, paradox, risk
    assert len(ledger.missing) == 3 * 3 + 5
    assert ledger.missing[0] == "the prediction of part 1"
    assert ledger.seed is None


def test_a_reflection_of_blanks_is_missing() -> None:
    ledger = parsed(changed(reflections={"part1": " \n ", "part2": "x", "part3": "x"}))
    assert ledger.missing == ["the reflection of part 1"]


def test_a_paradox_answer_without_its_runs_is_missing() -> None:
    ledger = parsed(changed(paradox_answer={"text": "It is busier.", "runs": []}))
    assert ledger.missing == ["the paradox answer"]


def test_cited_runs_that_do_not_diverge_are_missing_a_pair_that_does() -> None:
    digests = [run["digest"] for run in complete()["runs"]]
    for pair in ([digests[1], digests[3]], [digests[1], "0" * 64]):
        ledger = parsed(changed(paradox_answer={"text": "It is busier.", "runs": pair}))
        assert ledger.missing == ["two runs that diverge, for the paradox answer"]


def test_of_the_textbooks_ledger_the_own_step_is_read() -> None:
    book = {
        "track": "titan",
        "current_step": "v2_08",
        "history": {"v1_01": {"anything": 1}, "v2_08": complete()},
        "last_updated": at(50),
    }
    assert parsed(book).missing == []
    book["history"] = [{"step": "v1_01", "design": {}}, {"step": "v2_08", "design": complete()}]
    assert parsed(book).missing == []


@pytest.mark.parametrize("history", [{}, [], 7, {"v2_08": None}, [{"step": "v2_08"}]])
def test_a_textbooks_ledger_without_the_own_step_is_refused(history: Any) -> None:
    with pytest.raises(OutsideError, match="not a ledger of this lab"):
        parsed({"track": "titan", "current_step": "v1_01", "history": history})


def test_the_first_schema_is_read_and_its_runs_are_of_part_1() -> None:
    old = complete()
    run = {key: old["runs"][0][key] for key in ("scenario", "digest", "figures", "at")}
    ledger = parsed(
        {
            "schema": "fleetlab-ledger/1",
            "track": "titan",
            "seed": 1,
            "version": "0.1.0",
            "predictions": old["predictions"][:1],
            "runs": [run],
            "reflections": {"part1": "Idle silicon."},
        }
    )
    assert [run.part for run in ledger.runs] == [1]
    assert "the prediction of part 2" in ledger.missing


def test_fields_that_the_schema_does_not_know_are_ignored() -> None:
    assert parsed(changed(colour="blue")).missing == []


def test_a_byte_order_mark_is_no_fault() -> None:
    data = b"\xef\xbb\xbf" + json.dumps(complete()).encode()
    assert parse_ledger(data).track == "titan"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"schema": "fleetlab-ledger/2", "tra', r"is not complete JSON \(line 1, column 33\)"),
        (b"\xff\xfe{}", "is not UTF-8"),
        (b"\x00\x01\x02", "is not complete JSON"),
        (b"null", "is JSON, but not a ledger"),
        (b"[1, 2]", "is JSON, but not a ledger"),
        (b'{"track": "titan"}', "has the schema null"),
        (b'{"schema": "fleetlab-ledger/3"}', 'has the schema "fleetlab-ledger/3"; this version'),
        (b'{"schema": 2, "schema": 3}', "has the field 'schema' twice"),
        (b'{"seed": NaN}', "holds NaN, which is no number"),
        (b'{"seed": -Infinity}', "holds -Infinity, which is no number"),
        (b'{"seed": 1e999}', "holds the number 1e999, which is too large"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "holds the number 9{23}…, which is too large"),
        (b"[" * 100_000, "is nested more than 20 deep"),
        (b"[" * 22 + b"]" * 22, "is nested more than 20 deep"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:24],
)
def test_a_file_that_is_no_ledger_is_refused_in_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(OutsideError, match=rf"^mine\.json {reason}"):
        parse_ledger(data, "mine.json")


@pytest.mark.parametrize(
    ("ledger", "reason"),
    [
        (changed(track="<b>"), "track: \"<b>\" is not one of titan"),
        (changed(track=["titan"]), "track: a list is not one of titan"),
        (changed(seed=1.5), "seed: 1.5 is not a whole number"),
        (changed(seed=True), "seed: true is not a number"),
        (changed(seed=10**19), "seed: 10000000000000000000 is too large"),
        (changed(version={}), "version: an object is not a text"),
        (changed(predictions={}), "predictions: it must be a list"),
        (changed(predictions=[7]), r"predictions\[0\]: 7 is not an object"),
        (changed(predictions=[{}] * 4), "predictions: it has 4 entries; at most 3"),
        (first("predictions", part=2, choice="same"), "part 2 is predicted twice"),
        (first("predictions", part=4), r"predictions\[0\].part: 4 is not one of 1, 2, 3"),
        (first("predictions", part=True), r"predictions\[0\].part: true is not one of 1, 2, 3"),
        (first("predictions", choice="maybe"), "choice: \"maybe\" is not one of shorter, same"),
        (first("predictions", choice="elastic-nodes"), "choice: \"elastic-nodes\" is not one of"),
        (first("predictions", number=-1), "number: -1 is negative"),
        (first("predictions", number="5"), "number: \"5\" is not a number"),
        (first("predictions", confidence=6), "confidence: 6 is not one of 1, 2, 3, 4, 5"),
        (first("predictions", at="yesterday"), "at: \"yesterday\" is not a time like"),
        (first("predictions", at="2026-02-30T09:00:00.000Z"), "is not a time like"),
        (first("runs", at=None), r"runs\[0\].at: null is not a time like"),
        (first("runs", digest="abc"), r"runs\[0\].digest: \"abc\" is not a digest"),
        (first("runs", digest=None), r"runs\[0\].digest: null is not a digest"),
        (first("runs", part=None), r"runs\[0\].part: null is not one of"),
        (first("runs", figures=[1]), r"runs\[0\].figures: a list is not an object"),
        (first("runs", figures={"mfu": "0.4"}), r"figures.mfu: \"0.4\" is not a number"),
        (first("runs", figures={"mfu": None}), r"figures.mfu: null is not a number"),
        (first("runs", figures={str(n): n for n in range(101)}), "it has 101 fields; at most 100"),
        (first("runs", scenario="x" * 2001), r"scenario: it has 2,001 characters; at most 2,000"),
        (changed(runs=[complete()["runs"][0]] * 1001), "runs: it has 1,001 entries"),
        (changed(policy={"tau": [1]}), "policy.tau: it must be a text, a number, true or false"),
        (changed(evidence=[1]), "evidence: a list is not an object"),
        (changed(evidence={"mfu": "high"}), "evidence.mfu: \"high\" is not a number"),
        (changed(evidence={"runs": "all"}), "evidence.runs: it must be a list"),
        (changed(priority="both"), "priority: \"both\" is not one of density, locality"),
        (changed(paradox_answer="yes"), "paradox_answer: \"yes\" is not an object"),
        (changed(paradox_answer={"runs": ["a"]}), r"paradox_answer.runs\[0\]: \"a\" is not a di"),
        (changed(residual_risk=["a"]), "residual_risk: a list is not a text"),
        (changed(rejected_alternative="x" * 20_001), "it has 20,001 characters; at most 20,000"),
        (changed(reflections={"part2": 3}), "reflections.part2: 3 is not a text"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_field_that_cannot_be_is_refused_with_its_place(
    ledger: dict[str, Any], reason: str
) -> None:
    with pytest.raises(OutsideError, match=rf"^mine\.json, .*{reason}"):
        parsed(ledger)


def test_a_ledger_of_100_mb_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)  # a sparse file: were it read, it would be NUL bytes
    with pytest.raises(OutsideError, match=r"big\.json has 100 MB; a ledger has at most 8 MB"):
        read_ledger(path)


def test_the_largest_ledger_that_is_read_has_exactly_the_limit(tmp_path: Path) -> None:
    data = json.dumps(complete()).encode()
    assert read_ledger(write(tmp_path, data.ljust(LARGEST_BYTES))).missing == []
    with pytest.raises(OutsideError, match="at most 8 MB"):
        read_ledger(write(tmp_path, data.ljust(LARGEST_BYTES + 1)))


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="is not a file"):
        read_ledger(tmp_path)


def test_text_from_outside_is_one_line_without_control_characters() -> None:
    assert plain("a\x1b[31mb\nc\u202ed\ud800") == "a�[31mb�c�d�"
    assert plain("x" * 100, 10) == "x" * 9 + "…"


def test_a_name_that_would_move_the_cursor_is_shown_without(tmp_path: Path) -> None:
    path = write(tmp_path, b"", "a\x1b[2J.json")
    with pytest.raises(OutsideError, match=r"^a�\[2J\.json is empty"):
        read_ledger(path)


def test_times_are_those_that_a_browser_writes() -> None:
    assert parsed(first("predictions", at=at(0))).predictions[0].at == "2026-03-02T09:00:00.000Z"
