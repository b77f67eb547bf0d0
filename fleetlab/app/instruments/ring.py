"""The ring of nodes as it stands: who is in it, who was taken back, and how it closes again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from bokeh.core.properties import value
from bokeh.events import Tap
from bokeh.models import ColumnDataSource

from fleetlab.app.instruments.axes import bare_figure
from fleetlab.app.palette import FONT, Palette
from fleetlab.app.slices import Clock

Floats = npt.NDArray[np.float64]

IN, SLIM, IDLE, LEAVING, AWAY = "in", "slim", "idle", "leaving", "away"
"""What a node may be: at work, at work for a smaller model, free, given notice, taken back."""

STATES = (IN, SLIM, IDLE, LEAVING, AWAY)

WORKING, PAUSED, BROKEN = "working", "paused", "broken"
WIDE, NARROW = 1.85, 0.95
HEIGHT = 324
STEP_OUT = 1.14
"""A node that is gone stands this much further out, so that the gap in the ring is seen."""

FRAMES, FRAME_MS = 5, 40
"""How many pictures, and how far apart, a change of the ring is shown in."""

RADII = ((1.0,), (1.0, 0.8), (1.0, 0.81, 0.62))


@dataclass(frozen=True)
class RingView:
    """What is drawn of one instant.

    ``states`` says by node what it is, ``circles`` on which circle it stands (0 the
    outermost), ``linked`` which nodes the ring joins, in order; it is closed while
    ``how`` is WORKING, dashed while PAUSED, open at its gaps while BROKEN. ``big`` and
    ``small`` stand in the middle; ``frame`` is the share of a picture's area that
    is drawn around them (None: there is no picture).
    """

    states: tuple[str, ...]
    circles: tuple[int, ...]
    linked: tuple[int, ...]
    how: str
    big: str
    small: str
    frame: float | None = None


@dataclass(frozen=True)
class _Drawn:
    """Where everything of one instant stands: by node its place and side, and the link's pieces.

    ``corners`` are the nodes of a closed link, in order; empty where it is open.
    """

    states: npt.NDArray[np.str_]
    places: Floats
    sides: Floats
    corners: tuple[int, ...]
    pieces: list[Floats]


class Ring:
    """The nodes around an ellipse; ``touched(node)`` is called with the one that is clicked.

    Unless ``still``, a node that goes moves out and the ring closes over its gap, in steps of
    ``clock``; a newer instant takes the place of such a movement.
    """

    def __init__(self, touched: Callable[[int], None], clock: Clock) -> None:
        self._touched, self._clock = touched, clock
        self.still = True
        self._narrow = False
        self._drawn: _Drawn | None = None
        self._movement = 0
        self._places = np.zeros((0, 2))
        dots: dict[str, list[float]] = {"x": [], "y": [], "w": [], "h": []}
        self._dots = {name: ColumnDataSource(dict(dots)) for name in STATES}
        self._link = ColumnDataSource({"xs": [], "ys": []})
        self._frame = ColumnDataSource({"w": [], "h": []})
        self._words = ColumnDataSource({"y": [], "text": [], "size": [], "weight": []})
        self.view = bare_figure(
            "ring", x_range=(-1.85, 1.85), y_range=(-1, 1), aspect_ratio=WIDE, height=HEIGHT
        )
        self.view.axis.visible = False
        self.view.grid.visible = False
        self._link_glyph = self.view.multi_line("xs", "ys", source=self._link, line_width=2)
        self._whole_glyph = self.view.rect(
            0, 0, "w", "h", source=self._frame, fill_alpha=0.16, line_width=1.5
        )
        place = {"x": "x", "y": "y", "width": "w", "height": "h"}
        self._glyphs = {
            IN: self.view.rect(**place, source=self._dots[IN], line_color=None),
            SLIM: self.view.rect(
                **place, source=self._dots[SLIM], line_width=1.5, hatch_pattern="horizontal_line",
                hatch_scale=4, hatch_weight=1.5,
            ),
            IDLE: self.view.rect(**place, source=self._dots[IDLE], line_width=1.2),
            LEAVING: self.view.rect(**place, source=self._dots[LEAVING], line_width=2.5),
            AWAY: self.view.rect(
                **place, source=self._dots[AWAY], line_width=1.2,
                hatch_pattern="right_diagonal_line", hatch_scale=5, hatch_weight=1,
            ),
        }  # fmt: skip
        self._text_glyph = self.view.text(
            0, "y", "text", source=self._words, text_align="center", text_baseline="middle",
            text_font_size="size", text_font_style="weight", text_font=value(FONT),
        )  # fmt: skip
        self.view.on_event(Tap, self._tap)

    def arrange(self, narrow: bool) -> None:
        """Draw for the room there is: an ellipse that lies, or a circle."""
        self._narrow, self._drawn = narrow, None
        aspect = NARROW if narrow else WIDE
        self.view.aspect_ratio = aspect
        self.view.x_range.update(start=-1.22 * max(aspect, 1), end=1.22 * max(aspect, 1))
        height = 1.22 * max(1.0, 1 / aspect)
        self.view.y_range.update(start=-height, end=height)

    def paint(self, colours: Palette) -> None:
        """Draw in the colours of a theme."""
        self._colours = colours
        tone = colours.tones[2] if colours.card == "#ffffff" else colours.tones[1]
        self._glyphs[IN].glyph.update(fill_color=tone)
        self._glyphs[SLIM].glyph.update(
            fill_color=colours.card, line_color=colours.action, hatch_color=colours.action
        )
        self._glyphs[IDLE].glyph.update(fill_color=colours.card, line_color=colours.muted)
        self._glyphs[LEAVING].glyph.update(fill_color=tone, line_color=colours.warm)
        self._glyphs[AWAY].glyph.update(
            fill_color=colours.warm_wash, line_color=colours.warm, hatch_color=colours.warm
        )
        self._whole_glyph.glyph.update(
            fill_color=colours.action, line_color=colours.action, line_dash="solid"
        )
        self._text_glyph.glyph.update(text_color=colours.ink)

    def show(self, ring: RingView, colours: Palette) -> None:
        """Draw one instant."""
        before, after = self._drawn, self._measure(ring)
        self._drawn = after
        self._movement += 1
        if before is not None and not self.still and _can_move(before, after):
            self._move(before, after, 1, self._movement)
        else:
            self._draw(after)
        self._link_glyph.glyph.update(
            line_color=colours.action if ring.how == WORKING else colours.warm,
            line_dash="solid" if ring.how == WORKING else "dashed",
        )
        self._draw_frame(ring)
        size = (24, 12) if self._narrow or max(ring.circles) else (34, 15)
        self._words.data = {
            "y": [0.1, -0.13],
            "text": [ring.big, ring.small],
            "size": [f"{points}px" for points in size],
            "weight": ["bold", "normal"],
        }

    def _draw_frame(self, ring: RingView) -> None:
        if ring.frame is None:
            self._frame.data = {"w": [], "h": []}
            return
        # the full picture as an outline, and in it the one that is shown: 16 to 9
        high = 0.72
        shown = high * math.sqrt(ring.frame)
        heights = [high, shown]
        self._frame.data = {"w": [h * 16 / 9 for h in heights], "h": heights}

    def _layout(self, ring: RingView) -> tuple[Floats, Floats]:
        circles = np.array(ring.circles)
        wide = 1.0 if self._narrow else WIDE * 0.93
        places = np.zeros((len(circles), 2))
        side = np.zeros(len(circles))
        radii = RADII[int(circles.max(initial=0))]
        for circle, radius in enumerate(radii):
            rows = np.flatnonzero(circles == circle)
            angles = _even_angles(len(rows), wide)
            places[rows, 0] = radius * wide * np.sin(angles)
            places[rows, 1] = radius * np.cos(angles)
            room = radius * _girth(wide) / max(1, len(rows))
            side[rows] = min(0.72 * room, 0.15)
        return places, side

    def _measure(self, ring: RingView) -> _Drawn:
        """Return where everything of an instant stands."""
        self._places, sides = self._layout(ring)
        states = np.array(ring.states)
        away = states == AWAY
        return _Drawn(
            states,
            self._places * np.where(away, STEP_OUT, 1.0)[:, None],
            np.where(away, 0.82, 1.0) * sides,
            ring.linked if ring.how != BROKEN and len(ring.linked) > 1 else (),
            [self._places[piece] for piece in _pieces(ring)],
        )

    def _move(self, before: _Drawn, after: _Drawn, frame: int, movement: int) -> None:
        if movement != self._movement:
            return
        if frame == FRAMES:
            self._draw(after)
            return
        self._draw(_between(before, after, frame / FRAMES))
        self._clock.later(FRAME_MS, lambda: self._move(before, after, frame + 1, movement))

    def _draw(self, drawn: _Drawn) -> None:
        for name, source in self._dots.items():
            rows = np.flatnonzero(drawn.states == name)
            if len(rows) or len(source.data["x"]):
                side = drawn.sides[rows]
                x, y = drawn.places[rows, 0], drawn.places[rows, 1]
                source.data = {"x": x, "y": y, "w": side, "h": side}
        self._link.data = {
            "xs": [piece[:, 0].tolist() for piece in drawn.pieces],
            "ys": [piece[:, 1].tolist() for piece in drawn.pieces],
        }

    def _tap(self, event: Tap) -> None:
        if event.x is None or event.y is None or not len(self._places):
            return
        distance = np.hypot(self._places[:, 0] - event.x, self._places[:, 1] - event.y)
        nearest = int(np.argmin(distance))
        if distance[nearest] < 0.15:
            self._touched(nearest)


def _pieces(ring: RingView) -> list[list[int]]:
    """Return the nodes of the ring as one line, or, where it is broken, as what is left of it."""
    linked = list(ring.linked)
    if len(linked) < 2:
        return []
    if ring.how != BROKEN:
        return [[*linked, linked[0]]]
    pieces = [[linked[0]]]
    for before, node in pairwise(linked):
        if node == before + 1:
            pieces[-1].append(node)
        else:
            pieces.append([node])
    if linked[0] == 0 and linked[-1] == len(ring.states) - 1:  # neighbours, over the top
        if len(pieces) == 1:
            pieces[0].append(0)
        else:
            pieces[0] = pieces.pop() + pieces[0]
    return pieces


def _can_move(before: _Drawn, after: _Drawn) -> bool:
    """Decide whether something stands elsewhere in a picture of the same nodes."""
    return len(before.states) == len(after.states) and (
        before.corners != after.corners or not np.array_equal(before.places, after.places)
    )


def _between(before: _Drawn, after: _Drawn, share: float) -> _Drawn:
    """Return the picture ``share`` of the way from one instant to another."""
    part = share * share * (3 - 2 * share)  # slow at both ends

    def mixed(one: Floats, other: Floats) -> Floats:
        return one + (other - one) * part

    pieces = after.pieces
    if before.corners and after.corners:
        corners = sorted({*before.corners, *after.corners})
        line = mixed(_closed(before, corners), _closed(after, corners))
        pieces = [np.vstack([line, line[:1]])]
    return _Drawn(
        after.states,
        mixed(before.places, after.places),
        mixed(before.sides, after.sides),
        after.corners,
        pieces,
    )


def _closed(drawn: _Drawn, corners: list[int]) -> Floats:
    """Return the places of all ``corners`` on a closed link; one it passes by is on its way."""
    at = {node: place for node, place in zip(drawn.corners, drawn.pieces[0], strict=False)}
    own = [index for index, node in enumerate(corners) if node in at]
    known = np.array([at[corners[index]] for index in own])
    return np.column_stack([
        np.interp(range(len(corners)), own, known[:, axis], period=len(corners))
        for axis in (0, 1)
    ])  # fmt: skip


def _girth(wide: float) -> float:
    """Return the length around an ellipse with half axes ``wide`` and 1 (Ramanujan 1914)."""
    part = ((wide - 1) / (wide + 1)) ** 2
    return math.pi * (wide + 1) * (1 + 3 * part / (10 + math.sqrt(4 - 3 * part)))


def _even_angles(count: int, wide: float) -> Floats:
    """Return angles from the top at which points stand equally far apart around an ellipse."""
    fine = np.linspace(0, 2 * math.pi, 2049)
    steps = np.hypot(wide * np.diff(np.sin(fine)), np.diff(np.cos(fine)))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.arange(count) / max(1, count) * along[-1]
    return np.interp(wanted, along, fine)
