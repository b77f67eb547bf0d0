"""The class table: what each row says, and that no file can spoil it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fleetlab.cli import main
from fleetlab.ledger.classpage import html_page
from fleetlab.ledger.grade import MOST_JOBS, Row, csv_lines, find_ledgers, grade, wanted_in
from fleetlab.ledger.repeats import Repeats
from fleetlab.ledger.seal import sealed
from fleetlab.outside import OutsideError
from tests.ledgers import complete, ruled, write
from tests.rules import ENDLESS, HOLDS_OUT, LABORIOUS

AGAIN = Repeats()


def graded(folder: Path, repeats: Repeats | None = None) -> dict[str, Row]:
    return {row.name: row for row in grade(find_ledgers([folder]), repeats)}


def table(rows: list[Row]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(rows)))))


def of_student(number: int, **fields: Any) -> dict[str, Any]:
    """Return a complete ledger made at times of its own, with other fields."""
    ledger = complete()
    for entry in [*ledger["predictions"], *ledger["runs"]]:
        entry["at"] = entry["at"].replace(".000Z", f".{number:03d}Z")
    return sealed(ledger | fields)


def test_a_row_has_answers_right_and_wrong_and_what_holds(tmp_path: Path) -> None:
    write(tmp_path, complete(), "ada.json")
    cells = table(list(graded(tmp_path, AGAIN).values()))[0]
    assert cells["name"] == "ada"
    assert cells["track"] == "titan"
    assert cells["complete"] == "yes"
    assert [cells[f"part{part}_right"] for part in (1, 2, 3)] == ["yes", "no", "yes"]
    assert cells["part2_choice"] == "same"
    assert cells["part1_guess"] == "5"
    assert cells["right"] == "2"
    assert cells["priority"] == "locality"
    judged = ("seal", "in_order", "predicted_first", "evidence", "paradox")
    assert [cells[rule] for rule in judged] == ["yes"] * 5
    assert cells["verification"] == "all holds"
    assert (cells["fails"], cells["unchecked"]) == ("0", "0")
    assert int(cells["holds"]) > 40
    assert cells["problem"] == ""


def test_confidence_is_scored_by_briers_rule(tmp_path: Path) -> None:
    write(tmp_path, complete(), "ada.json")
    row = graded(tmp_path)["ada"]
    # fairly sure (0.75) and right, unsure (0.4) and wrong, certain (0.95) and right
    expected = [(0.75 - 1) ** 2, 0.4**2, (0.95 - 1) ** 2]
    assert [answer.brier for answer in row.answers] == pytest.approx(expected)
    assert row.brier == pytest.approx(sum(expected) / 3)


def test_a_guess_among_four_counts_as_a_quarter(tmp_path: Path) -> None:
    predictions = [complete()["predictions"][0] | {"confidence": 1}]
    write(tmp_path, of_student(1, predictions=predictions), "ada.json")
    assert graded(tmp_path)["ada"].brier == pytest.approx(0.75**2)


def test_without_verify_nothing_is_run_and_the_rest_is_judged(tmp_path: Path) -> None:
    ledger = complete()
    ledger["runs"][1]["figures"]["mfu"] = 0.5
    write(tmp_path, ledger, "forged.json")
    row = graded(tmp_path)["forged"]
    assert (row.verification, row.holds, row.fails) == ("", None, None)
    assert dict(row.checks)["seal"] == "no"


def test_with_verify_a_forged_figure_is_counted(tmp_path: Path) -> None:
    ledger = complete()
    ledger["runs"][1]["figures"]["mfu"] = 0.5
    write(tmp_path, sealed(ledger), "forged.json")
    row = graded(tmp_path, AGAIN)["forged"]
    assert (row.verification, row.fails) == ("does not hold", 1)
    assert dict(row.checks)["seal"] == "yes"


def test_a_ledger_of_too_many_jobs_is_not_run_again_and_says_so(tmp_path: Path) -> None:
    run = complete()["runs"][0]
    runs = [
        run | {"scenario": f"?track=titan&part=1&jobs=200000&seed={seed}"}
        for seed in range(MOST_JOBS // 200_000 + 1)
    ]
    write(tmp_path, sealed(complete() | {"runs": runs}), "heavy.json")
    row = graded(tmp_path, Repeats())["heavy"]
    assert row.verification == "not run again: 5,200,000 jobs; use fleetlab verify"
    assert row.holds is None


def test_a_scenario_counts_again_under_each_rule_and_not_for_each_run(tmp_path: Path) -> None:
    run = complete()["runs"][0] | {"scenario": "?track=titan&part=1&jobs=200000"}
    rules = [f"{HOLDS_OUT}# {number}" for number in range(MOST_JOBS // 200_000 + 1)]
    heavy = [run | {"rule": rule} for rule in rules]
    write(tmp_path, sealed(complete() | {"runs": heavy}), "heavy.json")
    assert list(wanted_in(find_ledgers([tmp_path]))) == []
    row = graded(tmp_path, Repeats())["heavy"]
    assert row.verification == "not run again: 5,200,000 jobs; use fleetlab verify"
    # one rule fewer is within the cap, and a run that stands twice counts once
    write(tmp_path, sealed(complete() | {"runs": [*heavy[1:], heavy[1]]}), "heavy.json")
    assert [one.rule for one in wanted_in(find_ledgers([tmp_path]))] == rules[1:]


def test_what_is_missing_is_listed(tmp_path: Path) -> None:
    write(tmp_path, of_student(1, priority=None, residual_risk=""), "ada.json")
    cells = table(list(graded(tmp_path).values()))[0]
    assert (cells["complete"], cells["missing"]) == ("no", "density or locality; the residual risk")


def test_ledgers_that_share_an_entry_to_the_millisecond_name_each_other(tmp_path: Path) -> None:
    write(tmp_path, of_student(1), "ada.json")
    write(tmp_path, of_student(1, residual_risk="In my own words."), "bob.json")
    write(tmp_path, of_student(2), "eve.json")
    rows = graded(tmp_path)
    assert rows["ada"].shares_with == ("bob",)
    assert rows["bob"].shares_with == ("ada",)
    # the same choices and the same runs at other times are nobody's copy
    assert rows["eve"].shares_with == ()


def test_rows_come_in_order_of_name_each_file_once(tmp_path: Path) -> None:
    write(tmp_path, complete(), "b/ledger.json")
    write(tmp_path, complete(), "a.JSON")
    write(tmp_path, b"not a ledger", "notes.txt")
    files = find_ledgers([tmp_path, tmp_path / "a.JSON", tmp_path / "b"])
    assert [name for name, _ in files] == ["a", "b/ledger"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b'{"schema": "fleetlab-ledger/2", "tr', "is not complete JSON"),
        (b"\x89PNG\r\n\x1a\n\x00", "is not UTF-8"),
        (b"[" * 200_000, "is nested more than 20 deep"),
        (b'{"schema": "fleetlab-ledger/9"}', 'has the schema "fleetlab-ledger/9"'),
        (b'{"schema": "fleetlab-ledger/2", "track": "titan", "seed": NaN}', "holds NaN"),
        (b'{"schema": "fleetlab-ledger/2", "track": "titan", "runs": 7}', "it must be a list"),
        (b'{"schema": "fleetlab-ledger/2", "track": {"a": []}}', "an object is not one of"),
    ],
)
def test_a_broken_file_is_a_row_that_says_what_is_wrong(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    write(tmp_path, complete(), "good.json")
    write(tmp_path, data, "bad.json")
    rows = graded(tmp_path, AGAIN)
    assert problem in rows["bad"].problem
    assert rows["good"].verification == "all holds"
    cells = {cells["name"]: cells for cells in table(list(rows.values()))}
    assert problem in cells["bad"]["problem"]
    assert {cells["bad"][name] for name in cells["bad"]} == {"bad", "", rows["bad"].problem}


def test_a_ledger_of_100_mb_is_a_row(tmp_path: Path) -> None:
    with (tmp_path / "big.json").open("wb") as stream:
        stream.truncate(100_000_000)
    assert "has 100 MB; a ledger has at most 8 MB" in graded(tmp_path)["big"].problem


def test_a_file_that_may_not_be_read_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    assert "cannot be read" in graded(tmp_path)["gone"].problem


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_the_table_is_a_formula(tmp_path: Path, start: str) -> None:
    write(tmp_path, of_student(1, version=start + "cmd()"), start + "1+1.json")
    write(tmp_path, of_student(1), "other.json")
    for cells in table(list(graded(tmp_path).values())):
        for cell in cells.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


class Tags(HTMLParser):
    """Collects the tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_how_the_predictions_are_distributed(tmp_path: Path) -> None:
    for number, choice in enumerate(["much", "much", "same", "shorter"]):
        predictions = [complete()["predictions"][0] | {"choice": choice}]
        write(tmp_path, of_student(number, predictions=predictions), f"{number}.json")
    page = html_page(list(graded(tmp_path).values()))
    assert "2 of 4 predictions chose the answer of the lab." in page
    assert "<td>2 (50%)</td>" in page
    assert page.count("<td>1 (25%)</td>") == 2
    assert "<td>0 (0%)</td>" in page
    assert page.count("Nobody has predicted this part.") == 2


def test_the_page_says_where_the_guesses_lie(tmp_path: Path) -> None:
    for number, guess in enumerate([1, 2, 3, 10, 100]):
        predictions = [complete()["predictions"][0] | {"number": guess}]
        write(tmp_path, of_student(number, predictions=predictions), f"{number}.json")
    rows = list(graded(tmp_path).values())
    page = html_page(rows)
    assert "Half of the guesses lie from 2 to 10, and the middle one is 3 times as long." in page
    assert "Guessed: 1, 2 times as long." in html_page(rows[:2])


def test_the_page_needs_nothing_from_anywhere(tmp_path: Path) -> None:
    write(tmp_path, complete(), "ada.json")
    tags = Tags(html_page(list(graded(tmp_path).values())))
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(tags.tags)
    assert not {"src", "href", "onload"} & {name for name, _ in tags.attributes}
    assert ("lang", "en") in tags.attributes


def test_texts_of_a_ledger_are_never_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>&\"'"
    write(tmp_path, of_student(1, version=evil), "<img src=x onerror=alert(1)>.json")
    write(tmp_path, b'{"schema": "' + b"<b onclick=x>" + b'"}', "<i>.json")
    rows = list(graded(tmp_path).values())
    tags = Tags(html_page(rows, title=evil))
    assert not {"script", "img", "b", "i"} & set(tags.tags)
    assert {name for name, _ in tags.attributes} <= {
        "lang", "charset", "http-equiv", "content", "name", "scope", "class", "style",
        "aria-hidden", "aria-label", "tabindex", "role",
    }  # fmt: skip
    assert "<img src=x onerror=alert(1)>" in tags.text


def test_every_table_of_the_page_has_heads_for_rows_and_columns(tmp_path: Path) -> None:
    write(tmp_path, complete(), "ada.json")
    write(tmp_path, b"", "bad.json")
    tags = Tags(html_page(list(graded(tmp_path).values())))
    scopes = [value for name, value in tags.attributes if name == "scope"]
    assert len(scopes) == tags.tags.count("th")
    assert set(scopes) == {"row", "col"}


def test_a_page_of_broken_files_alone_is_a_page(tmp_path: Path) -> None:
    write(tmp_path, b"", "bad.json")
    page = html_page(list(graded(tmp_path).values()))
    assert "0 ledgers, 0 of them complete. 1 file could not be read." in page
    assert "bad.json is empty" in page


# ---- the command


def test_the_command_writes_the_table_and_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "class"
    write(folder, complete(), "ada.json")
    write(folder, b"{", "bad.json")
    out, page = tmp_path / "class.csv", tmp_path / "class.html"
    assert main(["grade", str(folder), "-o", str(out), "--html", str(page), "--verify"]) == 0
    assert capsys.readouterr().out == f"{out}: 2 rows, 1 of them of files that are no ledger\n"
    rows = list(csv.DictReader(out.open(newline="")))
    assert [row["verification"] for row in rows] == ["all holds", ""]
    assert page.read_text().startswith("<!doctype html>")


def test_the_command_runs_again_in_processes(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    write(folder, complete(), "ada.json")
    write(folder, of_student(1), "bob.json")
    write(folder, b"{", "bad.json")
    out = tmp_path / "class.csv"
    assert main(["grade", str(folder), "-o", str(out), "--verify", "--workers", "2"]) == 0
    rows = list(csv.DictReader(out.open(newline="")))
    assert [row["verification"] for row in rows] == ["all holds", "", "all holds"]


def test_hostile_rules_are_graded_in_processes_and_nothing_hangs(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    write(folder, ruled(ENDLESS), "ada.json")
    write(folder, ruled(LABORIOUS), "bob.json")
    write(folder, complete(), "eve.json")
    out = tmp_path / "class.csv"
    command = [sys.executable, "-m", "fleetlab", "grade", str(folder), "-o", str(out)]
    done = subprocess.run(
        [*command, "--verify", "--workers", "2"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == f"{out}: 3 rows\n"
    assert done.stderr == ""
    rows = list(csv.DictReader(out.open(newline="")))
    verdicts = [(row["verification"], row["fails"]) for row in rows]
    assert verdicts == [("does not hold", "1"), ("does not hold", "1"), ("all holds", "0")]


def test_the_command_never_writes_over_a_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, complete(), "ada.json")
    before = path.read_bytes()
    assert main(["grade", str(tmp_path), "-o", str(path)]) == 2
    assert "is one of the ledgers" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("what", ["nowhere", "."])
def test_the_command_exits_2_where_there_is_no_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    assert main(["grade", str(tmp_path / what), "-o", str(tmp_path / "class.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "class.csv").exists()


def test_a_name_may_be_a_path_that_is_not_there() -> None:
    with pytest.raises(OutsideError, match="no such file or folder"):
        find_ledgers([Path("nowhere.json")])


def test_progress_names_the_ledger_that_is_read(tmp_path: Path) -> None:
    write(tmp_path, complete(), "ada.json")
    write(tmp_path, json.dumps([]).encode(), "bob.json")
    seen: list[tuple[float, str]] = []
    grade(find_ledgers([tmp_path]), None, lambda share, name: seen.append((share, name)))
    assert seen == [(0.0, "ada"), (0.5, "bob")]
