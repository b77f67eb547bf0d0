"""What the build says: plain lines, and progress that stays on one line of a terminal."""

import sys
import time


class BuildError(Exception):
    """One sentence for the person at the terminal: what went wrong, where, what to do."""


def say(text: str) -> None:
    """Print one line at once, also through a pipe."""
    print(text, flush=True)


def megabytes(size_bytes: int) -> str:
    """Return a size for people, in units of 10^6 bytes."""
    return f"{size_bytes / 1e6:.1f} MB"


class Progress:
    """A count that moves: one rewritten line on a terminal, a line every few seconds elsewhere."""

    def __init__(self, what: str, every_s: float = 5.0) -> None:
        self.what = what
        self.every_s = every_s
        self.terminal = sys.stdout.isatty()
        self.shown_at_s = time.monotonic()
        self.wide = 0

    def show(self, state: str) -> None:
        """Show how far it is."""
        now_s = time.monotonic()
        line = f"  {self.what}: {state}"
        if self.terminal:
            print(f"\r{line:<{self.wide}}", end="", flush=True)
            self.wide = len(line)
        elif now_s - self.shown_at_s >= self.every_s:
            say(line)
            self.shown_at_s = now_s

    def end(self) -> None:
        """Clear the terminal's line, so that the next line starts clean."""
        if self.terminal and self.wide:
            print("\r" + " " * self.wide + "\r", end="", flush=True)
            self.wide = 0
