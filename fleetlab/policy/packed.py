"""Placement by the packing policies, on a fleet whose jobs come and go.

``fleetlab.policy.packing`` scores nodes by what lies on each GPU. Here its state is
kept beside the fleet's, so that dot-product, clustering, packing and FGD serve
in the event loop what they serve in the packing experiment.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from fleetlab.fleet import Fleet, Held, Occupancy, Parts, bits_of
from fleetlab.job import NODE, JobTable
from fleetlab.policy.fits import best_fit, capable, that_hold
from fleetlab.policy.fragmentation import typical_tasks
from fleetlab.policy.pack_state import WHOLE_MILLI, Allocation, Node, Pod, Task
from fleetlab.policy.packing import Packer
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Shape

PACKED = {"dot-product": "dotprod", "clustering": "clustering", "packing": "packing", "fgd": "fgd"}
"""Placements of this module, and what ``fleetlab.policy.packing`` calls them."""


def popular_tasks(jobs: JobTable, fleet: Fleet) -> list[tuple[Task, int]]:
    """Return the most popular requests of ``jobs`` with their counts: what FGD expects to come.

    A gang larger than a node counts as a whole node.
    """
    size = fleet.gpus_per_node
    columns = (jobs.gpus, jobs.gpu_milli, jobs.needs_class)
    return typical_tasks(
        Task(0, min(gpus, size), milli, _models(needs, fleet))
        for gpus, milli, needs in zip(*(column.tolist() for column in columns), strict=True)
    )


def _models(needs_class: int, fleet: Fleet) -> tuple[str, ...]:
    classes = len(fleet.class_masks)
    return tuple(str(number) for number in range(needs_class, classes)) if needs_class else ()


class PackedOccupancy(Occupancy):
    """What of a fleet is free, with a packing policy's own state kept current beside it.

    ``packer`` decides; rows of its state are the nodes' numbers. Raises ValueError for
    GPUs that are only counted, and for FGD without ``tasks``.
    """

    def __init__(self, fleet: Fleet, placement: str, tasks: Sequence[tuple[Task, int]]) -> None:
        if not fleet.numbered:
            raise ValueError(
                f"placement: {placement} looks at single GPUs, and those of a node of "
                f"{fleet.gpus_per_node} are only counted; choose another placement or fleet"
            )
        super().__init__(fleet)
        self.placement = placement
        self.tasks = tasks
        digits = len(str(fleet.nodes))
        nodes = [
            Node(f"{node:0{digits}}", 0, 0, fleet.gpus_per_node, str(fleet.class_of(node)))
            for node in range(fleet.nodes)
        ]
        self._packer = Packer(nodes, PACKED[placement], tasks=tasks)
        self._changes: dict[tuple[int, int, int, int], int] = {}

    def empty(self) -> PackedOccupancy:
        return PackedOccupancy(self.fleet, self.placement, self.tasks)

    def take(self, parts: Parts) -> Held:
        held = super().take(parts)
        self._note(held, +1)
        return held

    def release(self, held: Held) -> None:
        super().release(held)
        self._note(held, -1)

    def retake(self, held: Held) -> None:
        super().retake(held)
        self._note(held, +1)

    def take_share(self, node: int, gpu: int, milli: int) -> None:
        super().take_share(node, gpu, milli)
        self._note([(node, 1, 1 << gpu)], +1, milli)

    def release_share(self, node: int, gpu: int, milli: int) -> None:
        super().release_share(node, gpu, milli)
        self._note([(node, 1, 1 << gpu)], -1, milli)

    def _note(self, held: Held, change: int, milli: int = WHOLE_MILLI) -> None:
        """Keep for the packer what was taken or released; of what was undone it never hears."""
        changes = self._changes
        for part in held:
            key = (*part, milli)
            total = changes.get(key, 0) + change
            if total:
                changes[key] = total
            else:
                del changes[key]

    @property
    def packer(self) -> Packer:
        """The policy at work, which has heard of every change; of releases first."""
        for (node, count, bits, milli), total in sorted(self._changes.items(), key=itemgetter(1)):
            pod = Pod("", 0, 0, count, milli)
            name = self._packer.state.nodes[node].name
            allocation = Allocation(pod, node, name, tuple(bits_of(bits)))
            for _ in range(abs(total)):
                if total < 0:
                    self._packer.release(allocation)
                else:
                    self._packer.take(allocation)
        self._changes.clear()
        return self._packer

    def _has_room(self, shape: Shape, within: int) -> bool:
        usable = capable(shape, self, within)
        if usable & that_hold(shape, self):
            return True
        shared = self.shares[bisect_left(self.shares, (shape.gpu_milli, -1, -1)) :]
        return any(usable >> node & 1 for _, node, _ in shared)

    def best(self, shape: Shape, within: int) -> Allocation | None:
        """Return where the policy puts ``shape`` on one node of ``within`` (0: any), or None."""
        if shape.gpus > self.fleet.gpus_per_node or not self._has_room(shape, within):
            return None
        gpus = self.fleet.gpus_per_node if shape.whole_nodes else shape.gpus
        models = _models(shape.needs_class, self.fleet)
        decision = self.packer.place(Pod("", 0, 0, gpus, shape.gpu_milli, models), within)
        return decision if isinstance(decision, Allocation) else None


def packed(
    shape: Shape, occupancy: Occupancy, rng: np.random.Generator, within: int = 0
) -> Parts | Refusal:
    """Return the node that the packing policy of ``occupancy`` scores highest.

    Ties go to the lowest number. A gang that no single node could hold, or that may
    lie anywhere and finds no node, goes by best fit.
    """
    if shape.gpus > occupancy.free_total:
        return Refusal.TOO_FEW_FREE
    assert isinstance(occupancy, PackedOccupancy)  # the engine saw to it
    found = occupancy.best(shape, within)
    if found is not None:
        return [(found.row, found.pod.gpus)]
    if shape.span == NODE:
        return Refusal.NO_NODE_HOLDS_IT
    return best_fit(shape, occupancy, rng, within)
