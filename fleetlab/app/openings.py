"""What each track's part shows before its reader has done anything: made by the build.

An opening is the page's document in every look, what is told with it, and the
finished run that Python goes on from. It is made by the app itself, so that the
page drawn from it and the page that Python has later are the same. Everything
here is a function of its arguments on a desk that nobody has used, which the
build puts back as it was after each call.
"""

from __future__ import annotations

import json
from typing import Any

from fleetlab.app import host
from fleetlab.app.finished import unpack
from fleetlab.app.parts import PARTS
from fleetlab.missions import TRACKS

LOOKS = ("light", "dark", "light narrow", "dark narrow")
KINDS = ("open", "locked", "bare")
"""Before the prediction is locked; after it; and with no run, for a Scenario the build lacks."""

# Two readers who have predicted differently: what differs between their pages is not the build's.
PREDICTIONS: tuple[dict[str, Any], ...] = (
    {"choice": "", "number": 0},
    {"choice": "much", "number": 1000},
)


def prepare() -> None:
    """Build a desk for each part; its clock stands still."""
    for part in PARTS:
        host.prepare(part, host.ManualClock())


def names() -> list[tuple[str, int, str]]:
    """Return track, part and kind of every opening."""
    return [(track, part, kind) for part in PARTS for track in TRACKS for kind in KINDS]


def first(track: str, part: int, kind: str) -> str:
    """Return the query of the Scenario that is run first; empty where nothing is."""
    if kind == "bare":
        return ""
    page = host.prepare(part).page
    page.open(_query(track, part), LOOKS[0], _record(track, part, kind, 0), None)
    return page.first.query()


def first_run(track: str, part: int, kind: str) -> bytes:
    """Return the finished run of the Scenario that is run first, packed."""
    page = host.prepare(part).page
    clock = page.session.clock
    assert isinstance(clock, host.ManualClock)
    page.open(_query(track, part), LOOKS[0], _record(track, part, kind, 0), None)
    page.begin()
    while page.session.finished is None:
        if not clock.turn():
            raise RuntimeError(f"{page.first.query()} came to no run")
    return page.session.finished.pack()


def present(
    track: str, part: int, kind: str, look: str, run: bytes, reader: int = 0
) -> tuple[host.Desk, list[tuple[str, str, Any]]]:
    """Present the page to a reader; return its desk, and the list of what it posts from then on."""
    posted: list[tuple[str, str, Any]] = []
    record = _record(track, part, kind, reader)
    desk = host.prepare(part)
    desk.present(
        lambda *message: posted.append(message),
        _query(track, part),
        look,
        json.dumps(record) if record else "",
        unpack(run) if run else None,
        "",
    )
    return desk, posted


def shown(track: str, part: int, kind: str, look: str, run: bytes, reader: int = 0) -> str:
    """Return as JSON the page in a look: its document, the fingerprint of that, what is told."""
    posted = present(track, part, kind, look, run, reader)[1]
    fingerprint, document = next(rest for kind, *rest in posted if kind == "document")
    told = [(name, json.loads(value)) for kind, name, value in posted if kind == "tell"]
    return json.dumps(
        {
            "document": json.loads(document),
            "fingerprint": fingerprint,
            "told": told,
        }
    )


def opening(
    query: str, run: str, looks: dict[str, str], other: str, moments: dict[str, Any] | None = None
) -> str:
    """Return an opening as the page reads it.

    ``looks`` are what ``shown`` returned by look, ``other`` what it returned for the
    second reader; ``run`` names the file of the run, and ``moments`` says of its
    recording how many there are and which is shown. What two readers are told
    differently is left out: of a frame, the texts that differ. What is told in the
    first look is ``told``; another look has of its own what differs from that.
    """
    seen = {look: json.loads(text) for look, text in looks.items()}
    told = []
    for (name, one), (_, another) in zip(
        seen[LOOKS[0]]["told"], json.loads(other)["told"], strict=True
    ):
        if isinstance(one, dict) and isinstance(another, dict):
            told.append((name, {key: one[key] for key in one if another.get(key) == one[key]}))
        elif one == another:
            told.append((name, one))
    common = _frame(told)
    for page in seen.values():
        own = _frame(page["told"])
        differs = {key: own[key] for key in common if own.get(key) != common[key]}
        here = {key: common[key] for key in ("track", "part") if key in common}
        page["told"] = [("frame", here | differs)] if differs else []
    return json.dumps({"query": query, "run": run, "told": told, "looks": seen, "moments": moments})


def _frame(told: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the newest value of each text that was told."""
    frame: dict[str, Any] = {}
    for name, value in told:
        frame |= value if name == "frame" else {}
    return frame


def _query(track: str, part: int) -> str:
    return f"track={track}&part={part}"


def _record(track: str, part: int, kind: str, reader: int) -> dict[str, Any] | None:
    if kind != "locked":
        return None
    return {"track": track, "predictions": [{"part": part, **PREDICTIONS[reader]}]}
