"""The process `aws`: its numbers are those of the records, and its draws have them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import mean, pstdev

import numpy as np
import pytest

from fleetlab.engine.market import AWS, EDGES, Market, measured
from fleetlab.engine.reclaim import HOUR_MS, like_market, read_steps, reclaimed


def test_the_numbers_are_those_of_the_records(shared_data: Path) -> None:
    records = []
    for path in sorted((shared_data / "spot-traces").glob("aws-*.csv")):
        if path.stem.endswith("_scaled"):
            continue  # the same records in hours
        unit_ms = HOUR_MS if path.stem.endswith("2020-11-20-to-2020-11-23") else 1000
        records.append(read_steps(path.read_text("utf-8"), unit_ms, path.name))
    found = measured(records)
    assert found.gap_cv == pytest.approx(AWS.gap_cv, abs=0.005)
    assert found.below == pytest.approx(AWS.below, abs=0.0005)


def test_a_market_is_measured_from_the_steps_down_alone() -> None:
    # of 10 nodes 1 goes at 10 s, 3 of the 9 at 30 s, and all of 8 at 40 s
    steps = [(0, 10), (10_000, 9), (30_000, 6), (35_000, 8), (40_000, 0)]
    found = measured([steps])
    assert found.gap_cv == pytest.approx(5 / 15)
    below = dict(zip(EDGES, found.below, strict=True))
    assert below[0.1] == pytest.approx(1 / 3) and below[0.35] == pytest.approx(2 / 3)


def test_records_without_two_reclaims_say_nothing() -> None:
    with pytest.raises(ValueError, match="fewer than two reclaims"):
        measured([[(0, 8)], [(0, 8), (10, 7)]])


def test_shares_are_spread_evenly_between_the_edges() -> None:
    half = Market(1.0, (0.0, *[0.5] * (len(EDGES) - 2), 1.0))
    assert half.share(0.25) == pytest.approx((EDGES[0] + EDGES[1]) / 2)
    assert half.share(0.75) == pytest.approx((EDGES[-2] + EDGES[-1]) / 2)


def test_drawn_reclaims_are_as_irregular_and_as_large_as_the_market() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    outages = like_market(range(100), HOUR_MS, AWS, 0, 4000 * HOUR_MS, rng)
    sizes = Counter(outage.down_ms for outage in outages)
    gaps = [late - early for early, late in pairwise(sorted(sizes))]
    assert mean(gaps) == pytest.approx(HOUR_MS, rel=0.1)
    assert pstdev(gaps) / mean(gaps) == pytest.approx(AWS.gap_cv, rel=0.1)
    assert mean(sizes.values()) / 100 == pytest.approx(AWS.mean_share, rel=0.1)


def test_by_name_a_node_lives_as_long_as_under_any_other_process() -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    life_ms = 10 * HOUR_MS
    outages = reclaimed("aws", range(50), life_ms, 0, 2000 * HOUR_MS, rng)
    assert 50 * 2000 * HOUR_MS / len(outages) == pytest.approx(life_ms, rel=0.15)


def test_a_node_that_is_gone_is_not_taken_again() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    outages = like_market(range(4), HOUR_MS, AWS, 3 * HOUR_MS, 200 * HOUR_MS, rng)
    back: dict[int, int] = {}
    for outage in outages:
        assert back.get(outage.node, 0) <= outage.down_ms
        back[outage.node] = outage.up_ms
