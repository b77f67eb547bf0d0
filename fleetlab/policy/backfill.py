"""One pass of the scheduler: start the head of the queue, then let others pass it or not.

``none`` nobody; ``skip`` whoever fits (the head may starve); ``easy`` whoever
fits and does not delay the head's reservation (Lifka, JSSPP 1995; Mu'alem and
Feitelson, IEEE TPDS 12(6), 2001, section 2.2); ``conservative`` whoever delays
nobody ahead of it (ibid., section 2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetlab.fleet import Held, Parts, bits_of
from fleetlab.job import BLOCK, FLEET, NODE
from fleetlab.policy.conservative import fill_conservative
from fleetlab.policy.refusal import OF_THE_OWNER, Refusal
from fleetlab.policy.shape import Shape

if TYPE_CHECKING:
    from fleetlab.engine.event_loop import Engine


OF_THE_PLACE = (
    Refusal.NO_NODE_HOLDS_IT,
    Refusal.NO_BLOCK_HOLDS_IT,
    Refusal.TOO_FEW_WHOLE_NODES,
)
"""Reasons that stay as long as the free GPUs only shrink."""


@dataclass
class Reservation:
    """When and where the head will start: by ``time_ms``, on ``nodes`` (one bit each).

    ``spare`` GPUs of those nodes (or whole nodes, if ``whole``) are left over
    then; a job that outlasts ``time_ms`` may use that many and no more.
    ``everywhere`` says that no GPU of the fleet lies outside ``nodes``.
    """

    time_ms: int
    nodes: int
    spare: int
    whole: bool
    everywhere: bool = False

    def use_of(self, parts: Parts) -> int:
        """Return how much of ``spare`` a job on ``parts`` would use up."""
        inside = [count for node, count in parts if self.nodes >> node & 1]
        return len(inside) if self.whole else sum(inside)


def fill_none(engine: Engine) -> None:
    """Let nobody pass: the head of the queue holds up all behind it."""
    if engine.waiting.head() != engine.stuck:
        engine.serve_head()


def fill_skip(engine: Engine) -> None:
    """Start every waiting job that fits, in order, whatever it does to the head."""
    if not engine.serve_head():
        return
    refused: dict[int, Refusal] = {}
    occupancy, shapes, told = engine.occupancy, engine.shapes, engine.reasons
    room = occupancy.largest_gang()
    for job in engine.waiting.behind_the_head(room):
        shape = shapes[job]
        reason = refused.get(id(shape))
        if reason is None:
            if shape.gpus > room:
                continue
            reason = engine.try_start(job)
            if not reason:
                room = occupancy.largest_gang()
                continue
            # within one pass the free GPUs only shrink: what was refused once stays refused
            if reason not in OF_THE_OWNER:
                refused[id(shape)] = reason
        if reason is not told[job] or engine.mechanisms is not None:
            engine.refuse(job, reason)


def fill_easy(engine: Engine) -> None:
    """Start waiting jobs that end before the head's reservation, or need only what it spares."""
    if not engine.serve_head():
        return
    waiting, shapes, now = engine.waiting, engine.shapes, engine.now
    occupancy, estimates = engine.occupancy, engine.estimate_ms
    if waiting.smallest() > occupancy.largest_gang():
        return
    head = waiting.head()
    reservation = reserve(engine, head)
    by_ms, delays = None, Refusal.WOULD_DELAY_THE_HEAD
    if reservation is not None:
        by_ms = reservation.time_ms
        engine.promise(head, by_ms)
    # by shape: equal shapes are one object, and its id is quicker to look up than its value
    refused: dict[int, Refusal] = {}
    no_room: dict[int, Refusal] = {}  # the same for jobs that outlast the reservation
    told = engine.reasons
    room = occupancy.largest_gang()
    for job in waiting.behind_the_head(room):
        shape = shapes[job]
        reason = refused.get(id(shape))
        if reason is None:
            if shape.gpus > room:
                continue
            reason = delays
            if by_ms is None or now + estimates[job] <= by_ms:
                reason = engine.try_start(job, by_ms)
                if reason and reason is not delays and reason not in OF_THE_OWNER:
                    refused[id(shape)] = reason
            if (
                reason is delays
                and reservation is not None
                and not (reservation.everywhere and shape.gpus > reservation.spare)
            ):
                reason = no_room.get(id(shape)) or _start_beside(engine, job, reservation)
                if reason in OF_THE_PLACE:
                    no_room[id(shape)] = reason
            if not reason:
                room = occupancy.largest_gang()
                if not room:
                    break
                continue
        if reason is not told[job] or engine.mechanisms is not None:
            engine.refuse(job, reason, head)


def _start_beside(engine: Engine, job: int, reservation: Reservation) -> Refusal:
    """Start a job that outlasts the reservation if the head loses nothing by it."""
    if engine.shapes[job].gpu_milli < 1000:
        return _share_beside(engine, job, reservation)
    parts = engine.find(job)
    if isinstance(parts, Refusal):
        return parts
    use = reservation.use_of(parts)
    if use > reservation.spare:
        elsewhere = engine.fleet.class_masks[0] & ~reservation.nodes
        if not elsewhere:
            return Refusal.WOULD_DELAY_THE_HEAD
        parts = engine.find(job, elsewhere)
        if isinstance(parts, Refusal):
            return Refusal.WOULD_DELAY_THE_HEAD
        use = 0
    reservation.spare -= use
    engine.start(job, parts)
    return Refusal.NONE


def _share_beside(engine: Engine, job: int, reservation: Reservation) -> Refusal:
    """Start a job that needs part of a GPU, unless that opens a GPU the head needs."""
    where = engine.find_share(job)
    if isinstance(where, Refusal):
        return where
    node, gpu = where
    opens = bool(engine.occupancy.free_bits[node] >> gpu & 1)
    use = reservation.use_of([(node, 1)]) if opens else 0
    # a share on a GPU that the head counts on keeps that GPU from becoming whole
    if use > reservation.spare or (not opens and reservation.nodes >> node & 1):
        return Refusal.WOULD_DELAY_THE_HEAD
    reservation.spare -= use
    engine.start_share(job, node, gpu)
    return Refusal.NONE


def reserve(engine: Engine, head: int) -> Reservation | None:
    """Return the earliest reservation for ``head`` if running jobs end when estimated.

    Looks at ends in order of time until one node, one block or the whole fleet
    (as the head's span asks) has room. None when the running jobs alone never
    make room.
    """
    shape, now, fleet = engine.shapes[head], engine.now, engine.fleet
    if fleet.nodes == 1 and not engine.shared and not shape.whole_nodes:
        return _reserve_in_pool(engine, shape)
    size, need = fleet.gpus_per_node, shape.gpus
    width = {NODE: 1, BLOCK: fleet.nodes_per_block, FLEET: fleet.nodes}[shape.span]
    capable = fleet.class_masks[shape.needs_class]
    picky, whole = shape.needs_class > 0, shape.whole_nodes > 0
    free = engine.occupancy.free.copy() if whole else []  # nodes become whole piece by piece
    room = _room_now(engine, shape, capable)
    left: dict[tuple[int, int], int] = {}
    held = engine.held
    found, time_ms = -1, 0
    for expected, job in engine.running:
        if found >= 0 and max(expected, now) > time_ms:
            break
        for node, count, _ in held[job] if job in held else _last_share(engine, job, left):
            if picky and not capable >> node & 1:
                continue
            if whole:
                free[node] += count
                count = size if free[node] == size else 0
            group = node // width
            room[group] += count
            if found < 0 and room[group] >= need:
                found, time_ms = group, max(expected, now)
    if found < 0:
        return None
    nodes = capable & (((1 << width) - 1) << found * width)
    spare = room[found] - need
    if whole:
        nodes = sum(1 << node for node in bits_of(nodes) if free[node] == size)
        return Reservation(time_ms, nodes, spare // size, True)
    return Reservation(time_ms, nodes, spare, False, nodes == fleet.class_masks[0])


def _reserve_in_pool(engine: Engine, shape: Shape) -> Reservation | None:
    free, need, time_ms = engine.occupancy.free_total, shape.gpus, -1
    for expected, job in engine.running:
        if time_ms >= 0 and expected > time_ms:
            break
        free += engine.held[job][0][1]
        if free >= need and time_ms < 0:
            time_ms = max(expected, engine.now)
    return Reservation(time_ms, 1, free - need, False, True) if time_ms >= 0 else None


def _last_share(engine: Engine, job: int, left: dict[tuple[int, int], int]) -> Held:
    """Return the GPU that is whole again once ``job`` has given its share of it back, or nothing.

    ``left`` keeps the thousandths that those who ended before have left free.
    """
    node, gpu = engine.shared[job]
    room = left.get((node, gpu), -1)
    if room < 0:
        room = engine.occupancy.share_left(node, gpu)
    room += engine.shapes[job].gpu_milli
    left[node, gpu] = room
    return [(node, 1, 0)] if room == 1000 else []


def _room_now(engine: Engine, shape: Shape, capable: int) -> list[int]:
    """Return the GPUs that ``shape`` could use now, by node, block or fleet as its span asks."""
    occupancy, size = engine.occupancy, engine.fleet.gpus_per_node
    groups = {NODE: occupancy.node_bit, BLOCK: occupancy.block_nodes}.get(shape.span, [capable])
    if shape.whole_nodes:
        whole = occupancy.nodes_by_free[size] & capable
        return [(whole & nodes).bit_count() * size for nodes in groups]
    if shape.needs_class:
        free = occupancy.free
        return [sum(free[node] for node in bits_of(nodes & capable)) for nodes in groups]
    if shape.span == NODE:
        return occupancy.free.copy()
    return occupancy.block_free.copy() if shape.span == BLOCK else [occupancy.free_total]


BACKFILLS: dict[str, Callable[[Engine], None]] = {
    "none": fill_none,
    "skip": fill_skip,
    "easy": fill_easy,
    "conservative": fill_conservative,
}
