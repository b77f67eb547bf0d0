"""What all charts have in common: a bare figure, and axes in the colours of a theme."""

from __future__ import annotations

from typing import Any

from bokeh.plotting import figure

from fleetlab.app.palette import FONT, Palette


def bare_figure(name: str, **settings: Any) -> figure:
    """Return a figure without toolbar, border or ground, as wide as its place."""
    return figure(
        sizing_mode="stretch_width",
        margin=0,
        toolbar_location=None,
        tools="",
        min_border=0,
        outline_line_color=None,
        background_fill_color=None,
        border_fill_color=None,
        name=name,
        **settings,
    )


def paint_axes(view: figure, colours: Palette) -> None:
    """Draw the axes and the grid of ``view`` in the colours of a theme."""
    view.grid.grid_line_color = colours.line
    for axis in view.axis:
        axis.update(
            axis_label_text_color=colours.muted,
            axis_label_text_font_size="12px",
            axis_label_text_font_style="normal",
            axis_label_text_font=FONT,
            major_label_text_color=colours.muted,
            axis_line_color=colours.line,
            major_tick_line_color=colours.line,
            minor_tick_line_color=None,
            major_label_text_font_size="12px",
            major_label_text_font=FONT,
        )
