"""Hold-and-wait, an anti-policy: workers of a gang start one by one, and the early ones wait.

It is what a scheduler does that places a gang's workers singly. Two gangs that
hold half each wait for ever, and the fleet is full and does nothing (Coffman et al.,
ACM Computing Surveys 3(2), 1971: hold and wait is one of a deadlock's four conditions).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleetlab.log import Event
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Shape

if TYPE_CHECKING:
    from fleetlab.engine.event_loop import Engine


def deal(free: int, wanted: Sequence[int]) -> list[int]:
    """Return how many of ``free`` GPUs each gang gets when they are dealt one at a time, in turn.

    Whoever has what it wants drops out of the round; the first in line gets the odd ones.
    """
    given = [0] * len(wanted)
    open_ = [i for i, want in enumerate(wanted) if want]
    while free and open_:
        rounds = min(free // len(open_), min(wanted[i] - given[i] for i in open_))
        if not rounds:
            for i in open_[:free]:
                given[i] += 1
            break
        for i in open_:
            given[i] += rounds
        free -= rounds * len(open_)
        open_ = [i for i in open_ if given[i] < wanted[i]]
    return given


def fill_piecemeal(engine: Engine) -> None:
    """Deal the free GPUs to the waiting gangs; start those that have all of theirs.

    A gang's span counts for nothing: its workers go where there is room. When no
    gang runs and none can be completed, the deadlock is logged, once.
    """
    occupancy = engine.occupancy
    if not occupancy.free_total:  # nobody's lot changes; who has just come must know why it waits
        for job in engine.unexplained():
            engine.refuse(job, Refusal.HOLDS_AND_WAITS)
        return
    for needs in range(occupancy.classes - 1, -1, -1):
        # whoever needs the most capable devices is dealt them before others take them
        asking = [job for job in engine.waiting if engine.shapes[job].needs_class == needs]
        _deal_to(engine, asking, needs, occupancy.free_of_class(needs))
    _detect_deadlock(engine)


def _deal_to(engine: Engine, waiting: list[int], needs: int, free: int) -> None:
    """Deal ``free`` GPUs of a class to ``waiting``; start the gangs that have all of theirs."""
    occupancy, held, gpus = engine.occupancy, engine.held, engine.gpus
    missing = [gpus[job] - sum(n for _, n, _ in held.get(job, ())) for job in waiting]
    for job, short, part in zip(waiting, missing, deal(free, missing), strict=True):
        if part:
            shape = Shape(part, needs_class=needs)
            parts = engine.place(shape, occupancy, engine.rng, 0)
            if isinstance(parts, Refusal):  # part of what is free always has a place
                raise ValueError(f"job {job} was dealt {part} GPUs that are not free")
            pieces = occupancy.take(parts)
            held.setdefault(job, []).extend(pieces)
            for node, count, bits in pieces:
                engine.log.extend((engine.now, Event.PLACE, job, node, bits or count))
        if part == short:
            engine.began(job)
        else:
            engine.refuse(job, Refusal.HOLDS_AND_WAITS)


def _detect_deadlock(engine: Engine) -> None:
    """Log that everybody who holds GPUs waits for GPUs that others hold."""
    holders = [job for job in engine.waiting if engine.held.get(job)]
    if engine.running or not holders:  # then what is free is of no use to those who wait
        return
    mechanisms = engine.mechanisms
    if mechanisms is None or mechanisms.deadlocked:
        return
    mechanisms.deadlocked = True
    gpus = sum(n for job in holders for _, n, _ in engine.held[job])
    engine.log.extend((engine.now, Event.DEADLOCK, -1, len(holders), gpus))
