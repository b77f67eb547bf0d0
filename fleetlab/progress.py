"""Progress of long work, on standard error: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

_BAR_AFTER_S = 2.0
_BAR_EVERY_S = 0.1
_LINE_EVERY_S = 30.0
_BAR_WIDTH = 40


class Bar:
    """A progress bar: on a terminal once the work has taken two seconds, and then in place.

    Where ``err`` is no terminal, one line every half minute says how far the work is.
    """

    def __init__(
        self, err: TextIO, label: str = "", now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._err = err
        self._label = f"{label} " if label else ""
        self._drawn = 0
        self._now_s = now_s
        self._terminal = err.isatty()
        self._next_s = now_s() + (_BAR_AFTER_S if self._terminal else _LINE_EVERY_S)

    def show(self, share: float, note: str = "") -> None:
        """Draw the share of the work that is done, from 0 to 1, and a note beside it."""
        now_s = self._now_s()
        if now_s < self._next_s:
            return
        self._next_s = now_s + (_BAR_EVERY_S if self._terminal else _LINE_EVERY_S)
        percent = f"{100 * share:3.0f} %" + (f"  {note}" if note else "")
        if not self._terminal:
            self._err.write(f"{self._label}{percent.strip()}\n")
            self._err.flush()
            return
        filled = round(_BAR_WIDTH * share)
        bar = "#" * filled + "." * (_BAR_WIDTH - filled)
        line = f"{self._label}[{bar}] {percent}"
        self._err.write("\r" + line.ljust(self._drawn))
        self._err.flush()
        self._drawn = len(line)

    def clear(self) -> None:
        """Wipe the bar."""
        if self._drawn:
            self._err.write("\r" + " " * self._drawn + "\r")
            self._err.flush()
            self._drawn = 0
