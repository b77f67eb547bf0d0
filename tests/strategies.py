"""Hypothesis strategies: small fleets, workloads and policies that a test can be given."""

from __future__ import annotations

from hypothesis import strategies as st

from fleetlab.engine import Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.policy.backfill import BACKFILLS
from fleetlab.policy.order import ORDERS
from fleetlab.policy.placement import PLACEMENTS


@st.composite
def fleets(draw: st.DrawFn, classes: bool = True) -> Fleet:
    """Return a pool (numbered or only counted) or a fleet of a few blocks, with classes or not."""
    if draw(st.booleans()):
        return Fleet.pool(draw(st.sampled_from([1, 2, 5, 8, 70])))
    blocks, nodes = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    counts: tuple[int, ...] = ()
    if classes and draw(st.booleans()):
        low = draw(st.integers(0, nodes))
        counts = (low, nodes - low)
    return Fleet(blocks, nodes, draw(st.integers(1, 4)), counts)


@st.composite
def workloads(
    draw: st.DrawFn,
    fleet: Fleet,
    upper_bounds: bool = False,
    shares: bool = True,
    plain: bool = False,
) -> JobTable:
    """Return up to fourteen jobs for ``fleet``, some of them too large for it.

    With ``upper_bounds`` no job outlives its estimate; without ``shares`` none
    asks for part of a GPU; ``plain`` jobs may lie anywhere.
    """
    count = draw(st.integers(1, 14))

    def column(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    duration = column(0, 12)
    slack = column(0 if upper_bounds else -12, 6)
    estimate = [max(0, d + s) for d, s in zip(duration, slack, strict=True)]
    gpus = column(1, fleet.gpus + 1 if fleet.gpus < 70 else 80)
    milli = [1000] * count
    if shares and fleet.numbered and draw(st.booleans()):
        milli = [m if m < 1000 else 1000 for m in column(300, 1600)]
        gpus = [1 if m < 1000 else g for g, m in zip(gpus, milli, strict=True)]
    return JobTable(
        submit_ms=column(0, 20),
        duration_ms=duration,
        estimate_ms=estimate,
        gpus=gpus,
        gpu_milli=milli,
        span=[3] * count if plain else column(1, 3),
        whole_nodes=[0] * count
        if plain
        else [w if m == 1000 else 0 for w, m in zip(column(0, 1), milli, strict=True)],
        priority=column(0, 2),
        tenant=column(0, 2),
        needs_class=[0] * count if plain else column(0, 1),
    )


def policies(
    orders: list[str] | None = None,
    backfills: list[str] | None = None,
    placements: list[str] | None = None,
) -> st.SearchStrategy[Policy]:
    """Return any policy, or one with the given orders, backfills and placements."""
    return st.builds(
        Policy,
        order=st.sampled_from(orders or list(ORDERS)),
        backfill=st.sampled_from(backfills or list(BACKFILLS)),
        placement=st.sampled_from(placements or list(PLACEMENTS)),
        kill_at_estimate=st.booleans(),
        blind=st.booleans(),
    )
