"""Whatever a file holds, reading, checking and grading it end in a sentence or a result."""

from __future__ import annotations

import copy
import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleetlab.ledger.classpage import html_page
from fleetlab.ledger.grade import Row, csv_lines
from fleetlab.ledger.record import Ledger, parse_ledger
from fleetlab.ledger.seal import sealed
from fleetlab.ledger.verification import verify
from fleetlab.outside import OutsideError, plain
from tests.ledgers import complete

TEXT = st.text(max_size=30) | st.sampled_from(["<b>", "=1+1", "\x1b[2J", "\ud800", "\u202e", "NaN"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def read(data: bytes) -> Ledger | None:
    """Return the ledger, or None when it is refused in one printable sentence."""
    try:
        return parse_ledger(data, "some.json")
    except OutsideError as error:
        assert str(error).startswith("some.json")
        assert str(error).isprintable()
        assert len(str(error)) < 400
        return None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside ``value``."""
    inner: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        inner = [place for key in value for place in places(value[key], (*path, key))]
    elif isinstance(value, list):
        inner = [place for n, item in enumerate(value) for place in places(item, (*path, n))]
    return [path, *inner] if path else inner


PLACES = places(complete())


def with_value(ledger: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(ledger)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_a_sentence(data: bytes) -> None:
    assert read(data) is None


@given(st.integers(0, len(json.dumps(complete()))))
def test_a_ledger_cut_anywhere_is_refused(length: int) -> None:
    data = json.dumps(complete()).encode()
    assert (read(data[:length]) is not None) == (length == len(data))


@given(st.sampled_from(PLACES), VALUES)
def test_a_ledger_with_any_value_anywhere_is_refused_or_judged(
    path: tuple[Any, ...], value: Any
) -> None:
    ledger = read(json.dumps(with_value(complete(), path, value)).encode())
    if ledger is not None:
        found = verify(ledger, None)
        assert found.code in (0, 1)
        assert all(finding.says.isprintable() for finding in found.findings)


@given(st.sampled_from(PLACES), st.integers() | TEXT)
def test_any_value_that_was_edited_shows_in_the_seal(path: tuple[Any, ...], value: Any) -> None:
    edited = with_value(complete(), path, value)
    if edited == complete():
        return
    ledger = read(json.dumps(edited).encode())
    if ledger is not None:
        assert False in [finding.holds for finding in verify(ledger, None).about("seal")]


@given(st.lists(st.builds(Row, name=TEXT.map(plain), problem=TEXT.map(plain)), max_size=5))
def test_a_table_of_any_names_has_its_columns_and_no_formula(rows: list[Row]) -> None:
    lines = list(csv.reader(io.StringIO("".join(csv_lines(rows)), newline="")))
    assert len(lines) == 1 + len(rows)
    assert {len(line) for line in lines} == {len(lines[0])}
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line)


@given(TEXT, TEXT)
def test_any_text_is_text_on_the_page(name: str, problem: str) -> None:
    plain_rows, rows = [Row("x", problem="x")], [Row(plain(name), problem="x" + plain(problem))]
    # as many tags whatever the texts are
    assert html_page(rows).count("<") == html_page(plain_rows).count("<")


@given(VALUES)
def test_sealing_changes_nothing_but_the_seal(value: Any) -> None:
    ledger = complete() | {"policy": {"note": json.dumps(value)}}
    again = sealed(ledger)
    assert {**again, "seal": ""} == {**sealed(again), "seal": ""}
    assert sealed(again) == again
