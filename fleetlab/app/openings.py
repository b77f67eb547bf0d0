"""What each track's part shows before its reader has done anything: made by the build.

An opening is the page's document in every look, what is told with it, and the
finished run that Python goes on from. It is made by the app itself, so that the
page drawn from it and the page that Python has later are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fleetlab.app import host
from fleetlab.app.finished import Finished
from fleetlab.app.parts import PARTS
from fleetlab.missions import TRACKS
from fleetlab.scenario import Scenario

LOOKS = ("light", "dark", "light narrow", "dark narrow")
KINDS = ("open", "locked", "bare")
"""Before the prediction is locked; after it; and with no run, for a Scenario the build lacks."""

# Two readers who have predicted differently: what differs between their pages is not the build's.
PREDICTIONS = ({"choice": "", "number": 0}, {"choice": "much", "number": 1000})


@dataclass(frozen=True)
class Opening:
    """One opening. ``query`` is the Scenario that was run; ``looks`` holds a document a look."""

    name: str
    query: str
    looks: dict[str, str]
    told: list[tuple[str, Any]]
    run: bytes

    @property
    def run_name(self) -> str:
        """A name for the run, the same for the same run; empty without one."""
        return hashlib.sha256(self.run).hexdigest()[:16] if self.run else ""

    def to_json(self) -> str:
        """Return the opening as the page reads it, each document with its fingerprint."""
        looks = {
            look: {"fingerprint": host.fingerprint(text), "document": json.loads(text)}
            for look, text in self.looks.items()
        }
        return json.dumps(
            {"query": self.query, "told": self.told, "looks": looks, "run": self.run_name}
        )


def openings() -> Iterator[Opening]:
    """Return all openings, part by part and track by track."""
    for part in PARTS:
        for track in TRACKS:
            runs: dict[Scenario, Finished] = {}
            for kind in KINDS:
                yield opening(track, part, kind, runs)


def opening(track: str, part: int, kind: str, runs: dict[Scenario, Finished]) -> Opening:
    """Return one opening; a run that is not among ``runs`` is made here and kept there."""
    query = f"track={track}&part={part}"
    records = [_record(track, part, prediction) for prediction in PREDICTIONS]
    if kind != "locked":
        records = [""]
    finished = _first_run(query, part, records[0], runs) if kind != "bare" else None
    seen = [_opened(query, part, LOOKS[0], record, finished)[1] for record in records]
    told = _agreed(*seen) if len(seen) > 1 else seen[0]
    return Opening(
        name=f"{track}-{part}-{kind}",
        query=next((value for name, value in told if name == "query"), ""),
        looks={look: _opened(query, part, look, records[0], finished)[0] for look in LOOKS},
        told=told,
        run=finished.pack() if finished else b"",
    )


def _record(track: str, part: int, prediction: dict[str, Any]) -> str:
    return json.dumps({"track": track, "predictions": [{"part": part, **prediction}]})


def _first_run(query: str, part: int, record: str, runs: dict[Scenario, Finished]) -> Finished:
    clock = host.ManualClock()
    page = host.Desk(part, clock).page
    page.open(query, LOOKS[0], json.loads(record) if record else None, None)
    if page.first not in runs:
        page.begin()
        while page.session.finished is None:
            if not clock.turn():
                raise RuntimeError(f"{query} came to no run")
        runs[page.first] = page.session.finished
    return runs[page.first]


def _opened(
    query: str, part: int, look: str, record: str, finished: Finished | None
) -> tuple[str, list[tuple[str, Any]]]:
    """Return the document of a page as it opens, and what it tells, the address's query first."""
    posted: list[tuple[str, str, Any]] = []
    desk = host.Desk(part, host.ManualClock())
    desk.present(lambda *message: posted.append(message), query, look, record, finished, "")
    document = next(value for kind, _, value in posted if kind == "document")
    return document, [(name, json.loads(value)) for kind, name, value in posted if kind == "tell"]


def _agreed(first: list[tuple[str, Any]], second: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return what two readers are told alike, of each frame only the texts that are the same."""
    alike: list[tuple[str, Any]] = []
    for (name, one), (_, other) in zip(first, second, strict=True):
        if isinstance(one, dict) and isinstance(other, dict):
            same = {key: value for key, value in one.items() if other.get(key) == value}
            alike.append((name, same))
        elif one == other:
            alike.append((name, one))
    return alike
