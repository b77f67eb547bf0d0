"""The sentences in a script of the page: its texts and templates with words in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

TOKEN = re.compile(
    r"""
      //[^\n]* | /\*.*?\*/
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    | `
    | (?<=[(,=:\[!&|?{};])\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n\[])+/  # a pattern
    | [{}]
    """,
    re.DOTALL | re.VERBOSE,
)
NO_SENTENCE = re.compile(
    r"[\w-]*\([^)]*\)(?: [\w-]+\([^)]*\))*"  # a transform, a condition of a style
    r"|display: block;.*"  # a style
    r"|[MLHVZhvlz\d #.,-]+"  # a path
    r"|\S*"  # a name, a format
)


def literals(script: str) -> list[str]:
    """Return every text and template of a script, with ``#`` for what a template fills in."""
    found: list[str] = []

    def template(at: int) -> int:
        said = ""
        while script[at] != "`":
            if script.startswith("${", at):
                at, said = code(at + 2, inner=True), said + "#"
            else:
                width = 2 if script[at] == "\\" else 1
                said, at = said + script[at : at + width], at + width
        found.append(said)
        return at + 1

    def code(at: int, inner: bool = False) -> int:
        deep = 0
        while token := TOKEN.search(script, at):
            text, at = token.group(), token.end()
            if text == "`":
                at = template(at)
            elif text[0] in "\"'":
                found.append(text[1:-1])
            elif text == "}" and inner and not deep:
                return at
            else:
                deep += {"{": 1, "}": -1}.get(text, 0)
        return at

    code(0)
    return [re.sub(r"\\u(\w{4})", lambda m: chr(int(m.group(1), 16)), text) for text in found]


def sentences(path: Path) -> Iterator[str]:
    """Yield the texts of a script with words in them: no names, formats, paths or styles."""
    for text in literals(path.read_text("utf-8")):
        if not NO_SENTENCE.fullmatch(text):
            yield text
