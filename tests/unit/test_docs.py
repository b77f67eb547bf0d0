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
