"""Math Peek: three pages that work out what the parts stand on, on the reader's own numbers.

A page takes a question, as the reader's fields hold it, and answers with views: all
that is drawn and said, as plain values. ``answer`` is a generator so that long work can
be left at any point: None means that there is nothing new yet, and every later
view is laid over the ones before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

Question = Mapping[str, Any]
View = dict[str, Any]
Answer = Iterator[View | None]


class Page(Protocol):
    """One page of the peek; it may remember what was measured before."""

    def answer(self, question: Question) -> Answer:
        """Yield views. Raises FieldError for a field that cannot be used."""


class FieldError(ValueError):
    """One sentence about a field of the reader's, and the name of the field."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
