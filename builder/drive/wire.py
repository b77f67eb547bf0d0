"""A browser's remote control: commands and answers over a WebSocket, as CDP and BiDi have it."""

import asyncio
import json
import re
import subprocess
import threading
from collections.abc import Coroutine
from typing import Any

from ..say import BuildError

ANSWER_S = 300
LONGEST_BYTES = 1 << 28


class Wire:
    """An open connection; ``events`` are what the browser has told unasked.

    ``name`` is the browser's, for what it refuses.
    """

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        # Playwright keeps a loop of its own running in the main thread.
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.socket = self._wait(_connected(address))
        self.count = 0
        self.events: list[dict[str, Any]] = []

    def command(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Return the browser's answer to a command; raise a BuildError with its reason, or silence.

        ``session`` is the tab that CDP is to carry it to.
        """
        self.count += 1
        number = self.count
        message = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        return self._wait(self._exchange(number, json.dumps(message)))

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        answer = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return answer.result(ANSWER_S)
        except TimeoutError as error:
            answer.cancel()  # it would swallow the answer to the next command
            raise BuildError(f"{self.name} has not answered for {ANSWER_S} s.") from error

    async def _exchange(self, number: int, message: str) -> dict[str, Any]:
        await self.socket.write_message(message)
        while (text := await self.socket.read_message()) is not None:
            answer = json.loads(text)
            if "id" not in answer:
                self.events.append(answer)
            elif answer["id"] == number:
                if "error" in answer:
                    reason = answer.get("message") or answer["error"]["message"]
                    raise BuildError(f"{self.name} refused: {reason}")
                return answer["result"]
        raise BuildError(f"{self.name} hung up.")


async def _connected(address: str) -> Any:
    from tornado.websocket import websocket_connect

    return await websocket_connect(address, max_message_size=LONGEST_BYTES)


def listening(process: subprocess.Popen[str], said: re.Pattern[str]) -> str:
    """Return where a browser listens, which it says among its first lines."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := said.search(line):
            # Nobody reads the rest, and a full pipe would stop it.
            threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
            return found.group(1)
    raise BuildError("The browser ended before it could be driven.")


def _drain(lines: Any) -> None:
    try:
        for _ in lines:
            pass
    except ValueError:  # closed at the end
        pass
