"""Firefox, driven over WebDriver BiDi, which it speaks itself."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..browser import get_firefox
from ..say import BuildError
from . import READ
from .actions import click, keys
from .wire import Wire, listening

LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# A browser that goes about its own business would be measured with the page.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.cache.disk.smart_size.enabled": False,
    "browser.download.useDownloadDir": True,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "privacy.userContext.enabled": True,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


@contextmanager
def firefox(**preferences: str | int | bool) -> Iterator["Firefox | None"]:
    """Yield a running Firefox with these preferences, or None where none can be had."""
    program = get_firefox()
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in {**PREFERENCES, **preferences}.items()
        )
        (Path(profile) / "user.js").write_text("".join(lines))
        command = [program, "--headless", "--no-remote", "--profile", profile,
                   "--remote-debugging-port", "0", "about:blank"]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              text=True, errors="replace") as process:  # fmt: skip
            try:
                yield Firefox(f"{listening(process, LISTENING)}/session")
            finally:
                process.terminate()
                process.stderr.close()  # type: ignore[union-attr]


class Firefox:
    """See ``Browser``; ``events`` are what was told of all that was subscribed to."""

    def __init__(self, address: str) -> None:
        wire = Wire("Firefox", address)
        self.command, self.events = wire.command, wire.events
        self.command("session.new", capabilities={})

    @contextmanager
    def visitor(self) -> Iterator["FirefoxTab"]:
        """Yield a tab of a fresh user context."""
        user = self.command("browser.createUserContext")["userContext"]
        tab = self.command("browsingContext.create", type="tab", userContext=user)["context"]
        try:
            yield FirefoxTab(self, tab)
        finally:
            self.command("browser.removeUserContext", userContext=user)


class FirefoxTab:
    """See ``Tab``; a person's hand besides: ``press`` and ``type``."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self.browser = browser
        self.context = context

    def go(self, address: str) -> None:
        """Go to an address and return when its document has been read."""
        self.browser.command(
            "browsingContext.navigate", context=self.context, url=address, wait="interactive"
        )
        self.ask(READ)  # to the same address again, the answer may come before there is a document

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        found = self._call(f"async () => JSON.stringify(await ({expression}))")
        return json.loads(found["value"]) if found["type"] == "string" else None

    def _call(self, function: str) -> dict[str, Any]:
        found = self.browser.command(
            "script.callFunction",
            functionDeclaration=function,
            target={"context": self.context},
            awaitPromise=True,
        )
        if found["type"] == "exception":
            raise BuildError(f"The page threw: {found['exceptionDetails']['text']}")
        return found["result"]

    def press(self, element: str) -> None:
        """Click the element that an expression finds, with the mouse."""
        found = self._call(f"async () => await ({element})")
        self._act(click({"type": "element", "element": {"sharedId": found["sharedId"]}}))

    def type(self, text: str) -> None:
        """Type a text on the keyboard."""
        self._act(keys(text))

    def _act(self, sequence: dict[str, Any]) -> None:
        self.browser.command("input.performActions", context=self.context, actions=[sequence])
