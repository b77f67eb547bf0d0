"""Say in one sentence why a job of a Scenario waits at a time, or what it does."""

from __future__ import annotations

import argparse
import math
from typing import TextIO

from fleetlab.cli.scenario import FORM, add_trace, read_jobs, read_scenario, simulate_with_bar
from fleetlab.progress import Bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab why`` takes."""
    parser.add_argument("scenario", metavar="SCENARIO", help=FORM)
    parser.add_argument("job", type=int, metavar="JOB", help="its running number, from 0")
    parser.add_argument("time_s", type=float, metavar="TIME", help="seconds of simulated time")
    add_trace(parser)


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print the sentence and return 0."""
    if not math.isfinite(args.time_s):
        raise ValueError(f"TIME: {args.time_s} is no number of seconds")
    scenario = read_scenario(args.scenario)
    finished = simulate_with_bar(scenario, read_jobs(args.trace, scenario), Bar(err, "running"))
    print(finished.why(args.job, args.time_s), file=out)
    return 0
