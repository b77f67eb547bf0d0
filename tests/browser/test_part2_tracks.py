"""Part 2 as a reader uses it, by clicks and keys; all of it is played in test_missions.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from fleetlab.missions.goals import unseen_seeds
from fleetlab.scenario import Scenario
from tests.browser.reader import LONG_MS, Reader

SHORT = {"jobs": 300}

# At every frame: whether strict and loose are still being run, and how far down two things are.
WATCH = """() => {
  const part = document.querySelector(".part[data-part='2']");
  const top = (name) => Math.round(part.querySelector(name).getBoundingClientRect().top + scrollY);
  globalThis.seen = [];
  const look = () => {
    const pending = part.querySelector("[data-needs=seesaw]").hidden;
    seen.push([pending, top(".peek-button"), top(".controls")]);
    requestAnimationFrame(look);
  };
  look();
}"""
MEASURED = "() => seen.some(([pending]) => pending) && !seen.at(-1)[0]"


def lock(reader: Reader) -> None:
    """Predict, and wait for what was measured."""
    reader.predict("It increases", "50")
    expect(reader.says("reveal")).to_contain_text("At 85 %", timeout=LONG_MS)
    expect(reader.says("seesaw_title")).to_contain_text("Loose placement", timeout=LONG_MS)


def runs_of_part_2(reader: Reader) -> list[dict[str, Any]]:
    """Return the runs of Part 2 in the exported ledger."""
    runs = reader.ledger()["runs"]
    reader.open_view("2")
    return [run for run in runs if run["part"] == 2]


def address(track: str, **changes: Any) -> str:
    return "?" + Scenario.default(track, 2).but(**SHORT | changes).query()


@pytest.fixture(scope="module", params=["titan", "pioneer"])
def reader(request: pytest.FixtureRequest, shared_lab: Any) -> Iterator[Reader]:
    """Return a reader on one track whose prediction for Part 2 is locked."""
    found = Reader(shared_lab(address(request.param)), part=2)
    assert found.says("reveal").inner_text() == ""
    assert "hold" in found.part.inner_text() and "across" not in found.says("title").inner_text()
    lock(found)
    yield found


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
    expect(reader.says("title")).to_contain_text("No gang lies across", timeout=LONG_MS)
    assert "patience=-1" in reader.page.evaluate("location.search")
    reader.click("Undo")
    expect(reader.says("title")).to_contain_text("in gangs across", timeout=LONG_MS)
    assert "patience" not in reader.page.evaluate("location.search")


def test_a_knob_is_heard_where_it_was_let_go_before(reader: Reader) -> None:
    # The first way leads to its lowest value, which it had before the page put it to 30.
    fabric = reader.part.get_by_role("slider", name=re.compile("^Fabric"))
    asked = "asked => /penalty=0/.test(location.search) === asked"
    for _ in range(2):
        fabric.focus()
        reader.page.keyboard.press("Home")
        reader.page.wait_for_function(asked, arg=True)
        reader.click("Undo")
        reader.page.wait_for_function(asked, arg=False)


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
    seeds = [Scenario.parse(run["scenario"]).seed for run in runs_of_part_2(reader)]
    assert set(unseen_seeds(1)) < set(seeds)


def test_a_point_leads_back_to_its_run_from_the_list(reader: Reader) -> None:
    points = reader.part.get_by_role("combobox", name="Return to a run")
    strict = points.locator("option", has_text="strict, FIFO, load 85").first.inner_text()
    points.select_option(label=strict)
    expect(reader.says("title")).to_contain_text("No gang lies across", timeout=LONG_MS)
    assert "patience=-1" in reader.page.evaluate("location.search")


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(shared_lab: Any, width: int) -> None:
    page = shared_lab(address("titan"), viewport={"width": width, "height": 800})
    lock(Reader(page, part=2))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("track", ["titan", "pioneer"])
def test_what_is_measured_later_moves_nothing_when_it_comes(shared_lab: Any, track: str) -> None:
    reader = Reader(shared_lab(address(track)), part=2)
    lock(reader)
    reader.page.evaluate(WATCH)
    reader.go(address(track, seed=2))
    reader.page.wait_for_function(MEASURED, timeout=LONG_MS)
    seen = reader.page.evaluate("seen")
    came = max(number for number, (pending, *_) in enumerate(seen) if pending) + 1
    assert seen[came - 1][1:] == seen[came][1:]  # a press under way would meet something else
    assert len({controls for *_, controls in seen}) == 1  # the answer's mark went and came as well
