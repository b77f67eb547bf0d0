"""Where Python cannot run, the default run of each part is shown as the recording it is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from builder.places import DIST
from fleetlab.scenario import Scenario
from tests.browser.reader import Reader, run_of
from tests.browser.test_accessible import lock

NO_WEBASSEMBLY = "delete globalThis.WebAssembly"
NO_MEMORY = """WebAssembly.Memory = function () {
  throw new RangeError("WebAssembly.Memory(): could not allocate memory");
};
"""


def without_webassembly(page: Page) -> None:
    page.add_init_script(NO_WEBASSEMBLY)


def without_memory(page: Page) -> None:
    def answer(route: Route) -> None:
        text = (DIST / "index.html").read_text("utf-8")
        begin = '<script type="text/plain" id="fleetlab-worker">'
        assert text.count(begin) == 1
        route.fulfill(body=text.replace(begin, begin + NO_MEMORY), content_type="text/html")

    page.route(lambda url: "?track=" in url, answer)


@pytest.mark.parametrize(
    ("prepare", "cause"),
    [(without_webassembly, "has no WebAssembly"), (without_memory, "could not allocate memory")],
)
def test_where_python_cannot_run_the_default_run_is_shown_and_said_to_be_a_recording(
    lab: Any, prepare: Any, cause: str
) -> None:
    asked = "?track=guardian&part=2&load=60"
    page = lab(asked, until="error", prepare=prepare)
    section = page.locator(".part[data-part='2']")
    note = section.locator("[data-text=recording]")
    expect(note).to_contain_text("This is a recording of the run with the default settings")
    expect(note).to_contain_text(cause)
    lock(section)
    expect(section.locator("#part2-stage > *")).to_have_count(1)
    expect(section.locator("[data-text=allocated]")).not_to_have_text("–")
    expect(section.locator("#part2-controls")).to_have_attribute("inert", "")
    expect(section.get_by_role("button", name="Run my rule")).to_be_hidden()
    assert page.url.endswith(asked), "what was asked for stays in the address"

    reader = Reader(page)
    reader.open_view("3 Elastic")
    third = page.locator(".part[data-part='3']")
    expect(third.locator("[data-text=recording]")).to_be_visible()
    expect(third.locator("#part3-stage > *")).to_have_count(1)
    ledger = reader.ledger()
    assert [made["part"] for made in ledger["predictions"]] == [2]
    recorded = run_of("?" + Scenario.default("guardian", 2).query())
    assert [run["digest"] for run in ledger["runs"]] == [recorded.digest]
