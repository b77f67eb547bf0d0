"""Turn a folder of ledgers into a class table, and into one page of HTML.

A file that is no ledger gets a row that says what is wrong with it. With --verify
every run is made again, as `fleetlab verify` does; without it only what needs no
run is judged. Exit code: 0 the table is written, 2 there is nothing to read.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from fleetlab.cli.output import check_writable, write
from fleetlab.ledger.classpage import html_page
from fleetlab.ledger.grade import csv_lines, find_ledgers, grade, wanted_in
from fleetlab.ledger.repeats import Repeats
from fleetlab.outside import plain
from fleetlab.progress import Bar
from fleetlab.sweeps.workers import Processes
from fleetlab.wording import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab grade`` takes."""
    parser.add_argument(
        "ledgers", type=Path, nargs="+", metavar="LEDGER.json",
        help="ledgers, and folders that hold ledgers",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="CLASS.csv")
    parser.add_argument("--html", type=Path, metavar="CLASS.html", help="write the class page")
    parser.add_argument("--verify", action="store_true", help="run every Scenario again")
    parser.add_argument(
        "--trace", type=Path, action="append", default=[], metavar="FILE",
        help="with --verify: a trace of a reader's own; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="with --verify: processes (default 1)"
    )


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Write the class table and, if asked, the page; return 0."""
    check_writable("-o", args.output)
    check_writable("--html", args.html)
    files = find_ledgers(args.ledgers)
    inputs = {path for _, path in files}
    for option, path in (("-o", args.output), ("--html", args.html)):
        if path is not None and path.resolve() in inputs:
            raise ValueError(f"{option}: {path} is one of the ledgers; name another file")
    repeats = Repeats(args.trace) if args.verify else None
    if args.workers < 1:
        raise ValueError(f"--workers: {args.workers} is below 1; give 1 or more")
    if repeats is not None and args.workers > 1:
        bar = Bar(err, "running again")
        try:
            repeats.prepare(wanted_in(files), Processes(args.workers), bar.show)
        finally:
            bar.clear()
    bar = Bar(err, "reading")
    try:
        rows = grade(files, repeats, lambda share, name: bar.show(share, plain(name, 30)))
    finally:
        bar.clear()
    write(args.output, csv_lines(rows))
    if args.html is not None:
        write(args.html, [html_page(rows)])
    bad = sum(bool(row.problem) for row in rows)
    said = f"{args.output}: {plural(len(rows), 'row')}"
    print(said + (f", {bad} of them of files that are no ledger" if bad else ""), file=out)
    return 0
