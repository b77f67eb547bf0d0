"""Hypothesis strategies: small fleets, workloads and policies that a test can be given."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fleetlab.attempt import Checkpoint
from fleetlab.engine.conditions import Conditions, Outage
from fleetlab.engine.event_loop import Policy
from fleetlab.engine.interconnect import Interconnect
from fleetlab.engine.reclaim import merged
from fleetlab.fleet import Fleet
from fleetlab.job import FLEET, JobTable
from fleetlab.log import Cause
from fleetlab.policy.backfill import BACKFILLS
from fleetlab.policy.order import ORDERS
from fleetlab.policy.packed import PACKED
from fleetlab.policy.placement import PLACEMENTS
from fleetlab.policy.quota import RULES
from fleetlab.policy.settings import FOREVER_MS


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
    numbered: bool = True,
) -> st.SearchStrategy[Policy]:
    """Return any policy, or one with the given orders, backfills and placements.

    Packing policies look at single GPUs: not ``numbered`` leaves them out.
    """
    if not numbered:
        placements = [p for p in placements or PLACEMENTS if p not in PACKED]
    return st.builds(
        Policy,
        order=st.sampled_from(orders or list(ORDERS)),
        backfill=st.sampled_from(backfills or list(BACKFILLS)),
        placement=st.sampled_from(placements or list(PLACEMENTS)),
        kill_at_estimate=st.booleans(),
        blind=st.booleans(),
    )


@st.composite
def gangs(draw: st.DrawFn, fleet: Fleet, fixed: bool = False) -> JobTable:
    """Return up to ten jobs of three tenants for a run with mechanisms, some of them elastic.

    With ``fixed`` none can change its size.
    """
    count, size = draw(st.integers(1, 10)), fleet.gpus_per_node

    def column(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    gpus, whole, least, most = column(1, fleet.gpus + 1), [0] * count, [-1] * count, [-1] * count
    milli = [1000] * count
    for job, kind in enumerate(column(0, 3)):
        if kind == 0 and fleet.numbered:
            milli[job], gpus[job] = draw(st.sampled_from([300, 500, 900])), 1
        elif kind == 1:
            whole[job] = 1
        elif kind == 2 and not fixed:
            nodes = draw(st.integers(1, fleet.nodes))
            whole[job], gpus[job] = 1, nodes * size
            least[job] = draw(st.integers(1, nodes)) * size
            most[job] = draw(st.integers(nodes, fleet.nodes)) * size
    duration = column(0, 30)
    slack = column(-10, 10)
    return JobTable(
        submit_ms=column(0, 30),
        duration_ms=duration,
        estimate_ms=[max(0, d + s) for d, s in zip(duration, slack, strict=True)],
        gpus=gpus,
        gpu_milli=milli,
        span=column(1, 3),
        whole_nodes=whole,
        priority=column(-1, 2),
        tenant=column(0, 2),
        needs_class=column(0, len(fleet.class_masks) - 1),
        min_gpus=least,
        max_gpus=most,
        memory_gb=column(0, 5),
    )


@st.composite
def crowds(draw: st.DrawFn, fleet: Fleet, count: int = 12) -> JobTable:
    """Return ``count`` jobs for ``fleet`` that come close together, drawn evenly from a seed.

    Hypothesis prefers small and equal numbers, which makes few queues.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gpus = np.where(rng.random(count) < 0.3, fleet.gpus, 1 + rng.integers(fleet.gpus, size=count))
    duration = rng.integers(31, size=count)
    return JobTable(
        submit_ms=rng.integers(20, size=count),
        duration_ms=duration,
        estimate_ms=duration + rng.integers(5, size=count),
        gpus=np.minimum(gpus, 1 + rng.integers(fleet.gpus, size=count)),
        span=np.where(rng.random(count) < 0.3, 1 + rng.integers(3, size=count), FLEET),
        priority=rng.integers(3, size=count),
        tenant=rng.integers(3, size=count),
    )


@st.composite
def busy_policies(draw: st.DrawFn, fleet: Fleet, tenants: int = 3) -> Policy:
    """Return a policy with preemption, quota, patience, migration and bounds, or some of them."""
    order = draw(st.sampled_from(list(ORDERS)))
    preemptions = ["none", "priority"]
    if order in ("srpt", "las", "priority"):
        preemptions.append("order")
    rule = draw(st.sampled_from(RULES))
    quota = (fleet.gpus // tenants,) * (tenants - 1)
    quota += (fleet.gpus - sum(quota),)
    departments, bounds = (), ()
    if rule != "none" and draw(st.booleans()):
        departments = (0,) * (tenants - 1) + (1,)
        bounds = (draw(st.integers(0, fleet.gpus)), draw(st.integers(0, fleet.gpus)))
        if sum(bounds) > fleet.gpus:
            bounds = (bounds[0], fleet.gpus - bounds[0])
    return Policy(
        order=order,
        backfill=draw(st.sampled_from(["none", "skip", "easy"])),
        placement=draw(
            st.sampled_from([p for p in PLACEMENTS if fleet.numbered or p not in PACKED])
        ),
        kill_at_estimate=draw(st.booleans()),
        ageing_ms=draw(st.sampled_from([0, 5])),
        half_life_ms=draw(st.sampled_from([7, 10**6])),
        weights=draw(st.sampled_from([(), (1, 2, 3)[:tenants]])),
        service_thresholds_gpu_ms=draw(st.sampled_from([(), (10,), (5, 40)])),
        starvation_ms=draw(st.sampled_from([0, 15])),
        patience_ms=draw(st.sampled_from([0, 4, FOREVER_MS])),
        preemption=draw(st.sampled_from(preemptions)),
        victims=draw(st.sampled_from(["cheapest", "youngest"])),
        migration_pause_ms=draw(st.sampled_from([0, 2])),
        quota_rule=rule,
        quota=() if rule == "none" else quota,
        departments=departments,
        department_quota=bounds,
    )


@st.composite
def hardships(draw: st.DrawFn, fleet: Fleet) -> Conditions:
    """Return checkpoints, a network, memory and outages, or some of them."""
    checkpoint = Checkpoint(
        draw(st.sampled_from([0, 1, 7])), draw(st.integers(0, 2)), draw(st.integers(0, 3))
    )
    network = draw(
        st.sampled_from(
            [Interconnect(), Interconnect(800_000, 2_000_000, 210_000, max(1, fleet.gpus // 2))]
        )
    )
    outages = [
        Outage(
            draw(st.integers(0, fleet.nodes - 1)),
            down,
            down + draw(st.integers(0, 10)),
            draw(st.integers(0, 6)),
            draw(st.sampled_from([Cause.SPOT, Cause.FAILURE])),
        )
        for down in draw(st.lists(st.integers(0, 60), max_size=5))
    ]
    return Conditions(
        checkpoint=checkpoint,
        interconnect=network,
        outages=merged(outages),
        panic=draw(st.booleans()),
        rendezvous_ms=draw(st.integers(0, 3)),
        memory_gb=draw(st.sampled_from([0, 8])),
    )
