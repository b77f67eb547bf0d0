"""Defragmenting migration: whether moving running jobs to make room for a gang pays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fleetlab.fleet import Parts
from fleetlab.log import Cause
from fleetlab.policy.preemption import Victim, choose, lift, put_back
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Shape
from fleetlab.policy.share import place_share

if TYPE_CHECKING:
    from fleetlab.engine.attempts import Attempts
    from fleetlab.engine.event_loop import Engine

Place = Parts | tuple[int, int]
"""Where a job goes: the nodes and GPUs of a gang, or the node and GPU of a share."""

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Drain:
    """Moving ``moved_gpus`` busy GPUs, each standing still ``pause_ms``, to use ``idle_gpus``.

    Raises ValueError for a negative number, or no idle GPU to gain.
    """

    moved_gpus: int
    pause_ms: int
    idle_gpus: int

    def __post_init__(self) -> None:
        for name, least in (("moved_gpus", 0), ("pause_ms", 0), ("idle_gpus", 1)):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"drain: {name} is {value}; give {least} or more")

    @property
    def cost_gpu_ms(self) -> int:
        """The work that the moved GPUs do not do meanwhile."""
        return self.moved_gpus * self.pause_ms

    @property
    def payback_ms(self) -> int:
        """How long the idle GPUs must work until that is made good, rounded up."""
        return -(-self.cost_gpu_ms // self.idle_gpus)

    def cost_dollars(self, gpu_hour_dollars: float) -> float:
        """Return what the pause costs: GPUs x hours x price.

        Raises ValueError for a negative price.
        """
        _check_price(gpu_hour_dollars)
        return self.cost_gpu_ms / HOUR_MS * gpu_hour_dollars

    def idle_dollars_an_hour(self, gpu_hour_dollars: float) -> float:
        """Return what the idle GPUs burn in an hour; raises ValueError for a negative price."""
        _check_price(gpu_hour_dollars)
        return self.idle_gpus * gpu_hour_dollars


def _check_price(gpu_hour_dollars: float) -> None:
    if not gpu_hour_dollars >= 0:
        raise ValueError(f"gpu_hour_dollars is {gpu_hour_dollars}; give a price of 0 or more")


@dataclass(frozen=True)
class Plan:
    """A drain worth its cost: where the gang starts, and where whom it displaces goes on."""

    drain: Drain
    place: Place
    moves: tuple[tuple[Victim, Place], ...]


def plan_drain(attempts: Attempts, job: int, moved: set[int]) -> Plan | None:
    """Return what to move so that ``job``, kept waiting by holes alone, can start; or None.

    The node or block is drained where the fewest busy GPUs must move. Only jobs of no
    higher priority move, each once (``moved``) and only if it can go on elsewhere at
    once, and a job that was moved moves nobody. None too when enough are not free, or
    when it would pay later than the policy allows.
    """
    engine = attempts.engine
    policy, idle = engine.policy, engine.occupancy.free_total
    if idle < engine.gpus[job] or job in moved:
        return None
    priority = engine.jobs.priority
    movable = sorted(
        Victim(other, Cause.MIGRATION, attempts.held_milli(other) // 1000)
        for other in attempts.running
        if other not in moved and priority[other] <= priority[job]
    )
    plans: dict[tuple[Victim, ...], Plan] = {}

    def all_go_on(victims: list[Victim]) -> bool:
        busy = sum(victim.cost_gpu_ms for victim in victims)
        places = _places(attempts, job, victims)
        if places is None:
            return False
        drain = Drain(busy, policy.migration_pause_ms, idle)
        moves = tuple(zip(victims, places[1:], strict=True))
        plans[tuple(victims)] = Plan(drain, places[0], moves)
        return drain.payback_ms <= policy.migration_payback_ms

    chosen = choose(engine, job, movable, all_go_on)
    return plans[tuple(chosen)] if chosen else None


def _places(attempts: Attempts, job: int, victims: list[Victim]) -> list[Place] | None:
    """Return where ``job`` and then each of ``victims`` would go, or None if one has no place."""
    engine, undo = attempts.engine, []
    for victim in victims:
        lift(engine, victim.job)
    places: list[Place] = []
    for other in (job, *(victim.job for victim in victims)):
        gpus = engine.gpus[other] if other == job else attempts.world_gpus(other)
        found = _take(engine, engine.shapes[other]._replace(gpus=gpus))
        if found is None:
            break
        places.append(found[0])
        undo.append(found[1])
    for step in reversed(undo):
        step()
    for victim in reversed(victims):
        put_back(engine, victim.job)
    return places if len(places) > len(victims) else None


def _take(engine: Engine, shape: Shape) -> tuple[Place, Callable[[], None]] | None:
    """Take a place for ``shape``; return it and how to give it back, or None."""
    occupancy = engine.occupancy
    if shape.gpu_milli == 1000:
        parts = engine.place(shape, occupancy, engine.rng, 0)
        if isinstance(parts, Refusal):
            return None
        return parts, partial(occupancy.release, occupancy.take(parts))
    where = place_share(shape, occupancy, engine.rng, engine.share_placement)
    if isinstance(where, Refusal):
        return None
    occupancy.take_share(*where, shape.gpu_milli)
    return where, partial(occupancy.release_share, *where, shape.gpu_milli)
