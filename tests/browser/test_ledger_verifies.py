"""A ledger made by clicks is run again on the command line, and every figure holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleetlab.cli import main
from fleetlab.missions import TRACKS
from tests.browser.reader import Reader
from tests.ledgers import write


@pytest.mark.parametrize("track", TRACKS)
def test_what_a_reader_did_on_the_page_holds_on_the_command_line(
    lab: Any, track: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = f"?track={track}&part=1&jobs=300&seed=9"
    reader = Reader(lab(query))
    reader.predict()
    reader.await_run(query)
    reader.go(f"{query}&placement=random")
    reader.await_run(f"{query}&placement=random")
    ledger = reader.ledger()
    assert [run["part"] for run in ledger["runs"]] == [1, 1]

    assert main(["verify", str(write(tmp_path, ledger))]) == 0
    said = capsys.readouterr().out
    assert "seal: all 3 entries and the answers are as sealed" in said
    assert " 0 do not, 0 could not be checked." in said

    ledger["runs"][0]["figures"]["allocated"] += 0.0001
    assert main(["verify", str(write(tmp_path, json.loads(json.dumps(ledger))))]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if "DOES NOT HOLD" in line]
    assert len(failed) == 2, "an edit shows in the seal and in the figure"
