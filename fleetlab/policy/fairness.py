"""Who is next, by what each has had: fair share, dominant share, least attained service.

Plain functions of figures; the engine keeps the figures and asks.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from fleetlab.theory.drf import exact

WEEK_MS = 7 * 24 * 3600 * 1000


def _roots_of_a_half(count: int) -> tuple[float, ...]:
    """Return ½^(1/2), ½^(1/4) and so on: every platform rounds a root alike, but not a power."""
    roots = [math.sqrt(0.5)]
    while len(roots) < count:
        roots.append(math.sqrt(roots[-1]))
    return tuple(roots)


_ROOTS = _roots_of_a_half(52)


def decayed_usage(usage: float, elapsed_ms: int, half_life_ms: int = WEEK_MS) -> float:
    """Return what ``usage`` counts for ``elapsed_ms`` later: usage · ½^(elapsed/half-life).

    The unit of usage (GPU-hours, say) is kept. Decaying in two spans is the same
    as in one, so usage may be brought up to date whenever it is needed.
    Source: the chapter's fair share, as in Slurm's multifactor plugin.
    Raises ValueError for a negative span or a half-life that is not above 0.
    """
    if half_life_ms <= 0:
        raise ValueError(f"half_life_ms is {half_life_ms}; give a number of ms above 0")
    if elapsed_ms < 0:
        raise ValueError(f"elapsed_ms is {elapsed_ms}; time does not run backwards")
    half_lives = elapsed_ms / half_life_ms
    whole = math.floor(half_lives)
    factor, rest = 1.0, half_lives - whole
    for root in _ROOTS:
        if not rest:
            break
        rest *= 2
        if rest >= 1:
            rest -= 1
            factor *= root
    return usage * math.ldexp(factor, -whole)


def fair_share_priority(
    priority: float, target_share: float, actual_share: float, epsilon: float = 0.01
) -> float:
    """Return a job's priority, P·F_target/(F_actual + ε); higher runs first.

    Shares are fractions of the fleet: what the tenant should have, and what its
    decayed usage says it had. ε keeps a newcomer's priority finite.
    Source: the chapter's fair-share formula.
    Raises ValueError for a negative share or an ε that is not above 0.
    """
    if target_share < 0 or actual_share < 0:
        raise ValueError(
            f"shares are {target_share} (target) and {actual_share} (actual); "
            f"give numbers of at least 0"
        )
    if not epsilon > 0:
        raise ValueError(f"epsilon is {epsilon}; give a number above 0")
    return priority * target_share / (actual_share + epsilon)


def dominant_share(total: Sequence[Any], allocation: Sequence[Any]) -> Fraction:
    """Return the largest share of any resource that ``allocation`` holds, exactly.

    A resource of which there is none is left out.
    Source: Ghodsi et al., NSDI 2011, §4.1.
    Raises ValueError when the two differ in length or a number is negative.
    """
    if len(total) != len(allocation):
        raise ValueError(f"allocation has {len(allocation)} resources, total has {len(total)}")
    shares = [Fraction(0)]
    for number, (have, held) in enumerate(zip(total, allocation, strict=True)):
        whole = exact(have, f"total of resource {number}")
        part = exact(held, f"allocation of resource {number}")
        if whole:
            shares.append(part / whole)
    return max(shares)


def drf_order(
    total: Sequence[Any],
    allocations: Mapping[str, Sequence[Any]] | Sequence[Sequence[Any]],
    weights: Mapping[str, Any] | Sequence[Any] | None = None,
) -> list[Any]:
    """Return tenants in the order they are offered resources: smallest dominant share first.

    Dominant shares are divided by weight. From a mapping the answer is the names
    and ties go by name; from a sequence it is the numbers and ties go by number.
    A tenant that a mapping of weights leaves out weighs 1.
    Source: Ghodsi et al., NSDI 2011, Algorithm 1; the sorter of Apache Mesos.
    Raises ValueError for lengths that differ or a weight that is not above 0.
    """
    keys: list[Any]
    if isinstance(allocations, Mapping):
        keys = sorted(allocations)
    else:
        keys = list(range(len(allocations)))
    if weights is not None and not isinstance(weights, Mapping) and len(weights) != len(keys):
        raise ValueError(f"weights: {len(weights)} given for {len(keys)} tenants")
    if isinstance(allocations, Mapping) and not isinstance(weights, Mapping | None):
        # A bare list would be matched by sorted name, which nobody means.
        raise ValueError("weights: allocations are by name, so give weights by name too")

    def share(key: Any) -> Fraction:
        weight: Any = 1
        if isinstance(weights, Mapping):
            weight = weights.get(key, 1)
        elif weights is not None:
            weight = weights[key]
        heavy = exact(weight, f"weight of tenant {key}")
        if not heavy:
            raise ValueError(f"weight of tenant {key} is 0; give a number above 0")
        # sorted() is stable, and keys are in tie order already.
        return dominant_share(total, allocations[key]) / heavy

    return sorted(keys, key=share)


def attained_service_gpu_ms(gpus: int, executed_ms: int) -> int:
    """Return the service a job has had, GPUs × time run, in GPU-milliseconds.

    Source: Gu et al., Tiresias, NSDI 2019, §4.1 (two-dimensional LAS).
    """
    return gpus * executed_ms


def service_queue(attained_gpu_ms: int, thresholds_gpu_ms: Sequence[int]) -> int:
    """Return the queue a job is in, 0 the first served: how many thresholds it has reached.

    Discretised, so that jobs of like service do not take turns at preempting
    each other. Source: Tiresias, NSDI 2019, §4.2.
    Raises ValueError when the thresholds do not rise.
    """
    if any(b <= a for a, b in pairwise(thresholds_gpu_ms)):
        raise ValueError(f"thresholds_gpu_ms is {list(thresholds_gpu_ms)}; give rising numbers")
    return bisect_right(thresholds_gpu_ms, attained_gpu_ms)


def least_attained_key(
    attained_gpu_ms: int, thresholds_gpu_ms: Sequence[int], submit_ms: int, job: int
) -> tuple[int, int, int]:
    """Return a sort key, smallest first: queue, then time of submission, then number.

    Without thresholds everyone is in queue 0 and it is FIFO.
    Source: Tiresias, NSDI 2019, §4.2 (FIFO within a queue).
    Raises ValueError as ``service_queue`` does.
    """
    return (service_queue(attained_gpu_ms, thresholds_gpu_ms), submit_ms, job)
