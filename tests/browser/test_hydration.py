"""The page is there before Python, drawn from the build, and Python takes it over as it is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

QUERY = "?track=titan&part=1"
CRISIS = "100 GPUs are free"
PHONE = {"viewport": {"width": 360, "height": 740}}
LINKED = "globalThis.seen.includes('linked')"

# Notes the worker's messages by type, and keeps from the page that the worker is ready until
# `letGo` is called; `changes` is what the page's answer to it is changed in.
WATCH = """
const { Worker } = globalThis;
globalThis.seen = [];
globalThis.changes = {};
globalThis.Worker = class extends Worker {
  set onmessage(hear) {
    super.onmessage = (event) => {
      globalThis.seen.push(event.data.type);
      if (event.data.type === "ready" && globalThis.hold) globalThis.letGo = () => hear(event);
      else hear(event);
    };
  }
  postMessage(message, ...rest) {
    const changes = message.type === "open" ? globalThis.changes : {};
    return super.postMessage({ ...message, ...changes }, ...rest);
  }
};
"""


def watched(held: bool = False) -> Callable[[Page], None]:
    def prepare(page: Page) -> None:
        page.add_init_script(WATCH + f"globalThis.hold = {json.dumps(held)};")

    return prepare


def painted(page: Page) -> None:
    page.wait_for_function("performance.getEntriesByName('fleetlab:painted').length")


def lock(page: Page) -> None:
    part = page.get_by_role("region", name="Part 1")
    part.get_by_label("Much longer", exact=False).check()
    part.get_by_label("How many times as long?").fill("10")
    part.get_by_label("How sure are you?").select_option("4")
    part.get_by_role("button", name="Lock my prediction").click()


def let_go(page: Page, **changes: Any) -> None:
    page.wait_for_function("typeof globalThis.letGo === 'function'")
    page.evaluate("changes => { globalThis.changes = changes; globalThis.letGo(); }", changes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("track", "context"), [("titan", {}), ("guardian", PHONE), ("nomad", PHONE), ("pioneer", {})]
)
def test_python_takes_the_painted_page_over_without_moving_a_pixel(
    lab: Any, track: str, context: dict[str, Any], scheme: str
) -> None:
    page = lab(
        f"?track={track}&part=1",
        until="loading",
        prepare=watched(held=True),
        color_scheme=scheme,
        **context,
    )
    painted(page)
    page.add_style_tag(content=".starting { visibility: hidden }")
    before = page.screenshot()
    let_go(page)
    lab.wait_for_state(page, "live")
    assert page.evaluate(LINKED)
    after = page.screenshot()
    assert after == before


@pytest.mark.parametrize("part", [2, 3])
@pytest.mark.parametrize("track", ["titan", "pioneer"])
def test_the_other_parts_too_are_taken_over_as_they_are_painted(
    lab: Any, track: str, part: int
) -> None:
    page = lab(f"?track={track}&part={part}", prepare=watched())
    assert page.evaluate(LINKED)


def test_the_painted_page_names_the_finished_run_it_shows(lab: Any) -> None:
    page = lab(QUERY, until="loading", prepare=watched(held=True))
    painted(page)
    assert (
        CRISIS in page.get_by_role("heading", level=1).first.inner_text()
        or page.get_by_text(CRISIS).first.is_visible()
    )
    digest = page.locator("html").get_attribute("data-fleetlab-run")
    let_go(page)
    lab.wait_for_state(page, "live")
    assert digest
    assert page.locator("html").get_attribute("data-fleetlab-run") == digest


def test_a_prediction_locked_before_python_opens_the_workbench_and_its_run(lab: Any) -> None:
    page = lab(QUERY, until="loading", prepare=watched(held=True))
    painted(page)
    crisis = page.locator("html").get_attribute("data-fleetlab-run")
    lock(page)
    page.wait_for_function(
        "crisis => document.documentElement.dataset.fleetlabRun !== crisis", arg=crisis
    )
    page.locator("#part1-transport").get_by_role("button", name="Play").wait_for()
    assert page.locator("html").get_attribute("data-fleetlab-state") == "loading"
    let_go(page)
    lab.wait_for_state(page, "live")
    assert page.evaluate(LINKED)
    page.get_by_text("Your 10 ").wait_for()


def test_a_choice_made_before_python_is_here_takes_effect_once(lab: Any) -> None:
    page = lab(QUERY, until="loading", prepare=watched(held=True))
    painted(page)
    lock(page)
    page.locator("#part1-controls").get_by_label("Random").wait_for()
    page.locator("#part1-controls").get_by_label("Random").check(force=True)
    let_go(page)
    lab.wait_for_state(page, "live")
    page.wait_for_function("location.search.includes('placement=random')")
    assert page.locator("#part1-controls").get_by_label("Random").is_checked()


def test_a_document_that_is_not_the_painted_one_is_drawn_afresh_and_the_choice_kept(
    lab: Any,
) -> None:
    page = lab(QUERY, until="loading", prepare=watched(held=True))
    painted(page)
    lock(page)
    page.locator("#part1-controls").get_by_label("Random").wait_for()
    page.locator("#part1-controls").get_by_label("Random").check(force=True)
    let_go(page, shown="another document")
    lab.wait_for_state(page, "live")
    assert not page.evaluate(LINKED)
    page.wait_for_function("location.search.includes('placement=random')")
    assert page.locator("#part1-controls").get_by_label("Random").is_checked()


def test_a_scenario_that_the_build_has_not_run_is_never_shown_with_other_figures(lab: Any) -> None:
    page = lab(f"{QUERY}&workload=titan&load=50", until="loading", prepare=watched(held=True))
    painted(page)
    assert not page.get_by_text(CRISIS).first.is_visible()
    assert page.locator("html").get_attribute("data-fleetlab-run") is None
    assert page.locator(".stage .waiting").first.is_visible()
    let_go(page)
    lab.wait_for_state(page, "live")
    page.wait_for_function("document.documentElement.dataset.fleetlabRun")
    assert page.locator(".slot[inert]").count() == 0


def test_without_its_opening_the_page_waits_for_python_and_says_so(lab: Any) -> None:
    def prepare(page: Page) -> None:
        watched(held=False)(page)
        page.context.route("**/openings/*", lambda route: route.fulfill(status=404, body="gone"))

    page = lab(QUERY, prepare=prepare, expected=("Failed to load resource",))
    assert not page.evaluate(LINKED)
    page.get_by_role("heading", name=CRISIS).wait_for()
