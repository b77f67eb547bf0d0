"""The page: Panel and Bokeh instruments over the engine, and their one seam to the browser."""
