"""The page's views and addresses, which stand before Python is there."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fleetlab.missions import TRACKS


def opened(lab: Any, query: str, **context: Any) -> Page:
    page: Page = lab(query, until=None, **context)
    page.locator("html[data-record=ready]").wait_for()
    return page


def test_a_part_alone_in_a_frame_has_no_header_and_a_way_to_the_rest(lab: Any) -> None:
    page = opened(lab, "?track=titan&part=1&embed=1")
    assert not page.get_by_role("banner").is_visible()
    assert not page.get_by_role("contentinfo").is_visible()
    line = page.get_by_role("navigation", name="This lab")
    whole = line.get_by_role("link", name="Open the whole lab in a new tab")
    expect(whole).to_have_attribute("href", "?track=titan&part=1")
    expect(line.get_by_text("saved")).to_be_visible()
    line.get_by_role("link", name="Ledger").click()
    expect(page.get_by_role("heading", name="Your ledger")).to_be_visible()
    line.get_by_role("link", name="Part 1").click()
    expect(page.get_by_role("button", name="Lock my prediction")).to_be_visible()


def test_a_lecture_hides_what_one_reader_at_a_desk_needs(lab: Any) -> None:
    desk = opened(lab, "?track=titan&part=1")
    wall = opened(lab, "?track=titan&part=1&lecture=1")
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    assert wall.evaluate(size) == 1.25 * desk.evaluate(size)
    assert desk.get_by_role("contentinfo").is_visible()
    assert not wall.get_by_role("contentinfo").is_visible()
    assert wall.get_by_role("button", name="Lock my prediction").is_visible()


@pytest.mark.parametrize(("theme", "ground"), [("light", "#fbfaf7"), ("dark", "#12161d")])
def test_an_address_can_name_the_theme_whatever_the_system_says(
    lab: Any, theme: str, ground: str
) -> None:
    other = "dark" if theme == "light" else "light"
    page = opened(lab, f"?track=titan&theme={theme}", color_scheme=other)
    style = "getComputedStyle(document.documentElement).getPropertyValue('--ground')"
    assert page.evaluate(style).strip() == ground


def test_who_comes_by_a_link_to_a_part_chooses_a_track_and_is_there(lab: Any) -> None:
    page = opened(lab, "?part=1")
    page.get_by_role("link", name="Tiny Pioneer").click()
    expect(page.get_by_role("button", name="Lock my prediction")).to_be_visible()
    # Python, once live, writes the seed to it.
    expect(page).to_have_url(re.compile(r"\?track=pioneer&part=1(&seed=1)?$"))


def test_a_fragment_names_the_part_that_the_query_does_not(lab: Any) -> None:
    page = opened(lab, "?track=nomad#part1")
    expect(page.locator("html")).to_have_attribute("data-view", "part1")


@pytest.mark.parametrize("track", TRACKS)
def test_the_brief_lists_the_way_and_nothing_is_wider_than_a_phone(lab: Any, track: str) -> None:
    page = opened(lab, f"?track={track}", viewport={"width": 320, "height": 700})
    expect(page.get_by_role("link", name="Part 1, the fragmentation audit")).to_be_visible()
    for view in ("brief", "part1", "ledger"):
        page.locator(f".top [data-to={view}]").click()
        widths = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], f"{view} is {widths[0]} px wide on {widths[1]}"


def test_a_part_is_found_again_as_it_was_left(lab: Any) -> None:
    page: Page = lab("?track=guardian&part=1&load=70&seed=4")
    html = page.locator("html")
    expect(html).to_have_attribute("data-fleetlab-run", re.compile("."), timeout=60_000)
    first = html.get_attribute("data-fleetlab-run")
    stage = page.locator("#part1-stage")
    expect(stage.locator(":scope > *")).to_have_count(1)

    page.get_by_role("navigation").get_by_role("link", name="2 Topology").click()
    expect(page).to_have_url(re.compile(r"part=2(&seed=\d+)?$"))
    expect(html).not_to_have_attribute("data-fleetlab-run", first or "", timeout=60_000)
    expect(stage.locator(":scope > *")).to_have_count(0)
    expect(page.locator("#part2-stage > *")).to_have_count(1)

    page.go_back()
    expect(html).to_have_attribute("data-fleetlab-run", first or "", timeout=60_000)
    assert "load=70" in page.url
    assert "seed=4" in page.url
    expect(stage.locator(":scope > *")).to_have_count(1)
