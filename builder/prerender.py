"""What the build makes with the finished app: the openings that a page shows before Python."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .bytecode import runtime_folder
from .lock import RuntimeLock
from .node import run_script
from .pack import read_pack, write_pack
from .steps import kept, key_of

HERE = Path(__file__).parent
RUNTIME = HERE / "runtime.mjs"
MOST_SHARES = 4  # each is a Python of its own


def openings(
    parts: dict[str, bytes], lock: RuntimeLock, files: dict[str, Path]
) -> dict[str, bytes]:
    """Return the openings' files, packed, by name; ``parts`` are the site's packs and library.

    They do not depend on each other, so each processor makes its share of them.
    """
    return _made("openings", parts, lock, files, min(os.cpu_count() or 1, MOST_SHARES))


def snapshot(
    parts: dict[str, bytes], lock: RuntimeLock, files: dict[str, Path]
) -> dict[str, bytes]:
    """Return the files of the snapshot of the app's memory, packed, by name."""
    return _made("snapshot", parts, lock, files)


def is_quick() -> bool:
    """Return whether FLEETLAB_QUICK asks for a site without these: sooner built, later live."""
    return bool(os.environ.get("FLEETLAB_QUICK"))


def _made(
    name: str,
    parts: dict[str, bytes],
    lock: RuntimeLock,
    files: dict[str, Path],
    shares: int = 1,
) -> dict[str, bytes]:
    """Return what `NAME.mjs` makes, by file name: all that it leaves in its folder as `*.gz`.

    It is run `shares` times side by side, told which of how many it is to make.
    """
    if is_quick():
        return {}
    script = HERE / f"{name}.mjs"

    def make_share(share: int) -> dict[str, bytes]:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            runtime_folder(files, lock, folder)
            for part, data in parts.items():
                (folder / part).write_bytes(data)
            run_script(script, folder, f"making the {name}", str(share), str(shares))
            return {path.name: path.read_bytes() for path in folder.glob("*.gz")}

    def make() -> bytes:
        with ThreadPoolExecutor(shares) as pool:
            made = list(pool.map(make_share, range(shares)))
        return write_pack({name: data for one in made for name, data in one.items()})

    key = key_of([*(file.sha256 for file in lock.core), *parts.values(), script, RUNTIME])
    return read_pack(kept(f"{name}.pack", key, make))
