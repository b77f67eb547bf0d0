"""What axe can see of the page: every state of every view, in light and in dark."""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Route, expect

from fleetlab.scenario import Scenario
from tests.browser.reader import LONG_MS, Reader, default_query, lock

QUERY = "?track=titan&part=1&jobs=2500"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
SEEDS = re.compile(r"over \d+ seeds")
PACK = "**/runtime/fleetlab.pack.gz"
PHONE = {"viewport": {"width": 320, "height": 640}}
DESK = {"width": 1280, "height": 800}


def violations(page: Page, rules: list[str], kind: str = "tag") -> list[str]:
    """Return what axe finds, one line a fault."""
    only = {"type": kind, "values": rules}
    found = Axe().run(page, options={"runOnly": only, "resultTypes": ["violations"]})
    return [
        f"{fault['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]


def assert_no_fault(page: Page, state: str) -> None:
    """Nothing is wrong in light, and nothing that depends on colours in dark."""
    page.emulate_media(color_scheme="light")
    assert violations(page, RULES) == [], state
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert violations(page, COLOUR_RULES, "rule") == [], f"{state}, dark"


def open_tables(section: Locator) -> None:
    """Open every table of a part that can be seen."""
    for table in section.locator("details.table > summary").all():
        if table.is_visible():
            table.click()


def test_axe_finds_no_fault_from_loading_to_a_run_and_in_math_peek(lab: Any) -> None:
    held: list[Route] = []

    def hold(page: Page) -> None:
        page.add_init_script("globalThis.fleetlabLean = true")
        page.context.route(PACK, lambda route: held.append(route))

    page = lab(QUERY, until="loading", prepare=hold, **PHONE)
    page.wait_for_function("() => document.documentElement.dataset.record === 'ready'")
    assert_no_fault(page, "loading")
    for route in held:
        route.continue_()
    lab.wait_for_state(page, "live")
    reader = Reader(page)
    reader.await_run(QUERY)
    assert_no_fault(page, "before the prediction")
    reader.predict()
    expect(reader.part.get_by_role("button", name="Play")).to_be_visible()
    expect(reader.part).to_contain_text(SEEDS)
    open_tables(reader.part)
    assert_no_fault(page, "live, with every table open")
    reader.part.get_by_role("button", name="Math Peek").click()
    for tab in ("Fair shares", "Bin packing", "Queueing"):
        page.get_by_role("tab", name=tab).click()
        panel = page.get_by_role("tabpanel", name=tab)
        expect(panel.get_by_role("heading").first).not_to_be_empty()
        open_tables(panel)
        assert_no_fault(page, f"Math Peek, {tab}")
    reader.part.get_by_role("button", name="Math Peek").click()
    page.set_viewport_size(DESK)
    reader.go(f"{default_query('titan')}&jobs=60000")
    expect(reader.part.get_by_role("progressbar", name="Simulating")).to_be_visible()
    assert_no_fault(page, "running, on a desk")


def test_axe_finds_no_fault_in_the_other_parts_nor_in_what_is_around_them(lab: Any) -> None:
    second = "?" + Scenario.default("guardian", 2).but(jobs=300).query()
    page = lab(second, **PHONE)
    reader = Reader(page)
    reader.await_run(second)
    section = page.locator(".part[data-part='2']")
    assert_no_fault(page, "part 2, before the prediction")
    lock(section)
    expect(section.locator("[data-text=reveal]")).not_to_be_empty(timeout=LONG_MS)
    expect(section.locator("[data-text=seesaw_title]")).to_contain_text("Loose", timeout=LONG_MS)
    open_tables(section)
    assert_no_fault(page, "part 2, live")
    third = "?" + Scenario.default("guardian", 3).query()
    reader.go(third)
    reader.await_run(third)
    section = page.locator(".part[data-part='3']")
    assert_no_fault(page, "part 3, before the prediction")
    lock(section)
    expect(section.locator("[data-text=reveal]")).not_to_be_empty(timeout=LONG_MS)
    section.locator("details.more > summary").click()
    open_tables(section)
    assert_no_fault(page, "part 3, live")
    reader.open_view("Ledger")
    assert_no_fault(page, "the ledger")
    reader.open_view("Brief")
    assert_no_fault(page, "the brief")
    page.get_by_role("link", name="change track").click()
    assert_no_fault(page, "the four tracks")


def test_axe_finds_no_fault_in_a_book_on_a_wall_nor_at_the_instructor_s(lab: Any) -> None:
    page = lab("?track=nomad&part=1&embed=1", **PHONE)
    assert_no_fault(page, "embedded")
    lock(page.locator(".part[data-part='1']"))
    assert_no_fault(page, "embedded and locked")
    page.set_viewport_size(DESK)
    page.goto(f"{lab.site}?track=pioneer&part=3&lecture=1")
    lab.wait_for_state(page, "live")
    assert_no_fault(page, "a lecture")
    lock(page.locator(".part[data-part='3']"))
    assert_no_fault(page, "a lecture, locked")
    page.set_viewport_size(PHONE["viewport"])
    page.goto(f"{lab.site}instructor.html")
    assert violations(page, RULES) == [], "the instructor's page, dark"
    page.emulate_media(color_scheme="light")
    page.reload()
    assert violations(page, COLOUR_RULES, "rule") == [], "the instructor's page"


def test_axe_finds_no_fault_where_python_could_not_be_had(lab: Any) -> None:
    def break_it(page: Page) -> None:
        page.add_init_script("globalThis.fleetlabLean = true")
        page.context.route(PACK, lambda route: route.fulfill(status=404))

    page = lab(QUERY, until="error", prepare=break_it, expected=["404"], **PHONE)
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    assert_no_fault(page, "a file is missing")
    part = page.locator(".part[data-part='1']")
    lock(part)
    expect(part.get_by_text("This is a recording")).to_be_visible()
    assert_no_fault(page, "a recording")
