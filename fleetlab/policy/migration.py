"""Defragmenting migration: whether moving running jobs to make room for a gang pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetlab.log import Cause
from fleetlab.policy.preemption import Victim, choose

if TYPE_CHECKING:
    from fleetlab.attempts import Attempts

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Drain:
    """Moving ``moved_gpus`` busy GPUs, each standing still ``pause_ms``, to use ``idle_gpus``."""

    moved_gpus: int
    pause_ms: int
    idle_gpus: int

    @property
    def cost_gpu_ms(self) -> int:
        """The work that the moved GPUs do not do meanwhile."""
        return self.moved_gpus * self.pause_ms

    @property
    def payback_ms(self) -> int:
        """How long the idle GPUs must work until that is made good, rounded up."""
        return -(-self.cost_gpu_ms // self.idle_gpus)

    def cost_dollars(self, gpu_hour_dollars: float) -> float:
        """Return what the pause costs: GPUs x hours x price."""
        return self.cost_gpu_ms / HOUR_MS * gpu_hour_dollars

    def idle_dollars_an_hour(self, gpu_hour_dollars: float) -> float:
        """Return what the idle GPUs burn in an hour."""
        return self.idle_gpus * gpu_hour_dollars


def plan_drain(attempts: Attempts, job: int, moved: set[int]) -> tuple[Drain, list[Victim]] | None:
    """Return what to move so that ``job``, kept waiting by holes alone, can start; or None.

    The node or block is drained where the fewest busy GPUs must move. Only jobs of no
    higher priority move, each once (``moved``), and a job that was moved moves nobody. None
    too when enough are not free, or when it would pay later than the policy allows.
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
    chosen = choose(engine, job, movable)
    if not chosen:
        return None
    busy = sum(victim.cost_gpu_ms for victim in chosen)
    drain = Drain(busy, policy.migration_pause_ms, idle)
    return (drain, chosen) if drain.payback_ms <= policy.migration_payback_ms else None
