"""Part 3 as a reader uses it; all of it is played in test_missions.py."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from fleetlab.scenario import Scenario
from tests.browser.reader import LONG_MS, Reader


def opened(lab: Any, track: str, **context: Any) -> Reader:
    """Return a reader whose prediction for Part 3 is locked."""
    query = "?" + Scenario.default(track, 3).query()
    reader = Reader(lab(f"{query}#part3", **context), part=3)
    reader.await_run(query)
    reader.predict("Elastic by whole nodes|Elastic: ", "20")
    return reader


def test_what_a_day_costs_is_in_the_cfo_s_picture(lab: Any) -> None:
    reader = opened(lab, "titan")
    image = reader.part.locator("img.picture")
    expect(image).to_have_attribute("aria-label", _with("At $10 k a day"), timeout=LONG_MS)
    reader.part.get_by_role("slider", name="What a day of delay costs").press("ArrowRight")
    expect(image).to_have_attribute("aria-label", _with("At $11 k a day"))


def test_on_a_phone_the_picture_stays_in_sight_while_a_control_is_used(lab: Any) -> None:
    reader = opened(lab, "nomad", viewport={"width": 360, "height": 740})
    expect(reader.says("sweep_title")).not_to_be_empty()
    assert reader.page.evaluate("document.scrollingElement.scrollWidth") <= 360
    reader.part.get_by_role("combobox", name="Reclaim process").scroll_into_view_if_needed()
    picture = reader.part.get_by_role("img", name=reader.title).bounding_box()
    assert picture is not None and picture["y"] >= 0
    assert picture["y"] + picture["height"] < 740


def _with(words: str) -> re.Pattern[str]:
    return re.compile(re.escape(words))
