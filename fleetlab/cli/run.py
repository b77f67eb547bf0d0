"""Run a Scenario and print its figures, on one seed or many, alone or against another.

With --seeds the figures come as means over seeds with their spread and 95 %
confidence interval. With --against both Scenarios run on the same seeds, so that
both meet the same jobs, and their difference seed by seed is printed too.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from fleetlab import __version__
from fleetlab.cli.output import check_writable, write
from fleetlab.cli.replicate import replicate
from fleetlab.cli.report import lines_of, rounded
from fleetlab.cli.scenario import FORM, add_trace, read_jobs, read_scenario, simulate_with_bar
from fleetlab.engine.event_loop import COLUMNS
from fleetlab.figures import figures_of
from fleetlab.progress import Bar
from fleetlab.run import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab run`` takes."""
    parser.add_argument("scenario", metavar="SCENARIO", help=FORM)
    add_trace(parser)
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="repeat on N seeds")
    parser.add_argument("--against", metavar="SCENARIO", help="compare with this one, seed by seed")
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes for --seeds (default: one a processor)"
    )
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the figures")
    parser.add_argument("--events", type=Path, metavar="OUT.csv", help="write the event log")
    parser.add_argument(
        "--why", action="append", default=[], metavar="JOB@T",
        help="say why job number JOB waits at T seconds; may be repeated",
    )  # fmt: skip


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Run the Scenario, print its figures and return 0."""
    check_writable("--json", args.json)
    check_writable("--events", args.events)
    questions = [_question(text) for text in args.why]
    scenario = read_scenario(args.scenario)
    if args.seeds != 1 or args.against is not None:
        return replicate(args, scenario, out, err)
    trace = read_jobs(args.trace, scenario)
    finished = simulate_with_bar(scenario, trace, Bar(err, "running"))
    answers = [finished.why(job, t_s) for job, t_s in questions]
    print(f"scenario       {scenario.query()}", file=out)
    print(*lines_of(finished), *answers, sep="\n", file=out)
    if args.events is not None:
        write(args.events, _event_lines(finished))
    if args.json is not None:
        record = {
            "version": __version__,
            "scenario": scenario.query(),
            "digest": finished.digest,
            "figures": rounded(figures_of(finished)),
        }
        write(args.json, [json.dumps(record, indent=2) + "\n"])
    return 0


def _question(text: str) -> tuple[int, float]:
    match = re.fullmatch(r"([0-9]{1,9})@([0-9]{1,12}(?:\.[0-9]{1,3})?)", text)
    if not match:
        raise ValueError(f"--why: {text[:40]!r} is no question; write JOB@SECONDS as in 200@70")
    return int(match[1]), float(match[2])


def _event_lines(finished: Run) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    for event in finished.events:
        yield ",".join(str(event[column]) for column in COLUMNS) + "\n"
