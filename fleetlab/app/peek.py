"""Math Peek on the page: takes the reader's questions, works in slices, tells the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from fleetlab import peek
from fleetlab.app.slices import Clock
from fleetlab.peek.packing import Packing
from fleetlab.peek.queueing import Queueing
from fleetlab.peek.sharing import Sharing

SLICE_S = 0.15
"""How long the peek works before the page and the part's own runs are heard again."""


class Peek:
    """The pages of the peek, each made when it is first asked.

    The views are texts and numbers, which the page draws itself, in its own colours:
    so the peek needs no document of BokehJS and costs nothing until it is opened.
    """

    def __init__(self, clock: Clock, tell: Callable[[Any], None]) -> None:
        self._clock, self._tell = clock, tell
        self._pages: dict[str, peek.Page] = {}
        self._kinds: dict[str, Callable[[], peek.Page]] = {
            "sharing": Sharing,
            "packing": Packing,
            "queueing": Queueing,
        }
        self._generation = 0

    def hear(self, question: Any) -> None:
        """Answer a question in place of the one before it; what names no page ends the work."""
        self._generation += 1
        name = question.get("page") if isinstance(question, Mapping) else None
        if not isinstance(name, str) or name not in self._kinds:
            return
        page = self._pages.setdefault(name, self._kinds[name]())
        answer = page.answer(question)
        self._advance(name, answer, self._generation)

    def _advance(self, name: str, answer: peek.Answer, generation: int) -> None:
        if generation != self._generation:
            return
        # The steps of an answer take from microseconds to a tenth of a second, so their number
        # is no measure; where the answer pauses cannot change what it says.
        until = perf_counter() + SLICE_S
        while True:
            try:
                view = next(answer)
            except StopIteration:
                return
            except peek.FieldError as error:
                self._tell({"page": name, "problem": str(error), "field": error.field})
                return
            if view is not None:
                self._tell({"page": name, "problem": "", "field": "", **view})
            if perf_counter() >= until:
                break
        self._clock.later(0, lambda: self._advance(name, answer, generation))
