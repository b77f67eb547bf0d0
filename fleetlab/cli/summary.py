"""Print a sweep's means over its seeds, each with its 95 % confidence interval and its range."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from fleetlab.cli.report import FLAGS, markdown, spoken_estimate, spoken_range
from fleetlab.sweeps.summary import summarise

USUAL = "wait_mean_s,wait_p95_s,near_wait_s,any_wait_s,near_over_any,allocated,unstable"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab summary`` takes."""
    parser.add_argument("table", type=Path, metavar="OUT.csv", help="what fleetlab sweep wrote")
    parser.add_argument(
        "--figures", default=USUAL, metavar="NAME,…", help=f"which figures (default {USUAL})"
    )
    parser.add_argument("--range", action="store_true", help="print the lowest and highest too")


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print a table in Markdown, one line a group of seeds, and return 0."""
    figures = [name.strip() for name in args.figures.split(",") if name.strip()]
    knobs, groups = summarise(args.table, args.table.name, figures)
    rows = []
    for group in groups:
        cells = [*group.choices, str(group.seeds)]
        for figure in figures:
            if figure not in group.estimates:
                cells.append("–")
                continue
            found = group.estimates[figure]
            wide = args.range and figure not in FLAGS
            extra = f" ({spoken_range(figure, found)})" if wide else ""
            cells.append(spoken_estimate(figure, found) + extra)
        rows.append(cells)
    print(*markdown([*knobs, "seeds", *figures], rows), sep="\n", file=out)
    return 0
