"""What a division of resources keeps or breaks: sharing incentive, envy, honesty, waste.

Used beside ``drf``: each rule there keeps some of these and breaks others.
``tasks`` is an answer of such a rule for the same capacity and demands.
Source of the four properties: Ghodsi et al., NSDI 2011, §3.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from fleetlab.theory.drf import Amounts, Demands, Market, market

# Tasks come as floats; a difference below this part of a task is rounding.
ROUNDING = Fraction(1, 10**9)


def _counts(m: Market, tasks: Any) -> list[Fraction]:
    values = [tasks[u] for u in m.users] if isinstance(tasks, Mapping) else list(tasks)
    if len(values) != len(m.users):
        raise ValueError(f"tasks: {len(values)} given for {len(m.users)} users")
    return [Fraction(v) for v in values]


def _runs(m: Market, user: int, bundle: Sequence[Fraction]) -> Fraction:
    """Return the tasks of ``user`` that fit in a bundle of resources."""
    return min(have / need for have, need in zip(bundle, m.demands[user], strict=True) if need)


def worse_than_equal_split(
    capacity: Amounts, demands: Demands, tasks: Any, weights: Amounts | None = None
) -> list[Hashable]:
    """Return the users who would run more with their part of every resource, to themselves.

    The part is weight over all weights, 1/n without weights. An empty list is
    the sharing incentive kept.
    Raises ValueError as ``drf.market`` does.
    """
    m = market(capacity, demands, weights)
    total = sum(m.weights, Fraction(0))
    counts = _counts(m, tasks)
    return [
        user
        for number, user in enumerate(m.users)
        if _runs(m, number, [have * m.weights[number] / total for have in m.capacity])
        > counts[number] + ROUNDING
    ]


def envious_pairs(
    capacity: Amounts, demands: Demands, tasks: Any, weights: Amounts | None = None
) -> list[tuple[Hashable, Hashable]]:
    """Return (user, other) where the user could run more with what the other holds.

    With weights, the other's bundle is scaled to the user's weight. An empty
    list is freedom from envy.
    Raises ValueError as ``drf.market`` does.
    """
    m = market(capacity, demands, weights)
    counts = _counts(m, tasks)
    pairs: list[tuple[Hashable, Hashable]] = []
    for number, user in enumerate(m.users):
        for other, name in enumerate(m.users):
            scale = counts[other] * m.weights[number] / m.weights[other]
            bundle = [scale * need for need in m.demands[other]]
            if other != number and _runs(m, number, bundle) > counts[number] + ROUNDING:
                pairs.append((user, name))
    return pairs


def users_with_room(capacity: Amounts, demands: Demands, tasks: Any) -> list[Hashable]:
    """Return the users for whom a noticeable part of a task still fits, given all the rest.

    An empty list is Pareto efficiency: nobody can have more unless another has
    less. Raises ValueError as ``drf.market`` does.
    """
    m = market(capacity, demands)
    counts = _counts(m, tasks)
    left = [
        have - sum((c * row[r] for c, row in zip(counts, m.demands, strict=True)), Fraction(0))
        for r, have in enumerate(m.capacity)
    ]
    return [user for number, user in enumerate(m.users) if _runs(m, number, left) > ROUNDING]


def tasks_when_claiming(
    rule: Callable[[Amounts, Demands], Any],
    capacity: Amounts,
    demands: Demands,
    user: Any,
    claim: Amounts,
) -> Fraction:
    """Return the true tasks ``user`` can run after telling ``rule`` that a task takes ``claim``.

    More than the honest answer means that the rule rewards lying (it is not
    strategy-proof).
    Raises ValueError as ``drf.market`` does.
    """
    m = market(capacity, demands)
    told: Any = dict(demands) if isinstance(demands, Mapping) else list(demands)
    told[user] = claim
    lie = market(capacity, told)
    number = m.users.index(user)
    given = _counts(lie, rule(capacity, told))[number]
    return _runs(m, number, [given * need for need in lie.demands[number]])
