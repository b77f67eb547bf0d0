"""A picture of bars that a reader can take along: SVG in a theme's colours, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

from fleetlab.app.palette import FONT, Palette

GAP, BAR, ROW, TEXT = 28, 14, 44, 13
WIDTH, NARROW_WIDTH = 960, 340
WIDEST = 0.7 * TEXT
"""Pixels that a bold character takes at most."""


@dataclass(frozen=True)
class Bar:
    """One row: what it is, how long, what is written at its end, and which of three kinds.

    ``kind`` is ``plain``, ``static`` or ``elastic``; ``spread`` the least and the
    greatest that was measured.
    """

    label: str
    value: float
    text: str
    kind: str = "plain"
    spread: tuple[float, float] | None = None


@dataclass(frozen=True)
class Panel:
    """Bars on one scale under a title that says what they show; ``limit`` is drawn across."""

    title: str
    bars: tuple[Bar, ...]
    limit: tuple[float, str] | None = None
    log: bool = False


def picture(title: str, note: str, panels: list[Panel], colours: Palette, narrow: bool) -> str:
    """Return the picture as SVG text: ``panels`` side by side, or one below the other."""
    width = NARROW_WIDTH if narrow else WIDTH
    columns = 1 if narrow else len(panels)
    room = (width - 2 * GAP - (columns - 1) * GAP) / columns
    parts: list[str] = []
    top = float(GAP)
    for line in wrap(title, width - 2 * GAP, 20):
        top += 24
        parts.append(_text(GAP, top - 4, line, colours.ink, 20, weight=700))
    top += 14
    bottom = top
    lines = max(len(wrap(panel.title, room, 15)) for panel in panels)
    for number, panel in enumerate(panels):
        left = GAP + (number % columns) * (room + GAP)
        start = top if not narrow else bottom
        titles = len(wrap(panel.title, room, 15)) if narrow else lines
        drawn, end = _panel(panel, left, start, room, titles, colours)
        parts += drawn
        bottom = max(bottom, end + (GAP if narrow else 0))
    for line in wrap(note, width - 2 * GAP, TEXT):
        bottom += 18
        parts.append(_text(GAP, bottom, line, colours.muted))
    height = bottom + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
        f'width="{width}" height="{height:.0f}" font-family="{escape(FONT, {chr(34): "&quot;"})}">'
        f'<title>{escape(title)}</title><desc>{escape(note)}</desc>{_hatch(colours)}'
        f'<rect width="{width}" height="{height:.0f}" fill="{colours.card}"/>{"".join(parts)}</svg>'
    )  # fmt: skip


def _panel(
    panel: Panel, left: float, top: float, room: float, titles: int, colours: Palette
) -> tuple[list[str], float]:
    parts = []
    for number, line in enumerate(wrap(panel.title, room, 15), 1):
        parts.append(_text(left, top + 20 * number, line, colours.ink, 15, weight=700))
    top += 20 * titles + 10
    begin = top
    scale = _Scale(panel, room)
    limit = scale(panel.limit[0]) if panel.limit is not None else math.inf
    for bar in panel.bars:
        top += ROW
        parts.append(_text(left, top - BAR - 6, bar.label, colours.muted))
        length = max(2.0, scale(bar.value))
        fill = {
            "plain": colours.muted,
            "static": "url(#hatch)",
            "elastic": colours.action,
        }[bar.kind]
        edge = colours.warm if bar.kind == "static" else fill
        parts.append(
            f'<rect x="{left:.1f}" y="{top - BAR:.1f}" width="{length:.1f}" height="{BAR}" '
            f'rx="3" fill="{fill}" stroke="{edge}"/>'
        )
        after = length
        if bar.spread is not None:
            low, high = (scale(value) for value in bar.spread)
            after = max(length, high)
            middle = top - BAR / 2
            parts.append(
                f'<path d="M{left + low:.1f} {middle:.1f}H{left + high:.1f}M{left + low:.1f} '
                f'{middle - 4:.1f}v8M{left + high:.1f} {middle - 4:.1f}v8" '
                f'stroke="{colours.ink}" fill="none"/>'
            )
        start = after + 6
        if start - 4 < limit < start + len(bar.text) * WIDEST:
            start = limit + 6  # the limit would strike through it
        parts.append(_text(left + start, top - 2, bar.text, colours.ink, weight=700))
    if panel.limit is not None:
        at = left + limit
        # beside the bars only, so that it strikes through no label
        rows = range(1, len(panel.bars) + 1)
        marks = "".join(f"M{at:.1f} {begin + ROW * row - BAR - 2:.1f}v{BAR + 4}" for row in rows)
        parts.append(f'<path d="{marks}" stroke="{colours.ink}" stroke-width="1.5"/>')
        top += 22
        anchor = "end" if at > left + room * 0.6 else "start"
        parts.append(_text(at, top, "| " + panel.limit[1], colours.muted, anchor=anchor))
    return parts, top


class _Scale:
    """From a value to a length in pixels; the longest bar leaves room for its text."""

    def __init__(self, panel: Panel, room: float) -> None:
        self._log = panel.log
        ends = [bar.spread[1] if bar.spread else bar.value for bar in panel.bars]
        most = max([*ends, panel.limit[0] if panel.limit else 0.0, 1e-9])
        self._low = min([bar.value for bar in panel.bars if bar.value > 0], default=1.0) / 2
        text = max([0, *(len(bar.text) for bar in panel.bars)]) * TEXT * 0.58 + 8
        self._room = max(room * 0.3, room - text)
        self._most = most

    def __call__(self, value: float) -> float:
        if self._log:
            span = math.log(max(self._most / self._low, 1.001))
            return self._room * max(0.0, math.log(max(value, self._low) / self._low) / span)
        return self._room * max(0.0, value) / self._most


def wrap(words: str, room: float, size: float) -> list[str]:
    """Return ``words`` in lines that fit ``room`` pixels at a type of ``size``, about."""
    most = max(8, int(room / (size * 0.6)))
    lines: list[str] = []
    for word in words.split():
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def _text(
    x: float, y: float, words: str, colour: str, size: int = TEXT, *, weight: int = 400,
    anchor: str = "start",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def _hatch(colours: Palette) -> str:
    """Return the pattern that tells what is static from the rest without its colour."""
    return (
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="6" height="6" fill="{colours.warm_wash}"/>'
        f'<rect width="2" height="6" fill="{colours.warm}"/></pattern></defs>'
    )
