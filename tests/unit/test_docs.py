"""What the documents show is true: every example of the command line and of the README runs."""

from __future__ import annotations

import contextlib
import csv
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetlab.cli import COMMANDS
from fleetlab.cli import main as fleetlab
from fleetlab.sweeps.sweep import Grid, SweepTable, measure
from tests import ledgers

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
COMMAND_LINE = (DOCS / "command-line.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^    python3 -m fleetlab (.+)$", COMMAND_LINE, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a copy of docs/examples, with a ledger as the page exports it, to work in."""
    folder = tmp_path_factory.mktemp("docs") / "examples"
    shutil.copytree(DOCS / "examples", folder)
    ledgers.write(folder, ledgers.complete())
    with contextlib.chdir(folder):
        yield folder


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_command_line_runs(
    example: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleetlab(shlex.split(example)) == 0
    shown = capsys.readouterr()
    assert shown.out.strip()
    for option in ("--starts", "--json", "--events", "-o", "--html"):
        words = shlex.split(example)
        if option in words:
            assert (folder / words[words.index(option) + 1]).stat().st_size > 0


def test_every_command_has_an_example_and_every_example_a_command() -> None:
    assert {example.split()[0] for example in EXAMPLES} == set(COMMANDS)


def test_every_option_that_the_document_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        fleetlab([name, "--help"])
    known = set(re.findall(r"--[a-z][a-z0-9-]*", capsys.readouterr().out)) | {"--help"}
    assert set(re.findall(r"--[a-z][a-z0-9-]*", COMMAND_LINE)) <= known


def test_the_examples_run_from_the_shell_as_they_stand(folder: Path) -> None:
    command = EXAMPLES[0]
    done = subprocess.run(
        [sys.executable, "-m", "fleetlab", *shlex.split(command)],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_starts_of_the_example_are_what_one_works_out_by_hand(folder: Path) -> None:
    # four processors: 1 takes all until 100; 2 and 3 then fit beside each other
    assert fleetlab(["replay", "log.swf", "--gpus", "4", "--starts", "by-hand.csv"]) == 0
    with (folder / "by-hand.csv").open(newline="") as stream:
        rows = [tuple(row.values()) for row in csv.DictReader(stream)]
    assert rows == [
        ("1", "0", "0", "100", "4"),
        ("2", "10", "100", "150", "2"),
        ("3", "20", "100", "130", "2"),
    ]


def test_the_python_examples_of_the_readme_give_what_they_show() -> None:
    report = io.StringIO()
    with contextlib.redirect_stdout(report):
        failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tried >= 4
    assert failed == 0, report.getvalue()


@pytest.mark.parametrize("document", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{document.name} points at {target}"


RESULTS = DOCS / "part1-results.md"


def table_lines(text: str) -> list[str]:
    """Return the rows of the tables in a text, without what only lines their columns up."""
    lines = [re.sub(r"\s+", " ", line) for line in text.splitlines() if line.startswith("|")]
    return [line for line in lines if not line.startswith("| -")]


# Strict FIFO of one gang size and EASY of all sizes, both best-fit: the quickest and the default.
@pytest.mark.parametrize(
    "group", ["titan-one-size | 90 | 10000 | none", "titan | 90 | 10000 | easy"]
)
def test_the_results_of_part_1_are_what_the_engine_gives_today(
    group: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = RESULTS.read_text(encoding="utf-8")
    grid = Grid.read(DOCS / "part1.toml")
    choices = [*group.split(" | "), "best-fit"]
    table = SweepTable(tmp_path / "part1.csv", grid)
    for number, scenario in enumerate(grid.scenarios):
        if [str(getattr(scenario, knob)) for knob in grid.knobs] == choices:
            table.append(number, measure(scenario))
    table.close()
    assert len(table.done) == 20
    commands = re.findall(r"^    fleetlab summary part1.csv (.+)$", text, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert fleetlab(["summary", str(table.path), *shlex.split(command)]) == 0
        header, row = table_lines(capsys.readouterr().out)
        assert header in table_lines(text)
        assert row in table_lines(text)


def test_the_grid_of_part_1_is_the_table_of_its_results() -> None:
    grid = Grid.read(DOCS / "part1.toml")
    groups = dict.fromkeys(
        " | ".join(str(getattr(scenario, knob)) for knob in grid.knobs)
        for scenario in grid.scenarios
    )
    lines = table_lines(RESULTS.read_text(encoding="utf-8"))
    for group in groups:
        assert sum(line.startswith(f"| {group} | 20 |") for line in lines) == 2


def test_the_ceilings_and_what_they_cost_follow_from_the_table() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    rows = [line for line in table_lines(text) if line.startswith("| titan | 130 |")]
    best, random = (float(re.search(r"([\d.]+) % ± 0.\d %", row)[1]) for row in rows[:2])
    assert f"ends at {best:.1f} % with best-fit and {random:.1f} % with random" in text
    gpus = (best - random) / 100 * 512
    assert f"{gpus:.0f} GPUs of 512" in text
    dollars = int(re.search(r"\$(\d+),000 a year", text)[1]) * 1000
    # the table gives the two shares to a tenth of a percent
    assert abs(dollars - gpus * 2 * 8760) <= 0.001 * 512 * 2 * 8760
