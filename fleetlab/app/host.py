"""The one seam between Python and the page: everything of the browser is behind it.

In the worker, ``post`` is the worker's and timers are JavaScript's. Elsewhere
(tests, the build) a plain list of calls stands in, so that nothing else knows
where it runs.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.core.serialization import Serializer, UnknownReferenceError
from bokeh.document import Document
from bokeh.model import Model
from bokeh.util import serialization
from param import parameterized

from fleetlab.app.finished import Finished, unpack
from fleetlab.app.page import Page
from fleetlab.app.parts import PARTS, class_of
from fleetlab.app.slices import Clock
from fleetlab.scenario import Scenario

IN_BROWSER = sys.platform == "emscripten"
IDS_A_PART = 100_000
LAID, READ = 50_000, 75_000  # where ids begin of what an opening adds, and of what a reader does
Post = Callable[[str, str, Any], None]


class BrowserClock:
    """Calls back through the worker's timers, so that messages are read in between."""

    def later(self, milliseconds: int, call: Callable[[], None]) -> None:
        """Call ``call`` once after ``milliseconds``."""
        from js import setTimeout
        from pyodide.ffi import create_once_callable

        setTimeout(create_once_callable(call), milliseconds)


class ManualClock:
    """Keeps calls until ``turn`` is called: time as tests and the build want it."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def later(self, milliseconds: int, call: Callable[[], None]) -> None:
        """Keep ``call`` for the next turn."""
        self.calls.append(call)

    def turn(self) -> bool:
        """Make the calls that have been kept; return whether there were any."""
        calls, self.calls = self.calls, []
        for call in calls:
            call()
        return bool(calls)


class Link:
    """A document on both sides: built here, drawn there, changes carried both ways.

    ``slots`` maps the id of an element of the page to the view that goes into it.
    """

    def __init__(self, slots: dict[str, Any]) -> None:
        import panel as pn
        from panel.io.document import MockSessionContext
        from panel.io.state import state

        document = self.document = Document()
        document._session_context = lambda: MockSessionContext(document=document)
        self._places: dict[str, str] = {}
        self._listening: list[Callable[[Any], None]] = []
        self._closed = False
        self._views: dict[str, Any] = {}
        self.enter()
        for slot, view in slots.items():
            root = pn.panel(view).get_root(document)
            document.add_root(root)
            self._places[root.id] = slot
        # Panel waits for a server's event loop where there is a session; here changes act at once.
        document._session_context = None
        self._views = {root: state._views[root] for root in self._places}

    def close(self) -> None:
        """Let go of the document, which Panel would keep for ever, and say no more of it."""
        from panel.io.state import state

        for heard in self._listening:
            self.document.remove_on_change(heard)
        self._closed = True
        state._stylesheets.pop(self.document, None)
        for root in self._places:
            state._views.pop(root, None)

    def enter(self) -> None:
        """Make this the document that Panel works on."""
        from panel.io.state import state

        state.curdoc = self.document
        state._views.update(self._views)  # another link of the same part has the same ids

    def text(self) -> str:
        """Return what BokehJS embeds: the document, and which root goes into which element."""
        docs = {"fleetlab": self.document.to_json(deferred=False)}
        item = {"docid": "fleetlab", "roots": {}, "root_ids": list(self._places)}
        return _local(json.dumps({"docs": docs, "items": [item], "slots": self._places}))

    def fingerprint(self) -> str:
        """Return 16 digits by which two equal documents know each other.

        They are of every value that was set, but tags, in which Panel notes where an object
        lies in memory. The document's text would say as much, and takes ten times as long,
        since Bokeh works out every default for it; and its way of encoding values is Python's
        where JSON's own is C's.
        """
        models = sorted(self.document.models, key=lambda model: model.id)
        encode = Serializer(references=set(models), deferred=False).encode

        def outline(value: Any) -> Any:
            if isinstance(value, Model):
                return {"id": value.id}
            if isinstance(value, np.ndarray):
                return [value.dtype.str, value.shape, value.tobytes().hex()]
            return encode(value)

        found: list[Any] = [self._places]
        for model in models:
            names = sorted(model._property_values.keys() - {"tags"})
            values = {name: model._property_values[name] for name in names}
            found.append([model.id, model.__qualified_model__, values])
        text = json.dumps(found, default=outline, check_circular=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def listen(self, post: Post) -> None:
        """Post every later change that does not come from the page, until this is closed."""

        def changed(event: Any) -> None:
            if self._closed or getattr(event, "setter", None) == "js":
                return
            models = self.document.models
            serializer = Serializer(references=models.synced_references, deferred=False)
            patch = {"events": serializer.encode([event])}
            models.flush_synced(lambda model: not serializer.has_ref(model))
            post("patch", _local(json.dumps(patch)), None)

        self._listening.append(changed)
        self.document.on_change(changed)

    def apply(self, patch: str) -> None:
        """Apply a change that the reader made, if what was changed is still there."""
        change = json.loads(patch)
        for event in change["events"]:
            if event.get("attr") == "value_throttled":
                self._forget_release(event["model"]["id"])
        # What is drawn may have been replaced while the change was on its way.
        with suppress(UnknownReferenceError):
            self.document.apply_json_patch(change, setter="js")

    def _forget_release(self, number: str) -> None:
        """Forget where a slider was let go before: Bokeh takes the same place for no change.

        It is one if the page has put the slider elsewhere in between (Undo, a link).
        """
        slider = self.document.get_model_by_id(number)
        if slider is not None:
            slider._property_values.pop("value_throttled", None)


def _local(text: str) -> str:
    """Return ``text`` with Panel's style sheets at our own origin, where the build has put them."""
    from panel.io import resources

    return text.replace(resources.CDN_DIST, resources.LOCAL_DIST)


def _count_ids_from(first: int) -> None:
    """Number the models made from now on, so that equal pages have equal ids wherever they run."""
    serialization._simple_id = first
    parameterized.object_count = first


@dataclass(frozen=True)
class Laid:
    """The look that a page has been laid in, and what there is to say of it."""

    look: str
    fingerprint: str
    told: list[tuple[str, Any]]


class Desk:
    """A page and its link, built before anybody has come; ``open`` is for one reader.

    Everything that takes long is done when it is built, and nothing of it depends on
    the reader: so it can be kept in a snapshot of the memory.
    """

    def __init__(self, part: int, clock: Clock) -> None:
        for number in PARTS:
            class_of(number)  # its module makes models when it is imported
        _count_ids_from(part * IDS_A_PART)
        self.part = part
        self.laid: Laid | None = None
        self._post: Post = _nowhere
        self.page = Page(f"part={part}", "light", clock, self._tell, self._redraw)
        self.link = Link(self.page.slots)

    def _tell(self, name: str, value: Any) -> None:
        self._post("tell", name, json.dumps(value))

    def _redraw(self) -> None:
        self.link.close()
        self.link = Link(self.page.slots)
        self._post("document", "", self.link.text())
        self.link.listen(self._post)

    def suits(self, query: str, look: str, record: str) -> bool:
        """Return whether a reader is to see just what this is laid for, who has locked nothing."""
        if self.laid is None or (record and json.loads(record).get("predictions")):
            return False
        scenario, complaints = Scenario.read(query)
        first = self.page.part.opening(scenario) if scenario.part == self.part else None
        return (first, complaints, look) == (self.page.first, [], self.laid.look)

    def lay(self, query: str, look: str, record: str, finished: Finished | None) -> Laid:
        """Show the page as a reader will find it, and return what there is to say of it."""
        _count_ids_from(self.part * IDS_A_PART + LAID)
        self.link.enter()
        told: list[tuple[str, Any]] = []
        self._post = lambda kind, name, value: told.append((name, value))
        self.page.open(query, look, json.loads(record) if record else None, finished)
        self._post = _nowhere
        return Laid(look, self.link.fingerprint(), told)

    def open(
        self, post: Post, query: str, look: str, record: str, finished: Finished | None, shown: str
    ) -> None:
        """Present the page to one reader, say ``live``, and begin the first run if it needs one."""
        self.present(post, query, look, record, finished, shown)
        post("live", "", None)
        self.page.begin()

    def present(
        self, post: Post, query: str, look: str, record: str, finished: Finished | None, shown: str
    ) -> None:
        """Link the page to the document that is shown, or post it, and tell what belongs to it.

        ``shown`` is the fingerprint of a document that the page has drawn from the build, with
        what was told then; if it is this one, only the reader's own is told. A page that has
        been laid for a reader like this one is not laid again.
        """
        laid, self.laid = self.laid or self.lay(query, look, record, finished), None
        self.link.enter()
        _count_ids_from(self.part * IDS_A_PART + READ)
        self._post = post
        linked = shown == laid.fingerprint
        if linked:
            post("linked", "", None)
        else:
            post("document", laid.fingerprint, self.link.text())
        self.link.listen(post)
        for name, value in laid.told:
            if not (linked and name == "run"):
                post("tell", name, value)


def _nowhere(kind: str, name: str, value: Any) -> None:
    """Post nothing: nobody has come yet."""


_desks: dict[int, Desk] = {}
_front: list[Desk] = []
_live: dict[str, Any] = {}


def prepare(part: int, clock: Clock | None = None) -> Desk:
    """Return the part's desk, built unless one stands ready."""
    if part not in _desks:
        _desks[part] = Desk(part, clock or _clock())
    return _desks[part]


def lay_front(finished: Finished) -> None:
    """Have a desk stand laid for who comes by the bare address, with the run that is shown there.

    It is the page that most open first: Python then has nothing left to do.
    """
    desk = Desk(min(PARTS), _clock())
    desk.laid = desk.lay("", "light", "", finished)
    _front[:] = [desk]


def _clock() -> Clock:
    return BrowserClock() if IN_BROWSER else ManualClock()


def start(post: Post, query: str, look: str, record: str, shown: str = "", run: Any = None) -> None:
    """Open the page for one reader and say ``live``.

    ``record`` is the reader's record as JSON or empty; ``run`` the bytes of a finished run of
    the build's, or None.
    """
    if _front and _front[0].suits(query, look, record):
        desk = _front.pop()  # a reader's page is nobody else's
        desk.open(post, query, look, "", None, shown)
        if record:
            desk.page.hear("record", record)
    else:
        part = Scenario.read(query)[0].part
        desk = prepare(part if part in PARTS else min(PARTS))
        del _desks[desk.part]
        desk.open(post, query, look, record, unpack(bytes(run)) if run is not None else None, shown)
    _live.update(desk=desk)


def receive(kind: str, name: str, value: Any = None) -> None:
    """Take one message from the page: a patch, or something told by name (JSON or bytes)."""
    desk = _live["desk"]
    if kind == "patch":
        desk.link.apply(name)
    elif kind == "tell":
        desk.page.hear(name, json.loads(value) if isinstance(value, str) else value)
