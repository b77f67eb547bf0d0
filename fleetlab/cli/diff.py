"""Say where two Scenarios with the same jobs part, and which jobs move most."""

from __future__ import annotations

import argparse
from typing import TextIO

from fleetlab.cli.scenario import FORM, add_trace, read_jobs, read_scenario, simulate_with_bar
from fleetlab.progress import Bar
from fleetlab.wording import duration

SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab diff`` takes."""
    parser.add_argument("a", metavar="A", help=FORM)
    parser.add_argument("b", metavar="B", help="another, with the same workload, load and seed")
    add_trace(parser)


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print where A (here) and B (there) part, and return 0."""
    a, b = read_scenario(args.a), read_scenario(args.b)
    trace = read_jobs(args.trace, a, b)
    here = simulate_with_bar(a, trace, Bar(err, "running A"))
    there = simulate_with_bar(b, trace, Bar(err, "running B"))
    difference = here.diff(there)
    print(difference, file=out)
    for job, shift_ms in difference.shifted_ms[:SHOWN]:
        side = "later" if shift_ms > 0 else "earlier"
        print(
            f"job {here.jobs.name(job)} starts {duration(abs(shift_ms) / 1000)} {side} there",
            file=out,
        )
    for label, one in (("A", here), ("B", there)):
        print(f"{label}: mean wait {duration(one.metrics.waits.mean_s)}, {one.digest}", file=out)
    return 0
