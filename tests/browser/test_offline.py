"""The offline edition opens from a disk by a double-click, with no server and no network."""

import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.drive.firefox import firefox
from builder.loads import load
from builder.offline import FOLDER, NAME
from builder.places import DIST
from builder.serve import open_server
from tests.browser.hand import Hand

QUERY = "?track=titan&part=1"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory, site: str) -> Path:
    """Return the folder that unpacking the zip gives."""
    place = tmp_path_factory.mktemp("offline")
    with zipfile.ZipFile(DIST / NAME) as archive:
        archive.extractall(place)
    return place / FOLDER


@pytest.fixture
def elsewhere(unpacked: Path) -> Iterator[str]:
    """Return the address of the unpacked folder in a sub-folder of some static server."""
    server = open_server(unpacked.parent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/{FOLDER}/"
    server.shutdown()
    server.server_close()


def test_a_double_click_opens_it_live_and_the_prediction_is_kept_and_exported(
    lab: Any, unpacked: Path, tmp_path: Path
) -> None:
    page = lab(f"index.html{QUERY}", address=f"{unpacked.as_uri()}/")
    part = page.get_by_role("region", name="Part 1")
    part.get_by_label("Much longer", exact=False).check()
    part.get_by_label("How many times as long?").fill("10")
    part.get_by_label("How sure are you?").select_option("4")
    part.get_by_role("button", name="Lock my prediction").click()
    page.locator("html[data-saved=saved]").wait_for()
    page.reload()
    lab.wait_for_state(page, "live")
    page.get_by_role("link", name="Ledger").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSON").click()
    download.value.save_as(tmp_path / "ledger.json")
    ledger = json.loads((tmp_path / "ledger.json").read_text())
    assert [p["number"] for p in ledger["predictions"]] == [10]


def test_a_double_click_opens_it_in_firefox_too_and_the_ledger_is_kept_and_exported(
    unpacked: Path, tmp_path: Path
) -> None:
    address = f"{unpacked.as_uri()}/index.html{QUERY}"
    folder = {"browser.download.folderList": 2, "browser.download.dir": str(tmp_path)}
    with firefox(**folder) as browser:
        if browser is None:
            pytest.skip("no Firefox here, and no root to install Debian's package with")
        with browser.visitor() as tab:
            hand = Hand(tab)
            load(tab, address)
            hand.predict("10")
            load(tab, address)
            hand.press("Ledger")
            hand.press("Export JSON")
            exported = hand.arrived(tmp_path, "*.json")
    ledger = json.loads(exported.read_text())
    assert [p["number"] for p in ledger["predictions"]] == [10]


def test_it_runs_from_any_static_server_in_any_folder(lab: Any, elsewhere: str) -> None:
    lab(QUERY, address=elsewhere)
