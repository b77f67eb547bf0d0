"""A reader's work is kept, or the page says that it is not; it is never lost in silence."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import Reader, default_query

QUERY = "?track=guardian&part=1"

DENY_BOTH = """for (const name of ["indexedDB", "localStorage"]) {
  Object.defineProperty(globalThis, name, {
    get() { throw new DOMException("denied", "SecurityError"); } });
}"""
DENY_DATABASE = """IDBFactory.prototype.open = () => {
  throw new DOMException("denied", "SecurityError");
};"""
FULL = """Storage.prototype.setItem = () => { throw new DOMException("", "QuotaExceededError"); };
IDBObjectStore.prototype.put = function () { this.transaction.abort(); };"""


def badge(reader: Reader, text: str) -> None:
    expect(reader.page.get_by_role("banner").get_by_role("status")).to_have_text(text)


@pytest.mark.parametrize("script", [DENY_BOTH, FULL], ids=["denied", "full"])
def test_where_storage_fails_the_page_says_so_and_the_ledger_can_still_be_exported(
    lab: Any, script: str
) -> None:
    reader = Reader(lab(QUERY, prepare=lambda page: page.add_init_script(script)))
    reader.predict("The same", "1", "certain")
    badge(reader, "NOT saved")
    run = reader.await_run(default_query("guardian"))
    ledger = reader.ledger()
    expect(reader.page.get_by_text("Export your ledger before you close")).to_be_visible()
    assert [made["choice"] for made in ledger["predictions"]] == ["same"]
    assert run.digest in [kept["digest"] for kept in ledger["runs"]]


def test_without_a_database_the_work_is_kept_in_local_storage(lab: Any) -> None:
    def prepare(page: Page) -> None:
        page.add_init_script(DENY_DATABASE)

    reader = Reader(lab(QUERY, until=None, prepare=prepare))
    reader.predict("The same", "1", "certain")
    badge(reader, "saved")
    before = reader.ledger()["predictions"]
    reader.page.reload()
    badge(reader, "saved")
    assert reader.ledger()["predictions"] == before


def test_ten_reloads_in_the_middle_of_a_run_lose_nothing(lab: Any) -> None:
    reader = Reader(lab(QUERY))
    reader.predict()
    first = reader.await_run(default_query("guardian"))
    answer = reader.part.get_by_label("Your answer")
    long = f"{default_query('guardian')}&jobs=30000"
    reader.go(long)
    words = ""
    for number in range(10):
        expect(reader.part.get_by_role("progressbar", name="Simulating")).to_be_visible()
        words += f"Thought {number}. "
        answer.fill(words)  # a moment before the page goes
        reader.page.reload()
        expect(answer).to_have_value(words)
    assert "jobs=30000" in reader.page.url
    reader.await_run(long)
    ledger = reader.ledger()
    assert [made["choice"] for made in ledger["predictions"]] == ["much"]
    assert ledger["reflections"]["part1"] == words
    digests = [kept["digest"] for kept in ledger["runs"]]
    assert digests[0] == first.digest
    assert len(digests) == 2


def test_each_track_keeps_its_own_ledger(lab: Any) -> None:
    reader = Reader(lab(QUERY, until=None))
    reader.predict("Shorter", "0.5", "a guess")
    reader.page.get_by_role("link", name="change track").click()
    page = reader.page
    page.get_by_role("link").filter(has=page.get_by_role("heading", name="Mobile Nomad")).click()
    page.get_by_role("link", name="Start part 1").click()
    expect(reader.part.get_by_role("button", name="Lock my prediction")).to_be_visible()
    assert reader.ledger()["predictions"] == []
    reader.go(QUERY)
    assert [made["choice"] for made in reader.ledger()["predictions"]] == ["shorter"]


def test_two_tabs_keep_the_earlier_prediction_and_the_work_of_both(lab: Any) -> None:
    first = Reader(lab(QUERY, until=None))
    second = Reader(first.page.context.new_page())
    second.page.goto(first.page.url)
    second.part.get_by_role("button", name="Lock my prediction").wait_for()
    first.predict("Shorter", "0.5", "a guess")
    badge(first, "saved")
    second.predict("The same", "1", "certain")
    badge(second, "saved")
    for reader in (second, first):
        reader.page.reload()
        assert [made["choice"] for made in reader.ledger()["predictions"]] == ["shorter"]


def test_a_worker_killed_in_the_middle_of_a_run_starts_again_and_nothing_is_lost(lab: Any) -> None:
    def prepare(page: Page) -> None:
        page.add_init_script("globalThis.fleetlabPulseMs = 1000")

    reader = Reader(lab(QUERY, prepare=prepare))
    page = reader.page
    reader.predict("The same", "1", "certain")
    reader.part.get_by_label("Your answer").fill("Before the fall")
    long = f"{default_query('guardian')}&jobs=40000"
    reader.go(long)
    expect(reader.part.get_by_role("progressbar", name="Simulating")).to_be_visible()
    with page.expect_worker():
        page.workers[0].evaluate("() => self.close()")
    assert reader.digest != ""
    expect(reader.part.get_by_label("Your answer")).to_have_value("Before the fall")
    lab.wait_for_state(page, "live")
    reader.await_run(long)
    assert [made["choice"] for made in reader.ledger()["predictions"]] == ["same"]


def test_starting_afresh_asks_first_and_then_removes_the_ledger_of_this_track(lab: Any) -> None:
    reader = Reader(lab(QUERY, until=None))
    reader.predict()
    badge(reader, "saved")
    reader.open_view("Ledger")
    page = reader.page
    page.get_by_role("button", name="Start afresh").click()
    page.get_by_role("button", name="Keep it").click()
    assert len(reader.ledger()["predictions"]) == 1
    page.get_by_role("button", name="Start afresh").click()
    page.get_by_role("button", name="Remove and start afresh").click()
    expect(page.get_by_text("Nothing is recorded on this track yet.")).to_be_visible()
    page.reload()
    assert reader.ledger()["predictions"] == []
