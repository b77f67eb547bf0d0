"""Chromium, driven by Playwright."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..browser import FLAGS, get_chromium
from ..say import BuildError


@contextmanager
def chromium() -> Iterator["Chromium"]:
    """Yield a running Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=get_chromium(), args=list(FLAGS))
        yield Chromium(browser)
        browser.close()


class Chromium:
    """See ``Browser``."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    @contextmanager
    def visitor(self) -> Iterator["ChromiumTab"]:
        """Yield a tab of a fresh browser context."""
        context = self.browser.new_context()
        try:
            yield ChromiumTab(context.new_page())
        finally:
            context.close()


class ChromiumTab:
    """See ``Tab``."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def go(self, address: str) -> None:
        """Go to an address and return when its document has been read."""
        self.page.goto(address, wait_until="domcontentloaded")

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        from playwright.sync_api import Error

        try:
            text = self.page.evaluate(f"async () => JSON.stringify(await ({expression}))")
        except Error as error:
            raise BuildError(f"The page threw: {error.message.splitlines()[0]}") from error
        return json.loads(text) if text is not None else None
