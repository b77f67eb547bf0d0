"""What the build records of a part's default run, to be played where Python cannot run.

A recording holds some moments of the run, each of them whole: all that the clock changes in the
page's document, in every look, and the texts told with it. The app itself is driven over the
moments. Like openings, this is made on a desk that nobody has used.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from bokeh.core.serialization import Serializer
from bokeh.document import Document
from bokeh.models import ColumnDataSource

from fleetlab.app import host, openings
from fleetlab.app.session import Session

EVEN = 60
"""Into how many stretches of the same length a run is cut; their ends are moments."""
MOST_CHANGES = 30
"""A run with no more changes than this is shown at every one of them, too."""
DIGITS = 5
"""Digits behind the point: what is drawn is a few units wide, so far less than a pixel is lost."""


def times_of(session: Session) -> list[int]:
    """Return the moments of the session's run, with the one that is looked at among them."""
    run = session.run
    assert run is not None
    changes: list[int] = []
    while (not changes or changes[-1] < run.last_ms) and len(changes) <= MOST_CHANGES:
        changes.append(run.next_change_ms(changes[-1] if changes else 0))
    if len(changes) > MOST_CHANGES:
        changes = []
    even = [run.last_ms * stretch // EVEN for stretch in range(EVEN + 1)]
    return sorted({session.time_ms, *even, *changes})


def course(track: str, part: int, run: bytes, reader: int = 0) -> dict[str, Any]:
    """Return what does not depend on the look.

    ``times`` are the moments and ``shown`` the number of the one that the opening shows;
    ``frames`` the texts of each; ``changing`` what the clock changes, as id and attribute.
    """
    desk, posted = openings.present(track, part, "locked", openings.LOOKS[0], run, reader)
    session = desk.page.session
    times = times_of(session)
    shown = times.index(session.time_ms)
    slider = _slider(desk)
    changing: set[tuple[str, str]] = set()
    desk.link.document.on_change(lambda event: changing.add((event.model.id, event.attr)))
    frames = []
    for time in times:
        posted.clear()
        session.look(time)
        told = [(name, json.loads(value)) for kind, name, value in posted if kind == "tell"]
        [frame] = [value for name, value in told if name == "frame"]
        frames.append(frame)
    return {
        "times": times,
        "shown": shown,
        "frames": frames,
        # the page has a slider of its own over the moments
        "changing": sorted(name for name in changing if name != (slider, "value")),
    }


def seen(track: str, part: int, look: str, run: bytes, course: dict[str, Any]) -> list[Any]:
    """Return for each moment of a course the values of what changes, in a look."""
    desk, _ = openings.present(track, part, "locked", look, run)
    found = []
    for time in course["times"]:
        desk.page.session.time_ms = time
        desk.page.part.show("moment")
        found.append([value_of(desk.link.document, *name) for name in course["changing"]])
    return found


def recording(track: str, part: int, course: dict[str, Any], looks: list[Any]) -> str:
    """Return a recording as the page reads it; ``looks`` are what ``seen`` returned, by look.

    Whatever comes again is written once, see ``_numbered``.
    """
    frames = course["frames"]
    texts = {
        key: _numbered([[(frame[key],) * len(looks)] for frame in frames])
        for key, first in frames[0].items()
        if any(frame[key] != first for frame in frames)
    }
    models: dict[str, dict[str, Any]] = {}
    columns: dict[str, dict[str, Any]] = {}
    for number, (model, attribute) in enumerate(course["changing"]):
        moments = [[value[number] for value in values] for values in zip(*looks, strict=True)]
        if attribute != "data":
            rows = [[tuple(values)] for values in moments]
            models.setdefault(model, {})[attribute] = _numbered(rows)
            continue
        columns[model] = {
            name: _numbered(
                [list(zip(*(v[name] for v in values), strict=True)) for values in moments]
            )
            for name in moments[0][0]
        }
    found = {"track": track, "part": part, "looks": openings.LOOKS}
    found |= {"texts": texts, "models": models, "columns": columns}
    return json.dumps(found, separators=(",", ":"))


def _numbered(moments: list[list[tuple[Any, ...]]]) -> dict[str, Any]:
    """Return rows by moment, each the tuple of its values by look, as numbers into lists of values.

    ``at`` holds by moment the numbers of its rows. A number means the same row in all of
    ``values``, and ``looks`` says by look which of these lists is its own.
    """
    numbers: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    at: list[list[int]] = []
    for moment in moments:
        at.append([])
        for row in moment:
            key = json.dumps(row)
            if key not in numbers:
                numbers[key] = len(rows)
                rows.append(row)
            at[-1].append(numbers[key])
    by_look = [list(values) for values in zip(*rows, strict=True)] or [[]] * len(openings.LOOKS)
    values: list[list[Any]] = []
    for own in by_look:
        if own not in values:
            values.append(own)
    return {"values": values, "looks": [values.index(own) for own in by_look], "at": at}


def value_of(document: Document, model: str, attribute: str) -> Any:
    """Return the value of a model's attribute as the page reads it; of a source, its columns."""
    found = document.get_model_by_id(model)
    assert found is not None
    if isinstance(found, ColumnDataSource) and attribute == "data":
        return {name: [_rounded(value) for value in rows] for name, rows in found.data.items()}
    encode = Serializer(deferred=False).encode
    return _rounded(encode(found.lookup(attribute).get_value(found)))


def _slider(desk: host.Desk) -> str:
    title = desk.page.part.transport.scrub.name  # type: ignore[attr-defined]
    [found] = [m for m in desk.link.document.models if getattr(m, "title", None) == title]
    return str(found.id)


def _rounded(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return round(float(value), DIGITS)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple | np.ndarray):
        return [_rounded(one) for one in value]
    return value
