"""Many Scenarios at once: grids, processes, and what a figure over seeds is worth."""
