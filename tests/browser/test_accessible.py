"""Part 1 for everybody: by keyboard alone, read aloud, on a phone, in light and in dark."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.browser.reader import Reader, default_query

QUERY = "?track=titan&part=1&jobs=2500"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SEEDS = re.compile(r"over \d+ seeds")
PACK = "**/runtime/fleetlab.pack.gz"
PHONE = {"viewport": {"width": 320, "height": 640}}

# What the focus is on: its role, its name, and whether something is drawn around it.
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
    name: name.trim().slice(0, 60), tag: element.tagName, type: element.type ?? "",
    visible: [element, element.nextElementSibling, element.parentElement].some(drawn),
    inside: width > 0 && height > 0 && left >= 0 && top < innerHeight && top + height > 0,
  };
}"""


def violations(page: Page) -> list[str]:
    """Return what axe finds, one line a fault."""
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    return [
        f"{fault['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_in_any_state_of_the_page(lab: Any, scheme: str) -> None:
    held: list[Route] = []

    def hold(page: Page) -> None:
        page.add_init_script("globalThis.fleetlabLean = true")
        page.context.route(PACK, lambda route: held.append(route))

    page = lab(QUERY, until="loading", prepare=hold, color_scheme=scheme, **PHONE)
    assert violations(page) == [], "loading"
    page.wait_for_function("() => document.documentElement.dataset.record === 'ready'")
    for route in held:
        route.continue_()
    lab.wait_for_state(page, "live")
    reader = Reader(page)
    reader.await_run(QUERY)
    assert violations(page) == [], "before the prediction"
    reader.predict()
    expect(reader.part.get_by_role("button", name="Play")).to_be_visible()
    expect(reader.part).to_contain_text(SEEDS)
    for table in ("The fleet as a table", "The seeds as a table"):
        reader.part.get_by_text(table).click()
    assert violations(page) == [], "live"
    page.set_viewport_size({"width": 1280, "height": 800})
    reader.go(f"{default_query('titan')}&jobs=60000")
    expect(reader.part.get_by_role("progressbar", name="Simulating")).to_be_visible()
    assert violations(page) == [], "running, on a desk"
    reader.open_view("Ledger")
    assert violations(page) == [], "ledger"
    reader.open_view("Brief")
    assert violations(page) == [], "brief"
    page.get_by_role("link", name="change track").click()
    assert violations(page) == [], "the four tracks"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_where_python_could_not_be_had(lab: Any, scheme: str) -> None:
    def break_it(page: Page) -> None:
        page.add_init_script("globalThis.fleetlabLean = true")
        page.context.route(PACK, lambda route: route.fulfill(status=404))

    page = lab(
        QUERY, until="error", prepare=break_it, expected=["404"], color_scheme=scheme, **PHONE
    )
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    assert violations(page) == []


def test_part_1_is_played_from_the_lock_to_the_ledger_by_keyboard_alone(lab: Any) -> None:
    page = lab(QUERY)
    reader = Reader(page)
    reader.await_run(QUERY)
    seen: list[str] = []

    def tab_to(name: str, *, limit: int = 40) -> None:
        """Press Tab until the element of that name has the focus; every stop must be seen."""
        for _ in range(limit):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUSED)
            assert focus["visible"], f"nothing shows that the focus is on {focus}"
            assert focus["inside"], f"the focus is outside the window: {focus}"
            seen.append(focus["name"])
            if name in focus["name"]:
                return
        raise AssertionError(f"Tab never came to {name!r}: {seen[-limit:]}")

    tab_to("Skip to the lab")
    page.keyboard.press("Enter")
    tab_to("Shorter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Slightly longer")).to_be_checked()
    tab_to("How many times as long")
    page.keyboard.type("3")
    tab_to("How sure are you")
    page.keyboard.type("fair")
    tab_to("Lock my prediction")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your prediction, locked")).to_be_focused()

    tab_to("Best fit")
    page.keyboard.press("ArrowRight")
    reader.await_run("?track=titan&jobs=2500&placement=random")
    tab_to("Cluster load")
    page.keyboard.press("ArrowRight")
    reader.await_run("?track=titan&jobs=2500&placement=random&load=91")
    tab_to("Seed")
    page.keyboard.press("ArrowUp")
    reader.await_run("?track=titan&jobs=2500&placement=random&load=91&seed=2")
    tab_to("Play")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    tab_to("Step")
    page.keyboard.press("Enter")
    tab_to("Simulated time")
    page.keyboard.press("Home")
    expect(reader.scene).to_contain_text("day 1, 00:00")
    tab_to("Ask about job")
    page.keyboard.press("Control+a")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(reader.answer).to_contain_text("Job 3 ")
    tab_to("The fleet as a table")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="The fleet as a table")).to_be_visible()
    tab_to("Your answer")
    page.keyboard.type("Written without a mouse.")
    tab_to("Go on to")
    links = page.get_by_role("navigation", name="Parts of the lab")
    links.get_by_role("link", name="Ledger").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Your ledger")).to_be_focused()
    tab_to("Export JSON")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert "Written without a mouse." in download.value.path().read_text("utf-8")


# Everything that can be pressed, with the size of the area that takes the press.
TARGETS = """() => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot);
      if (!element.matches("a[href], button, input, select, textarea, summary, .noUi-handle"))
        continue;
      if (!element.checkVisibility({ visibilityProperty: true })) continue;
      const within = element.parentElement?.textContent.trim() !== element.textContent.trim();
      if (getComputedStyle(element).display === "inline" && within) continue; // in a sentence
      if (element.closest(".skip")) continue;
      const label = element.closest("label") ?? element.labels?.[0];
      const area = label?.contains(element) ? label : element;
      const { width, height } = area.getBoundingClientRect();
      const name = element.getAttribute("aria-label") || (label ?? element).textContent;
      found.push([`${element.tagName} ${name.trim().slice(0, 30)}`, width, height]);
    }
  };
  visit(document);
  return found;
}"""


def assert_fits(page: Page) -> None:
    """Nothing is cut off at the side, and everything is large enough for a finger."""
    width = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], "the page scrolls sideways"
    targets = page.evaluate(TARGETS)
    assert targets
    assert [one for one in targets if min(one[1:]) < 24] == [], "too small for a finger"


@pytest.mark.parametrize("width", [320, 360])
def test_on_a_phone_nothing_is_cut_off_and_everything_can_be_touched(lab: Any, width: int) -> None:
    page = lab("", viewport={"width": width, "height": 640}, has_touch=True)
    reader = Reader(page)
    assert_fits(page)
    for track in ("titan", "guardian", "nomad", "pioneer"):
        reader.go(f"?track={track}")
        assert_fits(page)
        query = f"{default_query(track)}&jobs=2500"
        reader.go(query)
        reader.await_run(query)
        assert_fits(page)
        reader.predict()
        expect(reader.part).to_contain_text(SEEDS)
        reader.part.get_by_text("The fleet as a table").click()
        reader.part.get_by_text("The seeds as a table").click()
        assert_fits(page)
        reader.part.get_by_text("The fleet as a table").click()
        reader.part.get_by_text("The seeds as a table").click()
        reader.open_view("Ledger")
        assert_fits(page)


def test_at_200_percent_zoom_a_desk_reads_like_a_tablet(lab: Any) -> None:
    # 1280 × 800 at 200 % leaves 640 × 400 of the page's own pixels.
    reader = Reader(lab(QUERY, viewport={"width": 640, "height": 400}, device_scale_factor=2))
    reader.await_run(QUERY)
    reader.predict()
    assert_fits(reader.page)
