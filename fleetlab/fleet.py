"""The fleet: blocks of nodes of GPUs, and what of them is free.

``Fleet`` is the hardware, a fact. ``Occupancy`` is what is free now. It is
indexed by how much is free (one bit a node, one integer a count), so that a
placement asks "which nodes have exactly five free?" without a search; a million
jobs on a hundred thousand GPUs go through it one by one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

# Above this a node's GPUs are counted and not numbered: a log entry holds a
# node's GPUs as the bits of one 64-bit integer.
NUMBERED_GPUS = 62
MAX_GPUS = 1_000_000

Parts = list[tuple[int, int]]
"""An allocation asked for: (node, GPUs of it) by node."""
Held = list[tuple[int, int, int]]
"""An allocation held: (node, GPUs of it, their bits; 0 where they are only counted)."""


@dataclass(frozen=True)
class Fleet:
    """``blocks`` leaf blocks of ``nodes_per_block`` nodes of ``gpus_per_node`` GPUs.

    ``class_counts`` says how many nodes of each block are of each capability
    class, lowest first; empty means one class. Raises ValueError when a number
    is impossible.
    """

    blocks: int
    nodes_per_block: int
    gpus_per_node: int
    class_counts: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in ("blocks", "nodes_per_block", "gpus_per_node"):
            number = getattr(self, name)
            if not (hasattr(number, "__index__") and number >= 1):
                raise ValueError(f"fleet: {name} is {number}; it must be 1 or more, and whole")
        if self.gpus > MAX_GPUS:
            raise ValueError(f"fleet: {self.gpus} GPUs; at most {MAX_GPUS} can be simulated")
        if self.class_counts and sum(self.class_counts) != self.nodes_per_block:
            raise ValueError(
                f"fleet: the classes {self.class_counts} add up to {sum(self.class_counts)} nodes "
                f"a block, and a block has {self.nodes_per_block}"
            )

    @classmethod
    def parse(cls, text: str) -> Fleet:
        """Return the fleet that ``text`` names: ``8x8x8``, ``8x16x1@9,5,2`` or ``256``.

        A bare number is a pool: one node whose GPUs are all alike. Raises
        ValueError, with the form expected, for anything else.
        """
        match = re.fullmatch(
            r"(\d{1,7})x(\d{1,7})x(\d{1,7})(?:@(\d+(?:,\d+){0,7}))?", text, re.ASCII
        )
        if match:
            blocks, nodes, gpus = (int(match[i]) for i in (1, 2, 3))
            classes = tuple(int(n) for n in match[4].split(",")) if match[4] else ()
            return cls(blocks, nodes, gpus, classes)
        if re.fullmatch(r"\d{1,7}", text, re.ASCII):
            return cls.pool(int(text))
        raise ValueError(
            f"fleet: {text[:40]!r} is not a fleet; write BLOCKSxNODESxGPUS as in 8x8x8, "
            "or a number of GPUs"
        )

    @classmethod
    def pool(cls, gpus: int) -> Fleet:
        """Return a fleet without topology: one node with all ``gpus``."""
        return cls(1, 1, gpus)

    def __str__(self) -> str:
        classes = "@" + ",".join(map(str, self.class_counts)) if self.class_counts else ""
        return f"{self.blocks}x{self.nodes_per_block}x{self.gpus_per_node}{classes}"

    @property
    def nodes(self) -> int:
        return self.blocks * self.nodes_per_block

    @property
    def gpus(self) -> int:
        return self.blocks * self.nodes_per_block * self.gpus_per_node

    @property
    def gpus_per_block(self) -> int:
        return self.nodes_per_block * self.gpus_per_node

    @property
    def numbered(self) -> bool:
        """Whether GPUs have numbers (and a log says which), or are only counted."""
        return self.gpus_per_node <= NUMBERED_GPUS

    def block_of(self, node: int) -> int:
        """Return the block that ``node`` lies in."""
        return node // self.nodes_per_block

    def class_of(self, node: int) -> int:
        """Return the capability class of ``node``, 0 the lowest."""
        place = node % self.nodes_per_block
        for number, count in enumerate(self.class_counts):
            if place < count:
                return number
            place -= count
        return 0

    def hops(self, nodes: list[int]) -> int:
        """Return how far apart ``nodes`` lie: 0 in one node, 1 in one block, 3 over the spine."""
        if len(nodes) < 2:
            return 0
        return 1 if len({self.block_of(node) for node in nodes}) == 1 else 3

    @cached_property
    def class_masks(self) -> tuple[int, ...]:
        """For each class the nodes at least that capable, one bit a node."""
        count = max(1, len(self.class_counts))
        masks = [0] * count
        for node in range(self.nodes):
            for number in range(self.class_of(node) + 1):
                masks[number] |= 1 << node
        return tuple(masks)


def bits_of(mask: int) -> Iterator[int]:
    """Yield the numbers of the set bits of ``mask``, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def lowest_bits(mask: int, count: int) -> int:
    """Return the ``count`` lowest set bits of ``mask``."""
    rest = mask
    for _ in range(count):
        rest &= rest - 1
    return mask ^ rest


class Occupancy:
    """What of a fleet is free, kept current by ``take`` and ``release``.

    ``free[node]``, ``free_bits[node]``, ``block_free[block]`` and
    ``block_whole[block]`` (nodes entirely free) are plain lists;
    ``nodes_by_free[k]`` has a bit for every node with exactly ``k`` free GPUs,
    ``blocks_by_free`` and ``blocks_by_whole`` likewise for blocks.
    ``pool`` is whether there is but one node, ``classes`` the number of
    capability classes. ``shares`` lists the GPUs given out in part, as (free
    thousandths, node, gpu), least free first.
    """

    def __init__(self, fleet: Fleet) -> None:
        size, width = fleet.gpus_per_node, fleet.nodes_per_block
        self.fleet = fleet
        self.pool = fleet.nodes == 1
        self.classes = len(fleet.class_masks)
        self.free_total = fleet.gpus
        self.free = [size] * fleet.nodes
        self.free_bits = [(1 << size) - 1 if fleet.numbered else 0] * fleet.nodes
        self.block_free = [fleet.gpus_per_block] * fleet.blocks
        self.block_whole = [width] * fleet.blocks
        everything = (1 << fleet.nodes) - 1
        self.nodes_by_free = [0] * size + [everything]
        self.blocks_by_free = [0] * fleet.gpus_per_block + [(1 << fleet.blocks) - 1]
        self.blocks_by_whole = [0] * width + [(1 << fleet.blocks) - 1]
        self.node_bit = [1 << node for node in range(fleet.nodes)]
        self.block_bit = [1 << block for block in range(fleet.blocks)]
        self.block_nodes = [((1 << width) - 1) << (block * width) for block in range(fleet.blocks)]
        self.shares: list[tuple[int, int, int]] = []
        self._left: dict[tuple[int, int], int] = {}

    def empty(self) -> Occupancy:
        """Return the same fleet with nothing on it."""
        return Occupancy(self.fleet)

    def take(self, parts: Parts) -> Held:
        """Take the lowest free GPUs of each node in ``parts`` and return what is held.

        Raises ValueError if a node has fewer free than asked: a policy that
        books a GPU twice is a defect, and must not pass.
        """
        held: Held = []
        for node, count in parts:
            if self.free[node] < count:
                raise ValueError(f"node {node} has {self.free[node]} free, {count} were taken")
            bits = 0
            if self.free_bits[node]:
                bits = lowest_bits(self.free_bits[node], count)
                self.free_bits[node] ^= bits
            self._move(node, -count)
            held.append((node, count, bits))
        return held

    def release(self, held: Held) -> None:
        """Give back what ``take`` returned."""
        for node, count, bits in held:
            self.free_bits[node] |= bits
            self._move(node, count)

    def retake(self, held: Held) -> None:
        """Take back just the GPUs that ``release`` gave (for a search that tries and undoes)."""
        for node, count, bits in held:
            self.free_bits[node] ^= bits
            self._move(node, -count)

    def _move(self, node: int, change: int) -> None:
        """Change the free count of ``node``, and every index that shows it."""
        before = self.free[node]
        after = before + change
        self.free[node] = after
        self.free_total += change
        bit, by_free = self.node_bit[node], self.nodes_by_free
        by_free[before] ^= bit
        by_free[after] ^= bit
        block = node // self.fleet.nodes_per_block
        block_bit, held = self.block_bit[block], self.block_free[block]
        self.block_free[block] = held + change
        self.blocks_by_free[held] ^= block_bit
        self.blocks_by_free[held + change] ^= block_bit
        size = self.fleet.gpus_per_node
        if (before == size) != (after == size):
            whole = self.block_whole[block]
            step = 1 if after == size else -1
            self.block_whole[block] = whole + step
            self.blocks_by_whole[whole] ^= block_bit
            self.blocks_by_whole[whole + step] ^= block_bit

    def take_share(self, node: int, gpu: int, milli: int) -> None:
        """Take ``milli`` thousandths of one GPU; a whole free GPU is opened for it."""
        bit = 1 << gpu
        if self.free_bits[node] & bit:
            self.free_bits[node] ^= bit
            self._move(node, -1)
            left = 1000
        else:
            left = self.share_left(node, gpu)
            del self.shares[bisect_left(self.shares, (left, node, gpu))]
        if left < milli:
            raise ValueError(f"GPU {gpu} of node {node} has {left} thousandths free, not {milli}")
        insort(self.shares, (left - milli, node, gpu))
        self._left[node, gpu] = left - milli

    def release_share(self, node: int, gpu: int, milli: int) -> None:
        """Give back a share; a GPU with nothing left on it is whole again."""
        left = self.share_left(node, gpu)
        del self.shares[bisect_left(self.shares, (left, node, gpu))]
        if left + milli == 1000:
            del self._left[node, gpu]
            self.free_bits[node] |= 1 << gpu
            self._move(node, 1)
        else:
            insort(self.shares, (left + milli, node, gpu))
            self._left[node, gpu] = left + milli

    def share_left(self, node: int, gpu: int) -> int:
        """Return the free thousandths of a GPU that is given out in part."""
        if (node, gpu) not in self._left:
            raise ValueError(f"GPU {gpu} of node {node} is not shared")
        return self._left[node, gpu]

    def most_in_a_node(self, needs_class: int = 0) -> int:
        """Return the most GPUs free in one node of at least that class."""
        capable = self.fleet.class_masks[needs_class]
        for count in range(self.fleet.gpus_per_node, 0, -1):
            if self.nodes_by_free[count] & capable:
                return count
        return 0

    def free_of_class(self, needs_class: int) -> int:
        """Return the GPUs free on nodes of at least that class."""
        if not needs_class:
            return self.free_total
        return sum(self.free[node] for node in bits_of(self.fleet.class_masks[needs_class]))

    def largest_gang(self) -> int:
        """Return how many GPUs a gang may ask for at most: all free, or a share of one."""
        return self.free_total or int(bool(self.shares) and self.shares[-1][0] > 0)

    def whole_nodes(self) -> int:
        """Return the number of nodes entirely free."""
        return self.nodes_by_free[self.fleet.gpus_per_node].bit_count()
