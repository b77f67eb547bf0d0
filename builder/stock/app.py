# The stock page's app: one slider, one choice, one heatmap of 1,024 cells, with pandas, as
# `panel convert` ships it.
import numpy
import pandas  # noqa: F401
import panel
from bokeh.models import ColumnDataSource, LinearColorMapper
from bokeh.plotting import figure
from panel.io.pyodide import init_doc, write_doc

init_doc()
load = panel.widgets.IntSlider(name="Cluster load", start=0, end=100, value=90)
placement = panel.widgets.RadioButtonGroup(options=["Best-fit", "Random"])
column, row = numpy.meshgrid(numpy.arange(64), numpy.arange(16))
busy = numpy.random.default_rng(1).random(column.size)
cells = ColumnDataSource({"x": column.ravel(), "y": row.ravel(), "busy": busy})
colour = {"field": "busy", "transform": LinearColorMapper(palette="Viridis256", low=0, high=1)}
heatmap = figure(width=700, height=260)
heatmap.rect("x", "y", 1, 1, source=cells, fill_color=colour, line_color=None)
panel.Column("# Lab", load, placement, heatmap).servable()
await write_doc()  # noqa: F704
