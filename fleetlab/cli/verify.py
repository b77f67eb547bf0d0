"""Run every Scenario of a ledger again and say which of its figures hold.

Exit code: 0 everything was checked and holds, 1 something does not hold or could
not be checked, 2 the file is no ledger. What the seal can show and what it cannot
is in docs/ledger.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TextIO

from fleetlab import __version__
from fleetlab.cli.output import check_writable, write
from fleetlab.ledger.record import Ledger, read_ledger
from fleetlab.ledger.repeats import Repeats
from fleetlab.ledger.verification import Verification, verify, wanted_of
from fleetlab.missions import mission
from fleetlab.outside import plain
from fleetlab.progress import Bar
from fleetlab.sweeps.workers import Processes
from fleetlab.wording import plural

WORDS = {True: "holds", False: "DOES NOT HOLD", None: "not checked"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab verify`` takes."""
    parser.add_argument("ledger", type=Path, metavar="LEDGER.json")
    parser.add_argument(
        "--trace", type=Path, action="append", default=[], metavar="FILE",
        help="a trace of the reader's own that runs replay; may be repeated",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write what was found")


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Check the ledger, say in order what holds, and return the exit code."""
    check_writable("--json", args.json)
    ledger = read_ledger(args.ledger)
    repeats = Repeats(args.trace)
    if args.workers < 1:
        raise ValueError(f"--workers: {args.workers} is below 1; give 1 or more")
    bar = Bar(err, "running again")
    try:
        if args.workers > 1:
            repeats.prepare(wanted_of(ledger), Processes(args.workers), bar.show)
        found = verify(ledger, repeats, bar.show)
    finally:
        bar.clear()
    print(*lines_of(args.ledger.name, ledger, found), sep="\n", file=out)
    if args.json is not None:
        record = {
            "version": __version__,
            "ledger": args.ledger.name,
            "holds": found.code == 0,
            "missing": ledger.missing,
            "notes": found.notes,
            "findings": [asdict(finding) for finding in found.findings],
        }
        write(args.json, [json.dumps(record, indent=2) + "\n"])
    return found.code


def lines_of(name: str, ledger: Ledger, found: Verification) -> Iterator[str]:
    """Yield the check of a ledger as lines: what holds of one entry together, the rest singly."""
    seed = "no seed" if ledger.seed is None else f"seed {ledger.seed}"
    yield (
        f"{plain(name)}: {mission(ledger.track).name}, {seed}, "
        f"fleetlab {plain(ledger.version) or 'of no version'}; "
        f"{plural(len(ledger.predictions), 'prediction')}, {plural(len(ledger.runs), 'run')}"
    )
    yield from found.notes
    for (where, holds), group in groupby(found.findings, lambda one: (one.where, one.holds)):
        sentences = [finding.says for finding in group]
        together = [", ".join(sentences)] if holds else sentences
        for sentence in together:
            yield f"{WORDS[holds]:13}  {where}: {sentence}"
    held, failed, unchecked = (found.count(holds) for holds in WORDS)
    yield (
        f"{held} of {plural(len(found.findings), 'finding')} hold, {failed} "
        f"{'does' if failed == 1 else 'do'} not, {unchecked} could not be checked."
    )
    if ledger.missing:
        yield f"The ledger is not complete; it lacks {', '.join(ledger.missing)}."
    else:
        yield "The ledger is complete."
