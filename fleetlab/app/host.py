"""The one seam between Python and the page: everything of the browser is behind it.

In the worker, ``post`` is the worker's and timers are JavaScript's. Elsewhere
(tests, the build) a plain list of calls stands in, so that nothing else knows
where it runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bokeh.core.serialization import Serializer, UnknownReferenceError
from bokeh.document import Document
from bokeh.embed.util import standalone_docs_json_and_render_items

IN_BROWSER = sys.platform == "emscripten"
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
    """A document on both sides: built here, drawn there, changes carried both ways."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self.document = Document()

    def show(self, slots: dict[str, Any]) -> None:
        """Post the document whose views go into the page's elements named by ``slots``."""
        import panel as pn
        from panel.io.document import MockSessionContext
        from panel.io.state import state

        document = self.document
        document._session_context = lambda: MockSessionContext(document=document)
        state.curdoc = document
        places: dict[str, str] = {}
        for slot, view in slots.items():
            root = pn.panel(view).get_root(document)
            document.add_root(root)
            places[root.id] = slot
        # Panel waits for a server's event loop where there is a session; here changes act at once.
        document._session_context = None
        docs, items = standalone_docs_json_and_render_items(
            document.roots, suppress_callback_warning=True
        )
        items_json = [item.to_json() for item in items]
        text = json.dumps({"docs": docs, "items": items_json, "slots": places})
        self._post("document", "", _local(text))
        document.on_change(self._changed)

    def _changed(self, event: Any) -> None:
        if getattr(event, "setter", None) == "js":
            return
        models = self.document.models
        serializer = Serializer(references=models.synced_references, deferred=False)
        patch = {"events": serializer.encode([event])}
        models.flush_synced(lambda model: not serializer.has_ref(model))
        self._post("patch", _local(json.dumps(patch)), None)

    def apply(self, patch: str) -> None:
        """Apply a change that the reader made, if what was changed is still there."""
        # What is drawn may have been replaced while the change was on its way.
        with suppress(UnknownReferenceError):
            self.document.apply_json_patch(json.loads(patch), setter="js")


def _local(text: str) -> str:
    """Return ``text`` with Panel's style sheets at our own origin, where the build has put them."""
    from panel.io import resources

    return text.replace(resources.CDN_DIST, resources.LOCAL_DIST)


_live: dict[str, Any] = {}


def start(post: Post, query: str, look: str, record: str) -> None:
    """Build the page's document, post it, say ``live``, and begin the first run."""
    from fleetlab.app.page import Page

    clock = BrowserClock() if IN_BROWSER else ManualClock()

    def tell(name: str, value: Any) -> None:
        post("tell", name, json.dumps(value))

    def draw() -> None:
        _live["link"] = Link(post)
        _live["link"].show(page.slots)

    page = Page(query, look, clock, tell, draw)
    _live.update(page=page, clock=clock)
    if record:
        page.hear("record", json.loads(record))
    draw()
    post("live", "", None)
    page.begin()


def receive(kind: str, name: str, value: Any = None) -> None:
    """Take one message from the page: a patch, or something told by name (JSON or bytes)."""
    if kind == "patch":
        _live["link"].apply(name)
    elif kind == "tell":
        _live["page"].hear(name, json.loads(value) if isinstance(value, str) else value)
