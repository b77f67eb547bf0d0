"""What is done with the app before a snapshot of its memory is taken.

Everything that a reader's page imports, compiles or builds on its first use is
used once; then a page of each part is left standing, unopened.
"""

from __future__ import annotations

import gc
import json
import linecache
import re
import sys
import tokenize
import traceback
from types import FunctionType

from bokeh.core.property.bases import Property
from panel.io.state import state
from param import Parameter

from fleetlab.app import host, openings
from fleetlab.app.finished import unpack
from fleetlab.app.openings import LOOKS, shown
from fleetlab.app.parts import PARTS
from fleetlab.missions import TRACKS

TURNS = 30
NO_ANNOTATIONS: dict[str, object] = {}
TRACES = {
    "warm.csv": b"submit_s,duration_s,gpus\n0,100,8\n10,60,8\n",
    "warm.swf": b"1 0 -1 60 8 -1 -1 8 60 -1 1 1 1 1 1 1 -1 -1\n",
    "broken.csv": b"\x00\x01",
}
"""Small traces, and one that is none, so that reading them needs nothing that is not in memory."""


def up() -> None:
    """Open a page of each part, run it, turn it over; then leave fresh ones standing."""
    for part in PARTS:
        shown("titan", part, "bare", LOOKS[1], b"")
        clock = host.ManualClock()
        desk = host.Desk(part, clock)
        record = json.dumps({"track": "titan", "predictions": [{"part": part}]})
        query = f"track=titan&part={part}&jobs=300"
        desk.open(lambda *_: None, query, LOOKS[0], record, None, "")
        for _ in range(TURNS):
            clock.turn()
        for name, text in TRACES.items():
            desk.page.hear("trace_name", name)
            desk.page.hear("trace", text)
            for _ in range(TURNS):
                clock.turn()
        finished = desk.page.session.finished
        if finished is not None:
            unpack(finished.pack())
        desk.page.hear("theme", "dark")
        desk.link.apply(json.dumps({"events": []}))
        del desk, finished
        state._views.clear()
        state._stylesheets.clear()
        gc.collect()
    host._desks.clear()  # these have the browser's clock, and the run is to be made now
    openings.prepare()
    front = unpack(openings.first_run(TRACKS[0], min(PARTS), "open"))
    # Panel would keep every page that was ever built.
    host._desks.clear()
    state._views.clear()
    state._stylesheets.clear()
    for part in PARTS:
        host.prepare(part)
    host.lay_front(front)


def tidy() -> None:
    """Drop what would only make the snapshot larger: caches, and help texts that nobody reads."""
    traceback.format_exception(ValueError(tokenize.ERRORTOKEN))
    linecache.clearcache()
    re.purge()
    sys._clear_type_cache()
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__doc__:
            constants = thing.__code__.co_consts
            if constants and constants[0] is thing.__doc__:
                thing.__code__ = thing.__code__.replace(co_consts=(None, *constants[1:]))
            thing.__doc__ = None
        if isinstance(thing, FunctionType):
            thing.__code__ = thing.__code__.replace(co_linetable=b"")
            thing.__annotations__ = NO_ANNOTATIONS
        elif isinstance(thing, Property):
            thing._help = None
        elif isinstance(thing, Parameter):
            thing.doc = None
    gc.collect()
