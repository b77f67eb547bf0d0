"""Files that a command writes: refused before the work begins, and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def check_writable(option: str, path: Path | None) -> None:
    """Refuse, by ValueError naming the ``option``, a path that could not be written later."""
    if path is None or _is_device(path):
        return
    if path.is_dir():
        raise ValueError(f"{option}: {path} is a folder; name a file")
    if not path.parent.is_dir():
        raise ValueError(f"{option}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise ValueError(f"{option}: {path} may not be written; name another file")


def write(path: Path, lines: Iterable[str]) -> None:
    """Write ``lines``, each with its line end, to ``path``: all of them or none.

    A link keeps pointing where it points. Raises OSError with the file's name where
    that fails.
    """
    try:
        if _is_device(path):
            with path.open("a", encoding="utf-8", newline="") as stream:
                stream.writelines(lines)
        else:
            _replace(path.resolve(), lines)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _replace(path: Path, lines: Iterable[str]) -> None:
    """Write a new file beside ``path`` and put it in its place."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.writelines(lines)
        os.chmod(fresh, 0o666 & ~_umask())
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise


def _is_device(path: Path) -> bool:
    """Return whether ``path`` is a pipe or a device, which must not be replaced.

    So is every name below /dev, even where it leads to a file, as /dev/stdout may.
    """
    if path.absolute().parts[1:2] in (("dev",), ("proc",)):
        return True
    return path.exists() and not path.is_file() and not path.is_dir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
