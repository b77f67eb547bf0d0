"""One choice swept over its range: static and elastic side by side, with the closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import panel as pn
from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, FixedTicker, Range1d, Span

from fleetlab.app.instruments.axes import bare_figure, paint_axes
from fleetlab.app.palette import FONT, Palette

HEIGHT = 260


@dataclass(frozen=True)
class Point:
    """What several seeds measured at one place of the axis: their mean, least and greatest."""

    at: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class SweepView:
    """Two rows of points over an axis with named ticks, a curve, and a value to hold to.

    ``here`` is where on the axis the reader's own choice stands.
    """

    static: tuple[Point, ...]
    elastic: tuple[Point, ...]
    curve: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[float, str], ...]
    x_label: str
    y_label: str
    low: float
    high: float
    here: float
    limit: tuple[float, str] | None = None
    log: bool = False


class Converge:
    """The chart of a ``SweepView``: diamonds static, circles elastic, whiskers over seeds."""

    def __init__(self) -> None:
        names = ("static", "elastic")
        self._points = {name: ColumnDataSource({"x": [], "y": []}) for name in names}
        self._spread = {name: ColumnDataSource({"x": [], "low": [], "high": []}) for name in names}
        self._curve = ColumnDataSource({"x": [], "y": []})
        self._words = ColumnDataSource({"x": [], "y": [], "text": []})
        self.views = {
            log: bare_figure(
                f"converge{'-log' * log}", height=HEIGHT, x_range=Range1d(0, 1),
                y_range=Range1d(1, 10), y_axis_type="log" if log else "linear",
            )
            for log in (False, True)
        }  # fmt: skip
        self._glyphs, self._limits, self._here = {}, {}, {}
        for log, view in self.views.items():
            view.xgrid.visible = False
            view.xaxis.ticker = FixedTicker(ticks=[0, 1])
            limit = Span(location=0, dimension="width", line_width=1.5, line_dash="dotted")
            here = Span(location=0, dimension="height", line_width=1, line_dash="dotted")
            view.add_layout(limit)
            view.add_layout(here)
            self._limits[log], self._here[log] = limit, here
            self._glyphs[log] = {
                "curve": view.line("x", "y", source=self._curve, line_width=2, line_dash="dashed"),
                **{
                    f"{name} spread": view.segment(
                        "x", "low", "x", "high", source=self._spread[name], line_width=2
                    )
                    for name in names
                },
                "static": view.scatter(
                    "x", "y", source=self._points["static"], size=12, marker="diamond"
                ),
                "elastic": view.scatter("x", "y", source=self._points["elastic"], size=10),
                "words": view.text(
                    "x", "y", "text", source=self._words, text_baseline="bottom",
                    text_font_size="12px", text_font=value(FONT),
                ),
            }  # fmt: skip
        self.view = pn.Column(*self.views.values(), sizing_mode="stretch_width", margin=0)

    def paint(self, colours: Palette) -> None:
        """Draw in the colours of a theme."""
        for log, view in self.views.items():
            paint_axes(view, colours)
            glyphs = self._glyphs[log]
            tones = {"static": colours.warm, "elastic": colours.action}
            for name, tone in tones.items():
                glyphs[name].glyph.update(fill_color=tone, line_color=colours.card)
                glyphs[f"{name} spread"].glyph.line_color = tone
            glyphs["curve"].glyph.line_color = colours.ink
            glyphs["words"].glyph.text_color = colours.muted
            self._limits[log].line_color = colours.muted
            self._here[log].line_color = colours.muted

    def show(self, sweep: SweepView) -> None:
        """Draw what there is so far."""
        view = self.views[sweep.log]
        for log, other in self.views.items():
            other.visible = log == sweep.log
        first, last = sweep.ticks[0][0], sweep.ticks[-1][0]
        margin = (last - first) * 0.05 or 1
        view.x_range.update(start=first - margin, end=last + margin)
        room = 0.0 if sweep.log else (sweep.high - sweep.low) * 0.03  # for half a point on the edge
        view.y_range.update(start=sweep.low - room, end=sweep.high)
        view.xaxis.axis_label, view.yaxis.axis_label = sweep.x_label, sweep.y_label
        axis = view.xaxis[0]
        axis.ticker.ticks = [at for at, _ in sweep.ticks]
        axis.major_label_overrides = dict(sweep.ticks)
        nudge = (last - first) * 0.008
        for name, points, shift in (
            ("static", sweep.static, -nudge),
            ("elastic", sweep.elastic, nudge),
        ):
            self._put(name, points, shift, sweep.high)
        self._curve.data = {
            "x": [x for x, y in sweep.curve if y <= sweep.high],
            "y": [y for x, y in sweep.curve if y <= sweep.high],
        }
        self._here[sweep.log].location = sweep.here
        limit = self._limits[sweep.log]
        limit.visible = sweep.limit is not None
        if sweep.limit is None:
            self._words.data = {"x": [], "y": [], "text": []}
            return
        limit.location = sweep.limit[0]
        self._words.data = {"x": [first - margin], "y": [sweep.limit[0]], "text": [sweep.limit[1]]}

    def _put(self, name: str, points: Sequence[Point], shift: float, high: float) -> None:
        """Draw one row; what lies beyond the top is drawn at the top."""
        xs = [point.at + shift for point in points]
        self._points[name].data = {"x": xs, "y": [min(point.mean, high) for point in points]}
        self._spread[name].data = {
            "x": xs,
            "low": [min(point.low, high) for point in points],
            "high": [min(point.high, high) for point in points],
        }
