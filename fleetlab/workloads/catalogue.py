"""The named workloads: from a name, a fleet, a load and a seed to a job table."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, FLEET, NODE, JobTable
from fleetlab.workloads import calibration
from fleetlab.workloads.workload import WARM_UP_SHARE, Kind, exponential_s, generate, to_ms

Ints = npt.NDArray[np.int64]

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Pair:
    """The two kinds that Part 1 compares, by number into ``JobTable.kinds``."""

    near: int
    anywhere: int


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(files("fleetlab.workloads").joinpath("workloads.toml").read_text("utf-8"))


def names() -> tuple[str, ...]:
    """Return the names of all workloads."""
    return tuple(_read())


def words(name: str) -> tuple[str, str]:
    """Return a workload's name in words and one line about it."""
    entry = _read()[name]
    return entry["words"], entry["detail"]


def serves(name: str, part: int) -> bool:
    """Decide whether a workload is offered in ``part``; those that do not say are Part 1's."""
    return part in _read()[name].get("parts", (1,))


def tenants(name: str) -> tuple[str, ...]:
    """Return the names of a workload's tenants, by number; empty where nobody is told apart."""
    return tuple(_read()[name].get("tenants", ()))


def tenant_shares(name: str, jobs: JobTable) -> tuple[int, ...]:
    """Return what share of the fleet each tenant of ``jobs`` is owed, as whole weights.

    A workload may list them as ``shares``; elsewhere all are owed the same.
    """
    count = int(jobs.tenant.max(initial=0)) + 1
    listed = tuple(_read().get(name, {}).get("shares", ()))
    return listed if len(listed) >= count else (1,) * count


def near_span(size: int, fleet: Fleet) -> tuple[int, int, str]:
    """Return (span, whole nodes, words) of a gang of ``size`` that must lie close together.

    One node where a node holds it (one NVLink domain); otherwise one leaf block,
    in whole nodes when the size is a multiple of them (rail alignment); otherwise
    whole nodes anywhere.
    """
    if size <= fleet.gpus_per_node:
        return NODE, 0, "in one node"
    whole = int(size % fleet.gpus_per_node == 0)
    if size <= fleet.gpus_per_block:
        return BLOCK, whole, "in one block"
    return FLEET, whole, "in whole nodes"


def kinds_of(name: str, fleet: Fleet, size: int) -> tuple[list[Kind], Pair | None]:
    """Return the kinds of a mix, and which two of them Part 1 compares, if it has such a pair.

    The pair offers the same work whatever its ``size``: larger gangs come less often.
    """
    entry = _read()[name]
    kinds = [Kind(**kind) for kind in entry["kinds"]]
    if "pair" in entry:
        kinds += [Kind(**kind) for kind in entry["pair"]]
        return kinds, Pair(len(kinds) - 2, len(kinds) - 1)
    if "probe" not in entry:
        return kinds, None
    probe = entry["probe"]
    span, whole, where = near_span(size, fleet)
    half = probe["weight"] / 2 * probe["gpus"] / size
    times = {"mean_s": probe["mean_s"], "cv": probe["cv"]}
    kinds.append(Kind(f"{size} {where}", half, size, span=span, whole_nodes=whole, **times))
    kinds.append(Kind(f"any {size}", half, size, span=FLEET, **times))
    return kinds, Pair(len(kinds) - 2, len(kinds) - 1)


def jobs_of(
    name: str, fleet: Fleet, *, load: float, count: int, size: int, rng: np.random.Generator
) -> tuple[JobTable, Pair | None]:
    """Return the jobs of workload ``name`` and the pair to compare, if it has one.

    Raises ValueError for a name without a generator (a trace is read, not drawn).
    """
    if name == "titan-crisis":
        return crisis(fleet), None
    entry = _read().get(name, {})
    if "gang" in entry or "devices" in entry:
        return resident(name, fleet, load), None
    if name in ("philly", "alibaba"):
        return _calibrated(name, fleet, load, count, size, rng)
    if name == "trace" or not entry:
        raise ValueError(f"workload: {name!r} cannot be drawn; one of {', '.join(names())} can")
    kinds, pair = kinds_of(name, fleet, size)
    return generate(kinds, fleet, load, count, rng), pair


def resident(name: str, fleet: Fleet, load: float) -> JobTable:
    """Return the jobs of a workload that is there from the start and fills ``load`` of the fleet.

    One gang of whole nodes, or one job on each capable device; never more than there
    are, and at least one.
    """
    entry = _read()[name]
    kind = entry.get("gang") or entry["devices"]
    duration_ms = round(kind["hours"] * HOUR_MS)
    if "gang" in entry:
        nodes = min(fleet.nodes, max(1, round(load * fleet.nodes)))
        gpus = nodes * fleet.gpus_per_node
        least = fleet.gpus_per_node if kind.get("stretches") else gpus
        return JobTable(
            submit_ms=np.zeros(1, dtype=np.int64),
            duration_ms=np.array([duration_ms]),
            gpus=np.array([gpus]),
            whole_nodes=np.ones(1, dtype=np.int64),
            min_gpus=np.array([least]),
            kinds=(kind["name"],),
        )
    capable = fleet.class_masks[kind["needs_class"]].bit_count()
    count = min(capable, max(1, round(load * capable)))
    return JobTable(
        submit_ms=np.zeros(count, dtype=np.int64),
        duration_ms=np.full(count, duration_ms),
        gpus=np.ones(count, dtype=np.int64),
        span=np.full(count, NODE),
        needs_class=np.full(count, kind["needs_class"]),
        kinds=(kind["name"],),
    )


def crisis(fleet: Fleet) -> JobTable:
    """Return the jobs that leave two GPUs free in every rack, and a gang of 64 that waits.

    One block of ``fleet`` is a rack. Best and first fit give each rack whole
    nodes full of 8-GPU replicas and one node with a 6-GPU job; the rest of the
    day nothing ends before an hour has passed.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    size = fleet.gpus_per_node
    for rack in range(fleet.blocks):
        for _ in range(fleet.nodes_per_block - 1):
            rows.append((0, HOUR_MS * 6 + rack * 600_000, size, NODE, 0))
        rows.append((0, HOUR_MS * 2 + rack * 420_000, size - 2, NODE, 1))
    rows.append((60_000, HOUR_MS * 8, 8 * size, FLEET, 2))
    table = np.array(rows, dtype=np.int64)
    return JobTable(
        submit_ms=table[:, 0],
        duration_ms=table[:, 1],
        gpus=table[:, 2],
        span=table[:, 3],
        whole_nodes=(table[:, 4] == 2).astype(np.int64),
        kind=table[:, 4],
        kinds=("8-GPU replica", "6-GPU job", "64-GPU fine-tune gang"),
    )


def _calibrated(
    name: str, fleet: Fleet, load: float, count: int, size: int, rng: np.random.Generator
) -> tuple[JobTable, Pair | None]:
    """Return jobs with published sizes and run times, half of the probed size held close."""
    if not load > 0:
        raise ValueError(f"load: {load} offers no work; it must be above 0")
    if name == "philly":
        gpus, duration_ms = calibration.philly_jobs(rng, count)
        milli = np.full(count, 1000, dtype=np.int64)
    else:
        gpus, milli, duration_ms = calibration.alibaba_jobs(rng, count)
    gpus = np.minimum(gpus, fleet.gpus)
    gaps = exponential_s(rng.random(count), 1.0)
    gap_s = _gap_s(gaps, gpus * milli, duration_ms, round(load * fleet.gpus * 1000))
    gaps_s = [gap * gap_s for gap in gaps]
    anywhere = (gpus == size) & (milli == 1000) & (rng.random(count) < 0.5)
    span = np.where(gpus <= fleet.gpus_per_node, NODE, FLEET)
    near, whole, where = near_span(size, fleet)
    probed = (gpus == size) & (milli == 1000)
    span = np.where(probed, np.where(anywhere, FLEET, near), span)
    jobs = JobTable(
        submit_ms=np.cumsum(to_ms(gaps_s)),
        duration_ms=np.maximum(duration_ms, 1),
        gpus=gpus,
        gpu_milli=milli,
        span=span,
        whole_nodes=np.where(probed & ~anywhere, whole, 0),
        kind=np.where(probed, np.where(anywhere, 2, 1), 0),
        kinds=("other sizes", f"{size} {where}", f"any {size}"),
    )
    return jobs, Pair(1, 2)


def _gap_s(gaps: list[float], gpu_milli: Ints, duration_ms: Ints, offered_milli: int) -> float:
    """Return the mean gap, in seconds, at which jobs ``gaps`` apart offer ``offered_milli`` of GPU.

    Published run times have so long a tail that a few jobs hold most of the work and
    outlast any run. So what counts is what a fleet without bounds would hold after the
    warm-up and before the last job comes. Found by halving, with sums of whole
    numbers, so that every platform comes to the same gap.
    """
    places = np.cumsum(gaps)
    duration_s = duration_ms // 1000
    low, high = 0.0, float((gpu_milli * duration_s).sum()) / len(gaps) / offered_milli + 1.0
    for _ in range(50):
        middle = (low + high) / 2
        submit_s = (places * middle).astype(np.int64)
        begin_s, end_s = int(submit_s[int(len(gaps) * WARM_UP_SHARE)]), int(submit_s[-1])
        held_s = np.minimum(submit_s + duration_s, end_s) - np.maximum(submit_s, begin_s)
        held = int((gpu_milli * np.maximum(held_s, 0)).sum())
        if held > offered_milli * (end_s - begin_s):
            low = middle
        else:
            high = middle
    return high
