"""One size of the growth measurement in a process of its own, and the picture of all.

    python -m tests.bench.growth GPUS JOBS

prints the time a job takes and the most memory the process had, as JSON.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence

import numpy as np

from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import FLEET, JobTable
from fleetlab.run import Run
from fleetlab.workloads.workload import Kind, generate

GPUS_A_BLOCK = 64
LOAD = 0.85
HOUR_S = 3600.0
KINDS = (
    Kind("1", 0.55, 1, HOUR_S, 2.0),
    Kind("2", 0.12, 2, HOUR_S, 2.0),
    Kind("4", 0.12, 4, HOUR_S, 2.0),
    Kind("8", 0.15, 8, HOUR_S, 2.0),
    Kind("16", 0.04, 16, HOUR_S, 2.0, span=FLEET),
    Kind("64", 0.02, 64, HOUR_S, 2.0, span=FLEET),
)

Point = tuple[int, int, float, int]
"""GPUs, jobs, microseconds a job, peak MB."""


def workload(gpus: int, jobs: int) -> tuple[Fleet, JobTable]:
    """Return a fleet of blocks of 8 x 8, at least ``gpus``, and jobs for it."""
    fleet = Fleet(-(-gpus // GPUS_A_BLOCK), 8, 8)
    rng = np.random.Generator(np.random.PCG64(1))
    return fleet, generate(KINDS, fleet, LOAD, jobs, rng)


def measure(gpus: int, jobs: int) -> dict[str, float]:
    """Run one size with topology-aware placement and EASY backfill; return what it took."""
    fleet, table = workload(gpus, jobs)
    rng = np.random.Generator(np.random.PCG64(2))
    began = time.process_time()
    run = Run.of(Engine(fleet, table, Policy(placement="topology-aware"), rng).run())
    spent = time.process_time() - began
    if run.end_ms.min() < 0:
        raise RuntimeError("a job has not ended")
    return {
        "gpus": fleet.gpus,
        "jobs": jobs,
        "us_per_job": 1e6 * spent / jobs,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> int:
    """Return the most memory that this process had, in MiB (0 where the system does not say)."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def picture(points: Sequence[Point]) -> str:
    """Return an SVG of the time a job takes over the number of jobs."""
    left, top, width, height = 70, 50, 520, 250
    low, high = math.log10(points[0][1]), math.log10(points[-1][1])
    most = max(10 * math.ceil(point[2] / 10) for point in points) + 10

    def x(jobs: int) -> float:
        return left + 30 + (width - 60) * (math.log10(jobs) - low) / (high - low)

    def y(value: float) -> float:
        return top + height * (1 - value / most)

    title = (
        f"{points[-1][1]:,} jobs on {points[-1][0]:,} GPUs take "
        f"{points[-1][2] / points[0][2]:.1f} times as long a job as {points[0][1]:,} on "
        f"{points[0][0]:,}"
    )
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 370" role="img" '
        'font-family="sans-serif" font-size="13">',
        f"<title>{title}</title>",
        '<rect width="640" height="370" fill="#ffffff"/>',
        f'<text x="{left}" y="28" font-size="15" fill="#1a1a1a">{title}</text>',
    ]
    for value in range(0, most + 1, 10):
        parts.append(
            f'<path d="M{left} {y(value):.1f}H{left + width}" stroke="#d0d0d0"/>'
            f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#444">'
            f"{value}</text>"
        )
    path = " ".join(f"{x(jobs):.1f},{y(us):.1f}" for _, jobs, us, _ in points)
    parts.append(f'<polyline points="{path}" fill="none" stroke="#0b5fa5" stroke-width="2"/>')
    for gpus, jobs, us, _ in points:
        parts.append(
            f'<circle cx="{x(jobs):.1f}" cy="{y(us):.1f}" r="4" fill="#0b5fa5"/>'
            f'<text x="{x(jobs):.1f}" y="{y(us) - 10:.1f}" text-anchor="middle" fill="#1a1a1a">'
            f"{us:.0f}</text>"
            f'<text x="{x(jobs):.1f}" y="{top + height + 18}" text-anchor="middle" fill="#444">'
            f"{jobs:,}</text>"
            f'<text x="{x(jobs):.1f}" y="{top + height + 34}" text-anchor="middle" fill="#555">'
            f"{gpus:,} GPUs</text>"
        )
    parts.append(
        f'<text x="{left + width / 2}" y="{top + height + 58}" text-anchor="middle" '
        'fill="#444">jobs (log scale)</text>'
        f'<text transform="translate(22 {top + height / 2}) rotate(-90)" text-anchor="middle" '
        'fill="#444">microseconds a job</text></svg>'
    )
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
