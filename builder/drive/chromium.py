"""Chromium, driven over its own protocol.

Not by Playwright, which attaches a debugger to every page and worker: with one, an engine notes
where each error was made, and what is to be measured takes longer than it does for a reader.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ..browser import FLAGS, get_chromium
from ..say import BuildError
from . import READ
from .wire import Wire, listening

LISTENING = re.compile(r"DevTools listening on (ws://\S+)")


@contextmanager
def chromium() -> Iterator["Chromium"]:
    """Yield a running Chromium."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [get_chromium(), *FLAGS, f"--user-data-dir={profile}",
                   "--remote-debugging-port=0", "about:blank"]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              text=True, errors="replace") as process:  # fmt: skip
            try:
                yield Chromium(Wire("Chromium", listening(process, LISTENING)))
            finally:
                process.terminate()
                process.stderr.close()  # type: ignore[union-attr]


class Chromium:
    """See ``Browser``."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @contextmanager
    def visitor(self) -> Iterator["ChromiumTab"]:
        """Yield a tab of the browser's own context, and clear what its pages have left there.

        Another context would be a private window, which keeps files in memory and not on the disk.
        """
        target = self.wire.command("Target.createTarget", url="about:blank")["targetId"]
        attached = self.wire.command("Target.attachToTarget", targetId=target, flatten=True)
        tab = ChromiumTab(self.wire, attached["sessionId"])
        try:
            yield tab
        finally:
            tab.clear()
            self.wire.command("Target.closeTarget", targetId=target)


class ChromiumTab:
    """See ``Tab``."""

    def __init__(self, wire: Wire, session: str) -> None:
        self.wire = wire
        self.session = session
        self.origins: set[str] = set()

    def go(self, address: str) -> None:
        """Go to an address and return when its document has been read."""
        place = urlsplit(address)
        if place.netloc:
            self.origins.add(f"{place.scheme}://{place.netloc}")
        self.wire.command("Page.navigate", self.session, url=address)
        self.ask(READ)

    def clear(self) -> None:
        """Leave nothing of the origins that this tab has been to."""
        for origin in self.origins:
            self.wire.command(
                "Storage.clearDataForOrigin", self.session, origin=origin, storageTypes="all"
            )
        self.wire.command("Network.clearBrowserCache", self.session)

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        found = self.wire.command(
            "Runtime.evaluate",
            self.session,
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            awaitPromise=True,
        )
        if "exceptionDetails" in found:
            thrown = found["exceptionDetails"]
            said = thrown.get("exception", {}).get("description") or thrown["text"]
            raise BuildError(f"The page threw: {said.splitlines()[0]}")
        text = found["result"].get("value")
        return json.loads(text) if text is not None else None
