"""What a figure over several seeds is worth: intervals, paired differences, warm-up.

Runs on different seeds are independent, so their figures have a Student-t interval
whatever happens inside a run. Two policies on one seed meet the same jobs (common
random numbers): their difference seed by seed is far less noisy than their means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
_BATCH = 5


@dataclass(frozen=True)
class Estimate:
    """A mean over ``count`` independent values, with what it may be off by.

    ``spread`` is the standard deviation of the values, ``half_width`` half the
    confidence interval of the mean (infinite for a single value).
    """

    count: int
    mean: float
    spread: float
    half_width: float
    lowest: float
    highest: float

    @property
    def low(self) -> float:
        """The lower end of the confidence interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """The upper end of the confidence interval."""
        return self.mean + self.half_width

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero: the sign is no accident of the seeds."""
        return not self.low <= 0 <= self.high


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of independent ``values`` with its Student-t confidence interval.

    Source: Law, Simulation Modeling and Analysis, 5th ed. (2015), eq. 4.12. Raises
    ValueError when there is no value.
    """
    count = len(values)
    if not count:
        raise ValueError("estimate: there is no value; give one or more")
    mean = math.fsum(values) / count
    lowest, highest = min(values), max(values)
    if count == 1:
        return Estimate(1, mean, 0.0, math.inf, lowest, highest)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = t_quantile((1 + confidence) / 2, count - 1) * spread / math.sqrt(count)
    return Estimate(count, mean, spread, half, lowest, highest)


def paired(
    mine: Sequence[float], other: Sequence[float], confidence: float = CONFIDENCE
) -> Estimate:
    """Return the mean of ``other`` less ``mine``, seed by seed, with its confidence interval.

    Both must come from the same seeds in the same order. Source: Law (2015),
    section 10.2.1 (paired-t). Raises ValueError when their numbers differ.
    """
    if len(mine) != len(other):
        raise ValueError(f"paired: {len(mine)} values and {len(other)}; give one for each seed")
    return estimate([b - a for a, b in zip(mine, other, strict=True)], confidence)


def t_probability(t: float, degrees: int) -> float:
    """Return the probability that Student's t with ``degrees`` of freedom is at most ``t``.

    Source: Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, finite sums for whole
    degrees. Raises ValueError for fewer than one degree.
    """
    if degrees < 1:
        raise ValueError(f"degrees: {degrees} is below 1; give the number of values less one")
    angle = math.atan2(t, math.sqrt(degrees))
    square = math.cos(angle) ** 2
    odd = degrees % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for step in range(degrees // 2):
        total += term
        # odd: 2/3, 4/5, 6/7, …; even: 1/2, 3/4, 5/6, …
        over = 2 * step + (2 if odd else 1)
        term *= square * over / (over + 1)
    between = math.sin(angle) * total
    if odd:
        between = (angle + between) * 2 / math.pi
    return (1 + between) / 2


@cache
def t_quantile(probability: float, degrees: int) -> float:
    """Return the t that Student's t with ``degrees`` of freedom exceeds with 1 - ``probability``.

    Found by halving an interval until it holds no other number. Raises ValueError for a
    probability that is not strictly between 0 and 1.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability: {probability} is not between 0 and 1")
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while t_probability(high, degrees) < probability:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        if t_probability(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return middle


def mser5(values: Sequence[float] | npt.NDArray[Any]) -> int:
    """Return how many of the first ``values`` to cut so that the rest looks steady.

    Means of five values in a row are cut from the left until the squared standard
    error of what is left is smallest; at most half may go, for where more would
    have to go the run is too short to say. Source: White, Cobb and Spratt, "A comparison
    of five steady-state truncation heuristics for simulation", WSC 2000.
    """
    batches = len(values) // _BATCH
    if batches < 2:
        return 0
    means = np.asarray(values[: batches * _BATCH], dtype=np.float64).reshape(-1, _BATCH).mean(1)
    means -= means.mean()  # sums of squares lose fewer digits around zero
    left = np.arange(batches, 0, -1)
    sums = np.cumsum(means[::-1])[::-1]
    squares = np.cumsum((means**2)[::-1])[::-1]
    error = np.maximum(squares - sums**2 / left, 0.0) / left.astype(np.float64) ** 2
    return int(np.argmin(error[: batches // 2 + 1])) * _BATCH
