"""When nodes go: spot reclaim and failures drawn or replayed, as outages for a run.

Each function returns the outages up to a horizon, merged so that a node is never taken
twice at once. Drawn before the run, they are the same for every policy on one
seed. Draws use only ``rng.random`` and ``math``, and are rounded to whole ms once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from fleetlab.engine import market
from fleetlab.engine.conditions import Outage
from fleetlab.log import Cause
from fleetlab.workloads.workload import hyperexponential_s

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PROCESSES = ("memoryless", "bathtub", "bursts", "aws")
BURST_SHARE = 0.25
"""Share of the spot nodes that one burst takes on average, where bursts are asked for by name."""


def reclaimed(
    process: str,
    nodes: Sequence[int],
    life_ms: float,
    away_ms: int,
    horizon_ms: int,
    rng: np.random.Generator,
    notice_ms: int = 0,
) -> tuple[Outage, ...]:
    """Return the outages of ``nodes`` that live ``life_ms`` on average, under a named process.

    Raises ValueError for another name than those of ``PROCESSES``.
    """
    if process == "memoryless":
        return memoryless(nodes, life_ms, away_ms, horizon_ms, rng, notice_ms)
    if process == "bathtub":
        longest_ms = round(life_ms / bathtub_mean_share())
        return bathtub(nodes, longest_ms, away_ms, horizon_ms, rng, notice_ms)
    if process == "bursts":
        apart_ms = life_ms * BURST_SHARE
        return bursts(nodes, apart_ms, BURST_SHARE, away_ms, horizon_ms, rng, notice_ms)
    if process == "aws":
        apart_ms = life_ms * market.AWS.mean_share
        return like_market(nodes, apart_ms, market.AWS, away_ms, horizon_ms, rng, notice_ms)
    raise ValueError(f"reclaim: {process!r} is not one of {', '.join(PROCESSES)}")


def memoryless(
    nodes: Sequence[int],
    mean_ms: float,
    away_ms: int,
    horizon_ms: int,
    rng: np.random.Generator,
    notice_ms: int = 0,
    cause: Cause = Cause.SPOT,
) -> tuple[Outage, ...]:
    """Return outages that strike each node as a Poisson process, ``mean_ms`` up between two.

    Each lasts ``away_ms``. Raises ValueError for a mean that is not above 0, or a
    negative time.
    """
    _positive("mean_ms", mean_ms)

    def life_ms() -> float:
        return -math.log1p(-rng.random()) * mean_ms

    return _renewals(nodes, life_ms, away_ms, horizon_ms, notice_ms, cause)


def bathtub_lifetime_share(age: float, early: float = 0.45) -> float:
    """Return the share of spot nodes that are gone by ``age`` (0 to 1, of the longest life).

    Constrained preemption: many go young, few in the middle, the rest towards the
    limit. F(t) = A·(1 - e^{-t/τ1}) + (1 - A)·e^{(t-b)/τ2} with A = ``early``, τ1 = 1 h,
    τ2 = 0.8 h and b = 24 h, scaled so that F(0) = 0 and F(24 h) = 1. Source: the shape and
    its constants are of Kadupitiya, Jadhao and Sharma, "Modeling the temporally
    constrained preemptions of transient cloud VMs", HPDC 2020, eq. 1, which has one
    factor A for both terms.
    """

    def raw(hours: float) -> float:
        return early * (1 - math.exp(-hours)) + (1 - early) * math.exp((hours - 24) / 0.8)

    return (raw(24 * age) - raw(0)) / (raw(24) - raw(0))


def bathtub_mean_share(steps: int = 10_000) -> float:
    """Return the mean life of ``bathtub_lifetime_share``, as a share of the longest (midpoints)."""
    return sum(1 - bathtub_lifetime_share((step + 0.5) / steps) for step in range(steps)) / steps


def bathtub(
    nodes: Sequence[int],
    longest_ms: int,
    away_ms: int,
    horizon_ms: int,
    rng: np.random.Generator,
    notice_ms: int = 0,
) -> tuple[Outage, ...]:
    """Return outages whose nodes live as ``bathtub_lifetime_share`` says, ``longest_ms`` at most.

    Raises ValueError as ``memoryless`` does.
    """
    _positive("longest_ms", longest_ms)

    def life_ms() -> float:
        share, low, high = rng.random(), 0.0, 1.0
        for _ in range(40):  # to a millionth of a millionth of the longest life
            middle = (low + high) / 2
            if bathtub_lifetime_share(middle) < share:
                low = middle
            else:
                high = middle
        return high * longest_ms

    return _renewals(nodes, life_ms, away_ms, horizon_ms, notice_ms, Cause.SPOT)


def bursts(
    nodes: Sequence[int],
    mean_ms: float,
    share: float,
    away_ms: int,
    horizon_ms: int,
    rng: np.random.Generator,
    notice_ms: int = 0,
) -> tuple[Outage, ...]:
    """Return correlated outages: bursts ``mean_ms`` apart on average, each taking nodes together.

    Every node goes with probability ``share`` in every burst, so a node loses as much
    time as under ``memoryless`` with mean ``mean_ms / share``. Raises ValueError as
    ``memoryless`` does, and for a share outside [0, 1].
    """
    _positive("mean_ms", mean_ms)
    if not 0 <= share <= 1:
        raise ValueError(f"reclaim: share is {share}; give a number from 0 to 1")
    outages: list[Outage] = []
    time = 0.0
    while True:
        time += -math.log1p(-rng.random()) * mean_ms
        down = round(time)
        if down > horizon_ms:
            return merged(outages)
        for node in nodes:
            if rng.random() < share:
                outages.append(Outage(node, down, down + away_ms, notice_ms, Cause.SPOT))


def like_market(
    nodes: Sequence[int],
    mean_ms: float,
    found: market.Market,
    away_ms: int,
    horizon_ms: int,
    rng: np.random.Generator,
    notice_ms: int = 0,
) -> tuple[Outage, ...]:
    """Return reclaims with the statistics of a recorded market, ``mean_ms`` apart on average.

    Times between two reclaims have the market's coefficient of variation, and each takes
    a share of the nodes that are live, drawn from the market's, at least one. Raises
    ValueError as ``memoryless`` does.
    """
    _positive("mean_ms", mean_ms)
    outages: list[Outage] = []
    back: dict[int, int] = {}
    time = 0.0
    while True:
        which, gap = np.array([rng.random()]), np.array([rng.random()])
        time += hyperexponential_s(which, gap, mean_ms, found.gap_cv)[0]
        share = found.share(rng.random())
        down = round(time)
        if down > horizon_ms:
            return merged(outages)
        live = [node for node in nodes if back.get(node, 0) <= down]
        for _ in range(min(len(live), max(1, round(share * len(live))))):
            node = live.pop(int(rng.random() * len(live)))
            back[node] = down + away_ms
            outages.append(Outage(node, down, down + away_ms, notice_ms, Cause.SPOT))


def replay(
    steps: Iterable[tuple[int, int]],
    nodes: Sequence[int],
    rng: np.random.Generator,
    notice_ms: int = 0,
) -> tuple[Outage, ...]:
    """Return the outages in a recorded number of live nodes, (time ms, live) in order of time.

    Of ``nodes`` as many are live as the record says; which go and which come back
    is drawn, and whatever is gone at the last step returns then. Raises ValueError for time running
    backwards, or more live nodes than there are.
    """
    record = list(steps)
    if not record:
        return ()
    live = list(nodes)
    away: dict[int, int] = {}
    outages: list[Outage] = []
    before = record[0][0]
    for number, (time, count) in enumerate(record):
        if time < before or time < 0:
            raise ValueError(f"reclaim: step {number} is at {time} ms, before the one ahead of it")
        if not 0 <= count <= len(nodes):
            raise ValueError(
                f"reclaim: step {number} has {count} live nodes, and the fleet lends {len(nodes)}"
            )
        before = time
        while len(live) > count:
            away[live.pop(int(rng.integers(len(live))))] = time
        while len(live) < count:
            gone = sorted(away)
            node = gone[int(rng.integers(len(gone)))]
            outages.append(Outage(node, away.pop(node), time, notice_ms, Cause.SPOT))
            live.append(node)
    outages += [Outage(n, time, before, notice_ms, Cause.SPOT) for n, time in away.items()]
    return merged(outages)


def merged(outages: Iterable[Outage]) -> tuple[Outage, ...]:
    """Return ``outages`` in order of time, those of one node that overlap made one."""
    by_node: dict[int, list[Outage]] = {}
    for outage in sorted(outages, key=lambda o: (o.down_ms, o.up_ms, o.node)):
        mine = by_node.setdefault(outage.node, [])
        if mine and outage.down_ms < mine[-1].up_ms:
            last = mine.pop()
            outage = Outage(
                last.node,
                last.down_ms,
                max(last.up_ms, outage.up_ms),
                last.notice_ms,
                last.cause,
            )
        mine.append(outage)
    every = [outage for mine in by_node.values() for outage in mine]
    return tuple(sorted(every, key=lambda o: (o.down_ms, o.node, o.up_ms)))


def read_steps(text: str, unit_ms: int = 1000, name: str = "spot trace") -> list[tuple[int, int]]:
    """Return a step function, (time ms, live nodes), from lines of ``time,live``.

    Times are in units of ``unit_ms``. Raises ValueError naming the line for anything else.
    """
    steps: list[tuple[int, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split(",")
        try:
            if len(cells) != 2 or len(line) > 60:
                raise ValueError
            time, live = float(cells[0]), int(cells[1])
            if not (math.isfinite(time) and 0 <= time <= 1e9 and 0 <= live <= 10**6):
                raise ValueError
        except ValueError:
            raise ValueError(
                f"{name}: line {number} is {line[:40]!r}; write time,live as in 25435,2"
            ) from None
        at = round(time * unit_ms)
        if steps and at < steps[-1][0]:
            raise ValueError(f"{name}: line {number} goes back in time; sort the lines by time")
        steps.append((at, live))
    return steps


def _renewals(
    nodes: Sequence[int],
    life_ms: Callable[[], float],
    away_ms: int,
    horizon_ms: int,
    notice_ms: int,
    cause: Cause,
) -> tuple[Outage, ...]:
    """Return the outages of nodes that live, are away, and live anew."""
    outages: list[Outage] = []
    for node in nodes:
        time = 0
        while True:
            time += max(1, round(life_ms()))
            if time > horizon_ms:
                break
            outages.append(Outage(node, time, time + away_ms, notice_ms, cause))
            time += away_ms
    return merged(outages)


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"reclaim: {name} is {value}; give a number above 0")
