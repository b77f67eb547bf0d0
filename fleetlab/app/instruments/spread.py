"""The pair's mean waits seed by seed: how much of a figure is chance."""

from __future__ import annotations

from collections.abc import Sequence

from bokeh.models import ColumnDataSource, FixedTicker, Range1d

from fleetlab.app.instruments.axes import bare_figure, paint_axes
from fleetlab.app.palette import Palette
from fleetlab.app.parts.fragmentation_words import Replica
from fleetlab.wording import duration

LEAST_S = 0.1
TICKS_S = (0.1, 1, 10, 60, 600, 3600, 36_000, 360_000, 3_600_000)


class Spread:
    """A dot a seed on a logarithmic scale of waits; two rows, told apart by place and mark."""

    def __init__(self) -> None:
        self._near = ColumnDataSource({"x": [], "y": []})
        self._any = ColumnDataSource({"x": [], "y": []})
        self.view = bare_figure(
            "spread",
            x_axis_type="log",
            x_range=Range1d(0.5, 100_000),
            y_range=Range1d(-0.6, 1.6),
            height=150,
        )
        self._near_glyph = self.view.scatter("x", "y", source=self._near, size=11, alpha=0.75)
        self._any_glyph = self.view.scatter(
            "x", "y", source=self._any, size=11, marker="diamond", alpha=0.75
        )
        self.view.ygrid.visible = False
        axis = self.view.xaxis[0]
        axis.ticker = FixedTicker(ticks=list(TICKS_S))
        axis.major_label_overrides = {tick: duration(tick).replace(".0", "") for tick in TICKS_S}
        self.view.yaxis.ticker = FixedTicker(ticks=[0, 1])

    def paint(self, colours: Palette) -> None:
        """Draw in the colours of a theme."""
        self._near_glyph.glyph.update(fill_color=colours.warm, line_color=colours.card)
        self._any_glyph.glyph.update(fill_color=colours.action, line_color=colours.card)
        paint_axes(self.view, colours)

    def show(self, replicas: Sequence[Replica], names: tuple[str, str]) -> None:
        """Draw the seeds there are so far; a wait below a tenth of a second is drawn at that."""
        near = [max(LEAST_S, replica.near_s) for replica in replicas]
        anywhere = [max(LEAST_S, replica.anywhere_s) for replica in replicas]
        nudge = [0.12 * ((number % 3) - 1) for number in range(len(replicas))]
        self._near.data = {"x": near, "y": [1 + shift for shift in nudge]}
        self._any.data = {"x": anywhere, "y": list(nudge)}
        self.view.yaxis.major_label_overrides = {1: names[0], 0: names[1]}
        if near:
            self.view.x_range.update(
                start=max(LEAST_S / 2, min(near + anywhere) / 3), end=max(near + anywhere) * 3
            )
        self.view.visible = bool(replicas)
