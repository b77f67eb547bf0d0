"""Packs and the lean tree: what goes into the reader's Python, and in which form."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.pack import read_pack, write_pack
from builder.say import BuildError
from builder.tree import licence_texts, own_files, package_files, wheel_files

FILES = st.dictionaries(st.text(min_size=1, max_size=20), st.binary(max_size=50), max_size=8)


def wheel(folder: Path, name: str, files: dict[str, str]) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in files.items():
            archive.writestr(inner, text)
    return path


@given(FILES)
def test_what_was_packed_is_read_back(files: dict[str, bytes]) -> None:
    assert read_pack(write_pack(files)) == files


@given(FILES)
def test_a_pack_that_is_cut_short_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="pack"):
        read_pack(write_pack(files)[:-1])


def test_the_order_of_the_files_does_not_change_the_pack() -> None:
    assert write_pack({"b": b"2", "a": b"1"}) == write_pack({"a": b"1", "b": b"2"})


def test_a_wheel_is_left_without_tests_types_and_records(tmp_path: Path) -> None:
    path = wheel(tmp_path, "a-1-py3-none-any.whl", {
        "a/__init__.py": "x = 1",
        "a/theme.css": "p {}",
        "a/tests/test_a.py": "",
        "a/index.ts": "",
        "a-1.dist-info/RECORD": "",
        "a-1.dist-info/METADATA": "Name: a",
        "a-1.data/data/etc/x.json": "",
    })  # fmt: skip
    assert sorted(wheel_files(path)) == ["a-1.dist-info/METADATA", "a/__init__.py", "a/theme.css"]


def test_panels_and_bokehs_own_copies_of_the_browser_scripts_are_left_out(tmp_path: Path) -> None:
    path = wheel(tmp_path, "panel-1-py3-none-any.whl", {
        "panel/__init__.py": "",
        "panel/dist/panel.min.js": "",
        "bokeh/server/static/js/bokeh.min.js": "",
    })  # fmt: skip
    assert list(wheel_files(path)) == ["panel/__init__.py"]


def test_a_library_that_is_not_compiled_for_the_browser_is_an_error(tmp_path: Path) -> None:
    path = wheel(tmp_path, "c-1-cp312.whl", {"c/fast.cpython-312-x86_64-linux-gnu.so": ""})
    with pytest.raises(BuildError, match=r"c-1-cp312\.whl: .*not compiled for the browser"):
        wheel_files(path)


def test_two_wheels_may_not_disagree_about_a_file(tmp_path: Path) -> None:
    one = wheel(tmp_path, "one-1.whl", {"shared.py": "1"})
    two = wheel(tmp_path, "two-1.whl", {"shared.py": "2"})
    with pytest.raises(BuildError, match=r"two-1\.whl: shared\.py"):
        package_files([one, two])


def test_our_own_package_ships_its_modules_and_tables() -> None:
    paths = {path.partition("site-packages/")[2] for path in own_files()}
    assert "fleetlab/__init__.py" in paths
    assert any(path.endswith(".toml") for path in paths)
    assert not any("__pycache__" in path for path in paths)
    # the command line has no use in a browser
    assert not any(path.startswith(("fleetlab/cli/", "fleetlab/__main__")) for path in paths)


def test_each_licence_text_is_given_once(tmp_path: Path) -> None:
    path = wheel(tmp_path, "a-1.whl", {
        "a/LICENSE": "Be kind.",
        "a-1.dist-info/licenses/LICENSE": "Be kind.",
        "a/vendored/COPYING": "Be kinder.",
    })  # fmt: skip
    assert licence_texts(path) == {
        "a-1.dist-info/licenses/LICENSE": "Be kind.",
        "a/vendored/COPYING": "Be kinder.",
    }
