"""Part 2 as a reader plays it, on each of the four tracks, by clicks and keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from fleetlab.missions import TRACKS
from fleetlab.missions.goals import unseen_seeds
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

SHORT = {"jobs": 300}
LONG_MS = 120_000  # for several runs in a row, on a machine that does other things too
HOLDS_OUT = """def place(job, free):
    for block, nodes in enumerate(free):
        if sum(nodes) >= job.gpus:
            parts = []
            wanted = job.gpus
            for node, room in enumerate(nodes):
                taken = min(room, wanted)
                if taken:
                    parts.append((block, node, taken))
                    wanted -= taken
            return parts
    return None
"""


class Reader:
    """Uses Part 2 of one page by the names that stand there."""

    def __init__(self, page: Page, track: str) -> None:
        self.page, self.track = page, track
        self.part = page.get_by_role("region", name=re.compile("^Part 2, "))

    def says(self, name: str) -> Locator:
        """Return where the part writes the text of that name."""
        return self.part.locator(f"[data-text='{name}']").first

    def lock(self) -> None:
        """Predict, and wait for what was measured."""
        self.part.get_by_role("radio", name=re.compile("^It increases")).check()
        self.part.get_by_role("spinbutton", name=re.compile("^How much of the fleet")).fill("50")
        self.part.get_by_role("combobox", name="How sure are you?").select_option("3")
        self.part.get_by_role("button", name="Lock my prediction").click()
        expect(self.says("reveal")).to_contain_text("At 85 %", timeout=LONG_MS)
        expect(self.says("seesaw_title")).to_contain_text("Loose placement", timeout=LONG_MS)

    def click(self, name: str) -> None:
        """Press the part's button of that name."""
        self.part.get_by_role("button", name=name, exact=True).click()

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs of Part 2 in the exported ledger."""
        self.page.get_by_role("navigation").get_by_role("link", name=re.compile("Ledger")).click()
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Export JSON").click()
        text = Path(str(download.value.path())).read_text("utf-8")
        self.page.get_by_role("navigation").get_by_role("link", name=re.compile("2")).click()
        return [run for run in json.loads(text)["runs"] if run["part"] == 2]


def address(track: str, **changes: Any) -> str:
    return "?" + Scenario.default(track, 2).but(**SHORT | changes).query()


@pytest.fixture(scope="module", params=TRACKS)
def reader(request: pytest.FixtureRequest, shared_lab: Any) -> Iterator[Reader]:
    """Return a reader on one track whose prediction for Part 2 is locked."""
    found = Reader(shared_lab(address(request.param)), request.param)
    assert found.says("reveal").inner_text() == ""
    found.lock()
    yield found


def test_the_answer_is_measured_and_every_run_of_it_is_the_engines(reader: Reader) -> None:
    expect(reader.says("reveal")).to_contain_text("hold-and-wait")
    runs = reader.runs()
    assert len(runs) == 7
    for run in runs:
        again = simulate(Scenario.parse(run["scenario"]))
        assert run["digest"] == again.digest
        assert run["figures"]["allocated"] == round(again.metrics.allocated, 4)
        assert run["figures"]["productive"] == round(again.metrics.productive, 4)


def test_loose_placement_is_busier_and_does_less(reader: Reader) -> None:
    reader.part.locator("summary", has_text="Strict and loose as a table").click()
    table = reader.part.locator("[data-table=seesaw_table]")
    table.locator("tr").nth(2).wait_for()
    rows = [row.split("\t") for row in table.inner_text().splitlines()[1:]]
    strict, loose = rows[0], rows[1]
    assert strict[0] == "strict" and loose[0] == "loose"
    assert float(loose[1].split()[0]) > float(strict[1].split()[0])  # allocated
    assert float(loose[2].split()[0]) < float(strict[2].split()[0])  # productive


def test_locality_is_set_by_keys_and_hops_follow(reader: Reader) -> None:
    handle = reader.part.get_by_role("slider", name=re.compile("^Locality"))
    handle.focus()
    reader.page.keyboard.press("Home")
    expect(reader.says("title")).to_contain_text("No gang lies across blocks", timeout=LONG_MS)
    assert "patience=-1" in reader.page.evaluate("location.search")
    reader.click("Undo")
    expect(reader.says("title")).to_contain_text("in gangs across blocks", timeout=LONG_MS)
    assert "patience" not in reader.page.evaluate("location.search")


def test_holding_is_seen_on_the_fleet(reader: Reader) -> None:
    reader.part.get_by_role("radio", name="Hold and wait").check()
    expect(reader.says("scene")).to_contain_text("held by a gang that waits", timeout=LONG_MS)
    assert re.search("held|Deadlock", reader.says("title").inner_text())
    reader.click("Undo")
    expect(reader.says("scene")).to_contain_text("lies over several", timeout=LONG_MS)


def test_a_policy_is_scored_on_seeds_that_were_not_shown(reader: Reader) -> None:
    reader.click("Score this policy")
    expect(reader.says("scored")).to_contain_text("9 of 10", timeout=LONG_MS)
    expect(reader.says("slot1")).to_contain_text("MFU")
    seeds = [Scenario.parse(run["scenario"]).seed for run in reader.runs()]
    assert set(unseen_seeds(1)) < set(seeds)


def test_a_rule_wins_goodput_back_and_a_hostile_one_is_stopped(reader: Reader) -> None:
    field = reader.part.get_by_role("textbox", name=re.compile("^A Python function"))
    field.fill("def place(job, free):\n    while True:\n        pass\n")
    reader.click("Run my rule")
    expect(reader.says("rule_problem")).to_contain_text("line 2: the rule", timeout=LONG_MS)
    field.fill("def place(job, free):\n    import js\n")
    reader.click("Run my rule")
    expect(reader.says("rule_problem")).to_contain_text("cannot use import", timeout=LONG_MS)
    field.fill(HOLDS_OUT)
    reader.click("Run my rule")
    expect(reader.says("rule_title")).to_contain_text("wins back 100 %", timeout=LONG_MS)
    expect(reader.says("rule_problem")).to_have_text("")


def test_a_point_leads_back_to_its_run_from_the_list(reader: Reader) -> None:
    points = reader.part.get_by_role("combobox", name="Return to a run")
    strict = points.locator("option", has_text="strict, FIFO, load 85").first.inner_text()
    points.select_option(label=strict)
    expect(reader.says("title")).to_contain_text("No gang lies across blocks", timeout=LONG_MS)
    assert "patience=-1" in reader.page.evaluate("location.search")


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(shared_lab: Any, width: int) -> None:
    page = shared_lab(address("titan"), viewport={"width": width, "height": 800})
    Reader(page, "titan").lock()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
