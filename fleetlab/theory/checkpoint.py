"""How often to save, and what failures cost: closed forms for checkpointed work.

Failures are memoryless with mean time ``mtbf_s`` between them; every duration
is in seconds. ``interval_s`` (τ) is the useful work between two checkpoints.
"""

from __future__ import annotations

import math


def _check(name: str, value: float, *, zero_allowed: bool = False) -> float:
    number = float(value)
    if math.isnan(number) or number < 0 or (number == 0 and not zero_allowed):
        bound = "at least 0" if zero_allowed else "above 0"
        raise ValueError(f"{name} is {value}; give a number of seconds {bound}")
    return number


def _finite(name: str, value: float, *, zero_allowed: bool = False) -> float:
    number = _check(name, value, zero_allowed=zero_allowed)
    if math.isinf(number):
        raise ValueError(f"{name} is {value}; give a finite number of seconds")
    return number


def young(cost_s: float, mtbf_s: float) -> float:
    """Return Young's first-order best interval √(2·C·M), in seconds.

    Source: Young, CACM 17(9), 1974.
    Raises ValueError for a cost or mean time that is not above 0.
    """
    return math.sqrt(2 * _finite("cost_s", cost_s) * _finite("mtbf_s", mtbf_s))


def daly(cost_s: float, mtbf_s: float) -> float:
    """Return Daly's higher-order best interval, in seconds.

    √(2CM)·[1 + ⅓·√(C/2M) + ⅑·C/2M] - C while C < 2M, else M.
    Source: Daly, Future Generation Computer Systems 22, 2006, eq. 37.
    Raises ValueError for a cost or mean time that is not above 0.
    """
    cost, mtbf = _finite("cost_s", cost_s), _finite("mtbf_s", mtbf_s)
    if cost >= 2 * mtbf:
        return mtbf
    small = cost / (2 * mtbf)
    return young(cost, mtbf) * (1 + math.sqrt(small) / 3 + small / 9) - cost


def optimal_interval(cost_s: float, mtbf_s: float) -> float:
    """Return the interval τ that minimises M·(e^{(τ+C)/M} - 1)/τ, in seconds.

    With x = τ/M the minimum is where (1 - x)·e^x = e^{-C/M}, that is
    x = 1 + W₀(-e^{-1-C/M}); its logarithm falls from C/M at x = 0 without a
    turn, so halving finds the one root. Restart time scales the whole curve
    and so does not move it.
    Source: Daly (2006), §3, from his eq. 20.
    Raises ValueError for a cost or mean time that is not above 0.
    """
    cost, mtbf = _finite("cost_s", cost_s), _finite("mtbf_s", mtbf_s)
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle * mtbf
        if math.log1p(-middle) + middle + cost / mtbf > 0:
            low = middle
        else:
            high = middle


def expected_time(
    work_s: float, interval_s: float, cost_s: float, restart_s: float, mtbf_s: float
) -> float:
    """Return the expected wall-clock time to finish ``work_s`` of work, in seconds.

    E[T] = (T/τ)·e^{λR}·(e^{λ(τ+C)} - 1)/λ with λ = 1/mtbf_s: every segment of
    τ + C seconds is repeated until it passes without a failure, and failures
    may strike during a restart too. ``mtbf_s`` may be infinite (no failures);
    the result is infinite where it exceeds what a float can hold.
    Source: Daly (2006), eq. 20.
    Raises ValueError for a negative duration, or an interval or mean time of 0.
    """
    work = _finite("work_s", work_s, zero_allowed=True)
    interval = _finite("interval_s", interval_s)
    cost = _finite("cost_s", cost_s, zero_allowed=True)
    restart = _finite("restart_s", restart_s, zero_allowed=True)
    mtbf = _check("mtbf_s", mtbf_s)
    if work == 0:
        return 0.0
    if math.isinf(mtbf):
        return work / interval * (interval + cost)
    try:
        segment = math.exp(restart / mtbf) * math.expm1((interval + cost) / mtbf) * mtbf
    except OverflowError:
        return math.inf
    return work / interval * segment


def expected_time_without_checkpoints(work_s: float, restart_s: float, mtbf_s: float) -> float:
    """Return the expected time, in seconds, when every failure starts the work afresh.

    One segment as long as the work, with nothing to save at its end.
    Raises ValueError as ``expected_time`` does.
    """
    if _finite("work_s", work_s, zero_allowed=True) == 0:
        return 0.0
    return expected_time(work_s, work_s, 0.0, restart_s, mtbf_s)


def overhead(
    cost_s: float, mtbf_s: float, interval_s: float | None = None, restart_s: float = 0.0
) -> float:
    """Return the share of time added by checkpoints and failures (0.038 is 3.8 %).

    E[T]/T - 1 at ``interval_s``, or at the best interval when none is given.
    Raises ValueError as ``expected_time`` does.
    """
    interval = optimal_interval(cost_s, mtbf_s) if interval_s is None else interval_s
    return expected_time(interval, interval, cost_s, restart_s, mtbf_s) / float(interval) - 1


def mtbf_that_stretches(factor: float, interval_s: float, cost_s: float, restart_s: float) -> float:
    """Return the mean time between failures, in seconds, at which E[T] = factor·T.

    E[T] falls as failures grow rarer, towards (τ+C)/τ of the work, so there is
    one answer for any factor above that; it answers "from how many interruptions
    does the run take twice as long?". Found by halving.
    Raises ValueError when the checkpoints alone already cost more than the factor.
    """
    interval = _finite("interval_s", interval_s)
    floor = expected_time(1.0, interval, cost_s, restart_s, math.inf)
    if not (math.isfinite(factor) and factor > floor):
        raise ValueError(
            f"factor is {factor:g}, but without any failure the checkpoints make it {floor:g}; "
            f"give a factor above that"
        )
    low, high = 0.0, interval
    while expected_time(1.0, interval, cost_s, restart_s, high) > factor:
        low, high = high, high * 2
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return high
        if expected_time(1.0, interval, cost_s, restart_s, middle) > factor:
            low = middle
        else:
            high = middle
