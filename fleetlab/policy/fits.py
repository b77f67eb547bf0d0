"""Fits: where a gang goes by how much each node and block has free.

Every one is total: of equally good nodes the lowest number is taken, so the
same job on the same fleet always lands on the same GPUs. Only ``random`` draws,
from the generator it is given.
"""

from __future__ import annotations

import numpy as np

from fleetlab.fleet import Occupancy, Parts, bits_of
from fleetlab.job import BLOCK, FLEET, NODE
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Shape


def refuse(shape: Shape, occupancy: Occupancy) -> Refusal:
    """Return the first reason, from the plainest, why ``shape`` finds no place."""
    if shape.gpus > occupancy.free_total:
        return Refusal.TOO_FEW_FREE
    if shape.needs_class and occupancy.free_of_class(shape.needs_class) < shape.gpus:
        return Refusal.NO_CAPABLE_DEVICE
    if shape.whole_nodes:
        return Refusal.TOO_FEW_WHOLE_NODES
    return Refusal.NO_NODE_HOLDS_IT if shape.span == NODE else Refusal.NO_BLOCK_HOLDS_IT


def lowest(mask: int) -> int:
    """Return the number of the lowest set bit of ``mask``."""
    return (mask & -mask).bit_length() - 1


def _nth(mask: int, number: int) -> int:
    for position, bit in enumerate(bits_of(mask)):
        if position == number:
            return bit
    raise IndexError(number)


def gather(
    occupancy: Occupancy, gpus: int, within: int, counts: range, one_node_first: bool = False
) -> Parts:
    """Return ``gpus`` GPUs from the nodes of ``within``, free counts in the order of ``counts``."""
    parts: Parts = []
    by_free = occupancy.nodes_by_free
    if one_node_first:
        for count in range(gpus, occupancy.fleet.gpus_per_node + 1):
            nodes = by_free[count] & within
            if nodes:
                return [(lowest(nodes), gpus)]
    for count in counts:
        nodes = by_free[count] & within
        if not nodes:
            continue
        for node in bits_of(nodes):
            if one_node_first and count > gpus:
                # the last piece goes where it leaves the least
                return parts + gather(occupancy, gpus, within, counts, True)
            taken = min(count, gpus)
            parts.append((node, taken))
            gpus -= taken
            within ^= occupancy.node_bit[node]
            if not gpus:
                return parts
    return parts


def capable(shape: Shape, occupancy: Occupancy, within: int) -> int:
    """Return the nodes of ``within`` (0: any) that are capable enough for ``shape``."""
    everything = occupancy.fleet.class_masks[shape.needs_class]
    return everything & within if within else everything


def _whole(
    shape: Shape, occupancy: Occupancy, within: int, emptiest_block: bool
) -> Parts | Refusal:
    """Return whole nodes for ``shape``: of one block when its span says so."""
    size = occupancy.fleet.gpus_per_node
    need = -(-shape.gpus // size)
    free = occupancy.nodes_by_free[size] & within
    if shape.span == FLEET:
        if free.bit_count() < need:
            return refuse(shape, occupancy)
        chosen: list[int] = []
        # whole blocks first, then the fullest of the rest: fewest blocks, least left over
        for block in _blocks_by_whole(occupancy, need, emptiest_block):
            for node in bits_of(free & occupancy.block_nodes[block]):
                chosen.append(node)
                if len(chosen) == need:
                    return [(n, size) for n in chosen]
        return refuse(shape, occupancy)
    for count in range(need, occupancy.fleet.nodes_per_block + 1):
        for block in bits_of(occupancy.blocks_by_whole[count]):
            nodes = free & occupancy.block_nodes[block]
            if nodes.bit_count() >= need:
                return [(node, size) for _, node in zip(range(need), bits_of(nodes), strict=False)]
    return refuse(shape, occupancy)


def _blocks_by_whole(occupancy: Occupancy, need: int, emptiest: bool) -> list[int]:
    """Return blocks with free whole nodes: one that holds the need first, then the emptiest."""
    width = occupancy.fleet.nodes_per_block
    order: list[int] = []
    if not emptiest:
        for count in range(need, width + 1):
            order.extend(bits_of(occupancy.blocks_by_whole[count]))
    for count in range(width, 0, -1):
        if emptiest or count < need:
            order.extend(bits_of(occupancy.blocks_by_whole[count]))
    return order


def _block_with_room(shape: Shape, occupancy: Occupancy, within: int, counts: range) -> int:
    """Return the first block, by free GPUs in ``counts``, that holds ``shape``; or -1."""
    by_free, free = occupancy.blocks_by_free, occupancy.free
    restricted = within != occupancy.fleet.class_masks[0]
    for count in counts:
        for block in bits_of(by_free[count]):
            if not restricted:
                return block
            nodes = within & occupancy.block_nodes[block]
            if sum(free[node] for node in bits_of(nodes)) >= shape.gpus:
                return block
    return -1


def best_fit(
    shape: Shape, occupancy: Occupancy, rng: np.random.Generator, within: int = 0
) -> Parts | Refusal:
    """Return the place that leaves the least behind.

    A gang of one node goes to the node with the fewest free GPUs that hold it;
    a gang of one block to the fullest such block; a gang that may lie anywhere
    fills the smallest holes first.
    """
    gpus = shape.gpus
    if gpus > occupancy.free_total:
        return Refusal.TOO_FEW_FREE
    if occupancy.pool and not shape.whole_nodes:
        return [(0, gpus)]
    size = occupancy.fleet.gpus_per_node
    if shape.span == NODE and not within and not shape.whole_nodes and occupancy.classes == 1:
        by_free = occupancy.nodes_by_free
        for count in range(gpus, size + 1):
            if by_free[count]:
                nodes = by_free[count]
                return [((nodes & -nodes).bit_length() - 1, gpus)]
        return Refusal.NO_NODE_HOLDS_IT
    within = capable(shape, occupancy, within)
    if occupancy.classes > 1:
        return _least_capable(shape, occupancy, within)
    return _tightest(shape, occupancy, within)


def _tightest(shape: Shape, occupancy: Occupancy, within: int) -> Parts | Refusal:
    """Return the place in ``within`` that leaves the least behind."""
    gpus, size = shape.gpus, occupancy.fleet.gpus_per_node
    if shape.whole_nodes:
        return _whole(shape, occupancy, within, emptiest_block=False)
    if shape.span == NODE:
        return _one_node(shape, occupancy, within, range(gpus, size + 1))
    if shape.span == BLOCK:
        counts = range(gpus, occupancy.fleet.gpus_per_block + 1)
        block = _block_with_room(shape, occupancy, within, counts)
        if block < 0:
            return refuse(shape, occupancy)
        nodes = within & occupancy.block_nodes[block]
        return gather(occupancy, gpus, nodes, range(size, 0, -1), one_node_first=True)
    return _anywhere(shape, occupancy, within, range(1, size + 1))


def _one_node(shape: Shape, occupancy: Occupancy, within: int, counts: range) -> Parts | Refusal:
    for count in counts:
        nodes = occupancy.nodes_by_free[count] & within
        if nodes:
            return [(lowest(nodes), shape.gpus)]
    return refuse(shape, occupancy)


def _anywhere(shape: Shape, occupancy: Occupancy, within: int, counts: range) -> Parts | Refusal:
    parts = gather(occupancy, shape.gpus, within, counts)
    if sum(count for _, count in parts) < shape.gpus:
        return refuse(shape, occupancy)
    return parts


def _least_capable(shape: Shape, occupancy: Occupancy, within: int) -> Parts | Refusal:
    """Return a place on the least capable devices that can run ``shape``: the rest is left."""
    masks = occupancy.fleet.class_masks
    for number in range(shape.needs_class, len(masks)):
        above = masks[number + 1] if number + 1 < len(masks) else 0
        found = _tightest(shape, occupancy, within & ~above)
        if not isinstance(found, Refusal):
            return found
    return refuse(shape, occupancy)


def first_fit(
    shape: Shape, occupancy: Occupancy, rng: np.random.Generator, within: int = 0
) -> Parts | Refusal:
    """Return the lowest-numbered nodes that hold the gang."""
    gpus = shape.gpus
    if gpus > occupancy.free_total:
        return Refusal.TOO_FEW_FREE
    within = capable(shape, occupancy, within)
    by_free, size = occupancy.nodes_by_free, occupancy.fleet.gpus_per_node
    if shape.span == NODE:
        nodes = within & that_hold(shape, occupancy)
        return [(lowest(nodes), _taken(shape, size))] if nodes else refuse(shape, occupancy)
    least = size if shape.whole_nodes else 1
    usable = 0
    for count in range(least, size + 1):
        usable |= by_free[count]
    usable &= within
    spans = (
        [usable]
        if shape.span == FLEET
        else [usable & nodes for nodes in occupancy.block_nodes if usable & nodes]
    )
    for nodes in spans:
        parts: Parts = []
        left = gpus
        for node in bits_of(nodes):
            taken = size if shape.whole_nodes else min(occupancy.free[node], left)
            parts.append((node, taken))
            left -= taken
            if left <= 0:
                return parts
    return refuse(shape, occupancy)


def worst_fit(
    shape: Shape, occupancy: Occupancy, rng: np.random.Generator, within: int = 0
) -> Parts | Refusal:
    """Return the place with the most room: load is spread, and holes with it."""
    gpus = shape.gpus
    if gpus > occupancy.free_total:
        return Refusal.TOO_FEW_FREE
    within = capable(shape, occupancy, within)
    size = occupancy.fleet.gpus_per_node
    if shape.whole_nodes:
        return _whole(shape, occupancy, within, emptiest_block=True)
    if shape.span == NODE:
        return _one_node(shape, occupancy, within, range(size, gpus - 1, -1))
    if shape.span == BLOCK:
        counts = range(occupancy.fleet.gpus_per_block, gpus - 1, -1)
        block = _block_with_room(shape, occupancy, within, counts)
        if block < 0:
            return refuse(shape, occupancy)
        within &= occupancy.block_nodes[block]
    return _anywhere(shape, occupancy, within, range(size, 0, -1))


def random_fit(
    shape: Shape, occupancy: Occupancy, rng: np.random.Generator, within: int = 0
) -> Parts | Refusal:
    """Return a place drawn evenly from those that hold the gang, blind to what it breaks up."""
    gpus = shape.gpus
    if gpus > occupancy.free_total:
        return Refusal.TOO_FEW_FREE
    within = capable(shape, occupancy, within)
    by_free, size = occupancy.nodes_by_free, occupancy.fleet.gpus_per_node
    if shape.span == NODE:
        nodes = within & that_hold(shape, occupancy)
        if not nodes:
            return refuse(shape, occupancy)
        return [(_nth(nodes, int(rng.integers(nodes.bit_count()))), _taken(shape, size))]
    if shape.span == BLOCK:
        blocks = [
            block
            for block, nodes in enumerate(occupancy.block_nodes)
            if _room(shape, occupancy, within & nodes) >= gpus
        ]
        if not blocks:
            return refuse(shape, occupancy)
        within &= occupancy.block_nodes[blocks[int(rng.integers(len(blocks)))]]
    if _room(shape, occupancy, within) < gpus:
        return refuse(shape, occupancy)
    if shape.whole_nodes:
        whole = list(bits_of(by_free[size] & within))
        chosen = rng.permutation(len(whole))[: -(-gpus // size)]
        return [(whole[i], size) for i in sorted(chosen.tolist())]
    # every free GPU is as likely as any other
    owners = [n for n in bits_of(within) for _ in range(occupancy.free[n])]
    counts: dict[int, int] = {}
    for index in rng.permutation(len(owners))[:gpus].tolist():
        counts[owners[index]] = counts.get(owners[index], 0) + 1
    return sorted(counts.items())


def that_hold(shape: Shape, occupancy: Occupancy) -> int:
    """Return the nodes that hold a gang of one node."""
    size, nodes = occupancy.fleet.gpus_per_node, 0
    for count in range(_taken(shape, size), size + 1):
        nodes |= occupancy.nodes_by_free[count]
    return nodes


def _taken(shape: Shape, size: int) -> int:
    """Return the GPUs that a gang of one node takes of it."""
    return size if shape.whole_nodes else shape.gpus


def _room(shape: Shape, occupancy: Occupancy, nodes: int) -> int:
    """Return the GPUs of ``nodes`` that ``shape`` could use."""
    size = occupancy.fleet.gpus_per_node
    if shape.whole_nodes:
        return (occupancy.nodes_by_free[size] & nodes).bit_count() * size
    return sum(occupancy.free[node] for node in bits_of(nodes))
