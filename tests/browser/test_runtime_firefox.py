"""A smoke run in Firefox: a reader chooses, predicts and turns a knob there too."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from builder.browser import find_firefox
from builder.node import node_program, npm
from tests.browser.reader import run_of

DRIVER = Path(__file__).parent / "firefox"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the driver and its locked packages."""
    folder = tmp_path_factory.mktemp("firefox") / "driver"
    shutil.copytree(DRIVER, folder, ignore=shutil.ignore_patterns("node_modules"))
    done = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_part_1_begins_in_firefox_too_and_its_runs_are_those_of_cpython(
    site: str, driver: Path
) -> None:
    firefox = os.environ.get("FLEETLAB_FIREFOX") or find_firefox()
    if firefox is None:
        pytest.skip("no Firefox here, and no root to install Debian's package with")
    done = subprocess.run(
        [str(node_program()), "smoke.mjs", firefox, f"{site}?track=titan&part=1"],
        cwd=driver,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == []
    assert found["state"] == "live", found["alerts"]
    assert "fleetlab:live" in found["marks"]
    assert found["saved"] == "saved"
    opening, unlocked, random = found["runs"]
    assert "placement=random" in random["query"]
    assert opening["digest"] == run_of("?track=titan&workload=titan-crisis").digest
    assert unlocked["digest"] == run_of(unlocked["query"]).digest
    assert random["digest"] == run_of(random["query"]).digest
