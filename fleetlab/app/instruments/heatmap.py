"""ClusterHeatmap: every GPU by job, holes hatched, one job lit up whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.core.properties import value
from bokeh.events import Tap
from bokeh.models import ColumnDataSource, Text

from fleetlab.analysis.moment import Moment
from fleetlab.app.instruments.axes import bare_figure
from fleetlab.app.palette import FONT, Palette
from fleetlab.app.session import Session
from fleetlab.fleet import Fleet

CELL = 0.86
LABEL_ROOM = 1.75
GAP = 1.6
STACK_GAP = 0.4
WIDE, NARROW = 1.75, 0.95
"""The picture is this many times as wide as high, unless a fleet needs far less height."""
ROOM = 1.2
"""How much of the height may stay empty before the picture is made lower."""


@dataclass(frozen=True)
class Layout:
    """Where every GPU is drawn: centres ``x`` and ``y``, sides ``size``, block labels."""

    x: Any
    y: Any
    size: Any
    label_x: list[float]
    label_y: list[float]
    width: float
    height: float

    @classmethod
    def of(cls, fleet: Fleet, narrow: bool) -> Layout:
        """Return the layout of ``fleet``, about as wide as the room it has."""
        columns, rows = fleet.gpus_per_node, fleet.nodes_per_block
        if columns == 1:
            columns = math.ceil(math.sqrt(rows))
            rows = math.ceil(rows / columns)
        elif rows == 1:
            total = columns
            columns = math.ceil(math.sqrt(total * (1 if narrow else 2)))
            rows = math.ceil(total / columns)
        # narrow nodes stand in several stacks, so that a block is about as wide as high
        stacks = max(1, round(math.sqrt(rows / columns)))
        stack, rows = columns, math.ceil(rows / stacks)
        wide = stacks * stack + (stacks - 1) * STACK_GAP
        aspect = NARROW if narrow else WIDE
        across = _across(fleet.blocks, wide, rows, aspect)
        down = math.ceil(fleet.blocks / across)
        gpus = np.arange(fleet.gpus)
        block, inside = gpus // fleet.gpus_per_block, gpus % fleet.gpus_per_block
        row = inside // stack
        left = (block % across) * (wide + GAP) + row // rows * (stack + STACK_GAP)
        top = (block // across) * (rows + GAP + LABEL_ROOM - 1)
        size = np.full(fleet.gpus, CELL)
        if fleet.class_counts:
            classes = np.array([fleet.class_of(node) for node in range(fleet.nodes)])
            size = CELL * (0.55 + 0.45 * classes / max(1, len(fleet.class_counts) - 1))
        numbers = np.arange(fleet.blocks)
        return cls(
            x=left + inside % stack + 0.5,
            y=-(top + row % rows + LABEL_ROOM),
            size=size,
            label_x=((numbers % across) * (wide + GAP)).tolist(),
            label_y=(-(numbers // across) * (rows + GAP + LABEL_ROOM - 1) - 0.6).tolist(),
            width=across * (wide + GAP) - GAP,
            height=down * (rows + GAP + LABEL_ROOM - 1) - GAP + LABEL_ROOM,
        )


def _across(blocks: int, columns: float, rows: int, aspect: float) -> int:
    """Return how many blocks stand side by side so that cells are largest at ``aspect``."""

    def scale(across: int) -> float:
        width = across * (columns + GAP) - GAP
        down = math.ceil(blocks / across)
        height = down * (rows + GAP + LABEL_ROOM - 1)
        # a full last row and a full width are worth a little size
        filled = width >= 0.85 * aspect * height
        return min(aspect / width, 1 / height) * (0.93 if blocks % across or not filled else 1.0)

    return max(range(1, blocks + 1), key=lambda across: (scale(across), -across))


class ClusterHeatmap:
    """The fleet as a picture; a click on a GPU asks ``session`` about the job there."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._layout: Layout | None = None
        self._key: tuple[str, bool] = ("", False)
        empty: dict[str, list[float]] = {"x": [], "y": [], "w": [], "h": []}
        self._slots = ColumnDataSource(dict(empty))
        self._busy = ColumnDataSource(empty | {"tone": []})
        self._holes = ColumnDataSource(dict(empty))
        self._marks = ColumnDataSource(dict(empty))
        self._lit = ColumnDataSource(dict(empty))
        self._labels = ColumnDataSource({"x": [], "y": [], "text": []})
        self.view = bare_figure(
            "cluster-heatmap", x_range=(-0.4, 10), y_range=(-10, 0), aspect_ratio=WIDE
        )
        self.view.axis.visible = False
        self.view.grid.visible = False
        place = {"x": "x", "y": "y", "width": "w", "height": "h"}
        self._slot_glyph = self.view.rect(**place, source=self._slots, line_width=1)
        self._busy_glyph = self.view.rect(
            **place, source=self._busy, fill_color="tone", line_color=None
        )
        self._hole_glyph = self.view.rect(
            **place,
            source=self._holes,
            line_width=1,
            line_alpha=0.75,
            hatch_pattern="right_diagonal_line",
            hatch_scale=7,
            hatch_weight=1,
            hatch_alpha=0.9,
        )
        self._mark_glyph = self.view.rect(
            **place,
            source=self._marks,
            fill_color=None,
            line_color=None,
            hatch_pattern="right_diagonal_line",
            hatch_scale=11,
            hatch_weight=1.5,
        )
        self._lit_glyph = self.view.rect(**place, source=self._lit, fill_color=None, line_width=2.5)
        self._label_glyph = self.view.add_glyph(
            self._labels,
            Text(x="x", y="y", text="text", text_font_size="11px", text_baseline="middle"),
        )
        self.view.on_event(Tap, self._tap)

    def arrange(self, fleet: Fleet, narrow: bool, block: str) -> None:
        """Lay the fleet out for the room there is."""
        key = (f"{fleet} {block}", narrow)
        if key == self._key:
            return
        self._key = key
        layout = self._layout = Layout.of(fleet, narrow)
        self._slots.data = {"x": layout.x, "y": layout.y, "w": layout.size, "h": layout.size}
        # a phone has room for the noun alone
        noun = block.split(" of ")[0].split()[-1] if narrow else block
        short = noun if fleet.blocks <= 16 else ""
        self._labels.data = {
            "x": layout.label_x,
            "y": layout.label_y,
            "text": [f"{short} {number + 1}".strip() for number in range(fleet.blocks)],
        }
        aspect = NARROW if narrow else WIDE
        natural = round((layout.width + 0.4) / (layout.height + 0.2), 2)
        if natural > aspect * ROOM:
            aspect = natural
        width = max(layout.width + 0.4, (layout.height + 0.2) * aspect)
        height = width / aspect
        # what is left over stays at the right and below, where the eye does not begin
        self.view.x_range.update(start=-0.2, end=width - 0.2)
        self.view.y_range.update(start=-height, end=0)
        self.view.aspect_ratio = aspect

    def paint(self, colours: Palette) -> None:
        """Draw in the colours of a theme."""
        self._slot_glyph.glyph.update(fill_color=colours.card, line_color=colours.line)
        self._hole_glyph.glyph.update(
            fill_color=colours.warm_wash, line_color=colours.warm, hatch_color=colours.warm
        )
        # on the tones of jobs the pale warm is what is seen
        self._mark_glyph.glyph.update(hatch_color=colours.warm_mark)
        self._lit_glyph.glyph.update(line_color=colours.ink)
        self._label_glyph.glyph.update(text_color=colours.muted, text_font=value(FONT))

    def show(self, moment: Moment, job: int, colours: Palette, marked: Any | None = None) -> None:
        """Draw one instant, with ``job`` lit up.

        Hatched are the holes, or, over the tones of their jobs, the GPUs of the mask ``marked``.
        """
        layout = self._layout
        if layout is None:
            return
        owner, used = occupied(moment)
        busy = np.flatnonzero(used > 0)
        share = used[busy] / 1000
        tones = np.array(colours.tones)[owner[busy] % len(colours.tones)]
        side = layout.size[busy]
        self._busy.data = {
            "x": layout.x[busy],
            "y": layout.y[busy] - side * (1 - share) / 2,
            "w": side,
            "h": side * share,
            "tone": tones.tolist(),
        }
        nodes = np.arange(len(used)) // moment.run.fleet.gpus_per_node
        holes = (used == 0) & moment.hole_nodes[nodes] if marked is None else np.zeros_like(used)
        self._holes.data = self._cells(np.flatnonzero(holes), layout)
        marks = np.zeros_like(used) if marked is None else marked
        self._marks.data = self._cells(np.flatnonzero(marks), layout)
        self._lit.data = self._cells(np.flatnonzero((owner == job) & (used > 0)), layout)

    @staticmethod
    def _cells(gpus: Any, layout: Layout) -> dict[str, Any]:
        return {
            "x": layout.x[gpus],
            "y": layout.y[gpus],
            "w": layout.size[gpus],
            "h": layout.size[gpus],
        }

    def _tap(self, event: Tap) -> None:
        layout = self._layout
        if layout is None or event.x is None or event.y is None:
            return
        distance = np.maximum(abs(layout.x - event.x), abs(layout.y - event.y))
        nearest = int(np.argmin(distance))
        if distance[nearest] <= 0.75:
            self._touched(nearest)

    def _touched(self, gpu: int) -> None:
        """Ask about the job on a GPU; on a free one, about the head of the queue."""
        moment = self._session.moment
        if moment is None:
            return
        job = int(occupied(moment)[0][gpu])
        if job < 0 and moment.state.waiting:
            job = moment.state.waiting[0]
        if job >= 0:
            self._session.ask(job)


def occupied(moment: Moment) -> tuple[Any, Any]:
    """Return by GPU its job (-1: none) and how many thousandths of it are taken.

    A pool's GPUs are counted and not numbered; they are drawn filled from the first.
    """
    state, fleet = moment.state, moment.run.fleet
    if fleet.numbered:
        return state.owner, state.used_milli
    owner = np.full(fleet.gpus, -1, dtype=np.int64)
    used = np.zeros(fleet.gpus, dtype=np.int64)
    spans = moment.run.spans
    at = 0
    for row in np.flatnonzero(
        (spans.begin_ms <= state.time_ms) & (spans.end_ms > state.time_ms)
    ).tolist():
        count = int(spans.what[row])
        owner[at : at + count], used[at : at + count] = spans.job[row], 1000
        at += count
    return owner, used
