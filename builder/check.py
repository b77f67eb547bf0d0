"""The test command: lint, types, the build, then every test from unit to browser."""

import os
import subprocess
import sys

from .assemble import build
from .browser import get_chromium, get_firefox, get_webkit
from .places import ROOT
from .say import say

# Whole files go to as many processes as there are processors, in the order of their names: the
# short ones stand last and fill up what is left.
SIDE_BY_SIDE = "--numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder"


def test(arguments: list[str]) -> int:
    """Run all checks; more arguments go to pytest. Return the first exit code that is not 0."""
    os.environ["FLEETLAB_CHROMIUM"] = get_chromium()
    for get in (get_firefox, get_webkit):  # what cannot be had is skipped
        get()
    build()
    codes = [
        run("ruff", "check", "."),
        run("mypy", "--strict", "fleetlab"),
        run("pytest", *SIDE_BY_SIDE.split(), *arguments),
    ]
    return next((code for code in codes if code), 0)


def run(tool: str, *arguments: str) -> int:
    """Run one Python tool of this environment in the checkout; say if it found something."""
    say(f"{tool}: {' '.join(arguments)}" if arguments else tool)
    return subprocess.call([sys.executable, "-m", tool, *arguments], cwd=ROOT)
