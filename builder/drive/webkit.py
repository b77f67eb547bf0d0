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
SESSION_S = 30
SESSION_TRIES = 4
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
        yield WebKit(program, environment, capabilities)


@contextmanager
def driver(program: str, environment: dict[str, str]) -> Iterator[str]:
    """Yield the address of a running driver; its browsers end with it."""
    port = free_port()
    with running([program, f"--port={port}"], env=environment):
        await_port(port)
        yield f"http://127.0.0.1:{port}"


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

    def __init__(
        self, program: str, environment: dict[str, str], capabilities: dict[str, Any]
    ) -> None:
        self.program = program
        self.environment = environment
        self.capabilities = capabilities

    @contextmanager
    def visitor(self) -> Iterator["WebKitTab"]:
        """Yield the tab of a fresh session, which is a browser of its own."""
        with ExitStack() as stack:
            session = self.session(stack)
            request("POST", f"{session}/timeouts", {"script": ANSWER_S * 1000})
            yield WebKitTab(session)

    def session(self, stack: ExitStack) -> str:
        """Return the address of a new session, which ends with the stack, as its driver does.

        A session with a proxy is never answered in one of ten cases on a busy machine, so
        one that takes long is given up, and another driver asked.
        """
        asked = {"capabilities": {"alwaysMatch": self.capabilities}}
        for _ in range(SESSION_TRIES):
            with ExitStack() as trial:
                address = trial.enter_context(driver(self.program, self.environment))
                try:
                    answer = request("POST", f"{address}/session", asked, timeout_s=SESSION_S)
                except TimeoutError:
                    continue
                session = f"{address}/session/{answer['sessionId']}"
                trial.callback(request, "DELETE", session)
                stack.enter_context(trial.pop_all())
                return session
        raise BuildError(f"WebKitWebDriver gave no session in {SESSION_TRIES} times {SESSION_S} s.")


def request(
    method: str, address: str, body: dict[str, Any] | None = None, timeout_s: float = ANSWER_S
) -> Any:
    """Return the driver's answer; raise a BuildError with its reason."""
    asked = urllib.request.Request(
        address,
        method=method,
        data=json.dumps(body or {}).encode() if method == "POST" else None,
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=timeout_s) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        reason = json.load(error)["value"]
        raise BuildError(f"WebKit refused: {reason['error']}, {reason['message']}") from error


class WebKitTab:
    """See ``Tab``; a person's hand besides: ``press`` and ``type``."""

    def __init__(self, session: str) -> None:
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
        return request("POST", self.session + path, body)
