"""The lab inside a page of a book, on another origin, in frames with and without a sandbox."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, Page

from builder.serve import open_server

LIVE = "document.documentElement.dataset.fleetlabState === 'live'"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Return a function that serves a small book page with this body and returns its address."""
    server = open_server(tmp_path)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(body: str) -> str:
        head = "<!doctype html><title>Chapter</title><link rel=icon href=data:,>"
        (tmp_path / "chapter.html").write_text(f"{head}<body>{body}")
        return f"http://localhost:{server.server_address[1]}/"

    yield serve
    server.shutdown()
    server.server_close()


def frames(page: Page) -> list[Frame]:
    return [frame for frame in page.frames if frame != page.main_frame]


def begin(page: Page) -> Frame:
    frame = frames(page)[0]
    frame.get_by_role("button", name="Start the lab").click()
    frame.wait_for_function(LIVE)
    return frame


def test_a_chapter_with_two_labs_starts_the_one_that_is_asked_for(
    lab: Any, book: Callable[[str], str]
) -> None:
    script = f'<script src="{lab.site}embed.js" data-query="track=titan&part=1"></script>'
    page = lab("chapter.html", address=book(script * 2), until=None, expected=(lab.site,))
    page.locator("iframe").nth(1).wait_for()
    frame = begin(page)
    assert frame.evaluate(LIVE)
    assert len(page.workers) == 1
    page.wait_for_function("document.querySelector('iframe').style.height !== '720px'")


def test_a_frame_that_may_only_run_scripts_goes_live_and_says_that_nothing_is_saved(
    lab: Any, book: Callable[[str], str]
) -> None:
    frame_html = (
        f'<iframe sandbox="allow-scripts" width="900" height="800" '
        f'src="{lab.site}?track=titan&part=1&embed=1"></iframe>'
    )
    page = lab("chapter.html", address=book(frame_html), until=None, expected=(lab.site,))
    page.locator("iframe").wait_for()
    frame = begin(page)
    assert frame.locator("html").get_attribute("data-saved") in ("not-saved", None)
