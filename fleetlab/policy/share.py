"""Where a job goes that needs only part of one GPU."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from fleetlab.fleet import Occupancy, bits_of
from fleetlab.job import NODE
from fleetlab.policy.fits import best_fit, first_fit, lowest, worst_fit
from fleetlab.policy.packed import PackedOccupancy
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Shape


def place_share(
    shape: Shape, occupancy: Occupancy, rng: np.random.Generator, policy: str
) -> tuple[int, int] | Refusal:
    """Return (node, GPU) for a job that needs only part of one GPU.

    A packing policy chooses by its own score. Best fit takes the shared GPU with the
    least room that suffices and opens a whole one only when none does; worst fit opens
    whole ones first; random draws evenly from both.
    """
    fleet, milli = occupancy.fleet, shape.gpu_milli
    if isinstance(occupancy, PackedOccupancy):
        found = occupancy.best(shape, 0)
        return (found.row, found.gpus[0]) if found is not None else Refusal.TOO_FEW_FREE
    capable = fleet.class_masks[shape.needs_class]
    shared = occupancy.shares[bisect_left(occupancy.shares, (milli, -1, -1)) :]
    if shape.needs_class:
        shared = [share for share in shared if capable >> share[1] & 1]
    if policy == "random":
        whole = [
            (1000, node, gpu)
            for node in bits_of(capable)
            for gpu in bits_of(occupancy.free_bits[node])
        ]
        every = shared + whole
        return every[int(rng.integers(len(every)))][1:] if every else Refusal.TOO_FEW_FREE
    one = Shape(1, span=NODE, needs_class=shape.needs_class)
    if policy == "worst-fit":
        opened = worst_fit(one, occupancy, rng)
        if isinstance(opened, Refusal):
            return shared[-1][1:] if shared else opened
    elif shared:
        return min(share[1:] for share in shared) if policy == "first-fit" else shared[0][1:]
    else:
        opened = (first_fit if policy == "first-fit" else best_fit)(one, occupancy, rng)
        if isinstance(opened, Refusal):
            return opened
    node = opened[0][0]
    return node, lowest(occupancy.free_bits[node])
