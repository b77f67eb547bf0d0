"""What a reader of the page can read before Python is here, by the template that says it."""

from __future__ import annotations

import re
from collections import defaultdict
from html.parser import HTMLParser

INLINE = {"a", "b", "code", "em", "i", "span", "strong"}
VOID = {"br", "img", "input", "link", "meta"}
SILENT = {"script", "style"}
READ = {"alt", "aria-label", "aria-valuetext", "content", "placeholder", "title"}
"""The attributes that are read out or shown."""


class PageText(HTMLParser):
    """The texts of a page, a line for each, by where they stand.

    A sketch is ``scenes``; Math Peek, the parts and the ledger go by their names; what is
    around them is ``index``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, list[str]] = defaultdict(list)
        self._open: list[tuple[str, str]] = [("", "index")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        where = self._open[-1][1]
        classes = held.get("class", "").split()
        if tag in SILENT:
            where = ""
        elif held.get("id") == "peek":
            where = "peek"
        elif tag == "section" and "part" in classes:
            where = "parts"
        elif "ledger" in classes or "sketch" in classes:
            where = "ledger" if "ledger" in classes else "scenes"
        if tag not in VOID:
            self._open.append((tag, where))
        self._say(where, "" if tag in INLINE else "\n")
        for name in READ & held.keys():
            self._say(where, f"\n{held[name]}\n")

    def handle_endtag(self, tag: str) -> None:
        while len(self._open) > 1:
            opened, where = self._open.pop()
            self._say(where, "" if opened in INLINE else "\n")
            if opened == tag:
                return

    def handle_data(self, data: str) -> None:
        self._say(self._open[-1][1], re.sub(r"\s+", " ", data))

    def _say(self, where: str, text: str) -> None:
        if where:
            self._said[where].append(text)

    def texts(self) -> dict[str, str]:
        """Return what is said, by place: lines without blanks around them, none empty."""
        found = {}
        for where, said in self._said.items():
            lines = (line.strip() for line in "".join(said).split("\n"))
            found[where] = "\n".join(line for line in lines if line)
        return found


def page_texts(html: str) -> dict[str, str]:
    """Return the texts of a page by the template that they stand in."""
    reader = PageText()
    reader.feed(html)
    reader.close()
    return reader.texts()
