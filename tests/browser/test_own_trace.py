"""A trace from the reader's own disk, replayed in the page as CPython replays it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate
from fleetlab.workloads.traces import load_trace
from tests.browser.reader import Reader

FIELD = "Use a trace of your own"
VIRTUAL_CLUSTER = "ee9e8c"  # of Philly: 1,511 jobs

# One job holds all 512 GPUs for 100 s; the next, 10 s later, wants them too and waits 90 s.
PLAIN = "submit_s,duration_s,gpus\n0,100,512\n10,60,512\n"
SWF = """; MaxProcs: 512
1 0 -1 100 512 -1 -1 512 100 -1 1 1 -1 -1 -1 -1 -1 -1
2 10 -1 60 512 -1 -1 512 60 -1 1 1 -1 -1 -1 -1 -1 -1
"""
PHILLY = """timestamp,duration,num_gpus,gpu_time,cluster
2017-10-09 07:00:00,100.0,512,51200.0,aaaaaa
2017-10-09 07:00:10,60.0,512,30720.0,aaaaaa
"""


@pytest.fixture(scope="module")
def reader(shared_lab: Any) -> Reader:
    """Return a reader whose workbench is open."""
    reader = Reader(shared_lab("?track=titan&part=1"))
    reader.predict()
    return reader


def replayed(reader: Reader, data: bytes) -> Run:
    """Return CPython's run of these bytes under the page's Scenario, once the page shows it."""
    expect(reader.page).to_have_url(re.compile("workload=trace"))
    run = simulate(Scenario.parse(reader.query), load_trace(data).jobs)
    reader.await_digest(run.digest)
    return run


def as_file(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


@pytest.mark.parametrize(
    ("name", "text"), [("mine.csv", PLAIN), ("mine.swf", SWF), ("philly.csv", PHILLY)]
)
def test_two_jobs_that_want_the_whole_fleet_run_one_after_the_other(
    reader: Reader, name: str, text: str
) -> None:
    reader.send(FIELD, as_file(name, text))
    run = replayed(reader, text.encode())
    assert (run.wait_ms / 1000).tolist() == [0, 90]
    waits = reader.part.get_by_role("figure", name="95 % waited at most")
    expect(waits).to_contain_text("longest 1.5 min")
    time = reader.page.get_by_role("slider", name="Simulated time")
    time.press("Home")
    for _ in range(1 if run.start_ms[0] else 2):
        reader.page.get_by_role("button", name="Step").click()
    assert reader.page.get_by_role("combobox", name="Workload").locator(
        ":checked"
    ).inner_text() == ("Your own trace")


def test_a_virtual_cluster_of_philly_is_replayed_on_a_fleet_of_its_size(
    reader: Reader, shared_data: Path
) -> None:
    head, *lines = (shared_data / "philly" / "philly.csv").read_text("utf-8").splitlines()
    mine = [line for line in lines if line.endswith(f",{VIRTUAL_CLUSTER}")]
    assert len(mine) == 1511
    text = "\n".join([head, *mine]) + "\n"
    reader.send(FIELD, as_file("philly-ee9e8c.csv", text))
    replayed(reader, text.encode())
    fleet = reader.page.get_by_role("textbox", name="Fleet")
    fleet.fill("1x2x8")
    fleet.press("Enter")
    expect(reader.page).to_have_url(re.compile("fleet=1x2x8"))
    run = replayed(reader, text.encode())
    assert len(run.jobs) == 1511
    assert run.wait_ms.max() > 0
    reader.go("?track=titan&part=1")


def test_a_link_to_a_trace_asks_for_the_file_and_says_when_it_is_another(lab: Any) -> None:
    digest = "0" * 16
    reader = Reader(lab(f"?track=titan&part=1&workload=trace&trace={digest}"))
    expect(reader.page.get_by_text("this Scenario replays a file; open that file")).to_be_visible()
    reader.predict()
    reader.send(FIELD, as_file("other.csv", PLAIN))
    replayed(reader, PLAIN.encode())
    expect(reader.page.get_by_text("other.csv is another file than the link")).to_be_visible()
