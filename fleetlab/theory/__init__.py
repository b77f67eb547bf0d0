"""Closed forms and exact small algorithms that the simulation is held against."""
