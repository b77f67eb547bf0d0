"""Who gets how many tasks: Dominant Resource Fairness beside the rules it is compared with.

``capacity`` is the amount of each resource, a demand is what one task of a user
takes. Both may be sequences, or mappings by resource name (a resource that a
demand leaves out is 0); ``demands`` may be a sequence (the answer is a list) or
a mapping by user (the answer is a dict with the same keys, in the same order).
Numbers are taken at their decimal value and reckoned in exact fractions, so
equal shares are equal and a full resource is full.

Source: Ghodsi et al., "Dominant Resource Fairness", NSDI 2011.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

Amounts = Sequence[Any] | Mapping[Any, Any]
Demands = Sequence[Any] | Mapping[Any, Any]
Row = tuple[Fraction, ...]

MAX_GRANTS = 100_000


@dataclass(frozen=True)
class Step:
    """One grant of progressive filling: to whom, and where everyone stands after it.

    ``user`` (key, or number in the sequence), ``tasks`` (count by user), ``used``
    (amount by resource), ``dominant_shares`` (by user, each between 0 and 1, not
    divided by weights).
    """

    user: Hashable
    tasks: tuple[int, ...]
    used: Row
    dominant_shares: Row


@dataclass(frozen=True)
class Market:
    """A checked question: users, what a task of each takes, and what there is."""

    users: tuple[Hashable, ...]
    named: bool
    capacity: Row
    demands: tuple[Row, ...]
    weights: Row

    def answer(self, values: Sequence[Any]) -> Any:
        """Return ``values`` in the shape the demands came in: list, or dict by user."""
        return dict(zip(self.users, values, strict=True)) if self.named else list(values)

    def can_run(self, user: int) -> bool:
        """Return whether every resource the user asks for exists at all."""
        return all(
            have > 0 for need, have in zip(self.demands[user], self.capacity, strict=True) if need
        )

    def dominant(self, user: int) -> Fraction:
        """Return the dominant share of one task (§4.1: the largest share of any resource)."""
        return max(
            (
                need / have
                for need, have in zip(self.demands[user], self.capacity, strict=True)
                if have
            ),
            default=Fraction(0),
        )

    def assets(self, user: int) -> Fraction:
        """Return the sum of one task's shares over all resources (§5.1)."""
        pairs = zip(self.demands[user], self.capacity, strict=True)
        return sum((need / have for need, have in pairs if have), Fraction(0))


def exact(value: Any, where: str) -> Fraction:
    """Return the number as an exact fraction; a float counts as the decimal it prints as.

    Raises ValueError, naming ``where``, unless it is a finite number of at least 0.
    """
    try:
        if isinstance(value, Fraction | Decimal):
            number = Fraction(value)
        else:
            plain = float(value)
            number = Fraction(int(value)) if plain == int(plain) else Fraction(repr(plain))
    except (TypeError, ValueError, OverflowError):
        number = Fraction(-1)
    if number < 0:
        raise ValueError(f"{where} is {value}; give a finite number of at least 0")
    return number


def market(capacity: Amounts, demands: Demands, weights: Amounts | None = None) -> Market:
    """Return the question, checked and in exact fractions.

    Raises ValueError, in one sentence, for lengths or names that do not match,
    numbers that are negative or not finite, a user who asks for nothing, and a
    weight of 0.
    """
    resources = list(capacity) if isinstance(capacity, Mapping) else list(range(len(capacity)))
    have = tuple(exact(capacity[r], f"capacity of resource {r}") for r in resources)
    named = isinstance(demands, Mapping)
    users = tuple(demands) if isinstance(demands, Mapping) else tuple(range(len(demands)))
    rows = tuple(_row(demands[u], resources, u) for u in users)
    for user, row in zip(users, rows, strict=True):
        if not any(row):
            raise ValueError(
                f"demands: user {user} asks for nothing, so would have tasks without end; "
                f"give at least one resource above 0"
            )
    if weights is None:
        return Market(users, named, have, rows, (Fraction(1),) * len(users))
    if len(weights) != len(users):
        raise ValueError(f"weights: {len(weights)} given for {len(users)} users")
    if isinstance(weights, Mapping):
        unknown = [u for u in weights if u not in users]
        if unknown:
            raise ValueError(f"weights: there is no user {unknown[0]} in demands")
    keys = users if isinstance(weights, Mapping) else tuple(range(len(users)))
    heavy = tuple(
        exact(weights[k], f"weight of user {u}") for k, u in zip(keys, users, strict=True)
    )
    if not all(heavy):
        user = users[heavy.index(Fraction(0))]
        raise ValueError(f"weight of user {user} is 0; give one above 0, or leave the user out")
    return Market(users, named, have, rows, heavy)


def _row(demand: Any, resources: list[Any], user: Hashable) -> Row:
    if isinstance(demand, Mapping):
        unknown = [r for r in demand if r not in resources]
        if unknown:
            raise ValueError(f"demands: user {user} asks for {unknown[0]}, which has no capacity")
        amounts = [demand.get(r, 0) for r in resources]
    else:
        amounts = list(demand)
    if len(amounts) != len(resources):
        raise ValueError(
            f"demands: user {user} gives {len(amounts)} resources, capacity has {len(resources)}"
        )
    return tuple(
        exact(a, f"demand of user {user} for resource {r}")
        for a, r in zip(amounts, resources, strict=True)
    )


def filling_steps(
    capacity: Amounts, demands: Demands, weights: Amounts | None = None
) -> list[Step]:
    """Return every grant of progressive filling with whole tasks, in order.

    Each step gives one task to the user with the smallest dominant share over
    weight. Ties: first the user whose task is largest by that measure (large
    items first, as in the paper's table: B, A, A, B, A), then the order given;
    so the order of users matters only between users who ask for the same. A
    user whose next task does not fit leaves, and the others go on until
    nobody's task fits, so nothing that could be used stays idle.
    Source: Ghodsi et al. (2011), Algorithm 1 and Table 1; weights: §4.3.
    Raises ValueError for bad input as ``market`` does, and when more than
    100,000 tasks would be granted.
    """
    return [
        Step(m.users[user], tuple(tasks), tuple(used), shares)
        for m, user, tasks, used, shares in _grants(market(capacity, demands, weights))
    ]


def progressive_filling(capacity: Amounts, demands: Demands, weights: Amounts | None = None) -> Any:
    """Return the whole tasks of each user under DRF (list, or dict by user).

    The outcome of ``filling_steps``, whose docstring tells the rule and its ties.
    Raises ValueError as ``filling_steps`` does.
    """
    question = market(capacity, demands, weights)
    counts = [0] * len(question.users)
    for _, user, *_rest in _grants(question, shares_wanted=False):
        counts[user] += 1
    return question.answer(counts)


def _grants(m: Market, shares_wanted: bool = True) -> Any:
    per_task = [m.dominant(u) for u in range(len(m.users))]
    pace = [share / weight for share, weight in zip(per_task, m.weights, strict=True)]
    tasks = [0] * len(m.users)
    used = [Fraction(0)] * len(m.capacity)
    waiting = [(Fraction(0), -pace[u], u) for u in range(len(m.users)) if m.can_run(u)]
    heapq.heapify(waiting)
    granted = 0
    while waiting:
        share, _, user = heapq.heappop(waiting)
        after = [have + need for have, need in zip(used, m.demands[user], strict=True)]
        if any(amount > limit for amount, limit in zip(after, m.capacity, strict=True)):
            continue
        granted += 1
        if granted > MAX_GRANTS:
            raise ValueError(
                f"demands: more than {MAX_GRANTS:,} tasks fit; make the tasks larger, or use fluid"
            )
        used = after
        tasks[user] += 1
        heapq.heappush(waiting, (share + pace[user], -pace[user], user))
        shares = tuple(t * p for t, p in zip(tasks, per_task, strict=True)) if shares_wanted else ()
        yield m, user, tasks, used, shares


def _fill(m: Market, measure: Callable[[int], Fraction]) -> Any:
    """Raise everyone's measure over weight together; stop those who meet a full resource."""
    count = len(m.users)
    active = [u for u in range(count) if m.can_run(u)]
    speed = {u: m.weights[u] / measure(u) for u in active}
    tasks = [Fraction(0)] * count
    left = list(m.capacity)
    while active:
        draw = [
            sum((speed[u] * m.demands[u][r] for u in active), Fraction(0)) for r in range(len(left))
        ]
        rise = min(room / rate for room, rate in zip(left, draw, strict=True) if rate)
        for user in active:
            tasks[user] += rise * speed[user]
        left = [room - rise * rate for room, rate in zip(left, draw, strict=True)]
        active = [
            u
            for u in active
            if all(room > 0 for room, need in zip(left, m.demands[u], strict=True) if need)
        ]
    return m.answer([float(t) for t in tasks])


def fluid(capacity: Amounts, demands: Demands, weights: Amounts | None = None) -> Any:
    """Return the tasks of each user under DRF when tasks may be divided (list, or dict).

    All dominant shares over weight rise together; a user stops at the first
    full resource it needs, the others rise on.
    Source: Ghodsi et al. (2011), §4.1 and, for the recursion, §6.
    Raises ValueError for bad input as ``market`` does.
    """
    m = market(capacity, demands, weights)
    return _fill(m, m.dominant)


def asset_fairness(capacity: Amounts, demands: Demands, weights: Amounts | None = None) -> Any:
    """Return the tasks of each user when the *sum* of a user's shares is equalised.

    Tasks may be divided. It breaks the sharing incentive: a user can do worse
    than with its equal part of every resource.
    Source: Ghodsi et al. (2011), §5.1.
    Raises ValueError for bad input as ``market`` does.
    """
    m = market(capacity, demands, weights)
    return _fill(m, m.assets)


def single_resource(
    capacity: Amounts, demands: Demands, resource: Any, weights: Amounts | None = None
) -> Any:
    """Return the tasks of each user when shares of one resource alone are equalised.

    What a scheduler does that counts only GPUs (or slots). Tasks may be divided.
    Raises ValueError for bad input as ``market`` does, for an unknown resource,
    and when a user asks for none of it (it would then never be held back).
    """
    m = market(capacity, demands, weights)
    names = list(capacity) if isinstance(capacity, Mapping) else list(range(len(capacity)))
    if resource not in names:
        raise ValueError(f"resource {resource} has no capacity given; choose one of {names}")
    at = names.index(resource)
    for user, row in zip(m.users, m.demands, strict=True):
        if not row[at]:
            raise ValueError(f"demands: user {user} asks for none of {resource}, so has no share")
    return _fill(m, lambda user: m.demands[user][at] / m.capacity[at])


def max_min(capacity: Any, requests: Amounts, weights: Amounts | None = None) -> Any:
    """Return each user's part of one resource, max-min fair (list, or dict by user).

    Nobody gets more than requested; what small requests leave is shared by the
    rest in proportion to weight. Source: Bertsekas and Gallager, Data Networks
    (1992), §6.5.2.
    Raises ValueError for a negative amount or a weight that is not above 0.
    """
    named = isinstance(requests, Mapping)
    users = list(requests) if isinstance(requests, Mapping) else list(range(len(requests)))
    # A request of 0 is fine here, so the weights are checked with demands of 1.
    m = market([capacity], {u: [1] for u in users} if named else [[1]] * len(users), weights)
    wants = [exact(requests[u], f"request of user {u}") for u in users]
    left, weight_left = m.capacity[0], sum(m.weights, Fraction(0))
    given = [Fraction(0)] * len(users)
    for user in sorted(range(len(users)), key=lambda u: wants[u] / m.weights[u]):
        given[user] = min(wants[user], left * m.weights[user] / weight_left)
        left -= given[user]
        weight_left -= m.weights[user]
    return m.answer([float(g) for g in given])


def ceei(capacity: Amounts, demands: Demands, weights: Amounts | None = None) -> Any:
    """Return the tasks of each user in a Competitive Equilibrium from Equal Incomes.

    That is the division of greatest Nash product Π tasks^weight (tasks may be
    divided). It is envy-free and Pareto efficient but rewards lying. A user who
    needs a resource of which there is none has 0 tasks and is left out of the
    product.
    Source: Ghodsi et al. (2011), §5.2; Eisenberg and Gale (1959).
    Raises ValueError for bad input as ``market`` does.
    """
    m = market(capacity, demands, weights)
    active = [u for u in range(len(m.users)) if m.can_run(u)]
    kept = [r for r, have in enumerate(m.capacity) if any(m.demands[u][r] for u in active)]
    tasks = [0.0] * len(m.users)
    if active:
        # Shares of capacity, and incomes that sum to 1, keep the numbers near 1.
        shares = [[m.demands[u][r] / m.capacity[r] for r in kept] for u in active]
        income = sum((m.weights[u] for u in active), Fraction(0))
        found = _equilibrium(shares, [m.weights[u] / income for u in active])
        for user, amount in zip(active, found, strict=True):
            tasks[user] = amount
    return m.answer(tasks)


def _equilibrium(shares: list[list[Fraction]], incomes: list[Fraction]) -> list[float]:
    """Return the tasks that the market-clearing prices buy, by Newton on the dual.

    The prices minimise Σ_r p_r - Σ_u w_u·ln(Σ_r p_r·s_ur) over p ≥ 0. A barrier
    -μ·Σ ln p_r keeps them positive; at its minimum the tasks are feasible and
    within μ·resources of the best product. μ falls to 10^-36 with 60 digits, so
    even where a resource is full but free (error √μ) a float's 16 digits hold.
    """
    with localcontext() as context:
        context.prec = 60
        need = [[Decimal(s.numerator) / s.denominator for s in row] for row in shares]
        wealth = [Decimal(w.numerator) / w.denominator for w in incomes]
        span = range(len(need[0]))
        price = [Decimal(1) / len(span)] * len(span)
        barrier = Decimal(1)
        while barrier > Decimal("1e-36"):
            barrier /= 8
            for _ in range(200):
                cost = [sum(p * s for p, s in zip(price, row, strict=True)) for row in need]
                buys = [w / c for w, c in zip(wealth, cost, strict=True)]
                slope = [
                    1
                    - sum(b * row[r] for b, row in zip(buys, need, strict=True))
                    - barrier / price[r]
                    for r in span
                ]
                curve = [
                    [
                        sum(
                            b / c * row[r] * row[q]
                            for b, c, row in zip(buys, cost, need, strict=True)
                        )
                        + (barrier / price[r] ** 2 if r == q else Decimal(0))
                        for q in span
                    ]
                    for r in span
                ]
                move = _solve(curve, slope)
                worst = max(abs(m / p) for m, p in zip(move, price, strict=True))
                # A self-concordant barrier: the damped step stays inside and descends.
                scale = 1 if worst < Decimal("0.25") else Decimal("0.5") / worst
                price = [p - scale * m for p, m in zip(price, move, strict=True)]
                if worst < Decimal("1e-12"):
                    break
        cost = [sum(p * s for p, s in zip(price, row, strict=True)) for row in need]
        return [float(w / c) for w, c in zip(wealth, cost, strict=True)]


def _solve(matrix: list[list[Decimal]], right: list[Decimal]) -> list[Decimal]:
    """Return x of matrix·x = right for a positive definite matrix, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for pivot in range(size):
        for below in range(pivot + 1, size):
            factor = rows[below][pivot] / rows[pivot][pivot]
            for column in range(pivot, size + 1):
                rows[below][column] -= factor * rows[pivot][column]
    found = [Decimal(0)] * size
    for row in reversed(range(size)):
        known = sum((rows[row][c] * found[c] for c in range(row + 1, size)), Decimal(0))
        found[row] = (rows[row][size] - known) / rows[row][row]
    return found
