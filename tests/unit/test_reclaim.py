"""When nodes go: drawn processes keep their means and shapes, records are replayed."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetlab.engine.conditions import Outage
from fleetlab.engine.reclaim import (
    bathtub,
    bathtub_lifetime_share,
    bursts,
    memoryless,
    merged,
    read_steps,
    reclaimed,
    replay,
)
from fleetlab.log import Cause

HOUR = 3_600_000


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def lives_ms(outages: tuple[Outage, ...], away_ms: int) -> list[int]:
    """Return how long each node lived before each outage."""
    born: dict[int, int] = {}
    lives = []
    for outage in outages:
        lives.append(outage.down_ms - born.get(outage.node, 0))
        born[outage.node] = outage.down_ms + away_ms
    return lives


def near(values: list[int], mean: float, errors: float = 3.0) -> bool:
    """Return whether the sample mean is within so many standard errors of ``mean``."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return abs(float(np.mean(values)) - mean) <= errors * error


def test_memoryless_lives_have_the_mean_they_were_given_and_its_deviation() -> None:
    # a horizon of many lives: cutting the last ones off hardly shortens the mean
    lives = lives_ms(memoryless(range(20), HOUR, 60_000, 400 * HOUR, rng()), 60_000)
    assert len(lives) > 5000
    assert near(lives, HOUR)
    assert 0.95 < np.std(lives) / np.mean(lives) < 1.05


def test_nodes_that_never_die_within_the_horizon_have_no_outages() -> None:
    assert memoryless(range(4), 1e15, 0, HOUR, rng()) == ()


def test_a_bathtub_takes_many_young_few_in_the_middle_and_the_rest_near_the_limit() -> None:
    assert bathtub_lifetime_share(0) == 0
    assert bathtub_lifetime_share(1) == pytest.approx(1)
    lives = np.array(lives_ms(bathtub(range(50), 24 * HOUR, 0, 500 * HOUR, rng()), 0))
    assert lives.max() <= 24 * HOUR
    # of the law's own shares: by 3 h, from 3 h to 20 h, and after
    for low, high in ((0, 3), (3, 20), (20, 24)):
        share = bathtub_lifetime_share(high / 24) - bathtub_lifetime_share(low / 24)
        found = float(((lives > low * HOUR) & (lives <= high * HOUR)).mean())
        error = math.sqrt(share * (1 - share) / len(lives))
        assert abs(found - share) <= 4 * error
    early, middle, late = (
        bathtub_lifetime_share(b) - bathtub_lifetime_share(a)
        for a, b in ((0, 1 / 8), (1 / 2, 5 / 8), (7 / 8, 1))
    )
    assert early > 10 * middle and late > 10 * middle


def test_bursts_take_nodes_together_and_as_many_as_their_share_says() -> None:
    outages = bursts(range(100), HOUR, 0.3, 1000, 300 * HOUR, rng())
    by_burst: dict[int, int] = {}
    for outage in outages:
        by_burst[outage.down_ms] = by_burst.get(outage.down_ms, 0) + 1
    assert near(list(by_burst.values()), 30)
    assert min(by_burst.values()) > 1
    gaps = np.diff(sorted(by_burst)).tolist()
    assert near(gaps, HOUR)


def test_a_burst_of_share_0_takes_nobody_and_of_share_1_everybody() -> None:
    assert bursts(range(5), HOUR, 0, 1, 10 * HOUR, rng()) == ()
    outages = bursts(range(5), HOUR, 1, 1, 10 * HOUR, rng())
    assert len(outages) % 5 == 0 and len({o.down_ms for o in outages}) == len(outages) // 5


def test_the_same_seed_draws_the_same_outages_and_notice_is_given_before_each() -> None:
    for process in ("memoryless", "bathtub", "bursts"):
        one, two = (
            reclaimed(process, range(8), HOUR, 1000, 50 * HOUR, rng(7), 30_000) for _ in range(2)
        )
        assert one == two != ()
        assert {outage.notice_ms for outage in one} == {30_000}


def test_a_record_is_replayed_with_as_many_nodes_live_as_it_says() -> None:
    outages = replay([(0, 3), (10, 1), (15, 2), (20, 3), (30, 3)], range(4), rng())
    # of four nodes one is gone at first, two go at 10, one of the three is back at 15, one at 20
    assert sorted(o.down_ms for o in outages) == [0, 10, 10]
    assert sorted(o.up_ms for o in outages) == [15, 20, 30]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=12),
    st.integers(0, 99),
)
def test_at_every_step_of_any_record_just_so_many_nodes_are_live(gaps, seed) -> None:
    times = np.cumsum([gap for gap, _ in gaps]).tolist()
    steps = list(zip(times, (live for _, live in gaps), strict=True))
    outages = replay(steps, range(5), rng(seed))
    for time, live in dict(steps).items():  # of steps at one instant the last counts
        if time == steps[-1][0]:
            continue  # the record is over, and all come back
        gone = {o.node for o in outages if o.down_ms <= time < o.up_ms}
        assert len(gone) == 5 - live


def test_the_recorded_spot_groups_are_read_and_replayed(shared_data: Path) -> None:
    folder = shared_data / "spot-traces"
    names = sorted(folder.glob("*.csv"))
    assert names
    for path in names:
        scaled = path.stem.endswith("_scaled") or "p2-xlarge-2020" in path.stem
        steps = read_steps(path.read_text(), HOUR if scaled else 1000, path.name)
        most = max(live for _, live in steps)
        outages = replay(steps, range(most), rng())
        down = sum(o.up_ms - o.down_ms for o in outages)
        ends = [*(time for time, _ in steps[1:]), steps[-1][0]]
        missing = sum(
            (most - live) * (end - time) for (time, live), end in zip(steps, ends, strict=True)
        )
        assert down == missing, path.name


def test_overlapping_outages_of_a_node_are_one_and_touching_ones_are_two() -> None:
    one, two, three = Outage(0, 0, 10), Outage(0, 5, 20), Outage(0, 20, 30)
    assert merged([two, three, one]) == (Outage(0, 0, 20), three)
    assert merged([Outage(1, 0, 10), Outage(0, 0, 10)]) == (Outage(0, 0, 10), Outage(1, 0, 10))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0,1\n5,x", "spot trace: line 2 is '5,x'; write time,live"),
        ("0", "line 1 is '0'"),
        ("0,1,2", "line 1 is"),
        ("-1,1", "line 1 is '-1,1'"),
        ("nan,1", "line 1 is 'nan,1'"),
        ("5,1\n4,1", "line 2 goes back in time; sort the lines by time"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_its_line(text, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        read_steps(text)


def test_blank_lines_of_a_record_are_passed_over_and_an_empty_one_has_no_outages() -> None:
    assert read_steps("0,1\n\n2.5,0\n") == [(0, 1), (2500, 0)]
    assert replay([], range(3), rng()) == ()


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: memoryless(range(1), 0, 0, 1, rng()), "reclaim: mean_ms is 0; give a number abo"),
        (lambda: bathtub(range(1), -1, 0, 1, rng()), "reclaim: longest_ms is -1"),
        (lambda: bursts(range(1), math.nan, 0.5, 0, 1, rng()), "reclaim: mean_ms is nan"),
        (lambda: bursts(range(1), 1, 1.5, 0, 1, rng()), "reclaim: share is 1.5; give a number fr"),
        (lambda: replay([(5, 1), (4, 1)], range(1), rng()), "step 1 is at 4 ms, before the one"),
        (lambda: replay([(0, 2)], range(1), rng()), "step 0 has 2 live nodes, and the fleet lends"),
        (lambda: reclaimed("tides", range(1), 1, 0, 1, rng()), "'tides' is not one of memoryless"),
        (lambda: Outage(0, 5, 4), "none may be negative, and up not before down"),
        (lambda: Outage(0, 5, 6, -1, Cause.SPOT), "notice -1 ms"),
    ],
)
def test_an_impossible_process_is_refused_with_the_reason(ask, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        ask()
