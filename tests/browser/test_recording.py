"""Where Python cannot run, the default run of each part is played as the recording it is."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from builder.offline import FOLDER, NAME
from builder.places import DIST
from fleetlab.app.instruments.transport import STEPS
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
    note = section.locator(".recording")
    expect(note).to_contain_text("This is a recording of the run with the default settings")
    expect(note).to_contain_text(cause)
    lock(section)
    expect(section.locator("#part2-stage > *")).to_have_count(1)
    expect(section.locator("[data-text=allocated]")).not_to_have_text("–")
    expect(section.locator("#part2-controls")).to_have_attribute("inert", "")
    expect(section.get_by_role("button", name="Run my rule")).to_be_hidden()
    for compared in ("seesaw", "scatter", "score"):  # runs that were not made
        expect(section.locator(f"#part2-{compared}-title")).to_be_hidden()
    assert page.url.endswith(asked), "what was asked for stays in the address"

    reader = Reader(page)
    reader.open_view("3 Elastic")
    third = page.locator(".part[data-part='3']")
    expect(third.locator(".recording")).to_be_visible()
    expect(third.locator("#part3-stage > *")).to_have_count(1)
    lock(third)
    expect(third.locator("[data-text=goal_detail]")).to_contain_text("on one seed")
    expect(third.locator("[data-text=main_detail]")).to_contain_text(re.compile("; 1 seed$"))
    expect(third.get_by_text("being measured").filter(visible=True)).to_have_count(0)
    ledger = reader.ledger()
    assert [made["part"] for made in ledger["predictions"]] == [2, 3]
    recorded = [run_of("?" + Scenario.default("guardian", part).query()) for part in (2, 3)]
    assert [run["digest"] for run in ledger["runs"]] == [run.digest for run in recorded]


@pytest.mark.parametrize(
    ("only", "sentence", "shown"),
    [
        ("fleet", "This is a recording", "[data-text=title]"),
        ("hops", "This is a recording", "#part2-hops-title"),
        ("seesaw", "compares runs that cannot be made here", None),
    ],
)
def test_one_instrument_alone_says_below_which_sentence_it_stands(
    lab: Any, only: str, sentence: str, shown: str | None
) -> None:
    query = f"?track=titan&part=2&embed=1&only={only}"
    for width in (1280, 360):
        size = {"width": width, "height": 800}
        page = lab(query, until="error", prepare=without_webassembly, viewport=size)
        section = page.locator(".part[data-part='2']")
        lock(section)
        note = section.locator(".recording")
        expect(note).to_contain_text(sentence)
        expect(note).to_be_visible()
        for below in filter(None, [shown, only == "fleet" and "#part2-transport"]):
            assert bottom(note) <= top(section.locator(below)), (width, below)


def top(locator: Locator) -> float:
    return float(locator.evaluate("element => element.getBoundingClientRect().top"))


def bottom(locator: Locator) -> float:
    return float(locator.evaluate("element => element.getBoundingClientRect().bottom"))


# What all pictures of the newest document are drawn from, by model; coordinates as a recording
# has them.
DRAWN = """() => JSON.stringify([...(Bokeh.documents.at(-1)?.all_models ?? [])]
  .filter(({ type }) => type === "ColumnDataSource")
  .map(({ id, data }) => [id, Object.entries(data instanceof Map ? Object.fromEntries(data) : data)
    .map(([name, rows]) => [name, Array.from(rows, (value) =>
      typeof value === "number" ? Number(value.toFixed(4)) : value)])]))"""


class Recording:
    """A part of a recording, its prediction locked, with its clock."""

    def __init__(self, page: Page, part: int) -> None:
        self.page = page
        self.section = page.locator(f".part[data-part='{part}']")
        if self.section.get_attribute("data-locked") != "yes":
            lock(self.section)
        self.clock = self.section.locator(f"#part{part}-transport")
        expect(self.clock).not_to_have_attribute("inert", "")
        self.slider = self.clock.get_by_role("slider", name="Simulated time")

    def press(self, name: str) -> None:
        """Press the clock's button of that name."""
        self.clock.get_by_role("button", name=name, exact=True).click()

    def button(self, name: str) -> Locator:
        return self.clock.get_by_role("button", name=name, exact=True)

    @property
    def drawn(self) -> str:
        return str(self.page.evaluate(DRAWN))

    @property
    def last(self) -> str:
        return str(self.slider.get_attribute("aria-valuemax"))

    def await_moment(self, number: float) -> None:
        expect(self.slider).to_have_attribute("aria-valuenow", f"{number:.1f}")

    @property
    def moment(self) -> float:
        return float(self.slider.get_attribute("aria-valuenow") or "nan")

    @property
    def seen(self) -> tuple[str, ...]:
        """What the reader sees of the moment: the picture's data, the clock and the texts."""
        texts = self.section.locator("[data-text=title], [data-text=why]").all_inner_texts()
        return (self.drawn, str(self.slider.get_attribute("aria-valuetext")), *texts)


def asked_for(page: Page) -> list[str]:
    """Return the list of the recordings that the page asks for, as it grows."""
    found: list[str] = []

    def note(request: Request) -> None:
        if ".moments." in request.url:
            found.append(request.url.rpartition("/")[2])

    page.on("request", note)
    return found


def test_step_goes_one_moment_on_and_back_is_exactly_what_was_seen_before(lab: Any) -> None:
    watched: list[list[str]] = []

    def prepare(page: Page) -> None:
        without_webassembly(page)
        watched.append(asked_for(page))

    page = lab("?track=titan&part=1", until="error", prepare=prepare)
    recording = Recording(page, 1)
    first, opening = recording.moment, recording.seen
    [asked] = watched
    assert asked == [], "nothing is fetched before it is asked for"
    seen = {}
    for step in (1, 2, 3):
        recording.press("Step")
        recording.await_moment(first + step)
        seen[step] = recording.seen
    assert asked == ["titan-1.moments.gz"]
    assert len({opening, *seen.values()}) == 4
    for step in (2, 1):
        recording.slider.press("ArrowLeft")
        recording.await_moment(first + step)
        assert recording.seen == seen[step]
    recording.slider.press("ArrowLeft")
    recording.await_moment(first)
    assert recording.seen == opening
    recording.slider.press("Home")
    recording.await_moment(0)
    expect(recording.section.locator("[data-text=scene]")).to_contain_text("day 1, 00:00")
    recording.slider.press("End")
    expect(recording.slider).to_have_attribute("aria-valuenow", recording.last)
    recording.press("Step")  # there is no further one
    expect(recording.slider).to_have_attribute("aria-valuenow", recording.last)
    expect(page.locator("#part1-controls")).to_have_attribute("inert", "")
    expect(page.locator("#part1-queue")).to_have_attribute("inert", "")


# Where what lies under the list of who waits begins, and how high the list itself is.
QUEUE = """() => {
  const box = (place) => document.querySelector(place).getBoundingClientRect();
  return [box(".part[data-part='2'] .queue + *").top + scrollY, box("#part2-queue > *").height];
}"""


def test_what_is_under_the_queue_stays_where_it_is_though_fewer_wait(lab: Any) -> None:
    page = lab("?track=titan&part=2", until="error", prepare=without_webassembly)
    recording = Recording(page, 2)
    places, heights = set(), set()
    for key in ("Home", *["PageUp"] * 5, "End"):  # the opening shows a moment of many
        before = recording.moment
        recording.slider.press(key)
        expect(recording.slider).not_to_have_attribute("aria-valuenow", f"{before:.1f}")
        place, height = page.evaluate(QUEUE)
        places.add(round(place))
        heights.add(round(height))
    assert len(heights) > 1, "the list has more and fewer lines"
    assert len(places) == 1


@pytest.mark.parametrize(
    ("track", "part", "context"),
    [
        ("guardian", 2, {"color_scheme": "dark"}),
        ("nomad", 3, {"viewport": {"width": 360, "height": 740}, "reduced_motion": "reduce"}),
    ],
)
def test_play_moves_the_picture_to_the_end_stops_there_and_begins_again(
    lab: Any, track: str, part: int, context: dict[str, Any]
) -> None:
    page = lab(f"?track={track}&part={part}", until="error", prepare=without_webassembly, **context)
    recording = Recording(page, part)
    before, start = recording.drawn, recording.moment
    recording.press("Play")
    expect(recording.button("Pause")).to_be_visible()
    page.wait_for_function(f"before => ({DRAWN})() !== before", arg=before)
    recording.press("Pause")
    expect(recording.button("Play")).to_be_visible()
    assert recording.moment > start
    recording.slider.press("End")
    for _ in range(3):
        recording.slider.press("ArrowLeft")
    recording.press("Play")
    expect(recording.slider).to_have_attribute("aria-valuenow", recording.last)
    expect(recording.button("Play")).to_be_visible()
    recording.press("Play")
    expect(recording.slider).not_to_have_attribute("aria-valuenow", recording.last)
    recording.press("Pause")
    assert recording.moment < float(recording.last) / 2


def test_it_stops_when_the_reader_leaves_and_another_part_has_its_own(lab: Any) -> None:
    page = lab("?track=pioneer&part=1", until="error", prepare=without_webassembly)
    asked = asked_for(page)
    first = Recording(page, 1)
    first.press("Play")
    expect(first.button("Pause")).to_be_visible()
    reader = Reader(page)
    reader.open_view("Ledger")
    reader.open_view("1 Fragmentation")
    expect(first.button("Play")).to_be_visible()
    first.press("Play")
    reader.open_view("3 Elastic")
    third = Recording(page, 3)
    before, moment = third.drawn, third.moment
    third.press("Step")
    third.await_moment(moment + 1)
    assert third.drawn != before
    expect(third.button("Play")).to_be_visible()
    assert asked == ["pioneer-1.moments.gz", "pioneer-3.moments.gz"]


def test_in_another_theme_the_same_moment_is_shown(lab: Any) -> None:
    page = lab("?track=nomad&part=2", until="error", prepare=without_webassembly)
    recording = Recording(page, 2)
    moment = recording.moment + 1
    recording.press("Step")
    recording.await_moment(moment)
    _, clock, *texts = recording.seen
    page.evaluate("globalThis.light = Bokeh.documents.at(-1)")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("Bokeh.documents.length && Bokeh.documents.at(-1) !== globalThis.light")
    recording.await_moment(moment)
    expect(recording.slider).to_have_attribute("aria-valuetext", clock)
    assert list(recording.seen[2:]) == texts


def test_without_the_file_it_says_so_and_a_later_press_tries_again(lab: Any) -> None:
    page = lab(
        "?track=nomad&part=1",
        until="error",
        prepare=without_webassembly,
        expected=("Failed to load resource",),
    )
    recording = Recording(page, 1)
    moment = recording.moment
    page.route("**/*.moments.gz", lambda route: route.fulfill(status=404, body="gone"))
    recording.press("Play")
    expect(page.locator("[data-text=notice]")).to_contain_text("nomad-1.moments.gz")
    expect(recording.button("Play")).to_be_visible()
    recording.await_moment(moment)
    page.unroute("**/*.moments.gz")
    recording.press("Step")
    recording.await_moment(moment + 1)


def test_a_page_with_python_asks_for_no_recording(lab: Any) -> None:
    asked: list[list[str]] = []
    page = lab("?track=titan&part=3", prepare=lambda page: asked.append(asked_for(page)))
    section = page.locator(".part[data-part='3']")
    lock(section)
    scene = section.locator("[data-text=why]")
    before = scene.inner_text()
    section.get_by_role("button", name="Step").click()
    expect(scene).not_to_have_text(before)
    section.get_by_role("button", name="Play").click()
    expect(section.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-saved", "saved")
    page.reload()  # to the opening that has a recording
    lab.wait_for_state(page, "live")
    expect(section.get_by_role("slider", name="Simulated time")).to_have_attribute(
        "aria-valuemax", f"{STEPS:.1f}"
    )
    assert asked == [[]]


def test_the_offline_edition_has_the_recordings_with_it(
    lab: Any, site: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(DIST / NAME) as archive:
        archive.extractall(tmp_path)
    page = lab(
        "index.html?track=guardian&part=3",
        address=f"{(tmp_path / FOLDER).as_uri()}/",
        until="error",
        prepare=without_webassembly,
    )
    recording = Recording(page, 3)
    moment = recording.moment
    recording.press("Step")
    recording.await_moment(moment + 1)
