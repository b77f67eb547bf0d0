"""The instructor's page in a browser: it reads on a phone, and every figure was filled in."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

SECTIONS = ("goals", "timing", "handing it out", "answer key", "rubric", "taking ledgers in")


@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_read_without_scrolling_sideways(lab: Any, width: int) -> None:
    page = lab("instructor.html", until=None, viewport={"width": width, "height": 800})
    wide = page.evaluate("document.scrollingElement.scrollWidth")
    assert wide <= width, "only a wide table scrolls, within itself"
    assert page.get_by_role("heading", level=1).count() == 1
    assert "{{" not in page.locator("main").inner_text()


def test_its_contents_lead_to_its_sections(lab: Any) -> None:
    page = lab("instructor.html", until=None)
    for name in SECTIONS:
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=2, name=name)).to_be_in_viewport()


def test_the_lab_leads_to_it_and_back(lab: Any) -> None:
    page = lab("", until=None)
    page.get_by_role("link", name="For instructors").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("For instructors")
    page.get_by_role("link", name="Fleet Orchestration").click()
    expect(page.get_by_role("heading", level=1, name="A busier fleet")).to_be_visible()


def test_it_takes_the_readers_theme(lab: Any) -> None:
    page = lab("instructor.html", until=None, color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
