"""Math Peek in the browser: opened by click and by key, and each page played."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from fleetlab.peek.packing import GROWTH_ITEMS
from tests.browser import reader

LONG_MS = 3 * reader.PATIENCE_MS  # the part's own runs go on beside the peek

Lab = Callable[..., Page]


def locked(lab: Lab, part: int, **context: object) -> Page:
    """Open a part, predict, and return its page with the workbench open."""
    page = lab(f"?track=titan&part={part}", **context)
    section = page.locator(f".part[data-part='{part}']")
    section.get_by_role("radio").first.check()
    if section.get_by_role("spinbutton").count():
        section.get_by_role("spinbutton").first.fill("2")
    section.get_by_label("How sure are you").select_option(index=2)
    section.get_by_role("button", name="Lock my prediction").click()
    section.get_by_role("heading", name="Your prediction, locked").wait_for()
    return page


def open_peek(page: Page, tab: str) -> Locator:
    """Open the peek by its button, and one of its pages; return that page."""
    page.get_by_role("button", name="Math Peek").click()
    page.get_by_role("tab", name=tab).click()
    return page.get_by_role("tabpanel", name=tab)


def test_the_steps_of_fair_sharing_go_to_and_fro_by_click_and_by_key(lab: Lab) -> None:
    page = locked(lab, 2)
    shares = open_peek(page, "Fair shares")
    expect(shares.get_by_role("heading", name="A runs 3, B 2")).to_be_visible()
    expect(shares.get_by_text("in this order: B, A, A, B, A.")).to_be_visible()
    step = shares.locator(".step")
    expect(step).to_contain_text("Step 5: a task for A")
    shares.get_by_role("button", name="Back").click()
    expect(step).to_contain_text("Step 4: a task for B")
    expect(shares.locator(".in-use .says").first).to_have_text("8 of 9 CPUs")
    slider = shares.get_by_role("slider", name="Step")
    slider.press("Home")
    expect(step).to_contain_text("Before the first step")
    slider.press("ArrowRight")
    expect(step).to_contain_text("Step 1: a task for B")
    expect(slider).to_have_attribute("aria-valuetext", "Step 1: a task for B")
    assert shares.locator(".rules li").first.get_by_role("heading").inner_text() == "DRF"


def test_a_counterexample_and_a_bad_number_are_answered_where_they_stand(lab: Lab) -> None:
    page = locked(lab, 2)
    shares = open_peek(page, "Fair shares")
    shares.get_by_role("button", name="30 and 30").click()
    asset = shares.locator(".rules li").filter(has_text="Asset fairness")
    expect(asset).to_contain_text(
        "B gets 12; alone with half of everything it would run 15", timeout=LONG_MS
    )
    field = shares.get_by_label("User B, GB of a task")
    field.fill("<img src=x>")
    expect(shares.get_by_role("alert")).to_contain_text("User B: GB of a task is “<img src=x>”")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("2")
    expect(shares.get_by_role("alert")).to_have_count(0)
    expect(field).not_to_have_attribute("aria-invalid", "true")
    shares.get_by_role("button", name="Add a user").click()
    expect(shares.locator(".shares .share-bar")).to_have_count(3)


def test_the_worst_case_of_first_fit_and_the_growing_work_are_drawn(lab: Lab) -> None:
    page = locked(lab, 3)
    packing = open_peek(page, "Bin packing")
    packing.get_by_role("button", name="at its worst").click()
    expect(packing.get_by_role("heading", name="opens 11 bins where 9 are enough")).to_be_visible()
    expect(packing.get_by_role("img", name="Exact search: 9 bins")).to_be_visible()
    largest = packing.get_by_role("img", name="First fit, largest first: 11 bins, 2 too many")
    expect(largest.locator(".bin[data-over]")).to_have_count(2)
    chart = packing.get_by_role("img", name="Work against the number of items")
    expect(chart.locator("circle.action")).to_have_count(len(GROWTH_ITEMS), timeout=LONG_MS)
    packing.get_by_role("slider", name="Draw").press("ArrowLeft")
    expect(packing.get_by_text("29 items")).to_be_visible()
    expect(packing.get_by_role("img", name="11 bins, 2 too many")).to_have_count(0)


def test_the_engine_measures_the_queue_in_front_of_the_reader(lab: Lab) -> None:
    page = locked(lab, 1)
    queueing = open_peek(page, "Queueing")
    expect(queueing.get_by_text("0.8/(1 − 0.8) · (1 + 3²)/2 = 20.")).to_be_visible()
    queueing.get_by_role("button", name="One server, C = 1").click()
    expect(queueing.get_by_text("0.8/(1 − 0.8) · (1 + 1²)/2 = 4.")).to_be_visible()
    expect(queueing.get_by_text("20 of 20 runs of 5,000 jobs")).to_be_visible(timeout=LONG_MS)
    expect(queueing.get_by_text("The formula lies inside")).to_be_visible()
    expect(queueing.get_by_text("The 4× is a single server’s")).to_be_visible()
    queueing.get_by_role("slider", name="Servers").press("End")
    expect(queueing.get_by_text("512 servers: what 512 GPUs are to jobs of 1 GPU")).to_be_visible()


def test_the_peek_opens_and_walks_by_key_and_follows_its_reader_to_another_part(lab: Lab) -> None:
    page = locked(lab, 1)
    summary = page.locator(".part[data-part='1'] details[data-peek] > summary")
    summary.focus()
    summary.press("Enter")
    expect(page.get_by_role("tab", name="Queueing")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Queueing").press("ArrowRight")
    expect(page.get_by_role("tab", name="Fair shares")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Fair shares")).to_be_visible()
    expect(page.get_by_role("tabpanel")).to_have_count(1)
    summary.focus()
    summary.press("Enter")
    expect(page.get_by_role("tabpanel")).to_have_count(0)
    button = page.get_by_role("button", name="Math Peek")
    expect(button).to_have_attribute("aria-expanded", "false")
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("tabpanel", name="Fair shares")).to_be_visible()


@pytest.mark.parametrize("tab", ["Fair shares", "Bin packing", "Queueing"])
def test_a_phone_shows_every_page_without_scrolling_sideways(lab: Lab, tab: str) -> None:
    page = locked(lab, 2, viewport={"width": 360, "height": 780}, color_scheme="dark")
    peek = open_peek(page, tab)
    expect(peek.get_by_role("heading").first).not_to_be_empty()
    expect(peek.locator(".waiting")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_before_the_prediction_there_is_no_peek_to_open(lab: Lab) -> None:
    page = lab("?track=titan&part=1")
    expect(page.get_by_role("button", name="Math Peek")).to_have_count(0)
    expect(page.locator("details[data-peek]:visible")).to_have_count(0)
