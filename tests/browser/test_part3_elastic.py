"""Part 3 as a reader plays it, on each of the four tracks, by clicks and keys."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from fleetlab.cli import main
from fleetlab.missions import TRACKS
from fleetlab.scenario import Scenario
from tests.browser.reader import PATIENCE_MS, run_of
from tests.ledgers import write

ELASTIC = {
    "titan": ("Enable Elastic-Horovod", "Elastic ring"),
    "guardian": ("Enable Elastic-Horovod", "Elastic ring"),
    "nomad": ("Enable elastic rendering", "Rescaled"),
    "pioneer": ("Enable elastic models", "Heavy or slim"),
}
FREQUENCY = {"pioneer": "Devices that leave, a day"}


class Reader:
    """Reads and uses Part 3 of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(2 * PATIENCE_MS)
        self.part = page.locator(".part[data-part='3']")

    def text(self, name: str) -> Locator:
        return self.part.locator(f"[data-text={name}]")

    def await_run(self, query: str) -> None:
        """Wait until the page's last run is the one that CPython makes of a Scenario."""
        self.page.wait_for_function(
            "digest => document.documentElement.dataset.fleetlabRun === digest",
            arg=run_of(query).digest,
        )

    def predict(self) -> None:
        self.part.locator("input[name=choice][value=elastic-nodes]").check()
        self.part.get_by_label("Of 100 hours").fill("20")
        self.part.get_by_label("How sure are you").select_option(label="half sure")
        self.part.get_by_role("button", name="Lock my prediction").click()
        self.part.get_by_role("heading", name="Your prediction, locked").wait_for()

    def slider(self, name: str) -> Locator:
        return self.part.get_by_role("slider", name=name)

    def download(self, button: str) -> bytes:
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=button).click()
        return Path(download.value.path()).read_bytes()


def opened(lab: Any, track: str, **context: Any) -> tuple[Reader, str]:
    """Return a reader in front of Part 3's question, and the Scenario it opens with."""
    query = "?" + Scenario.default(track, 3).query()
    reader = Reader(lab(f"{query}#part3", **context))
    reader.await_run(query)
    return reader, query


@pytest.mark.parametrize("track", TRACKS)
def test_a_reader_plays_part_3_from_the_lock_to_a_ledger_that_holds(
    lab: Any, track: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, query = opened(lab, track)
    expect(reader.part.get_by_text("Predict first.")).to_be_visible()
    for later in ("main", "case_title", "reveal"):
        assert not reader.text(later).first.is_visible()
    reader.predict()
    expect(reader.text("reveal")).to_contain_text("Of 100 hours the static choice lost")
    expect(reader.text("main")).not_to_have_text("–")

    # play, pause, step and scrub over simulated time
    title = reader.text("title").inner_text()
    reader.part.get_by_role("button", name="Step", exact=True).click()
    reader.part.get_by_role("button", name="Play", exact=True).click()
    reader.part.get_by_role("button", name="Pause", exact=True).click()
    time = reader.slider("Simulated time")
    time.press("End")
    expect(reader.text("title")).not_to_have_text(title)

    # elastic
    group, option = ELASTIC[track]
    found = reader.text("main").inner_text()
    radios = reader.page.get_by_role("radiogroup", name=group, exact=True)
    radios.get_by_role("radio", name=option, exact=True).check()
    reader.await_run(f"{query}&elastic=1")
    # Where elastic changes what a frame costs and no start, the events are the same ones.
    expect(reader.text("main")).not_to_have_text(found)

    # more of it, by keys alone
    frequency = reader.slider(FREQUENCY.get(track, "Preemptions a day, all spot"))
    frequency.press("ArrowRight")
    more = Scenario.default(track, 3).preemptions + 1
    reader.await_run(f"{query}&elastic=1&preemptions={more}")

    # the case is a picture that leaves the page
    svg = ElementTree.fromstring(reader.download("Save as SVG"))
    assert svg.tag.endswith("svg")
    assert reader.download("Save as PNG").startswith(b"\x89PNG")
    picture = reader.part.locator("img.picture")
    assert picture.evaluate("image => image.naturalWidth") > 300

    # and the ledger keeps what was run
    reader.page.get_by_role("navigation", name="Parts of the lab").get_by_role(
        "link", name="Ledger"
    ).click()
    ledger = json.loads(reader.download("Export JSON"))
    runs = [Scenario.parse(run["scenario"]) for run in ledger["runs"]]
    assert [run.part for run in runs] == [3] * len(runs)
    assert [run.elastic for run in runs][-2:] == [1, 1]
    assert main(["verify", str(write(tmp_path, ledger))]) == 0
    assert " 0 do not, 0 could not be checked." in capsys.readouterr().out


def test_what_a_day_costs_is_in_the_cfo_s_picture(lab: Any) -> None:
    reader, _ = opened(lab, "titan")
    reader.predict()
    image = reader.part.locator("img.picture")
    expect(image).to_have_attribute("aria-label", _with("At $10 k a day"), timeout=PATIENCE_MS * 4)
    reader.slider("What a day of delay costs").press("ArrowRight")
    expect(image).to_have_attribute("aria-label", _with("At $11 k a day"))


def test_part_3_fits_a_phone(lab: Any) -> None:
    reader, _ = opened(lab, "nomad", viewport={"width": 360, "height": 740})
    reader.predict()
    expect(reader.text("sweep_title")).not_to_be_empty()
    wide = reader.page.evaluate("document.scrollingElement.scrollWidth")
    assert wide <= 360


def _with(words: str) -> re.Pattern[str]:
    return re.compile(re.escape(words))
