"""Compiling ahead: bytecode for the CPython that ships, made by that very CPython under Node."""

import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from .lock import RuntimeLock
from .node import run_script
from .pack import read_pack, write_pack
from .say import BuildError

SCRIPT = Path(__file__).with_name("compile.mjs")


def compile_files(
    files: dict[str, bytes], runtime: dict[str, Path], lock: RuntimeLock, what: str
) -> dict[str, bytes]:
    """Return the files with each `.py` replaced by its `.pyc`: no source, no check at import.

    Raises a BuildError that names the module that does not compile.
    """
    sources = {path: data for path, data in files.items() if path.endswith(".py")}
    others = {path: data for path, data in files.items() if not path.endswith(".py")}
    return others | _run(sources, runtime, lock, what)


def compile_standard_library(archive: Path, runtime: dict[str, Path], lock: RuntimeLock) -> bytes:
    """Return the standard library's zip with bytecode for sources, stored and not deflated.

    Stored, since the whole file travels gzipped and an import then need not inflate it again.
    """
    with zipfile.ZipFile(archive) as old:
        files = {
            f"/lib/python312.zip/{info.filename}": old.read(info)
            for info in old.infolist()
            if not info.is_dir()
        }
    compiled = compile_files(files, runtime, lock, "standard library")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        folders: set[str] = set()
        for path in sorted(compiled):
            name = path.removeprefix("/lib/python312.zip/")
            # A namespace package inside a zip is found by its directory entry alone.
            for parent in list(Path(name).parents)[-2::-1]:
                folder = parent.as_posix() + "/"
                if folder not in folders:
                    folders.add(folder)
                    new.writestr(zipfile.ZipInfo(folder), b"")
            new.writestr(zipfile.ZipInfo(name), compiled[path])
    return out.getvalue()


def runtime_folder(runtime: Mapping[str, Path], lock: RuntimeLock, folder: Path) -> None:
    """Lay out Pyodide as it expects to be found: its core, and a list of no packages."""
    for file in lock.core:
        shutil.copyfile(runtime[file.name], folder / file.name)
    (folder / "pyodide-lock.json").write_text(no_packages(lock))


def no_packages(lock: RuntimeLock) -> str:
    """Return a package list for Pyodide that offers nothing: all packages come in packs."""
    info = {
        "abi_version": lock.abi,
        "arch": "wasm32",
        "platform": lock.platform,
        "python": lock.python,
        "version": lock.pyodide,
    }
    return json.dumps({"info": info, "packages": {}})


def _run(
    sources: dict[str, bytes], runtime: dict[str, Path], lock: RuntimeLock, what: str
) -> dict[str, bytes]:
    if not sources:
        return {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runtime_folder(runtime, lock, folder)
        (folder / "sources.pack").write_bytes(write_pack(sources))
        run_script(SCRIPT, folder, f"compiling {what}")
        result = folder / "bytecode.pack"
        if not result.is_file():
            raise BuildError(f"Compiling {what} made no bytecode.")
        return read_pack(result.read_bytes())
