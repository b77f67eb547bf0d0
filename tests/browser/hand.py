"""A reader's hand in a browser that Playwright does not drive: it presses what it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builder.loads import HELP, run

TURNS = 600


class Hand:
    """Uses one page of a tab by the texts on it."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab

    def look(self, expression: str) -> Any:
        """Return what an expression in the page comes to."""
        return run(self.tab, f"return {expression};")

    def wait(self, condition: str) -> Any:
        """Return a condition's value once it holds."""
        return self.look(f"until(() => {condition})")

    def press(self, text: str) -> None:
        """Press what has just this text, once it is there."""
        found = f"const found = await until(() => seek({json.dumps(text)}));"
        middle = 'found.scrollIntoView({ block: "center", behavior: "instant" });'
        self.tab.press(f"(async () => {{ {HELP} {found} {middle} return found; }})()")

    def type(self, label: str, keys: str) -> None:
        """Type into the field of this label."""
        self.press(label)
        self.tab.type(keys)

    def arrived(self, folder: Path, pattern: str) -> Path:
        """Return a file that the page hands out, once it lies whole in the folder."""
        for _ in range(TURNS):
            found = list(folder.glob(pattern))
            if found and found[0].stat().st_size and not list(folder.glob("*.part")):
                return found[0]
            self.look("new Promise((resolve) => setTimeout(resolve, 50))")
        raise AssertionError(f"no {pattern} has arrived in {folder}")

    def predict(self, number: str) -> None:
        """Lock a prediction of Part 1."""
        self.press("Slightly longer")
        self.type("How many times as long?", number)
        self.type("How sure are you?", "fairly")
        self.press("Lock my prediction")
        self.wait('root.dataset.saved === "saved" && seek("Random")')
