"""Elastic jobs: gangs that go on with fewer whole nodes, or with more, and what that saves.

The global batch is held constant: on fewer nodes each step takes longer in
proportion, and a job's work is the same whatever its world size. Survivors keep
their state in memory, so a change of size loses nothing and costs a rendezvous.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetlab.fleet import Parts
from fleetlab.job import BLOCK, NODE
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Shape

if TYPE_CHECKING:
    from fleetlab.engine.attempts import Attempts
    from fleetlab.engine.event_loop import Engine


def survivors(engine: Engine, job: int, node: int) -> Parts:
    """Return what ``job`` holds without ``node``, if it can go on with that; else nothing."""
    held = engine.held.get(job, [])
    rest = [(other, count) for other, count, _ in held if other != node]
    enough = sum(count for _, count in rest) >= engine.jobs.min_gpus[job]
    return rest if enough and engine.jobs.elastic[job] else []


def smaller_place(engine: Engine, job: int) -> Parts | None:
    """Return a place for as many whole nodes as possible, at least the minimum of ``job``."""
    size, least = engine.fleet.gpus_per_node, int(engine.jobs.min_gpus[job])
    gpus = (min(engine.gpus[job] - 1, engine.occupancy.free_total)) // size * size
    while gpus >= least and gpus > 0:
        shape = engine.shapes[job]._replace(gpus=gpus)
        parts = engine.place(shape, engine.occupancy, engine.rng, 0)
        if not isinstance(parts, Refusal):
            return parts
        gpus -= size
    return None


def grow(attempts: Attempts) -> None:
    """Let elastic jobs take whole nodes that nobody waits for, those that began first first.

    A job grows only if it ends sooner for it, the rendezvous included.
    """
    engine = attempts.engine
    elastic = engine.jobs.elastic
    for job in sorted(attempts.running, key=lambda job: (attempts.begun_ms[job], job)):
        whole = engine.occupancy.whole_nodes()
        if not whole:
            return
        if not elastic[job]:
            continue
        parts = _more_nodes(attempts, job, whole)
        if parts and attempts.would_end_ms(job, parts) < attempts.due_ms[job]:
            attempts.resize(job, parts, -1)


def _more_nodes(attempts: Attempts, job: int, whole: int) -> Parts:
    """Return what ``job`` holds and the nodes it could have besides; nothing if there are none."""
    engine, accounts = attempts.engine, attempts.accounts
    size = engine.fleet.gpus_per_node
    held = [(node, count) for node, count, _ in engine.held[job]]
    wanted = (int(engine.jobs.max_gpus[job]) - sum(n for _, n in held)) // size
    shape, span = engine.shapes[job], int(engine.jobs.span[job])
    if span == NODE:
        return []
    blocks = {engine.fleet.block_of(node) for node, _ in held}
    within = engine.fleet.class_masks[shape.needs_class]
    if span == BLOCK:
        within &= engine.occupancy.block_nodes[min(blocks)]
    for nodes in range(min(wanted, whole), 0, -1):
        if not accounts.may_take(accounts.tenant[job], 1000 * nodes * size):
            continue
        more = engine.place(
            Shape(nodes * size, whole_nodes=1, needs_class=shape.needs_class),
            engine.occupancy,
            engine.rng,
            within,
        )
        if not isinstance(more, Refusal):
            return held + more
    return []
