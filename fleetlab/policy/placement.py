"""Placements by name: where a gang goes, nodes and how many GPUs of each, or why it cannot.

Fits (``fits``) look at what is free, packing policies (``packed``) at what lies on
each GPU; those here at how far apart a gang would lie.
"""

from __future__ import annotations

import numpy as np

from fleetlab.fleet import Occupancy, Parts, bits_of
from fleetlab.job import BLOCK, NODE
from fleetlab.policy.fits import (
    best_fit,
    capable,
    first_fit,
    gather,
    random_fit,
    refuse,
    worst_fit,
)
from fleetlab.policy.packed import packed
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Place, Shape, tightened


def contiguous(
    shape: Shape, occupancy: Occupancy, rng: np.random.Generator, within: int = 0
) -> Parts | Refusal:
    """Return a place in the smallest unit that could ever hold the gang: one node, else one block.

    This is best fit with the gang's span tightened, so it waits where others
    would spread.
    """
    return best_fit(tightened(shape, occupancy.fleet), occupancy, rng, within)


def topology_aware(
    shape: Shape, occupancy: Occupancy, rng: np.random.Generator, within: int = 0
) -> Parts | Refusal:
    """Return the place with the fewest hops now: one node, else one block, else fewest blocks.

    It prefers and does not insist: where no closer place is free it takes a
    wider one, unless the gang's own span forbids it.
    """
    gpus = shape.gpus
    if gpus > occupancy.free_total:
        return Refusal.TOO_FEW_FREE
    fleet = occupancy.fleet
    if gpus <= fleet.gpus_per_node or shape.span == NODE:
        found = best_fit(shape._replace(span=NODE), occupancy, rng, within)
        if shape.span == NODE or not isinstance(found, Refusal):
            return found
    if gpus <= fleet.gpus_per_block or shape.span == BLOCK:
        found = best_fit(shape._replace(span=BLOCK), occupancy, rng, within)
        if shape.span == BLOCK or not isinstance(found, Refusal):
            return found
    if shape.whole_nodes:
        return best_fit(shape, occupancy, rng, within)
    within = capable(shape, occupancy, within)
    parts: Parts = []
    left = gpus
    for count in range(fleet.gpus_per_block, 0, -1):
        for block in bits_of(occupancy.blocks_by_free[count]):
            nodes = within & occupancy.block_nodes[block]
            piece = gather(occupancy, left, nodes, range(fleet.gpus_per_node, 0, -1))
            parts.extend(piece)
            left -= sum(taken for _, taken in piece)
            if not left:
                return parts
    return refuse(shape, occupancy)


PLACEMENTS: dict[str, Place] = {
    "random": random_fit,
    "first-fit": first_fit,
    "best-fit": best_fit,
    "worst-fit": worst_fit,
    "contiguous": contiguous,
    "topology-aware": topology_aware,
    "dot-product": packed,
    "clustering": packed,
    "packing": packed,
    "fgd": packed,
}
