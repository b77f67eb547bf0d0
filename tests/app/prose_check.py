"""Which numbers of a text have no source: a phrase with a fact in it, or a stated reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from builder.pages import FIGURE

DIGITS = r"(?<![\w.])\d(?:[\d,]*\d)?(?:\.\d+)?"
WORDS = (
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    r"sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    r"hundred|thousand|million|half|halves|thirds?|quarters?|fifth|tenth|twice|thrice|doubl\w+"
)
NUMBER = re.compile(rf"{DIGITS}|\b(?:{WORDS})\b", re.IGNORECASE)
"""A number in prose, in digits or in words."""

NOTHING = re.compile(r"(?!)")


def unsourced(
    text: str,
    said: Sequence[str],
    facts: Mapping[str, str],
    structural: re.Pattern[str] = NOTHING,
) -> tuple[list[str], list[str]]:
    """Return the phrases that ``text`` does not have, and its numbers that no phrase covers.

    A phrase names facts in braces; ``#`` in it stands for a figure that the build or the
    page fills in. What ``structural`` finds is no number of the lab's.
    """
    text = FIGURE.sub("#", text)
    covered = [match.span() for match in structural.finditer(text)]
    absent = []
    for phrase in said:
        filled = phrase.format(**facts)
        found = [match.span() for match in re.finditer(re.escape(filled), text)]
        covered += found
        if not found:
            absent.append(filled)
    loose = [
        text[max(0, match.start() - 30) : match.end() + 30]
        for match in NUMBER.finditer(text)
        if not any(low <= match.start() and match.end() <= high for low, high in covered)
    ]
    return absent, loose


def sentences(path: Path) -> Iterator[str]:
    """Yield the texts of a module with words in them: no docstrings, formats or names."""
    tree = ast.parse(path.read_text("utf-8"))
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and node.format_spec:
            silent |= {id(part) for part in ast.walk(node.format_spec)}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        text = node.value
        if id(node) not in silent and not re.fullmatch(r"[\w.#=&?{}:+,$-]*|\{[^}]*\}.*", text):
            yield text
