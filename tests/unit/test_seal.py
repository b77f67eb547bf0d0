"""The seal of a ledger: what it shows when a file was edited, and that the page makes the same."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetlab.ledger.seal import breaks, canonical, sealed
from tests.javascript import evaluate

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TIMES = st.sampled_from([f"2026-01-01T09:00:0{second}.000Z" for second in range(4)])
ENTRIES = st.lists(st.fixed_dictionaries({"at": TIMES, "number": st.integers(0, 3)}), max_size=5)
LEDGERS = st.fixed_dictionaries(
    {
        "schema": st.just("fleetlab-ledger/2"),
        "track": st.sampled_from(["titan", "nomad"]),
        "predictions": ENTRIES,
        "runs": ENTRIES,
        "residual_risk": st.text(),
    }
)


def small() -> dict[str, Any]:
    """Two predictions and two runs: predicted, run, predicted, run."""
    return sealed(
        {
            "schema": "fleetlab-ledger/2",
            "track": "titan",
            "predictions": [
                {"part": 1, "choice": "much", "at": "2026-01-01T09:00:00.000Z"},
                {"part": 2, "choice": "same", "at": "2026-01-01T09:10:00.000Z"},
            ],
            "runs": [
                {"part": 1, "digest": "a", "at": "2026-01-01T09:05:00.000Z"},
                {"part": 2, "digest": "b", "at": "2026-01-01T09:15:00.000Z"},
            ],
            "residual_risk": "One spine switch.",
        }
    )


def test_a_ledger_is_as_it_was_sealed() -> None:
    assert breaks(small()) == []


def test_an_edited_entry_breaks_its_own_link_and_no_other() -> None:
    ledger = small()
    ledger["predictions"][1]["choice"] = "decreases-busy"
    assert breaks(ledger) == [("predictions", 1)]


def test_an_entry_taken_out_breaks_the_link_behind_it() -> None:
    ledger = small()
    del ledger["predictions"][1]
    # run 2 was chained to the prediction that is gone
    assert breaks(ledger) == [("runs", 1)]


def test_the_last_entry_taken_out_breaks_the_seal_of_the_whole() -> None:
    ledger = small()
    del ledger["runs"][1]
    assert breaks(ledger) == [("", 0)]


def test_a_prediction_moved_before_its_run_breaks_its_link() -> None:
    ledger = small()
    ledger["predictions"][1]["at"] = "2026-01-01T09:01:00.000Z"
    assert ("predictions", 1) in breaks(ledger)


def test_an_answer_touched_up_breaks_the_seal_of_the_whole() -> None:
    ledger = small()
    ledger["residual_risk"] = "None."
    assert breaks(ledger) == [("", 0)]


def test_another_track_breaks_the_first_link_and_the_whole() -> None:
    ledger = small() | {"track": "nomad"}
    assert breaks(ledger) == [("predictions", 0), ("", 0)]


def test_a_seal_taken_off_an_entry_shows_at_once() -> None:
    ledger = small()
    del ledger["runs"][0]["seal"]
    assert breaks(ledger)[0] == ("runs", 0)


@given(LEDGERS, st.data())
def test_any_single_edit_of_a_sealed_ledger_shows(ledger: dict[str, Any], data: Any) -> None:
    whole = sealed(ledger)
    forged = copy.deepcopy(whole)
    name = data.draw(st.sampled_from(["predictions", "runs", "residual_risk"]))
    if name == "residual_risk" or not forged[name]:
        forged["residual_risk"] += "!"
    else:
        place = data.draw(st.integers(0, len(forged[name]) - 1))
        edit: Callable[[dict[str, Any]], Any] = data.draw(
            st.sampled_from(
                [
                    lambda entry: entry.update(number=entry["number"] + 1),
                    lambda entry: entry.update(at="2026-01-01T08:00:00.000Z"),
                    lambda entry: entry.update(more=None),
                    lambda entry: forged[name].remove(entry),
                    lambda entry: forged[name].append(dict(entry)),
                ]
            )
        )
        edit(forged[name][place])
    assert breaks(whole) == []
    assert breaks(forged)


@given(VALUES)
def test_canonical_json_is_the_same_value_and_has_one_text(value: Any) -> None:
    text = canonical(value)
    read = json.loads(text, parse_int=float)  # as JavaScript reads it
    assert read == value
    assert canonical(read) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        # examples of RFC 8785, appendix B
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (1e21, "1e+21"),
        (999999999999999700000.0, "999999999999999700000"),
        (333333333.33333329, "333333333.3333333"),
        (0.000001, "0.000001"),
        (0.0000033333333333333333, "0.0000033333333333333333"),
        (1e-7, "1e-7"),
        (-1.25, "-1.25"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(number: float, text: str) -> None:
    assert canonical(number) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_has_no_canonical_text(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(number)


@pytest.fixture(scope="module")
def in_javascript() -> Callable[[list[Any]], list[Any]]:
    """Return a function that gives values to site/seal.js and returns what it makes of each."""
    made = (
        "v[0].map((value) => [m.canonical(value), m.sha256(m.canonical(value)), "
        "value?.runs ? m.sealed(value) : null])"
    )
    return lambda values: evaluate("seal.js", made, values)


def test_the_page_seals_as_python_does(in_javascript: Callable[[list[Any]], list[Any]]) -> None:
    drawn: list[Any] = []

    @given(VALUES | LEDGERS)
    def collect(value: Any) -> None:
        drawn.append(value)

    collect()
    # every length around the edges of SHA-256's blocks, and keys whose order depends on the unit
    drawn += ["x" * length for length in range(130)]
    drawn += [{"\U0001f600": 1, "\uffff": 2, "é": '\u2028\x7f\x1f"\\\n', "a": "\ud800"}]
    for value, (text, digest, seal) in zip(drawn, in_javascript(drawn), strict=True):
        assert text == canonical(value)
        assert digest == hashlib.sha256(canonical(value).encode()).hexdigest()
        if isinstance(value, dict) and "runs" in value:
            assert seal == sealed(value)
