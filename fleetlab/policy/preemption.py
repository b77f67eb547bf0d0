"""Whom to evict so that a waiting job can run: as few and as cheap as will do, or nobody."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetlab.fleet import bits_of
from fleetlab.job import BLOCK, NODE
from fleetlab.log import Cause
from fleetlab.policy.fits import best_fit
from fleetlab.policy.order import ORDERS, Standing, highest_priority
from fleetlab.policy.packed import PackedOccupancy
from fleetlab.policy.quota import RECLAIMABLE, borrowing_rank, reclaim_order
from fleetlab.policy.refusal import Refusal

if TYPE_CHECKING:
    from fleetlab.engine.attempts import Attempts
    from fleetlab.engine.event_loop import Engine


@dataclass(frozen=True)
class Victim:
    """A running job that may be evicted, why, and what that costs in GPU-ms.

    Of several the lowest ``turn`` goes first, then the lower cost.
    """

    job: int
    cause: Cause
    cost_gpu_ms: int
    turn: int = 0

    def __lt__(self, other: Victim) -> bool:
        mine = (self.turn, self.cost_gpu_ms, self.job)
        return mine < (other.turn, other.cost_gpu_ms, other.job)


def may_evict(attempts: Attempts, job: int) -> list[Victim]:
    """Return the running jobs that ``job`` may evict, the one to go first in front.

    By the policy's preemption: who has lower priority, or whom the order would
    serve later, unless it started overdue. Under reclaimable quota these are of its own
    tenant, and a job within its tenant's quota also takes back what others borrowed,
    from the greatest borrower first, and from none once it borrows no more.
    """
    policy, jobs = attempts.engine.policy, attempts.engine.jobs
    reclaims = policy.quota_rule == RECLAIMABLE
    owner = attempts.accounts.tenant
    if reclaims and attempts.evicted_ms.get(job) == attempts.engine.now:
        return []  # or quota and priority could evict each other in turn for ever
    found: dict[int, Victim] = {}
    if policy.preemption != "none":
        standing: Standing = highest_priority
        if policy.preemption == "order":
            standing = ORDERS[policy.order].standing or highest_priority
        own = standing(jobs, job, attempts)
        for other in attempts.running:
            if other in attempts.shielded or (reclaims and owner[other] != owner[job]):
                continue
            if own < standing(jobs, other, attempts):
                found[other] = _victim(attempts, other, Cause.PRIORITY)
    if reclaims and attempts.accounts.within_quota(job):
        for victim in _borrowed(attempts, job):
            found.setdefault(victim.job, victim)
    return sorted(found.values())


def _victim(attempts: Attempts, job: int, cause: Cause, turn: int = 0) -> Victim:
    if attempts.engine.policy.victims == "youngest":
        return Victim(job, cause, -attempts.begun_ms[job], turn)
    return Victim(job, cause, attempts.eviction_cost_gpu_ms(job), turn)


def _borrowed(attempts: Attempts, job: int) -> list[Victim]:
    accounts = attempts.accounts
    used, quota, owner = accounts.held.copy(), accounts.quota, accounts.tenant
    victims = []
    order = reclaim_order(owner[job], used, quota)
    ranks = [borrowing_rank(used[tenant], quota[tenant]) for tenant in order]
    for tenant, rank in zip(order, ranks, strict=True):
        turn = ranks.index(rank)  # who borrows alike has one turn, whatever its number
        theirs = sorted(
            _victim(attempts, other, Cause.QUOTA, turn)
            for other in attempts.running
            if owner[other] == tenant
        )
        for victim in theirs:
            if used[tenant] > quota[tenant]:
                used[tenant] -= attempts.held_milli(victim.job)
                victims.append(victim)
    return victims


def choose(
    engine: Engine,
    job: int,
    victims: Sequence[Victim],
    will_do: Callable[[list[Victim]], bool] | None = None,
) -> list[Victim] | None:
    """Return the victims to evict so that ``job`` can start at once, or None if none suffice.

    In every node or block that could hold the job (its span says which), takes
    victims in turn until it fits, then spares each that turns out not to be needed;
    the cheapest such choice that ``will_do`` wins, the lowest-numbered node or block of
    equals.
    """
    best: tuple[int, list[Victim]] | None = None
    where = [(victim, _mask_of(engine, victim.job)) for victim in victims]
    for nodes in _groups(engine, job):
        here = [victim for victim, mask in where if mask & nodes]
        chosen = _fewest(engine, job, here, nodes)
        if chosen is None:
            continue
        cost = sum(victim.cost_gpu_ms for victim in chosen)
        if (best is None or cost < best[0]) and (will_do is None or will_do(chosen)):
            best = (cost, chosen)
    return best[1] if best else None


def _mask_of(engine: Engine, job: int) -> int:
    mask = 0
    for node in engine.nodes_of(job):
        mask |= 1 << node
    return mask


def _groups(engine: Engine, job: int) -> list[int]:
    """Return the sets of nodes, as bits, within one of which ``job`` must lie."""
    shape, occupancy = engine.shapes[job], engine.occupancy
    capable = engine.fleet.class_masks[shape.needs_class]
    if shape.span == NODE:
        return [bit for bit in occupancy.node_bit if bit & capable]
    if shape.span == BLOCK:
        return [nodes & capable for nodes in occupancy.block_nodes if nodes & capable]
    return [capable]


def _fewest(engine: Engine, job: int, victims: list[Victim], nodes: int) -> list[Victim] | None:
    lifted: list[Victim] = []
    needed: list[Victim] | None = None
    room = _free_in(engine, nodes)
    shared = engine.shapes[job].gpu_milli < 1000
    for victim in [None, *victims]:
        if victim is not None:
            lift(engine, victim.job)
            lifted.append(victim)
            room += sum(n for node, n, _ in engine.held.get(victim.job, []) if nodes >> node & 1)
            room += 1 if victim.job in engine.shared else 0
        if (shared or room >= engine.gpus[job]) and _fits(engine, job, nodes):
            needed = lifted.copy()
            break
    if needed:
        for victim in sorted(needed, reverse=True):
            put_back(engine, victim.job)
            if _fits(engine, job, nodes):
                needed.remove(victim)
                lifted.remove(victim)
            else:
                lift(engine, victim.job)
    for victim in reversed(lifted):
        put_back(engine, victim.job)
    return needed


def _free_in(engine: Engine, nodes: int) -> int:
    free = engine.occupancy.free
    if nodes == engine.fleet.class_masks[0]:
        return engine.occupancy.free_total
    return sum(free[node] for node in bits_of(nodes))


def _fits(engine: Engine, job: int, nodes: int) -> bool:
    shape, occupancy = engine.shapes[job], engine.occupancy
    if shape.gpu_milli < 1000:
        at = bisect_left(occupancy.shares, (shape.gpu_milli, -1, -1))
        half_full = any(nodes >> node & 1 for _, node, _ in occupancy.shares[at:])
        return half_full or _free_in(engine, nodes) > 0
    # where any placement finds a place best fit does, and the packing policies are slow to ask
    place = best_fit if isinstance(occupancy, PackedOccupancy) else engine.place
    return not isinstance(place(shape, occupancy, engine.rng, nodes), Refusal)


def lift(engine: Engine, job: int) -> None:
    """Suppose that ``job`` held nothing."""
    if job in engine.held:
        engine.occupancy.release(engine.held[job])
    else:
        engine.occupancy.release_share(*engine.shared[job], engine.shapes[job].gpu_milli)


def put_back(engine: Engine, job: int) -> None:
    if job in engine.held:
        engine.occupancy.retake(engine.held[job])
    else:
        engine.occupancy.take_share(*engine.shared[job], engine.shapes[job].gpu_milli)
