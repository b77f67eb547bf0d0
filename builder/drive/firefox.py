"""Firefox, driven over WebDriver BiDi, which it speaks itself."""

import asyncio
import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..browser import get_firefox
from ..say import BuildError
from .actions import click, keys

LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
ANSWER_S = 300
LONGEST_BYTES = 1 << 28
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
                yield Firefox(_address(process))
            finally:
                process.terminate()
                process.stderr.close()  # type: ignore[union-attr]


def _address(process: subprocess.Popen[str]) -> str:
    """Return where Firefox listens, which is among the first that it says."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := LISTENING.search(line):
            # Nobody reads the rest, and a full pipe would stop it.
            threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
            return f"{found.group(1)}/session"
    raise BuildError("Firefox ended before it could be driven.")


def _drain(lines: Any) -> None:
    try:
        for _ in lines:
            pass
    except ValueError:  # closed at the end
        pass


class Firefox:
    """See ``Browser``; ``seen`` holds the address of every request that was made."""

    def __init__(self, address: str) -> None:
        # Playwright keeps a loop of its own running in the main thread.
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.socket = self._wait(_connected(address))
        self.count = 0
        self.events: list[dict[str, Any]] = []
        self.command("session.new", capabilities={})

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(ANSWER_S)

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return Firefox's answer to a command; raise a BuildError with its reason."""
        self.count += 1
        number = self.count
        message = json.dumps({"id": number, "method": method, "params": parameters})
        return self._wait(self._exchange(number, message))

    async def _exchange(self, number: int, message: str) -> dict[str, Any]:
        await self.socket.write_message(message)
        while (text := await self.socket.read_message()) is not None:
            answer = json.loads(text)
            if answer.get("type") == "event":
                self.events.append(answer)
            elif answer.get("id") == number:
                if answer["type"] == "error":
                    raise BuildError(f"Firefox refused: {answer['message']}")
                return answer["result"]
        raise BuildError("Firefox hung up.")

    @contextmanager
    def visitor(self) -> Iterator["FirefoxTab"]:
        """Yield a tab of a fresh user context."""
        user = self.command("browser.createUserContext")["userContext"]
        tab = self.command("browsingContext.create", type="tab", userContext=user)["context"]
        try:
            yield FirefoxTab(self, tab)
        finally:
            self.command("browser.removeUserContext", userContext=user)


async def _connected(address: str) -> Any:
    from tornado.websocket import websocket_connect

    return await websocket_connect(address, max_message_size=LONGEST_BYTES)


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
