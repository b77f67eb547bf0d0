"""The build's own virtual environments, made from hash-locked lists."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from .places import ROOT, WORK
from .say import BuildError, Progress, say

MARK = ".fleetlab-ready"


def inside(name: str) -> bool:
    """Return whether this very process runs in the environment of that name."""
    return Path(sys.prefix).resolve() == (WORK / "env" / name).resolve()


def lock_of(name: str) -> Path:
    """Return the hash-locked list of the environment of that name."""
    return ROOT / "requirements" / f"{name}.lock"


def enter(name: str, arguments: list[str]) -> int | None:
    """Return None inside the environment; outside, make it, re-run in it and return its code."""
    if inside(name):
        return None
    python = str(prepare(name))
    command = [python, str(ROOT / "build.py"), *arguments]
    if os.name == "posix":
        os.execv(python, command)
    return subprocess.call(command)


def prepare(name: str) -> Path:
    """Return the environment's Python, having installed its locked list unless it stands."""
    folder = WORK / "env" / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    lock = lock_of(name).read_bytes()
    key = hashlib.sha256(lock + sys.version.encode() + str(folder).encode()).hexdigest()
    mark = folder / MARK
    if mark.is_file() and mark.read_text() == key and python.exists():
        say(f"environment {name}: reused")
        return python
    if importlib.util.find_spec("ensurepip") is None:
        raise BuildError(
            "This Python has no ensurepip, so it cannot make a virtual environment: install it "
            "(Debian and Ubuntu: apt-get install python3-venv), then run the same command again."
        )
    say(f"environment {name}: making it from {lock_of(name).relative_to(ROOT)}")
    if folder.exists():
        shutil.rmtree(folder)
    venv.EnvBuilder(with_pip=True, symlinks=os.name == "posix").create(folder)
    install(python, lock_of(name))
    mark.write_text(key)
    return python


def install(python: Path, lock: Path, *options: str) -> None:
    """Install a hash-locked list with that Python's pip; a failure is one sentence."""
    total = sum("==" in line for line in lock.read_text().splitlines() if line[:1].isalnum())
    command = [
        str(python), "-m", "pip", "install", "--require-hashes", "--no-deps",
        "--only-binary", ":all:", "--disable-pip-version-check", "--progress-bar", "off",
        *options, "-r", str(lock),
    ]  # fmt: skip
    progress = Progress(f"{lock.stem} packages")
    seen = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        lines = []
        for line in pip.stdout:
            lines.append(line.strip())
            if line.startswith("Collecting "):
                seen += 1
                progress.show(f"{seen} of {total}, {line.split()[1].split('==')[0]}")
            elif line.startswith("Installing"):
                progress.show("installing")
    progress.end()
    if pip.returncode != 0:
        reasons = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        raise BuildError(
            f"The packages of {lock.relative_to(ROOT)} could not be installed: "
            f"{reasons[-1] if reasons else 'pip said nothing'}"
        )
