"""WaitTime_vs_MFU_Plot: every run a point, the Pareto front drawn, each leads back to its run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import panel as pn
from bokeh.events import Tap
from bokeh.models import ColumnDataSource, FixedTicker, NumeralTickFormatter, Range1d

from fleetlab.app.instruments.axes import bare_figure, paint_axes
from fleetlab.app.palette import Palette
from fleetlab.app.style import SELECT
from fleetlab.wording import duration

TICKS_S = (60, 600, 3600, 10_800, 36_000, 108_000, 360_000, 1_080_000)
LEAST_S = 30.0
FULL, FAINT = 0.8, 0.4
"""How much of a point is seen: of the work that is looked at, and of other work."""


@dataclass(frozen=True)
class Point:
    """One run: its Scenario as a query, in words, its mean wait, MFU and allocated share.

    ``work`` is what it ran: only runs of the same work tell policies apart.
    """

    query: str
    words: str
    work: Hashable
    wait_s: float
    mfu: float
    allocated: float
    worst_low_priority_s: float


def pareto(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats in both wait and MFU, the shortest wait first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (p.wait_s, -p.mfu)):
        if not front or point.mfu > front[-1].mfu:
            front.append(point)
    return front


class WaitTimeVsMfuPlot:
    """The picture and, for the keyboard, the same runs as a list; ``chosen(query)`` is called."""

    def __init__(self, chosen: Callable[[str], None]) -> None:
        self._chosen = chosen
        self._points: list[Point] = []
        self._quiet = False
        empty: dict[str, list[float]] = {"x": [], "y": [], "alpha": []}
        self._all, self._front, self._now = (ColumnDataSource(dict(empty)) for _ in range(3))
        self.plot = bare_figure(
            "wait-vs-mfu",
            x_axis_type="log",
            x_range=Range1d(LEAST_S, 1e5),
            y_range=Range1d(0, 0.45),
            height=260,
            x_axis_label="mean wait (shorter is left)",
            y_axis_label="cluster MFU",
        )
        self._line = self.plot.line("x", "y", source=self._front, line_width=2, line_dash="dashed")
        self._dots = self.plot.scatter("x", "y", source=self._all, size=10, alpha="alpha")
        self._best = self.plot.scatter("x", "y", source=self._front, size=13, marker="diamond")
        self._ring = self.plot.scatter(
            "x", "y", source=self._now, size=20, fill_color=None, line_width=2.5
        )
        axis = self.plot.xaxis[0]
        axis.ticker = FixedTicker(ticks=list(TICKS_S))
        axis.major_label_overrides = {t: duration(t).replace(".0", "") for t in TICKS_S}
        self.plot.yaxis.formatter = NumeralTickFormatter(format="0.000")
        self.plot.on_event(Tap, self._tapped)
        self.list = pn.widgets.Select(
            name="Return to a run",
            options={},
            sizing_mode="stretch_width",
            margin=(10, 0, 0, 0),
            stylesheets=[SELECT],
        )
        self.list.param.watch(self._picked, "value")
        self.view = pn.Column(
            pn.pane.Bokeh(self.plot, sizing_mode="stretch_width", margin=0),
            self.list,
            sizing_mode="stretch_width",
            margin=0,
        )

    def paint(self, colours: Palette) -> None:
        """Draw in the colours of a theme."""
        self._dots.glyph.update(fill_color=colours.tones[0], line_color=colours.card)
        self._best.glyph.update(fill_color=colours.action, line_color=colours.card)
        self._line.glyph.update(line_color=colours.action)
        self._ring.glyph.update(line_color=colours.warm)
        paint_axes(self.plot, colours)

    def show(self, points: Sequence[Point], now: str, work: Hashable) -> None:
        """Draw the runs there are, the one whose query is ``now`` with a ring around it.

        The front is that of the runs of ``work``; the others are faint.
        """
        self._points = list(points)
        self._all.data = _columns(points, work)
        self._front.data = _columns(pareto([p for p in points if p.work == work]), work)
        self._now.data = _columns([p for p in points if p.query == now], work)
        if points:
            waits, rates = [max(LEAST_S, p.wait_s) for p in points], [p.mfu for p in points]
            self.plot.x_range.update(start=min(waits) / 2, end=max(max(waits) * 2, 600))
            room = max(0.01, (max(rates) - min(rates)) * 0.15)
            self.plot.y_range.update(start=max(0, min(rates) - room), end=max(rates) + room)
        self._quiet = True
        options = {p.words: p.query for p in reversed(self._points)}
        self.list.param.update(options=options, value=now if now in options.values() else None)
        self._quiet = False

    def _picked(self, event: object) -> None:
        if not self._quiet and self.list.value:
            self._chosen(str(self.list.value))

    def _tapped(self, event: Tap) -> None:
        if event.x is None or event.y is None or event.x <= 0:
            return
        found = nearest(self._points, float(event.x), float(event.y), self._span())
        if found is not None:
            self._chosen(found.query)

    def _span(self) -> float:
        return max(1e-9, float(self.plot.y_range.end) - float(self.plot.y_range.start))


def nearest(points: Sequence[Point], wait_s: float, mfu: float, span: float) -> Point | None:
    """Return the point nearest to a click, or None when none is near.

    Waits count on the logarithmic scale they are drawn on; ``span`` is the height of the
    picture in MFU.
    """
    from math import log10

    def distance(point: Point) -> float:
        across = log10(max(LEAST_S, point.wait_s) / wait_s) / 3
        return across * across + ((point.mfu - mfu) / span) ** 2

    if not points:
        return None
    best = min(points, key=distance)
    return best if distance(best) < 0.01 else None


def _columns(points: Sequence[Point], work: Hashable) -> dict[str, list[float]]:
    return {
        "x": [max(LEAST_S, point.wait_s) for point in points],
        "y": [point.mfu for point in points],
        "alpha": [FULL if point.work == work else FAINT for point in points],
    }
