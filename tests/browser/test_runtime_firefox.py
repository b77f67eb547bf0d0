"""A smoke run in Firefox: the lab goes live there too."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from builder.browser import find_firefox
from builder.node import node_program, npm

DRIVER = Path(__file__).parent / "firefox"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the driver and its locked packages."""
    folder = tmp_path_factory.mktemp("firefox") / "driver"
    shutil.copytree(DRIVER, folder, ignore=shutil.ignore_patterns("node_modules"))
    done = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_lab_goes_live_in_firefox_without_an_error(site: str, driver: Path) -> None:
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
