"""WebKit, as GTK's WebKitWebDriver drives it over HTTP: each session starts from nothing."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..browser import get_webkit
from ..say import BuildError
from .actions import click, keys

ANSWER_S = 300
START_S = 20
SCREEN = "1280x1024x24"
ASYNC = """
const done = arguments[arguments.length - 1];
(async () => VALUE)().then((value) => done({ value }), (error) => done({ error: String(error) }));
"""


@contextmanager
def webkit(**capabilities: Any) -> Iterator["WebKit | None"]:
    """Yield WebKit, whose sessions have these capabilities, or None where it cannot be had."""
    program = get_webkit()
    if program is None:
        yield None
        return
    with ExitStack() as stack:
        environment = dict(os.environ)
        if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
            environment["DISPLAY"] = stack.enter_context(screen())
        if os.geteuid() == 0:  # its sandbox cannot be had as root
            environment["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"
        port = free_port()
        stack.enter_context(running([program, f"--port={port}"], env=environment))
        await_port(port)
        yield WebKit(f"http://127.0.0.1:{port}", capabilities)


@contextmanager
def screen() -> Iterator[str]:
    """Yield the name of a virtual screen."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    with running(command, pass_fds=[writer]), os.fdopen(reader) as lines:
        os.close(writer)
        number = lines.readline().strip()
        if not number:
            raise BuildError("Xvfb gave no screen for WebKit.")
        yield f":{number}"


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that ends with the block."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet, **options) as process:
        try:
            yield process
        finally:
            process.terminate()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int) -> None:
    """Return when somebody listens on the port; the driver says nothing when it does."""
    until_s = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError as error:
            if time.monotonic() > until_s:
                raise BuildError("WebKitWebDriver did not start.") from error
            time.sleep(0.05)


class WebKit:
    """See ``Browser``."""

    def __init__(self, address: str, capabilities: dict[str, Any]) -> None:
        self.address = address
        self.capabilities = capabilities

    @contextmanager
    def visitor(self) -> Iterator["WebKitTab"]:
        """Yield the tab of a fresh session, which is a browser of its own."""
        asked = {"capabilities": {"alwaysMatch": self.capabilities}}
        session = f"/session/{self.request('POST', '/session', asked)['sessionId']}"
        try:
            self.request("POST", f"{session}/timeouts", {"script": ANSWER_S * 1000})
            yield WebKitTab(self, session)
        finally:
            self.request("DELETE", session)

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the driver's answer; raise a BuildError with its reason."""
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=json.dumps(body or {}).encode() if method == "POST" else None,
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            reason = json.load(error)["value"]
            raise BuildError(f"WebKit refused: {reason['error']}, {reason['message']}") from error


class WebKitTab:
    """See ``Tab``; a person's hand besides: ``press`` and ``type``."""

    def __init__(self, browser: WebKit, session: str) -> None:
        self.browser = browser
        self.session = session

    def go(self, address: str) -> None:
        """Go to an address and return when its document has been read."""
        self._post("/url", url=address)

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        return self._value(f"JSON.parse(JSON.stringify(await ({expression})) ?? null)")

    def _value(self, expression: str) -> Any:
        script = ASYNC.replace("VALUE", expression)
        found = self._post("/execute/async", script=script, args=[])
        if "error" in found:
            raise BuildError(f"The page threw: {found['error']}")
        return found["value"]

    def press(self, element: str) -> None:
        """Click the element that an expression finds, with the mouse."""
        self._act(click(self._value(f"await ({element})")))

    def type(self, text: str) -> None:
        """Type a text on the keyboard."""
        self._act(keys(text))

    def _act(self, sequence: dict[str, Any]) -> None:
        self._post("/actions", actions=[sequence])

    def _post(self, path: str, **body: Any) -> Any:
        return self.browser.request("POST", self.session + path, body)
