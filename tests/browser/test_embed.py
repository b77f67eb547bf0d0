"""The lab inside a page of a book, on another origin, in frames with and without a sandbox."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, expect

from builder.serve import open_server
from tests.browser.reader import LONG_MS, lock

LIVE = "document.documentElement.dataset.fleetlabState === 'live'"
HEIGHT = "document.querySelector('iframe').getBoundingClientRect().height"
DENIED = """for (const name of ["indexedDB", "localStorage"]) {
  Object.defineProperty(globalThis, name, {
    get() { throw new DOMException("denied", "SecurityError"); } });
}"""

Book = Callable[..., Page]


@pytest.fixture
def book(lab: Any, tmp_path: Path) -> Iterator[Book]:
    """Return a function that serves a small book page with this body and opens it."""
    server = open_server(tmp_path)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://localhost:{server.server_address[1]}/"

    def read(body: str, **how: Any) -> Page:
        head = "<!doctype html><title>Chapter</title><link rel=icon href=data:,>"
        (tmp_path / "chapter.html").write_text(f"{head}<body>{body}")
        page: Page = lab("chapter.html", address=address, until=None, expected=(lab.site,), **how)
        page.locator("iframe").first.wait_for()
        return page

    yield read
    server.shutdown()
    server.server_close()


def script(lab: Any, query: str) -> str:
    return f'<script src="{lab.site}embed.js" data-query="{query}"></script>'


def frames(page: Page) -> list[Frame]:
    return [frame for frame in page.frames if frame != page.main_frame]


def begin(frame: Frame) -> Frame:
    frame.get_by_role("button", name="Start the lab").click()
    frame.wait_for_function(LIVE)
    return frame


def test_a_chapter_with_two_labs_starts_the_one_that_is_asked_for_in_its_own_theme(
    lab: Any, book: Book
) -> None:
    labs = script(lab, "track=titan&part=1&theme=dark") + script(lab, "track=nomad&part=2")
    page = book(labs)
    page.locator("iframe").nth(1).wait_for()
    poster, other = frames(page)
    # The poster is the lab's own opening, which can be read before Python is asked for.
    expect(poster.get_by_role("heading", level=1)).to_contain_text("GPUs are free")
    expect(other.get_by_role("heading", level=1)).not_to_be_empty()
    assert page.workers == []
    begin(poster)
    assert len(page.workers) == 1
    for frame, theme in ((poster, "dark"), (other, "light")):
        assert frame.locator("html").get_attribute("data-theme") == theme
    expect(other.get_by_role("button", name="Start the lab")).to_be_visible()


def test_a_frame_is_as_tall_as_what_is_in_it_and_as_no_other_page_says(
    lab: Any, book: Book
) -> None:
    stranger = """<iframe srcdoc="<script>
      parent.postMessage({ fleetlab: 'height', height: 5000 }, '*');
      parent.postMessage('done', '*');
    </script>"></iframe>"""
    page = book(script(lab, "track=guardian&part=1"))
    frame = begin(frames(page)[0])
    tall = "document.body.getBoundingClientRect().height"
    page.wait_for_function(f"Math.abs({HEIGHT} - {frame.evaluate(tall)}) <= 1")
    before = page.evaluate(HEIGHT)
    lock(frame.locator(".part[data-part='1']"))
    page.wait_for_function(f"{HEIGHT} > {before}")
    page.wait_for_function(f"Math.abs({HEIGHT} - {frame.evaluate(tall)}) <= 1")
    before = page.evaluate(HEIGHT)
    page.evaluate(
        """html => new Promise(done => {
          addEventListener("message", ({ data }) => data === "done" && done());
          document.body.insertAdjacentHTML("beforeend", html);
        })""",
        stranger,
    )
    assert page.evaluate(HEIGHT) < 5000
    assert abs(page.evaluate(HEIGHT) - before) < 100
    frame.get_by_role("link", name="Ledger").click()
    expect(frame.get_by_role("heading", name="Your ledger")).to_be_visible()
    page.wait_for_function(f"Math.abs({HEIGHT} - {frame.evaluate(tall)}) <= 1")


def test_one_instrument_stands_alone_with_its_knobs_once_its_question_is_answered(
    lab: Any, book: Book
) -> None:
    page = book(script(lab, "track=titan&part=2&jobs=300&only=seesaw"))
    frame = begin(frames(page)[0])
    part = frame.locator(".part[data-part='2']")
    expect(part.get_by_text("Predict first.")).to_be_visible()
    lock(part)
    seesaw = part.get_by_role("img", name="strict")
    expect(seesaw).to_be_visible(timeout=LONG_MS)
    expect(part.get_by_role("slider", name="Locality")).to_be_visible()
    for other in (".ask", ".fleet", ".hops", ".reveal", "details.math"):
        expect(part.locator(other)).to_be_hidden()
    assert frame.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_frame_that_may_only_run_scripts_plays_and_its_ledger_is_there_to_copy(
    lab: Any, book: Book
) -> None:
    address = f"{lab.site}?track=titan&part=1&jobs=2500&embed=1"
    size = 'width="900" height="800"'
    page = book(f'<iframe sandbox="allow-scripts" {size} src="{address}"></iframe>')
    frame = begin(frames(page)[0])
    line = frame.get_by_role("navigation", name="This lab")
    lock(frame.locator(".part[data-part='1']"))
    expect(line.get_by_role("status")).to_have_text("NOT saved")
    expect(frame.locator("html")).to_have_attribute("data-fleetlab-run", re.compile("."))
    line.get_by_role("link", name="Ledger").click()
    expect(frame.get_by_text("This browser keeps nothing")).to_be_visible()
    frame.get_by_role("button", name="Export JSON").click()
    text = frame.get_by_label("The file as text, to copy")
    expect(text).not_to_have_value("")
    ledger = json.loads(text.input_value())
    assert [made["part"] for made in ledger["predictions"]] == [1]
    assert ledger["runs"]
    frame.get_by_role("button", name="Export picture").click()
    picture = frame.get_by_role("img", name="The picture of your ledger")
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 600
    expect(text).to_be_hidden()


def test_a_frame_whose_storage_is_denied_says_so_and_its_ledger_leaves_as_a_file(
    lab: Any, book: Book
) -> None:
    def deny(page: Page) -> None:
        page.add_init_script(f"if (self !== top) {{ {DENIED} }}")

    page = book(script(lab, "track=pioneer&part=3"), prepare=deny)
    frame = frames(page)[0]
    lock(frame.locator(".part[data-part='3']"))  # before Python, which nobody has asked for
    line = frame.get_by_role("navigation", name="This lab")
    expect(line.get_by_role("status")).to_have_text("NOT saved")
    line.get_by_role("link", name="Ledger").click()
    with page.expect_download() as download:
        frame.get_by_role("button", name="Export JSON").click()
    ledger = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert [made["part"] for made in ledger["predictions"]] == [3]
