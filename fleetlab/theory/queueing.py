"""Waiting times of the textbook queues, to hold the engine's measurements against.

The time unit is the mean service time (service rate 1) throughout, so a wait of
2.0 means twice the mean service time, and offered load counts busy servers.
"""

from __future__ import annotations

import math
import operator


def _servers(servers: int) -> int:
    try:
        count = operator.index(servers)
    except TypeError:
        raise ValueError(f"servers is {servers!r}; give a whole number of at least 1") from None
    if count < 1:
        raise ValueError(f"servers is {count}; give a whole number of at least 1")
    return count


def _not_negative(name: str, value: float) -> float:
    number = float(value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} is {value}; give a finite number of at least 0")
    return number


def _stable(servers: int, offered_load: float) -> tuple[int, float]:
    count, load = _servers(servers), _not_negative("offered_load", offered_load)
    if load >= count:
        raise ValueError(
            f"offered_load is {load:g} for {count} servers, so the queue grows without end; "
            f"give a load below {count}"
        )
    return count, load


def _utilisation(utilisation: float) -> float:
    rho = _not_negative("utilisation", utilisation)
    if rho >= 1:
        raise ValueError(
            f"utilisation is {rho:g}, so the queue grows without end; give a number below 1"
        )
    return rho


def erlang_b(servers: int, offered_load: float) -> float:
    """Return the share of arrivals that find every server busy and are lost (M/M/c/c).

    Computed by the recursion B(c) = a·B(c-1) / (c + a·B(c-1)), which holds only
    numbers between 0 and 1 and so is stable for any number of servers.
    Source: Erlang (1917); Cooper, Introduction to Queueing Theory (1981), §3.4.
    Raises ValueError for fewer than one server or a negative load.
    """
    count, load = _servers(servers), _not_negative("offered_load", offered_load)
    blocked = 1.0
    for busy in range(1, count + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked


def erlang_c(servers: int, offered_load: float) -> float:
    """Return the probability that an arrival has to wait (M/M/c), between 0 and 1.

    C = B / (1 - ρ·(1 - B)) with Erlang's B and ρ = offered_load / servers.
    Source: Cooper (1981), §3.5.
    Raises ValueError when the load is not below the number of servers.
    """
    count, load = _stable(servers, offered_load)
    blocked = erlang_b(count, load)
    return blocked / (1 - load / count * (1 - blocked))


def mean_wait_mmc(servers: int, offered_load: float) -> float:
    """Return the mean wait before service (M/M/c), in mean service times.

    W_q = C(c, a) / (c - a). Source: Cooper (1981), §3.5.
    Raises ValueError when the load is not below the number of servers.
    """
    count, load = _stable(servers, offered_load)
    return erlang_c(count, load) / (count - load)


def wait_exceeds_mmc(servers: int, offered_load: float, wait: float) -> float:
    """Return the probability that a wait is longer than ``wait`` mean service times (M/M/c).

    P(W > t) = C(c, a)·e^{-(c - a)t}, first come first served. Source: Cooper (1981), §3.5.
    Raises ValueError for an unstable load or a negative wait.
    """
    count, load = _stable(servers, offered_load)
    return erlang_c(count, load) * math.exp(-(count - load) * _not_negative("wait", wait))


def mean_queue_mmc(servers: int, offered_load: float) -> float:
    """Return the mean number waiting (M/M/c): arrival rate times wait, by Little's law.

    Raises ValueError when the load is not below the number of servers.
    """
    return _stable(servers, offered_load)[1] * mean_wait_mmc(servers, offered_load)


def mean_wait_mm1(utilisation: float) -> float:
    """Return the mean wait at one server (M/M/1), ρ/(1-ρ), in mean service times.

    Raises ValueError when the utilisation is not between 0 and 1.
    """
    rho = _utilisation(utilisation)
    return rho / (1 - rho)


def pollaczek_khinchine(utilisation: float, cv: float) -> float:
    """Return W_q/E[S], the mean wait at one server (M/G/1) in mean service times.

    ρ/(1-ρ)·(1 + C²)/2, where ``cv`` is the standard deviation of the service
    time over its mean: 0 for equal jobs, 1 for exponential ones.
    Source: Pollaczek (1930), Khinchine (1932); Kleinrock, Queueing Systems I, §5.6.
    Raises ValueError for a utilisation outside [0, 1) or a negative ``cv``.
    """
    variability = _not_negative("cv", cv)
    return mean_wait_mm1(utilisation) * (1 + variability * variability) / 2


def kingman(utilisation: float, cv_arrival: float, cv_service: float) -> float:
    """Return Kingman's approximation of the mean wait at one server (G/G/1), in services.

    ρ/(1-ρ)·(C_a² + C_s²)/2; exact when arrivals are Poisson (C_a = 1).
    Source: Kingman (1961).
    Raises ValueError for a utilisation outside [0, 1) or a negative variation.
    """
    arrival, service = (
        _not_negative("cv_arrival", cv_arrival),
        _not_negative("cv_service", cv_service),
    )
    return mean_wait_mm1(utilisation) * (arrival * arrival + service * service) / 2


def allen_cunneen(servers: int, offered_load: float, cv_arrival: float, cv_service: float) -> float:
    """Return the Allen-Cunneen approximation of the mean wait (G/G/c), in services.

    The M/M/c wait scaled by (C_a² + C_s²)/2: why the 20x of one server shrinks
    on a fleet of many. Exact for M/M/c, and for M/G/1 (Pollaczek-Khinchine).
    Source: Allen, Probability, Statistics and Queueing Theory (1990), §5.
    Raises ValueError for an unstable load or a negative variation.
    """
    arrival, service = (
        _not_negative("cv_arrival", cv_arrival),
        _not_negative("cv_service", cv_service),
    )
    return mean_wait_mmc(servers, offered_load) * (arrival * arrival + service * service) / 2
