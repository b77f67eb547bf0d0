"""Browsers driven alike: a fresh visitor gets one tab, goes to addresses and asks their pages."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

# Comes to true when the document has been read.
READ = """new Promise((resolve) => document.readyState === "loading"
  ? document.addEventListener("DOMContentLoaded", () => resolve(true)) : resolve(true))"""


class Tab(Protocol):
    """One tab of a visitor who has never been anywhere."""

    def go(self, address: str) -> None:
        """Go to an address and return when its document has been read."""

    def ask(self, expression: str) -> Any:
        """Return the JSON value of a JavaScript expression in the page, awaited if a promise.

        Raises a BuildError with what the page threw.
        """


class Browser(Protocol):
    """A running browser."""

    def visitor(self) -> AbstractContextManager[Tab]:
        """Return a tab with no cookies, caches or storage of an earlier visitor."""


def browsers() -> dict[str, Callable[[], AbstractContextManager[Browser | None]]]:
    """Return how to start each browser, by name; None comes of one that cannot be had here."""
    from .chromium import chromium
    from .firefox import firefox
    from .webkit import webkit

    return {"Chromium": chromium, "Firefox": firefox, "WebKit": webkit}
