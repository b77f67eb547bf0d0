"""Job sizes and run times calibrated on real clusters, as quantile tables.

A table gives durations at chosen quantiles; between them they are drawn evenly.
Only + - * / act on the generator's draws, so that every platform draws the same
jobs to the bit (a lognormal would not: exp differs). Tables come from the traces
by ``quantile_table``, which keeps the mean of the trace exactly.

Sources: Philly, Jeon et al., "Analysis of Large-Scale Multi-Tenant GPU Clusters",
ATC 2019 (82,247 jobs with a duration, 109 days; the virtual clusters pooled);
Alibaba 2023, Weng et al., "Beware of Fragmentation", ATC 2023 (7,064 pods that ask
for GPU; duration is residence, from creation to deletion).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Quantiles:
    """A distribution of durations: seconds at quantiles, which are parts of the last one.

    Raises ValueError when the two differ in length or one of them falls.
    """

    at: tuple[int, ...]
    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.at) != len(self.seconds) or len(self.at) < 2:
            raise ValueError("quantiles: as many seconds as quantiles are needed, at least two")
        if self.at[0] != 0 or self.at[-1] <= 0:
            raise ValueError("quantiles: must run from 0 up")
        for column in (self.at, self.seconds):
            if any(later < sooner for sooner, later in pairwise(column)):
                raise ValueError("quantiles: must not fall")

    @property
    def mean_s(self) -> float:
        """Return the mean of the distribution, in seconds."""
        pairs = list(zip(self.at, self.seconds, strict=True))
        areas = [(p1 - p0) * (s0 + s1) / 2 for (p0, s0), (p1, s1) in pairwise(pairs)]
        return sum(areas) / self.at[-1]

    def value(self, share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the seconds that ``share`` (0 to 1) of the durations do not exceed."""
        at = np.array(self.at, dtype=np.float64)
        seconds = np.array(self.seconds, dtype=np.float64)
        wanted = share * self.at[-1]
        left = np.clip(np.searchsorted(at, wanted, side="right") - 1, 0, len(at) - 2)
        part = (wanted - at[left]) / (at[left + 1] - at[left])
        return np.asarray(seconds[left] + part * (seconds[left + 1] - seconds[left]))


@dataclass(frozen=True)
class Workload:
    """A mix of job sizes with the run times of each.

    ``counts`` (how many jobs of the trace), ``gpus`` and ``gpu_milli`` have an entry
    for each size; ``durations`` has one for each class, and ``classes`` says which
    class a size is in.
    """

    counts: tuple[int, ...]
    gpus: tuple[int, ...]
    gpu_milli: tuple[int, ...]
    classes: tuple[int, ...]
    durations: tuple[Quantiles, ...]


def sample_sizes(workload: Workload, rng: np.random.Generator, count: int) -> Ints:
    """Return ``count`` sizes, as numbers into the workload's columns, by their popularity."""
    bounds = np.cumsum(np.array(workload.counts, dtype=np.int64))
    return np.searchsorted(bounds, rng.integers(bounds[-1], size=count), side="right")


def sample_durations_ms(workload: Workload, rng: np.random.Generator, sizes: Ints) -> Ints:
    """Return a duration for each size, in whole ms (at least 1), by the size's distribution."""
    share = rng.random(len(sizes))
    seconds = np.zeros(len(sizes), dtype=np.float64)
    classes = np.array(workload.classes, dtype=np.int64)[sizes]
    for number, quantiles in enumerate(workload.durations):
        members = classes == number
        seconds[members] = quantiles.value(share[members])
    durations: Ints = np.maximum(1, np.rint(seconds * 1000)).astype(np.int64)
    return durations


def philly_jobs(rng: np.random.Generator, count: int) -> tuple[Ints, Ints]:
    """Return GPUs and durations (ms) of ``count`` jobs as in Philly (Jeon et al., ATC 2019)."""
    sizes = sample_sizes(PHILLY, rng, count)
    return np.array(PHILLY.gpus, dtype=np.int64)[sizes], sample_durations_ms(PHILLY, rng, sizes)


def alibaba_jobs(rng: np.random.Generator, count: int) -> tuple[Ints, Ints, Ints]:
    """Return GPUs, thousandths of each, and durations (ms) of ``count`` pods as in Alibaba 2023.

    Only pods that ask for GPU (86.7 % of the trace); Weng et al., ATC 2023.
    """
    sizes = sample_sizes(ALIBABA, rng, count)
    gpus = np.array(ALIBABA.gpus, dtype=np.int64)[sizes]
    milli = np.array(ALIBABA.gpu_milli, dtype=np.int64)[sizes]
    return gpus, milli, sample_durations_ms(ALIBABA, rng, sizes)


def quantile_table(durations_s: Sequence[float], knots: int) -> Quantiles:
    """Return the table of at most ``knots`` quantiles that stays closest to some durations.

    It starts from the extremes, the median, p95 and p99. Knots are added where
    straight lines stray most from the sorted durations, in root, in mean and in
    square (so in CV), in equal parts. Then the values are scaled a little to the
    mean of the durations, which is kept (to the rounding to 0.1 s).
    """
    ordered = np.sort(np.asarray(durations_s, dtype=np.float64))
    count = len(ordered)
    if count < 2:
        raise ValueError("quantile_table: needs two durations at least")
    chosen = sorted({0, count // 2, int(0.95 * count), int(0.99 * count), count - 1})
    level = np.sqrt(np.maximum(ordered, 1.0))
    scales = (level.mean(), ordered.mean(), np.square(ordered).mean())

    def stray(low: int, high: int) -> tuple[float, int]:
        """Return how far the line from low to high strays in all, and where it does most."""
        inside = np.arange(low, high + 1)
        line = ordered[low] + (ordered[high] - ordered[low]) * (inside - low) / (high - low)
        real = ordered[low : high + 1]
        gaps = (
            np.abs(np.sqrt(np.maximum(line, 1.0)) - level[low : high + 1]) / scales[0]
            + np.abs(line - real) / scales[1]
            + np.abs(np.square(line) - np.square(real)) / scales[2]
        )
        return float(gaps.sum()), low + int(np.argmax(gaps))

    segments = {piece: stray(*piece) for piece in pairwise(chosen)}
    # At most a knot for every three durations: a table sums up, it does not copy.
    while len(chosen) < min(knots, max(5, count // 3)):
        (low, high), (gap, where) = max(segments.items(), key=lambda item: item[1][0])
        if gap == 0 or not low < where < high:
            break
        del segments[low, high]
        chosen.append(where)
        for piece in ((low, where), (where, high)):
            segments[piece] = stray(*piece)
    chosen.sort()
    # A duration stands for a slice of equal width and lies in its middle, so that
    # lines through all of them have the mean of the durations.
    at = (0, *(2 * index + 1 for index in chosen), 2 * count)
    levels = [float(ordered[index]) for index in (0, *chosen, count - 1)]
    scale = float(ordered.mean()) / Quantiles(at, tuple(levels)).mean_s
    return Quantiles(at, tuple(round(seconds * scale, 1) for seconds in levels))


TABLE_KNOTS = 34

_PHILLY_1 = Quantiles(
    (
        0, 1, 2195, 35361, 52835, 76627, 117015, 125671, 135071, 142003, 144919, 145591, 147757,
        150049, 151123, 151721, 152165, 152337, 152749, 152801, 152905, 153017, 153105, 153135,
        153141, 153163, 153179, 153205, 153211, 153221, 153229, 153233, 153239, 153249, 153253,
        153254,
    ),
    (
        1, 1, 37.9, 91.7, 350.8, 1113.3, 2806.8, 4134.4, 6047.2, 11328.9, 16158, 19074.5,
        30571.8, 64324.1, 97741.5, 134961.5, 180519.1, 216067.6, 373867.2, 385230.9, 447680.2,
        611751.2, 870680.2, 1038834.9, 1134632.8, 1278219, 1453867.1, 1831159.1, 2021721.2,
        2094912.3, 2350157.4, 2588588.6, 2634400.4, 3207568.1, 3245404.1, 3245404.1,
    ),
)  # fmt: skip

_PHILLY_2 = Quantiles(
    (
        0, 1, 205, 1819, 2689, 2903, 2995, 3007, 3067, 3151, 3261, 3277, 3335, 3369, 3411, 3455,
        3481, 3499, 3533, 3557, 3561, 3579, 3585, 3593, 3599, 3603, 3607, 3613, 3619, 3623,
        3625, 3627, 3629, 3633, 3635, 3636,
    ),
    (
        2, 2, 10, 21, 45, 136.9, 1013.3, 1539.9, 19249.2, 28306.8, 65598.1, 79207.4, 103520,
        135450.2, 159310.1, 197251, 219092.4, 250357, 270440.7, 310154.3, 343454.5, 406772.2,
        454103.4, 467480.8, 525654.2, 529528.5, 597181.1, 755819.7, 852419.6, 1097188.7,
        1151336, 1396989.3, 1398002.6, 1520061.4, 2580958, 2580958,
    ),
)  # fmt: skip

_PHILLY_4 = Quantiles(
    (
        0, 1, 613, 1015, 1387, 1871, 2257, 2605, 2875, 2985, 3117, 3255, 3417, 3465, 3531, 3553,
        3573, 3591, 3627, 3655, 3671, 3675, 3685, 3689, 3703, 3705, 3711, 3721, 3727, 3729,
        3731, 3733, 3735, 3737, 3739, 3740,
    ),
    (
        3, 3, 194.7, 992.6, 5129.8, 17406.7, 37041.2, 77993.9, 92972, 104481.9, 128916.7,
        175381.7, 188494.3, 197287, 240481.6, 273955.8, 295739.3, 386441.5, 448882.1, 525037.6,
        555152.5, 619225.9, 658512.9, 746070.4, 907391.8, 1001745.8, 1104968.4, 1211336.7,
        1411400.8, 1662720.3, 1789891.4, 2056461.5, 2413489.2, 2637876.3, 2746831.9, 2746831.9,
    ),
)  # fmt: skip

_PHILLY_8 = Quantiles(
    (
        0, 1, 369, 793, 1193, 1643, 1809, 1957, 2051, 2189, 2395, 2495, 2661, 2851, 2875, 2965,
        3023, 3061, 3121, 3137, 3179, 3195, 3219, 3233, 3235, 3241, 3253, 3261, 3263, 3265,
        3271, 3279, 3281, 3283, 3285, 3286,
    ),
    (
        1, 1, 249, 1355.1, 7855.7, 23685.1, 36661.2, 61441.4, 90144.9, 113948, 164905.4,
        175765.3, 206960.1, 261572.8, 271952.7, 362996.7, 387030.8, 429437.5, 525676.9, 572877,
        634859.4, 722249.1, 792964.2, 861001.2, 925503.8, 943308.4, 1066987.2, 1128734.6,
        1780561.5, 1956706.9, 2015019, 2240389.6, 2655425.9, 2659016.2, 4628630.2, 4628630.2,
    ),
)  # fmt: skip

_PHILLY_16 = Quantiles(
    (
        0, 1, 65, 107, 123, 139, 171, 181, 191, 199, 235, 241, 257, 271, 273, 283, 297, 325,
        331, 343, 347, 353, 363, 367, 371, 375, 379, 383, 385, 387, 389, 391, 393, 395, 397,
        398,
    ),
    (
        2, 2, 126.2, 437.6, 905.2, 2787.8, 15067.4, 27073.6, 32706.3, 52619.2, 73827.9, 85923.3,
        99572.7, 123607.2, 138097.9, 158543.5, 163820.7, 198601.7, 232045, 254716.6, 271650.6,
        327310.9, 353922.9, 439506.7, 454290.7, 505217.6, 511930.7, 535192.1, 611687.6,
        623220.2, 658770.3, 892505.6, 1153948.3, 1371732, 1712960.7, 1712960.7,
    ),
)  # fmt: skip

_PHILLY_32 = Quantiles(
    (
        0, 1, 5, 13, 45, 55, 63, 65, 67, 69, 71, 75, 79, 91, 97, 115, 119, 123, 125, 127, 129,
        131, 133, 134,
    ),
    (
        2, 2, 9, 810.7, 1371.8, 2660.7, 6012.3, 12861.3, 14239.1, 16235.9, 39417.6, 44974.6,
        46816.7, 48466, 52689.2, 56540, 59844.7, 71354.2, 71399.1, 77878.7, 104050.6, 121465.6,
        128716.9, 128716.9,
    ),
)  # fmt: skip

_PHILLY_REST = Quantiles(
    (
        0, 1, 23, 27, 39, 41, 43, 45, 46,
    ),
    (
        1, 1, 591, 688.3, 4336.4, 7698.6, 28570.1, 214014.3, 214014.3,
    ),
)  # fmt: skip

PHILLY = Workload(
    counts=(
        76627, 1818, 1870, 1643, 7, 199, 7, 67, 6, 3,
    ),
    gpus=(1, 2, 4, 8, 12, 16, 24, 32, 64, 128),
    gpu_milli=(1000,) * 10,
    classes=(0, 1, 2, 3, 6, 4, 6, 5, 6, 6),
    durations=(_PHILLY_1, _PHILLY_2, _PHILLY_4, _PHILLY_8, _PHILLY_16, _PHILLY_32, _PHILLY_REST),
)  # fmt: skip

_ALIBABA_SHARE = Quantiles(
    (
        0, 1, 1727, 2475, 3079, 3505, 3935, 4425, 4687, 4905, 5193, 5371, 5473, 5713, 5815,
        5849, 5893, 5989, 6043, 6073, 6095, 6109, 6113, 6121, 6129, 6133, 6135, 6139, 6141,
        6143, 6147, 6149, 6151, 6153, 6155, 6156,
    ),
    (
        0, 0, 156, 269.1, 440.1, 610.1, 926.2, 1178.2, 1546.3, 2130.4, 3252.6, 4608.9, 5759.1,
        10827, 14233.7, 16624.1, 19428.7, 28872.4, 44857.4, 59014.1, 74667.1, 80007.1, 101838.2,
        114803.6, 193532.4, 291880.9, 294706.5, 521758.2, 982351.9, 3231861.4, 3239519.8,
        3426631.1, 6509648.4, 10214838.9, 12478248, 12478248,
    ),
)  # fmt: skip

_ALIBABA_ONE = Quantiles(
    (
        0, 1, 45, 2733, 3911, 5159, 6053, 6973, 7283, 7431, 7531, 7601, 7659, 7717, 7743, 7751,
        7755, 7765, 7769, 7779, 7781, 7783, 7787, 7791, 7793, 7795, 7799, 7803, 7807, 7809,
        7811, 7813, 7815, 7817, 7821, 7822,
    ),
    (
        1, 1, 24, 271.5, 631.8, 1393.3, 2547, 4857.5, 8400.5, 12394.7, 17138.4, 25150.7,
        41109.4, 83891.6, 170135.5, 243327, 395161.4, 514554.4, 741508.5, 1068171.1, 1640292.6,
        1687535, 2277498.6, 2607631.4, 2607631.4, 3017717.6, 3129987.5, 4362500.5, 4812619.1,
        7911678.2, 8755599, 8778624.8, 9863692.8, 10125028.5, 12512967.6, 12512967.6,
    ),
)  # fmt: skip

_ALIBABA_SEVERAL = Quantiles(
    (
        0, 1, 21, 23, 41, 49, 75, 87, 93, 97, 107, 109, 113, 117, 121, 123, 127, 131, 135, 137,
        139, 141, 143, 145, 147, 149, 150,
    ),
    (
        23, 23, 61.9, 114.9, 178.8, 417.5, 605.3, 1070.8, 2265.4, 2358.3, 4346.1, 4405, 6702.4,
        13039.3, 17739, 22832.2, 27373.1, 61132.9, 68416.7, 77516.4, 101882.9, 174993.3, 209750,
        911633.9, 976221, 1330853.3, 1330853.3,
    ),
)  # fmt: skip

ALIBABA = Workload(
    counts=(
        7, 24, 1, 74, 62, 140, 4, 1, 328, 7, 6, 47, 2, 128, 750, 19, 72, 75, 253, 1078, 3911,
        16, 15, 44,
    ),
    gpus=(
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 8,
    ),
    gpu_milli=(
        50, 110, 140, 160, 220, 230, 270, 290, 320, 330, 350, 370, 440, 460, 470, 480, 550, 590,
        650, 810, 1000, 1000, 1000, 1000,
    ),
    classes=(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2),
    durations=(_ALIBABA_SHARE, _ALIBABA_ONE, _ALIBABA_SEVERAL),
)  # fmt: skip
