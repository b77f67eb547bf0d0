"""What a gang asks for of a fleet, and the form of the functions that find it a place."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fleetlab.fleet import Fleet, Occupancy, Parts
from fleetlab.job import BLOCK, FLEET, NODE
from fleetlab.policy.refusal import Refusal


class Shape(NamedTuple):
    """What a gang asks for: size, share of each GPU, how far apart, how capable."""

    gpus: int
    gpu_milli: int = 1000
    span: int = FLEET
    whole_nodes: int = 0
    needs_class: int = 0


Place = Callable[[Shape, Occupancy, np.random.Generator, int], "Parts | Refusal"]
"""Return the parts for a shape; the last argument masks the nodes that may be used (0: all)."""


def fits_when_empty(shape: Shape, fleet: Fleet) -> bool:
    """Return whether an empty fleet could run ``shape`` at all."""
    if shape.needs_class >= len(fleet.class_masks):
        return False
    # every block has the same classes
    capable = fleet.class_masks[shape.needs_class].bit_count() // fleet.blocks
    nodes = {NODE: min(1, capable), BLOCK: capable, FLEET: capable * fleet.blocks}[shape.span]
    return shape.gpus <= nodes * fleet.gpus_per_node


def tightened(shape: Shape, fleet: Fleet) -> Shape:
    """Return ``shape`` with the smallest span that could ever hold it.

    A gang larger than a block takes whole nodes, if it fills them.
    """
    for span in (NODE, BLOCK):
        tighter = shape._replace(span=min(shape.span, span))
        if fits_when_empty(tighter, fleet):
            return tighter
    if shape.gpus % fleet.gpus_per_node == 0:
        return shape._replace(whole_nodes=1)
    return shape
