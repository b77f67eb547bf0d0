"""The runtime's lock: complete, and wrong entries are named."""

from pathlib import Path

import pytest

from builder.lock import read_lock
from builder.say import BuildError

HEAD = """
[runtime]
pyodide = "1"
python = "3.12"
abi = "x"
platform = "y"
[carriers]
"""
ENTRY = """
[[core]]
name = "a.js"
version = "1"
sha256 = "{sha256}"
size = 3
licence = "MIT"
sources = []
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "runtime.lock.toml"
    path.write_text(text)
    return path


def test_every_file_has_a_licence_a_size_and_at_least_one_source() -> None:
    lock = read_lock()
    for file in (*lock.shipped, *lock.bench):
        assert file.licence, file.name
        assert file.size > 0, file.name
        assert file.sources, file.name


def test_no_file_is_locked_twice() -> None:
    lock = read_lock()
    names = [file.name for file in (*lock.shipped, *lock.bench)]
    assert len(names) == len(set(names))


def test_every_carrier_that_a_source_names_is_locked_too() -> None:
    lock = read_lock()
    carried = {
        source.removeprefix("pypi:").partition("#")[0]
        for file in (*lock.shipped, *lock.bench)
        for source in file.sources
        if source.startswith("pypi:") and "#" in source
    }
    assert carried == set(lock.carriers)


def test_a_compiled_package_can_be_had_without_the_web() -> None:
    [numpy] = [file for file in read_lock().packages if file.name.startswith("numpy-")]
    assert any(source.startswith("pypi:") for source in numpy.sources)


def test_a_broken_lock_says_where(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"is not TOML: .*line 1"):
        read_lock(write(tmp_path, "no sense\n[runtime]"))


def test_a_missing_group_is_named(tmp_path: Path) -> None:
    text = HEAD + ENTRY.format(sha256="0" * 64)
    with pytest.raises(BuildError, match="lacks the entry 'packages'"):
        read_lock(write(tmp_path, text))


def test_a_short_hash_is_refused_by_name(tmp_path: Path) -> None:
    text = "packages = []\nbench = []\n" + HEAD + ENTRY.format(sha256="abc")
    with pytest.raises(BuildError, match=r"\[\[core\]\] a\.js: .*64 hexadecimal digits"):
        read_lock(write(tmp_path, text))


def test_an_unknown_field_is_named(tmp_path: Path) -> None:
    text = "packages = []\nbench = []\n" + HEAD + ENTRY.format(sha256="0" * 64) + 'colour = "red"\n'
    with pytest.raises(BuildError, match=r"a\.js: .*colour"):
        read_lock(write(tmp_path, text))
