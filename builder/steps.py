"""Steps of the build whose results are kept in the cache under a key of all their inputs."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from .places import ROOT, cache_folder
from .say import say


def key_of(parts: Iterable[str | bytes | Path]) -> str:
    """Return a key of texts, bytes and files; a folder counts with all that lies in it."""
    whole = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            for path in sorted(_walk(part)):
                name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
                whole.update(f"\0{name}\0".encode())
                whole.update(hashlib.sha256(path.read_bytes()).digest())
        else:
            data = part.encode() if isinstance(part, str) else part
            whole.update(hashlib.sha256(data).digest())
    return whole.hexdigest()[:20]


def kept(name: str, key: str, make: Callable[[], bytes]) -> bytes:
    """Return the step's result: from the cache if its key is there, otherwise freshly made."""
    place = cache_folder() / "steps" / f"{name}-{key}"
    if place.is_file():
        say(f"{name}: reused")
        return place.read_bytes()
    say(f"{name}: making it")
    result = make()
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as fresh:
        fresh.write(result)
    shutil.move(fresh.name, place)
    return result


def _walk(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    return (
        found
        for found in path.rglob("*")
        if found.is_file() and "__pycache__" not in found.parts and not found.name.startswith(".")
    )
