"""What each part asks before its workbench opens: the options, the number, the answer."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

CONFIDENCES = ("a guess", "unsure", "half sure", "fairly sure", "certain")
"""How sure a reader is, from 1 to 5."""


@dataclass(frozen=True)
class Number:
    """The figure that is guessed beside the choice; ``unit`` follows it in a sentence."""

    label: str
    hint: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class Question:
    """One part's question: ``options`` are pairs of choice and text, ``answer`` is a choice.

    ``words`` has the texts of a track that says the options its own way, by choice.
    """

    part: int
    name: str
    title: str
    options: tuple[tuple[str, str], ...]
    answer: str
    number: Number | None
    words: dict[str, dict[str, str]]

    def text(self, choice: str) -> str:
        """Return the words of a choice; raises KeyError for one that was never offered."""
        return dict(self.options)[choice]

    def for_page(self) -> dict[str, Any]:
        """Return what a page may hold before the prediction: everything but the answer."""
        shown = asdict(self)
        del shown["answer"]
        return shown


@cache
def questions() -> dict[int, Question]:
    """Return the question of each part, by its number."""
    data = tomllib.loads(files(__package__).joinpath("questions.toml").read_text("utf-8"))
    return {entry["part"]: _question(entry) for entry in data["parts"]}


def _question(entry: dict[str, Any]) -> Question:
    options = tuple((option["choice"], option["text"]) for option in entry["options"])
    number = Number(**entry["number"]) if "number" in entry else None
    named = {name: entry[name] for name in ("part", "name", "title", "answer")}
    return Question(**named, options=options, number=number, words=entry.get("words", {}))
