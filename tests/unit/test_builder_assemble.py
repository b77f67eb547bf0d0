"""Steps and the finished site: reused while nothing changed, whole, and properly credited."""

import hashlib
import json
from pathlib import Path

import pytest

from builder import assemble
from builder.assemble import RECORD, stands
from builder.lock import read_lock
from builder.places import DIST
from builder.say import BuildError
from builder.steps import kept, key_of


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "a.js").write_bytes(b"1")
    facts = {"a.js": {"size": 1, "sha256": hashlib.sha256(b"1").hexdigest()}}
    (tmp_path / "manifest.json").write_text(json.dumps(facts))
    (tmp_path / RECORD).write_text(json.dumps({"key": "k"}))
    return tmp_path


def test_a_step_is_made_once_for_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETLAB_CACHE", str(tmp_path))
    made = []

    def make() -> bytes:
        made.append(1)
        return b"result"

    assert kept("step", "key", make) == kept("step", "key", make) == b"result"
    kept("step", "other", make)
    assert len(made) == 2


def test_a_key_follows_names_and_bytes_of_a_folder_and_no_caches(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    first = key_of([tmp_path])
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("x")
    assert key_of([tmp_path]) == first
    (tmp_path / "a.py").write_text("2")
    assert key_of([tmp_path]) != first


def test_a_site_stands_while_its_key_and_its_files_are_the_same(site: Path) -> None:
    assert stands(site, "k")


def test_a_site_does_not_stand_with_another_key_a_missing_or_a_changed_file(site: Path) -> None:
    assert not stands(site, "other")
    (site / "a.js").write_bytes(b"2")
    assert not stands(site, "k")
    (site / "a.js").unlink()
    assert not stands(site, "k")


def test_a_record_that_cannot_be_read_means_building_again(site: Path) -> None:
    (site / RECORD).write_text("{")
    assert not stands(site, "k")


@pytest.mark.skipif(not DIST.is_dir(), reason="the site is not built: run build.py build first")
class TestTheBuiltSite:
    def test_every_file_is_in_the_manifest_with_its_hash(self) -> None:
        manifest = json.loads((DIST / "manifest.json").read_text())
        found = {path.relative_to(DIST).as_posix() for path in DIST.rglob("*") if path.is_file()}
        assert found == set(manifest) | {"manifest.json", RECORD}
        for name, facts in manifest.items():
            data = (DIST / name).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (
                facts["size"],
                facts["sha256"],
            ), name

    def test_everything_that_ships_is_credited_with_its_licence(self) -> None:
        notices = (DIST / "THIRD_PARTY.txt").read_text()
        for file in read_lock().shipped:
            assert f"{file.name}\nversion {file.version}\nlicence {file.licence}" in notices

    def test_a_build_over_its_budget_of_bytes_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manifest = json.loads((DIST / "manifest.json").read_text())
        assemble.check_budget(manifest, DIST)
        monkeypatch.setattr(assemble, "FIRST_BYTES", 1e6)
        with pytest.raises(BuildError, match=r"A first visit takes .* MB; the budget is 1\.0 MB"):
            assemble.check_budget(manifest, DIST)
