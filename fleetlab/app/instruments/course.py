"""The course of a run: one quantity over simulated time, and where the reader looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import panel as pn
from bokeh.core.properties import value
from bokeh.models import BasicTicker, ColumnDataSource, LogTicker, Range1d, Span

from fleetlab.app.instruments.axes import bare_figure, paint_axes
from fleetlab.app.palette import FONT, Palette

HEIGHT = 170
ROWS = 25
"""Instants in the table of a course, its ends among them."""


@dataclass(frozen=True)
class Course:
    """A line over hours: ``lines`` are pieces drawn apart, each as (hours, values).

    ``marks`` are points worth seeing (interruptions), ``limit`` a value to hold to, with
    its words; ``log`` for values of many magnitudes; ``beside`` a line to compare with.
    """

    lines: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
    marks: tuple[tuple[float, float], ...]
    hours: float
    low: float
    high: float
    label: str
    limit: tuple[float, str] | None = None
    log: bool = False
    beside: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())


class CourseChart:
    """The line of a ``Course`` with a cursor at the moment that is looked at."""

    def __init__(self) -> None:
        self._line = ColumnDataSource({"xs": [], "ys": []})
        self._beside = ColumnDataSource({"x": [], "y": []})
        self._marks = ColumnDataSource({"x": [], "y": []})
        self._words = ColumnDataSource({"x": [], "y": [], "text": []})
        self.views = {
            False: bare_figure(
                "course", height=HEIGHT, x_range=Range1d(0, 1), y_range=Range1d(0, 1)
            ),
            True: bare_figure(
                "course-log", height=HEIGHT, x_range=Range1d(0, 1), y_range=Range1d(1, 10),
                y_axis_type="log",
            ),
        }  # fmt: skip
        self._cursors, self._limits, self._glyphs = {}, {}, {}
        for log, view in self.views.items():
            view.xgrid.visible = False
            view.xaxis.axis_label = "hours"
            view.yaxis.ticker = (
                LogTicker(desired_num_ticks=4) if log else BasicTicker(desired_num_ticks=4)
            )
            cursor = Span(location=0, dimension="height", line_width=1.5)
            limit = Span(location=0, dimension="width", line_width=1.5, line_dash="dashed")
            view.add_layout(cursor)
            view.add_layout(limit)
            self._cursors[log], self._limits[log] = cursor, limit
            self._glyphs[log] = (
                view.line("x", "y", source=self._beside, line_width=1.5, line_dash="dashed"),
                view.multi_line("xs", "ys", source=self._line, line_width=2),
                view.scatter("x", "y", source=self._marks, size=8, marker="inverted_triangle"),
                view.text(
                    "x", "y", "text", source=self._words, text_baseline="bottom",
                    text_font_size="12px", text_font=value(FONT),
                ),
            )  # fmt: skip
        self.view = pn.Column(*self.views.values(), sizing_mode="stretch_width", margin=0)

    def paint(self, colours: Palette) -> None:
        """Draw in the colours of a theme."""
        for log, view in self.views.items():
            paint_axes(view, colours)
            beside, line, marks, words = self._glyphs[log]
            beside.glyph.line_color = colours.muted
            line.glyph.line_color = colours.action
            marks.glyph.update(fill_color=colours.warm, line_color=colours.card)
            words.glyph.text_color = colours.muted
            self._cursors[log].line_color = colours.ink
            self._limits[log].line_color = colours.warm

    def show(self, course: Course) -> None:
        """Draw a run's course."""
        view = self.views[course.log]
        for log, other in self.views.items():
            other.visible = log == course.log
        view.x_range.update(start=0, end=course.hours)
        view.y_range.update(start=course.low, end=course.high)
        view.yaxis.axis_label = course.label
        self._line.data = {
            "xs": [list(hours) for hours, _ in course.lines],
            "ys": [list(values) for _, values in course.lines],
        }
        self._marks.data = {"x": [x for x, _ in course.marks], "y": [y for _, y in course.marks]}
        self._beside.data = dict(zip(("x", "y"), map(list, course.beside), strict=True))
        limit = self._limits[course.log]
        limit.visible = course.limit is not None
        if course.limit is None:
            self._words.data = {"x": [], "y": [], "text": []}
            return
        limit.location = course.limit[0]
        self._words.data = {
            "x": [course.hours * 0.01], "y": [course.limit[0]], "text": [course.limit[1]],
        }  # fmt: skip

    def look(self, hours: float) -> None:
        """Move the cursor."""
        for cursor in self._cursors.values():
            cursor.location = hours


def course_table(course: Course) -> list[list[str]]:
    """Return a course as rows: at evenly set hours the line's value and the marks before it.

    The names of the columns come first. Between two points of a line its value is
    interpolated; where no piece of it lies it has none.
    """
    heads = ["hours", course.label]
    if course.marks:
        heads.append("interruptions so far")
    at = np.linspace(0.0, course.hours, ROWS)
    values = np.full(ROWS, np.nan)
    for hours, heights in course.lines:
        if hours:
            there = (at >= hours[0]) & (at <= hours[-1])
            values[there] = np.interp(at[there], hours, heights)
    rows = [heads]
    for hour, height in zip(at.tolist(), values.tolist(), strict=True):
        row = [f"{hour:.1f}", "–" if np.isnan(height) else f"{height:,.1f}"]
        if course.marks:
            row.append(str(sum(x <= hour for x, _ in course.marks)))
        rows.append(row)
    return rows
