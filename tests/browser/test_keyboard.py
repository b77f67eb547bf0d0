"""The mission played by keyboard alone, where every stop of the focus is seen, and read aloud."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fleetlab.scenario import Scenario
from tests.browser.reader import LONG_MS, Reader

FIRST = "?track=titan&part=1&jobs=2500"

# What the focus is on: its name, and whether something is drawn around it in the window.
FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const drawn = (candidate) => candidate && (() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(candidate);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  })();
  const name = element.getAttribute("aria-label") || element.labels?.[0]?.textContent ||
    element.textContent || element.name || element.id;
  const { left, top, width, height } = element.getBoundingClientRect();
  return {
    name: name.trim().slice(0, 60), tag: element.tagName,
    visible: [element, element.nextElementSibling, element.parentElement].some(drawn),
    inside: width > 0 && height > 0 && left >= 0 && top < innerHeight && top + height > 0,
  };
}"""


class Keys:
    """Goes about a page with Tab and other keys, and sees that the focus can be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.press = page.keyboard.press
        self.write = page.keyboard.type

    def tab_to(self, name: str, *, limit: int = 60) -> None:
        """Press Tab until the element of that name has the focus; every stop must be seen."""
        seen = []
        for _ in range(limit):
            self.press("Tab")
            focus = self.page.evaluate(FOCUSED)
            assert focus["visible"], f"nothing shows that the focus is on {focus}"
            assert focus["inside"], f"the focus is outside the window: {focus}"
            seen.append(focus["name"])
            if name in focus["name"]:
                return
        raise AssertionError(f"Tab never came to {name!r}: {seen}")

    def lock(self, number: str) -> None:
        """Choose the second answer, guess a number, and lock it."""
        self.tab_to("Lock my prediction")  # once around it, in the order in which it is read
        for _ in range(3):
            self.press("Shift+Tab")
        self.press("ArrowDown")
        expect(self.page.locator(".part:visible").get_by_role("radio").nth(1)).to_be_checked()
        self.press("Tab")
        self.write(number)
        self.tab_to("How sure are you")
        self.write("fair")
        self.tab_to("Lock my prediction")
        self.press("Enter")
        expect(self.page.get_by_role("heading", name="Your prediction, locked")).to_be_focused()


@pytest.fixture(scope="module")
def keys(shared_lab: Any) -> Keys:
    """Return the keyboard of a page that the parts are played on, one after the other."""
    page = shared_lab(FIRST)
    Reader(page).await_run(FIRST)
    return Keys(page)


def test_part_1_is_played_from_the_lock_to_its_answer_by_keyboard_alone(keys: Keys) -> None:
    page, reader = keys.page, Reader(keys.page)
    keys.tab_to("Skip to the lab")
    keys.press("Enter")
    keys.tab_to("Shorter")
    keys.lock("3")
    keys.tab_to("Best fit")
    keys.press("ArrowRight")
    reader.await_run("?track=titan&jobs=2500&placement=random")
    keys.tab_to("Cluster load")
    keys.press("ArrowRight")
    reader.await_run("?track=titan&jobs=2500&placement=random&load=91")
    keys.tab_to("Seed")
    keys.press("ArrowUp")
    reader.await_run("?track=titan&jobs=2500&placement=random&load=91&seed=2")
    keys.tab_to("Play")
    keys.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    keys.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    keys.tab_to("Step")
    keys.press("Enter")
    keys.tab_to("Simulated time")
    keys.press("Home")
    expect(reader.scene).to_contain_text("day 1, 00:00")
    keys.tab_to("Ask about job")
    keys.press("Control+a")
    keys.write("3")
    keys.press("Enter")
    expect(reader.answer).to_contain_text("Job 3 ")
    keys.tab_to("The fleet as a table")
    keys.press("Enter")
    expect(page.get_by_role("region", name="The fleet as a table")).to_be_visible()
    keys.tab_to("Your answer")
    keys.write("Written without a mouse.")
    keys.tab_to("Go on to part 2")
    keys.press("Enter")
    heading = page.locator(".part[data-part='2']").get_by_role("heading", level=1)
    expect(heading).to_be_focused()


def test_part_2_is_played_to_a_scored_run_and_a_rule_by_keyboard_alone(keys: Keys) -> None:
    second = "?" + Scenario.default("titan", 2).but(jobs=300).query()
    reader = Reader(keys.page, part=2)
    reader.go(second)
    reader.await_run(second)
    keys.page.locator("#main").focus()
    keys.lock("40")
    expect(reader.says("reveal")).not_to_be_empty(timeout=LONG_MS)
    keys.tab_to("Locality")
    keys.press("Home")
    expect(reader.says("title")).to_contain_text("No gang lies across leaf blocks", timeout=LONG_MS)
    keys.tab_to("Undo")
    keys.press("Enter")
    expect(reader.says("title")).to_contain_text("in gangs across leaf blocks", timeout=LONG_MS)
    keys.tab_to("Return to a run")
    keys.tab_to("The runs as a table")
    keys.press("Enter")
    expect(keys.page.get_by_role("region", name="The runs as a table")).to_be_visible()
    keys.tab_to("Score this policy")
    keys.press("Enter")
    expect(reader.says("scored")).to_contain_text("9 of 10", timeout=LONG_MS)
    keys.tab_to("Pin A, run 1")
    keys.press("Enter")
    keys.tab_to("Write the placement rule yourself")
    keys.press("Enter")
    keys.tab_to("A Python function")
    keys.press("Control+Home")
    keys.write("# mine\n")
    keys.tab_to("Run my rule")  # Tab leaves the field, and is not caught in it
    keys.press("Enter")
    expect(reader.says("rule_title")).not_to_be_empty(timeout=LONG_MS)
    keys.tab_to("Strict and loose as a table")
    keys.press("Enter")
    expect(keys.page.get_by_role("region", name="Strict and loose as a table")).to_be_visible()


def test_part_3_is_played_to_the_ledger_by_keyboard_alone(keys: Keys) -> None:
    page, reader = keys.page, Reader(keys.page, part=3)
    third = "?" + Scenario.default("titan", 3).query()
    reader.go(third)
    reader.await_run(third)
    page.locator("#main").focus()
    keys.lock("20")
    expect(reader.says("reveal")).to_contain_text("Of 100 hours", timeout=LONG_MS)
    keys.tab_to("Static ring")
    keys.press("ArrowRight")
    reader.await_run(f"{third}&elastic=1")
    keys.tab_to("Costs and surroundings")
    keys.press("Enter")
    keys.tab_to("Step")
    keys.press("Enter")
    keys.tab_to("Simulated time")
    title = reader.says("title").inner_text()
    keys.press("End")
    expect(reader.says("title")).not_to_have_text(title)
    for table in ("The nodes as a table", "The course as a table", "The sweep as a table"):
        keys.tab_to(table)
        keys.press("Enter")
        expect(page.get_by_role("region", name=table).get_by_role("row").nth(1)).to_be_visible()
    keys.tab_to("What a day of delay costs")
    keys.tab_to("Your answer")
    keys.write("Elastic, by whole nodes.")
    keys.tab_to("Go on to your ledger")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Your ledger")).to_be_focused()
    keys.tab_to("Export JSON")
    with page.expect_download() as download:
        keys.press("Enter")
    text = download.value.path().read_text("utf-8")
    assert "Written without a mouse." in text
    assert "Elastic, by whole nodes." in text


# Counts what a screen reader is told unasked: each change of a text in a region that is live.
LISTEN = """() => {
  const live = '[aria-live]:not([aria-live=off]), [role=status], [role=alert]';
  globalThis.told = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const region = (target.nodeType === 1 ? target : target.parentElement)?.closest(live);
      if (region && region.textContent.trim()) told.push(region.textContent.trim());
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@pytest.mark.parametrize("part", [1, 3])
def test_scrubbing_and_playing_are_told_once_they_stand_still(shared_lab: Any, part: int) -> None:
    query = "?" + Scenario.default("nomad", part).query()
    page = shared_lab(query)
    Reader(page).await_run(query)
    keys = Keys(page)
    page.locator("#main").focus()
    keys.lock("3")
    section = page.locator(f".part[data-part='{part}']")
    expect(section.locator("[data-text=reveal]")).not_to_be_empty(timeout=LONG_MS)
    time = section.get_by_role("slider", name="Simulated time")
    time.press("Home")
    expect(page.locator("[data-text=announcement]")).not_to_be_empty()
    page.evaluate(LISTEN)
    page.evaluate("globalThis.fleetlabStillMs = 4000")  # a busy machine's keys come slowly
    for _ in range(12):
        time.press("PageUp" if part == 1 else "ArrowRight")
    page.wait_for_function(
        "why => told.at(-1) === why.textContent",
        arg=section.locator("[data-text=why]").element_handle(),
    )
    section.get_by_role("button", name="Play", exact=True).click()
    moved = time.get_attribute("aria-valuenow")
    expect(time).not_to_have_attribute("aria-valuenow", str(moved))
    section.get_by_role("button", name="Pause", exact=True).click()
    told = page.evaluate("told")
    assert len(told) <= 4, told
