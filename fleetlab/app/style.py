"""Style sheets of Panel's widgets, in the page's tokens: these reach into the shadow tree."""

from __future__ import annotations

from importlib.resources import files


def _sheet(*names: str) -> str:
    folder = files("fleetlab.app").joinpath("styles")
    return "\n".join(folder.joinpath(f"{name}.css").read_text("utf-8") for name in names)


SEGMENTS = _sheet("field", "segments")
PAIRS = _sheet("pairs")
SLIDER = _sheet("field", "slider")
SELECT = _sheet("field", "select")
BUTTON = _sheet("button")
QUEUE = _sheet("field", "queue")
SCRUB = _sheet("field", "slider", "scrub")
TIME = _sheet("time")
HEADING = _sheet("heading")
ROW = _sheet("row")
