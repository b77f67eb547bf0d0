"""A link holds every choice: opened elsewhere, it is the same page and the same run."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.reader import Reader

LINKS = [
    "?track=titan&part=1&load=85&jobs=2500&size=64&backfill=none&placement=random&seed=7",
    "?track=nomad&part=1&workload=alibaba&load=80&jobs=2500&placement=worst-fit&seed=11",
]
OTHERS = [
    "?track=guardian&part=1&load=97&jobs=2500&size=8&backfill=conservative&seed=3",
    "?track=guardian&part=1&workload=philly&load=80&jobs=2500&fleet=2x4x8&seed=5",
    "?track=pioneer&part=1&load=100&jobs=2500&backfill=none&placement=first-fit&seed=2147483647",
    "?track=pioneer&part=1&load=60&jobs=2500&placement=random&fleet=2x16x1@4,8,4",
    "?track=titan&part=1&load=0",
    "?track=titan&part=1&load=150&jobs=2500&size=3&placement=topology-aware",
    "?track=titan&part=1&workload=titan-one-size&jobs=2500&size=16&placement=contiguous",
]
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def knobs(reader: Reader) -> list[str]:
    """Return what stands in the workbench, widget by widget."""
    workbench = reader.part.get_by_role("group", name="Workbench")
    chosen = workbench.get_by_role("radio", checked=True)
    return [
        *(chosen.nth(n).locator("xpath=..").inner_text() for n in range(chosen.count())),
        *(workbench.get_by_role("slider").all_inner_texts()),
        workbench.get_by_role("combobox").locator(":checked").inner_text(),
        workbench.get_by_role("textbox", name="Seed").input_value(),
    ]


@pytest.mark.parametrize("query", LINKS, ids=["titan", "nomad"])
def test_a_copied_link_gives_the_same_page_and_the_same_run_elsewhere(lab: Any, query: str) -> None:
    here = Reader(lab(query, permissions=CLIPBOARD))
    run = here.await_run(query)
    here.predict()
    here.page.get_by_role("button", name="Copy link").click()
    expect(here.page.get_by_text("The link is copied.")).to_be_visible()
    link = here.page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(lab.site)

    there = Reader(lab(link.removeprefix(lab.site)))
    there.await_digest(run.digest)
    there.predict()
    assert there.query == here.query
    assert there.title == here.title
    assert there.answer.inner_text() == here.answer.inner_text()
    assert knobs(there) == knobs(here)


def test_where_copying_is_denied_the_link_is_selected_instead(lab: Any) -> None:
    deny = "navigator.clipboard.writeText = async () => { throw new DOMException('no'); }"
    reader = Reader(lab(LINKS[0], prepare=lambda page: page.add_init_script(deny)))
    reader.await_run(LINKS[0])
    reader.predict()
    reader.page.get_by_role("button", name="Copy link").click()
    field = reader.part.get_by_role("textbox", name="Link to this page with every setting")
    expect(field).to_be_focused()
    assert field.input_value().endswith(reader.query)


def test_an_address_of_any_track_opens_with_its_choices_and_the_run_of_cpython(lab: Any) -> None:
    reader = Reader(lab(OTHERS[0]))
    for query in OTHERS:
        reader.go(query)
        reader.await_run(query)


def test_back_and_forward_lead_through_the_views_and_their_scenarios(lab: Any) -> None:
    reader = Reader(lab("?track=guardian&part=1&jobs=2500"))
    reader.await_run("?track=guardian&jobs=2500")
    reader.open_view("Brief")
    expect(reader.page.get_by_role("heading", level=1, name="The topology lottery")).to_be_focused()
    reader.open_view("Ledger")
    reader.page.go_back()
    expect(reader.page.get_by_role("heading", level=1, name="The topology lottery")).to_be_visible()
    reader.page.go_back()
    expect(reader.part).to_be_visible()
    assert "jobs=2500" in reader.query
