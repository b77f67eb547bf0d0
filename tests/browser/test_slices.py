"""The page answers while a run is under way, and the newest choice is the one that counts."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.reader import Reader, default_query

LONG = f"{default_query('titan')}&jobs=60000"  # seconds of work for the worker

# Notes in order what goes to the worker and when the worker is idle again.
COUNT = """const { Worker } = globalThis; globalThis.traffic = [];
globalThis.Worker = class extends Worker {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({ data }) => {
      if (data.type === "idle") globalThis.traffic.push("idle");
    });
  }
  postMessage(message, ...rest) {
    if (["patch", "tell"].includes(message.type)) globalThis.traffic.push(message.type);
    super.postMessage(message, ...rest);
  }
};"""


def running(reader: Reader) -> None:
    expect(reader.part.get_by_role("progressbar", name="Simulating")).to_be_visible()


def test_a_newer_knob_cancels_the_run_of_an_older_one(lab: Any) -> None:
    reader = Reader(lab("?track=titan&part=1"))
    reader.predict()
    reader.await_run(default_query("titan"))
    reader.go(LONG)
    running(reader)
    reader.choose("Placement", "Random")
    expect(reader.page).to_have_url(re.compile("placement=random"))
    running(reader)
    reader.choose("Discipline", "Skip ahead")
    expect(reader.page).to_have_url(re.compile("backfill=skip"))
    running(reader)
    short = "?track=titan&part=1&jobs=2500&placement=random&backfill=skip&seed=1"
    reader.go(short)
    run = reader.await_run(short)
    kept = reader.ledger()["runs"]
    assert kept[-1]["digest"] == run.digest
    assert not [one["scenario"] for one in kept if "jobs=60000" in one["scenario"]]


def test_the_page_can_be_read_and_written_while_a_run_is_under_way(lab: Any) -> None:
    reader = Reader(lab("?track=titan&part=1"))
    reader.predict()
    reader.await_run(default_query("titan"))
    reader.go(LONG)
    running(reader)
    reader.part.get_by_label("Your answer").fill("Meanwhile")
    reader.page.get_by_role("button", name="Step").click()
    assert reader.ledger()["reflections"] == {"part1": "Meanwhile"}
    reader.open_view("Fragmentation")
    running(reader)


def test_events_wait_for_the_worker_and_only_the_newest_value_of_a_knob_is_sent(lab: Any) -> None:
    def prepare(page: Page) -> None:
        page.add_init_script(COUNT)

    reader = Reader(lab("?track=titan&part=1&jobs=2500", prepare=prepare))
    reader.predict()
    reader.await_run("?track=titan&jobs=2500")
    scrub = reader.page.get_by_role("slider", name="Simulated time")
    scrub.press("Home")
    reader.page.evaluate("traffic.length = 0")
    load = reader.page.get_by_role("slider", name="Cluster load")
    load.focus()
    for _ in range(20):
        reader.page.keyboard.press("ArrowLeft")
    reader.await_run("?track=titan&jobs=2500&load=70")
    sent = reader.page.evaluate("traffic")
    pairs = list(pairwise(sent))
    assert "patch" in sent
    assert not [pair for pair in pairs if "idle" not in pair], "two messages were under way at once"
    loads = [re.search(r"load=(\d+)", run["scenario"]) for run in reader.ledger()["runs"]]
    assert [found.group(1) for found in loads if found][-1] == "70"
