"""Part 1 as a reader plays it, on each of the four tracks, by clicks and keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from fleetlab.analysis.explain import explain
from fleetlab.analysis.moment import Moment, crowded_instant
from fleetlab.app.instruments.heatmap import occupied
from fleetlab.app.parts.fragmentation_words import replica_of, scene, title
from fleetlab.missions import TRACKS, mission
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.wording import clock, dollars, duration
from tests.browser.reader import LOCK, Reader, default_query, run_of

SHORT = {"jobs": 2500, "load": 120, "backfill": "none"}  # done at once, and jobs wait
ANSWER = "Holes are rent paid for nothing: <b>$2</b> an hour each. | # = +1"


@dataclass
class Visit:
    """A reader on one track, their prediction locked; `before` is what they could read then."""

    track: str
    reader: Reader
    before: str

    @property
    def time(self) -> Locator:
        return self.reader.page.get_by_role("slider", name="Simulated time")

    def query(self, **changes: Any) -> str:
        """Return the address of a short run."""
        return "?" + Scenario.default(self.track).but(**SHORT | changes).query()

    def restart(self) -> Run:
        """Return a short run that the page has just made: it shows its most crowded instant."""
        query = self.query()
        self.reader.go(self.query(placement="random"))
        self.reader.await_run(self.query(placement="random"))
        self.reader.go(query)
        return self.reader.await_run(query)


@pytest.fixture(scope="module", params=TRACKS)
def visit(request: pytest.FixtureRequest, shared_lab: Any) -> Iterator[Visit]:
    """Return a reader who has chosen a track, read its brief, and predicted."""
    track = request.param
    page = shared_lab("")
    reader = Reader(page)
    name = page.get_by_role("heading", name=mission(track).name)
    page.get_by_role("link").filter(has=name).click()
    page.get_by_role("link", name="Start part 1").click()
    opening = default_query(track) + ("&workload=titan-crisis" if track == "titan" else "")
    run = reader.await_run(opening)
    moment = Moment.of(run, crowded_instant(run))
    # Titan's run lies behind the choice of a track already; its texts come when that is chosen.
    expect(reader.heading).to_have_text(title(moment, mission(track)))
    assert reader.why == explain(run, moment.state.waiting[0], moment.time_ms)
    before = page.locator("body").inner_text()
    assert scene(moment, mission(track)) in before
    reader.predict("Slightly longer", "4", "fairly sure")
    reader.await_run(default_query(track))
    yield Visit(track, reader, before)
    page.context.close()


def test_nothing_that_was_measured_is_shown_before_the_prediction(visit: Visit) -> None:
    assert "Predict first" in visit.before
    for later in ("mean wait", "cost", "Placement", "Play", "What you said", "Copy link"):
        assert later not in visit.before, later


def test_the_prediction_stands_as_it_was_made_and_cannot_be_changed(visit: Visit) -> None:
    page = visit.reader.part
    assert not page.get_by_role("button", name=LOCK).is_visible()
    assert not page.get_by_role("radio", name="Much longer").is_visible()
    mine = page.get_by_role("listitem").filter(has_text="Slightly longer").filter(has_text="yours")
    made = mine.locator("time").get_attribute("datetime")
    assert made is not None
    age_s = (datetime.now(UTC) - datetime.fromisoformat(made)).total_seconds()
    assert 0 <= age_s < 600
    assert page.get_by_text("4 times as long, fairly sure.").is_visible()


def test_a_queued_job_that_is_clicked_says_why_it_waits(visit: Visit) -> None:
    run = visit.restart()
    time_ms = crowded_instant(run)
    waiting = run.waiting_at(time_ms)
    page = visit.reader.page
    jobs = page.get_by_role("radio", name=re.compile("^Job "))
    expect(jobs).to_have_count(min(5, len(waiting)))
    expect(jobs.first).to_be_checked()
    for place, job in enumerate(waiting[:2]):
        jobs.nth(place).check()
        expect(visit.reader.answer).to_have_text(explain(run, job, time_ms))


def test_any_job_can_be_asked_about_by_its_number(visit: Visit) -> None:
    run = visit.restart()
    page = visit.reader.page
    field = page.get_by_label("Ask about job")
    field.fill("7")
    field.press("Enter")
    expect(visit.reader.answer).to_have_text(explain(run, 7, crowded_instant(run)))
    field.fill("99999")
    field.press("Enter")
    expect(page.get_by_text("There is no job 99999 in this run")).to_be_visible()
    page.get_by_role("button", name="Close").click()


def test_the_clock_is_scrubbed_stepped_played_and_paused(visit: Visit) -> None:
    run = visit.restart()
    page, time = visit.reader.page, visit.time
    time.press("Home")
    expect(time).to_have_attribute("aria-valuetext", clock(0))
    time.press("End")
    expect(time).to_have_attribute("aria-valuetext", clock(run.last_ms))
    assert "and nobody waits" in visit.reader.title
    time.press("Home")
    now = 0
    for _ in range(3):
        now = run.next_change_ms(now)
        page.get_by_role("button", name="Step").click()
        expect(visit.reader.scene).to_have_text(scene(Moment.of(run, now), mission(visit.track)))
    page.get_by_role("button", name="Play").click()
    expect(time).not_to_have_attribute("aria-valuetext", clock(now))
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play").wait_for()


def test_a_gpu_that_is_clicked_says_what_runs_on_it(visit: Visit) -> None:
    run = visit.restart()
    page = visit.reader.page
    visit.time.press("Home")
    now = 0
    for _ in range(4):
        now = run.next_change_ms(now)
        page.get_by_role("button", name="Step").click()
        expect(visit.reader.scene).to_have_text(scene(Moment.of(run, now), mission(visit.track)))
    owner, used = occupied(Moment.of(run, now))
    gpu = int(np.flatnonzero(used > 0)[-1])
    visit.reader.click_gpu(run, gpu)
    answer = explain(run, int(owner[gpu]), now)
    expect(visit.reader.answer).to_have_text(answer)
    assert "runs: " in answer


def test_each_knob_leads_to_the_run_that_cpython_makes_of_it(visit: Visit) -> None:
    reader, page, track = visit.reader, visit.reader.page, visit.track
    visit.restart()
    scenario = Scenario.default(track).but(**SHORT)

    def expect_run(**changes: Any) -> None:
        nonlocal scenario
        scenario = scenario.but(**changes)
        expect(page).to_have_url(re.compile(re.escape("?" + scenario.query()) + "$"))
        reader.await_run("?" + scenario.query())

    load = page.get_by_role("slider", name="Cluster load")
    load.press("ArrowLeft")
    expect_run(load=scenario.load - 1)
    reader.choose("Placement", "Random")
    expect_run(placement="random")
    reader.choose("Discipline", "Skip ahead")
    expect_run(backfill="skip")
    reader.choose("Discipline", "Strict FIFO")
    expect_run(backfill="none")
    if track != "pioneer":  # its gangs are all of one device
        sizes = mission(track).sizes
        reader.choose("Gang size", str(sizes[-1]))
        expect_run(size=sizes[-1])
    page.get_by_role("textbox", name="Seed", exact=True).fill("23")
    page.get_by_role("textbox", name="Seed", exact=True).press("Enter")
    expect_run(seed=23)


@pytest.mark.parametrize("workload", ["Philly, calibrated", "Alibaba 2023, calibrated"])
def test_a_calibrated_workload_runs_as_in_cpython(visit: Visit, workload: str) -> None:
    workloads = visit.reader.page.get_by_role("combobox", name="Workload")
    if visit.track == "pioneer":
        assert workloads.get_by_role("option").all_inner_texts() == [
            "Pioneer's mix: light, middling and heavy models"
        ]
        return
    visit.restart()
    workloads.select_option(label=workload)
    name = workload.split()[0].strip(",").lower()
    visit.reader.await_run(visit.query(workload=name))


def test_the_figures_are_the_means_of_the_seeds_in_the_table(visit: Visit) -> None:
    visit.restart()
    page, track = visit.reader.page, mission(visit.track)
    page.get_by_text("The seeds as a table").click()
    table = page.get_by_role("region", name="The seeds as a table").get_by_role("row")
    expect(table.nth(4)).to_be_visible()  # heads and four seeds
    shown = page.evaluate(
        """() => { const part = document.querySelector("section[data-part='1']"); return {
        rows: [...part.querySelectorAll("[aria-label='The seeds as a table'] tbody tr")]
          .map(row => [...row.cells].map(cell => cell.textContent)),
        figures: part.querySelector("[aria-label='What it measured']").innerText } }"""
    )
    seeds = [int(row[0]) for row in shown["rows"]]
    assert seeds == list(range(1, 1 + len(seeds)))
    replicas = [replica_of(run_of(visit.query(seed=seed))) for seed in seeds]
    near = [replica.near_s for replica in replicas if replica]
    anywhere = [replica.anywhere_s for replica in replicas if replica]
    assert [row[1:3] for row in shown["rows"]] == [
        [duration(a), duration(b)] for a, b in zip(near, anywhere, strict=True)
    ]
    for waits in (near, anywhere):
        assert duration(sum(waits) / len(waits)) in shown["figures"]
        spread = f"{duration(min(waits))} to {duration(max(waits))} over {len(seeds)} seeds"
        assert spread in shown["figures"]
    holes = sum(replica.holes for replica in replicas if replica) / len(seeds)
    if track.gpu_hour_dollars:
        assert f"{dollars(holes * track.gpu_hour_dollars)} / h" in shown["figures"]
    else:
        assert f"{holes:.1f} devices" in shown["figures"]
    page.get_by_text("The seeds as a table").click()


def test_the_reveal_puts_the_prediction_beside_what_was_measured(visit: Visit) -> None:
    visit.restart()
    reader = visit.reader
    section = reader.part.get_by_role("region", name="What you said, and what it did")
    expect(section).to_contain_text(re.compile(r"You said at \d\d:\d\d: slightly longer, 4 times"))
    expect(section).to_contain_text(re.compile(r"over \d+ seeds"))
    text = section.inner_text()
    assert re.search(r"It is .+ against .+ for .+, over \d+ seeds", text)
    # nobody is told to be wrong about a fleet that the question was not about
    assert (
        "You said slightly longer of the settings that this part opens with; these are others."
        in text
    )
    assert "Your 4" not in text and "it stays" not in text
    measured = (
        reader.page.get_by_role("listitem")
        .filter(has_text="longer")
        .filter(has_text=re.compile("much|slightly", re.IGNORECASE))
    )
    assert measured.count() == 2


def test_the_work_outlives_a_reload_and_leaves_as_json_and_markdown(
    visit: Visit, shared_lab: Any
) -> None:
    reader, page, track = visit.reader, visit.reader.page, visit.track
    reader.part.get_by_label("Your answer").fill(ANSWER)
    before = reader.ledger()
    assert before["reflections"] == {"part1": ANSWER}
    page.reload()
    after = reader.ledger()
    assert after == before

    assert after["track"] == track
    made = after["predictions"]
    assert [(p["part"], p["choice"], p["number"], p["confidence"]) for p in made] == [
        (1, "slightly", 4, 4)
    ]
    assert len(after["runs"]) >= 2
    for kept in after["runs"]:
        run = run_of(kept["scenario"])
        assert kept["digest"] == run.digest, kept["scenario"]
        assert kept["figures"]["wait_mean_s"] == round(run.metrics.waits.mean_s, 3)

    markdown = reader.download("Export Markdown")
    assert mission(track).name in markdown.splitlines()[0]
    assert re.search(r"\| 1 \| Slightly longer \| 4[^|]*\| fairly sure \|", markdown)
    assert "<b>" not in markdown.replace("\\<b\\>", "")
    for kept in after["runs"]:
        assert kept["digest"] in markdown

    elsewhere = Reader(shared_lab(f"?track={track}#ledger", until=None))
    file = {
        "name": "mine.json", "mimeType": "application/json", "buffer": json.dumps(after).encode(),
    }  # fmt: skip
    elsewhere.send("Import JSON", file)
    elsewhere.page.get_by_text("mine.json is in your ledger.").wait_for()
    taken = elsewhere.ledger()
    for field in ("track", "predictions", "reflections"):
        assert taken[field] == after[field]
    # The page there has opened with a run of its own.
    assert [kept for kept in after["runs"] if kept not in taken["runs"]] == []
    elsewhere.page.context.close()
