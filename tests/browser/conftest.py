"""The built site, served, and pages of it in a real browser that may show no error."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from builder.assemble import build
from builder.browser import FLAGS, find_chromium
from builder.serve import open_server


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Return the address at which the built site is served."""
    server = open_server(build())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a headless Chromium."""
    path = os.environ.get("FLEETLAB_CHROMIUM") or find_chromium()
    if path is None:
        pytest.fail("no Chromium here: `python3 build.py test` finds or installs one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Lab:
    """Opens the lab in fresh browser contexts and notes every error that its pages show."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.browser = browser
        self.site = site
        self.contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def __call__(
        self,
        query: str = "",
        *,
        until: str | None = "live",
        expected: Sequence[str] = (),
        prepare: Callable[[Page], None] | None = None,
        address: str | None = None,
        **context: Any,
    ) -> Page:
        """Open the lab and return its page.

        `until` is the state of `<html data-fleetlab-state>` to wait for (None: do not wait);
        `prepare` gets the page before it loads; `address` is another server than the site's;
        `context` goes to the browser context (viewport, color_scheme, reduced_motion, ...).
        The test fails on any console error, page error or request to another origin, unless its
        text contains one of `expected`.
        """
        base = address or self.site
        # What the service worker fetches would count as the page's own.
        opened = self.browser.new_context(**{"service_workers": "block", **context})
        self.contexts.append(opened)
        page = opened.new_page()
        page.set_default_timeout(90_000)

        def note(text: str) -> None:
            if not any(part in text for part in expected):
                self.errors.append(text)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                note(f"console error: {message.text} ({message.location.get('url', '')})")

        def on_request(request: Request) -> None:
            if not request.url.startswith((base, "data:", "blob:")):
                note(f"request to another origin: {request.url}")

        page.on("console", on_console)
        page.on("pageerror", lambda error: note(f"page error: {error.stack or error}"))
        page.on("request", on_request)
        if prepare:
            prepare(page)
        page.goto(base + query)
        if until:
            self.wait_for_state(page, until)
        return page

    def wait_for_state(self, page: Page, state: str) -> None:
        """Wait until the page is in this state; a failed load shows its own sentence at once."""
        page.wait_for_function(
            "state => [state, 'error'].includes(document.documentElement.dataset.fleetlabState)",
            arg=state,
        )
        reached = page.locator("html").get_attribute("data-fleetlab-state")
        alerts = [text for text in page.locator("[role=alert]").all_inner_texts() if text.strip()]
        assert reached == state, f"the page is in the state {reached!r}: {alerts}"


def opened(browser: Browser, site: str) -> Iterator[Lab]:
    """Yield a Lab, and at the end close its pages and say what errors they showed."""
    opener = Lab(browser, site)
    yield opener
    for context in opener.contexts:
        context.close()
    assert opener.errors == [], "the page showed errors or left its origin"


@pytest.fixture
def lab(browser: Browser, site: str) -> Iterator[Lab]:
    """Return a function that opens the lab in a fresh context: see Lab."""
    yield from opened(browser, site)


@pytest.fixture(scope="module")
def shared_lab(browser: Browser, site: str) -> Iterator[Lab]:
    """Return the same for pages that the tests of a module share; errors fail its last test."""
    yield from opened(browser, site)
