"""What a tenant may take: hard, borrowable and reclaimable quota, and who gets the rest.

Amounts are GPUs (or any one resource); a tenant is told apart by its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from fleetlab.theory.drf import exact

NONE, HARD, BORROWABLE, RECLAIMABLE = "none", "hard", "borrowable", "reclaimable"
RULES = (NONE, HARD, BORROWABLE, RECLAIMABLE)


def effective_quota(team_quota: int, department_quota: int, used_by_others: int) -> int:
    """Return what a team may hold now: min(Q_team, Q_dept - ΣU), at least 0.

    ``used_by_others`` is what the department's other teams hold.
    Source: the chapter's hierarchical quota.
    """
    return max(0, min(team_quota, department_quota - used_by_others))


def refusal(
    rule: str, tenant: int, gpus: int, used: Sequence[int], quota: Sequence[int]
) -> str | None:
    """Return why quota forbids ``tenant`` ``gpus`` more, or None where it does not.

    Hard: never above its own quota. Borrowable: above it only from quota that
    nobody uses. Reclaimable: the same, and within its own quota a tenant is
    never refused, because it may take back what others borrowed
    (``reclaim_order`` says from whom). Under plain borrowing it has to wait
    until the borrower is done.
    Raises ValueError for an unknown rule, or columns that differ in length.
    """
    if rule not in RULES:
        raise ValueError(f"quota rule is {rule!r}; choose one of {', '.join(RULES)}")
    if len(used) != len(quota):
        raise ValueError(f"quota: {len(quota)} quotas for {len(used)} tenants")
    wanted, own = used[tenant] + gpus, quota[tenant]
    if rule == NONE or (rule in (HARD, RECLAIMABLE) and wanted <= own):
        return None
    holds = f"tenant {tenant} holds {used[tenant]} of its quota of {own} and asks for {gpus} more"
    if rule == HARD:
        return f"{holds}: the quota is hard"
    unused = sum(quota) - sum(used)
    if gpus <= unused:
        return None
    return f"{holds}: only {max(0, unused)} GPUs of all quotas are unused"


def reclaim_order(tenant: int, used: Sequence[int], quota: Sequence[int]) -> list[int]:
    """Return the tenants to take borrowed GPUs back from, the greatest borrower first.

    Borrowing is measured against the own quota (borrowed / quota, so a quota of
    0 comes first); ties go to the larger amount, then the lower number.
    ``tenant`` itself is never in the list.
    """

    others = [t for t in range(len(used)) if t != tenant and used[t] > quota[t]]
    return sorted(others, key=lambda other: borrowing_rank(used[other], quota[other]))


def borrowing_rank(used: int, quota: int) -> tuple[int, Fraction, int]:
    """Return a sort key, the greatest borrower first; equal for those who borrow alike."""
    borrowed = used - quota
    return (1, -Fraction(borrowed, quota), -borrowed) if quota else (0, Fraction(0), -borrowed)


@dataclass(frozen=True)
class Queue:
    """What a queue is owed and wants.

    ``deserved`` (its quota; None is without limit), ``request`` (all it could
    use), ``weight`` (for what is left over), ``priority`` (higher is served
    first with what is left over), ``limit`` (the most it may have, or None).
    """

    deserved: Any
    request: Any
    weight: Any = 1
    priority: int = 0
    limit: Any = None


@dataclass(frozen=True)
class Division:
    """``shares`` (in the shape the queues came in) and what is ``left`` over."""

    shares: Any
    left: int | float


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def divide(total: Any, queues: Mapping[Any, Queue] | Sequence[Queue]) -> Division:
    """Return each queue's share of ``total``, and what nobody asked for.

    First every queue gets what it deserves, as far as it asks for it, even where
    quotas add up to more than there is (then nothing is left over). What is left
    goes by priority, whole levels at a time, and within a level by weight: who
    needs no more than its part gets just that, the others whole units, and the
    units that rounding leaves go to the largest remainders (ties: the order
    given). A queue of weight 0 gets no more than it deserves.
    Source: the resource division of NVIDIA's KAI scheduler; largest remainders: Hamilton.
    Raises ValueError for a negative number.
    """
    keys = list(queues) if isinstance(queues, Mapping) else list(range(len(queues)))
    asked = [queues[k] for k in keys]
    left = exact(total, "total")
    want, share, weight = [], [], []
    for key, queue in zip(keys, asked, strict=True):
        ceiling = exact(queue.request, f"request of queue {key}")
        if queue.limit is not None:
            ceiling = min(ceiling, exact(queue.limit, f"limit of queue {key}"))
        own = (
            exact(total, "total")
            if queue.deserved is None
            else exact(queue.deserved, f"deserved of queue {key}")
        )
        weight.append(exact(queue.weight, f"weight of queue {key}"))
        share.append(min(own, ceiling))
        want.append(ceiling - share[-1])
    left = max(Fraction(0), left - sum(share, Fraction(0)))
    for level in sorted({q.priority for q in asked}, reverse=True):
        members = [i for i, q in enumerate(asked) if q.priority == level and want[i] and weight[i]]
        for member, extra in _by_weight(left, members, want, weight).items():
            share[member] += extra
            left -= extra
    answer = [_plain(s) for s in share]
    shaped = dict(zip(keys, answer, strict=True)) if isinstance(queues, Mapping) else answer
    return Division(shaped, _plain(left))


def _by_weight(
    left: Fraction, members: list[int], want: list[Fraction], weight: list[Fraction]
) -> dict[int, Fraction]:
    given: dict[int, Fraction] = {}
    while members:
        heavy = sum((weight[i] for i in members), Fraction(0))
        modest = [i for i in members if want[i] <= left * weight[i] / heavy]
        if not modest:
            break
        for i in modest:
            given[i] = want[i]
            left -= want[i]
        members = [i for i in members if i not in given]
    part = {i: left * weight[i] / heavy for i in members} if members else {}
    for i, fair in part.items():
        given[i] = Fraction(int(fair))
        left -= given[i]
    for i in sorted(part, key=lambda i: (given[i] - part[i], i)):
        unit = min(Fraction(1), left, want[i] - given[i])
        given[i] += unit
        left -= unit
    return given


@dataclass(frozen=True)
class Department:
    """A queue and, below it, the queues of its teams."""

    queue: Queue
    teams: Mapping[Any, Queue] | Sequence[Queue]


def divide_hierarchy(
    total: Any, departments: Mapping[Any, Department] | Sequence[Department]
) -> Any:
    """Return a Division for the teams of each department (list, or dict by department).

    ``total`` is divided among the departments, each asking for no more than its
    teams together can use, and each share is then divided among the teams.
    Raises ValueError as ``divide`` does.
    """
    keys = list(departments) if isinstance(departments, Mapping) else list(range(len(departments)))
    teams = {}
    for key in keys:
        below = departments[key].teams
        teams[key] = list(below.values()) if isinstance(below, Mapping) else list(below)
    tops = []
    for key in keys:
        queue = departments[key].queue
        usable = sum(
            (
                min(
                    exact(t.request, "request of a team"),
                    exact(t.request if t.limit is None else t.limit, "limit of a team"),
                )
                for t in teams[key]
            ),
            Fraction(0),
        )
        asks = min(exact(queue.request, f"request of department {key}"), usable)
        tops.append(replace(queue, request=asks))
    shares = divide(total, tops).shares
    below_each = [
        divide(share, departments[key].teams) for key, share in zip(keys, shares, strict=True)
    ]
    if isinstance(departments, Mapping):
        return dict(zip(keys, below_each, strict=True))
    return below_each


@dataclass(frozen=True)
class CohortShare:
    """How much a queue borrows: ``permille`` of the cohort's dominant ``resource`` (or None)."""

    permille: int
    resource: str | None


def cohort_share(
    nominal: Mapping[str, int],
    used: Mapping[str, int],
    cohort: Mapping[str, int],
    weight: float = 1,
) -> CohortShare:
    """Return the queue's share of its cohort: what it borrows, in thousandths, rounded down.

    Per resource, (used - nominal) over what the cohort holds altogether; the
    largest counts (ties: the resource first by name), divided by ``weight``.
    A queue within its nominal quota has share 0 of no resource. A resource of
    which the cohort holds none is left out.
    Source: Kueue's fair sharing (dominant resource share).
    Raises ValueError for a negative number or a weight that is not above 0.
    """
    heavy = exact(weight, "weight")
    if not heavy:
        raise ValueError("weight is 0; give a number above 0")
    best, dominant = Fraction(0), None
    for resource in sorted(used):
        borrowed = exact(used[resource], f"used {resource}") - exact(
            nominal.get(resource, 0), f"nominal {resource}"
        )
        held = exact(cohort.get(resource, 0), f"cohort {resource}")
        if held and borrowed / held > best:
            best, dominant = borrowed / held, resource
    return CohortShare(int(best * 1000 / heavy), dominant)
