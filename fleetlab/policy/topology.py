"""Required levels: a gang within one domain of a level, the tightest that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Domain = tuple[str, ...]
"""The path of a domain from the top, as in ("b1", "r2")."""


@dataclass(frozen=True)
class Leaf:
    """The lowest domain of a topology and the pods it has room for."""

    path: Domain
    free_pods: int


def required_domain(leaves: Sequence[Leaf], pods: int, level: int) -> Domain | str:
    """Return the domain of ``level`` (1 the top) for ``pods`` pods, or why there is none.

    Best fit: of the domains that hold them all, the one with the least room;
    ties go to the lower name. The reason is the one Kueue's topology-aware scheduling
    gives: "only 3 out of 4 fit" names the most that one domain holds. Raises ValueError
    for a level that the topology does not have.
    """
    depth = min((len(leaf.path) for leaf in leaves), default=0)
    if not 1 <= level <= depth:
        raise ValueError(f"level is {level}; the topology has levels 1 to {depth}")
    room: dict[Domain, int] = {}
    for leaf in leaves:
        domain = leaf.path[:level]
        room[domain] = room.get(domain, 0) + leaf.free_pods
    fitting = [(free, domain) for domain, free in room.items() if free >= pods]
    if fitting:
        return min(fitting)[1]
    return f"only {max(room.values())} out of {pods} fit"
