"""The runtime's lock: every file by name, version, sha256, size, licence and sources."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .places import ROOT
from .say import BuildError


@dataclass(frozen=True)
class LockedFile:
    """One file that is accepted only with these bytes."""

    name: str
    version: str
    sha256: str
    size: int
    licence: str
    sources: tuple[str, ...]
    notice: str = ""


@dataclass(frozen=True)
class Carrier:
    """A package that holds other packages' files."""

    name: str
    version: str
    sha256: str
    size: int


@dataclass(frozen=True)
class RuntimeLock:
    """All that runtime.lock.toml says."""

    pyodide: str
    python: str
    abi: str
    platform: str
    core: tuple[LockedFile, ...]
    packages: tuple[LockedFile, ...]
    bench: tuple[LockedFile, ...]
    carriers: dict[str, Carrier]
    digest: str

    @property
    def shipped(self) -> tuple[LockedFile, ...]:
        """Return the files whose contents reach the reader."""
        return self.core + self.packages


def read_lock(path: Path = ROOT / "runtime.lock.toml") -> RuntimeLock:
    """Return the lock, or raise a BuildError that names the entry that is wrong."""
    data = path.read_bytes()
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildError(f"{path.name} is not TOML: {error}.") from error
    try:
        return RuntimeLock(
            pyodide=table["runtime"]["pyodide"],
            python=table["runtime"]["python"],
            abi=table["runtime"]["abi"],
            platform=table["runtime"]["platform"],
            core=_files(table, "core"),
            packages=_files(table, "packages"),
            bench=_files(table, "bench"),
            carriers={
                name: Carrier(name=name, **facts) for name, facts in table["carriers"].items()
            },
            digest=hashlib.sha256(data).hexdigest(),
        )
    except KeyError as error:
        raise BuildError(f"{path.name} lacks the entry {error}.") from error


def _files(table: dict[str, list[dict[str, object]]], group: str) -> tuple[LockedFile, ...]:
    files = []
    for entry in table[group]:
        try:
            file = LockedFile(**{**entry, "sources": tuple(entry["sources"])})  # type: ignore
        except (KeyError, TypeError) as error:
            name = entry.get("name", "without a name")
            raise BuildError(f"runtime.lock.toml, [[{group}]] {name}: {error}.") from error
        if len(file.sha256) != 64 or "/" in file.name or file.name.startswith("."):
            raise BuildError(
                f"runtime.lock.toml, [[{group}]] {file.name}: the name must be a plain file name "
                "and sha256 must have 64 hexadecimal digits."
            )
        files.append(file)
    return tuple(files)
