"""Run a grid of Scenarios over processes or a Dask cluster, and write a row for each.

GRID.toml has `scenario` (a query text or a list of them), `seeds` (how many, or a
list) and a table `[knobs]` with a list of values for each choice that varies.
Rows are added to OUT.csv as they come and stand in grid order in the end. Ctrl-C keeps
what is there; the same command goes on from it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from fleetlab.cli.output import check_writable, write
from fleetlab.progress import Bar
from fleetlab.sweeps.sweep import Grid, SweepTable, measure
from fleetlab.sweeps.workers import Dask, Failure, Pool, Processes, spread


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab sweep`` takes."""
    parser.add_argument("grid", type=Path, metavar="GRID.toml")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.csv")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: one a processor)"
    )
    where.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler, as tcp://host:8786")
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--resume", action="store_true", help="go on with OUT.csv, which must be there"
    )
    start.add_argument("--fresh", action="store_true", help="start over, whatever OUT.csv holds")


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Run what OUT.csv lacks, and return 0, or 1 where a Scenario could not be run."""
    if args.workers is not None and args.workers < 1:
        raise ValueError(f"--workers: {args.workers} is below 1; give 1 or more")
    grid = Grid.read(args.grid)
    check_writable("-o", args.output)
    if args.output.exists() and not args.output.is_file():
        raise ValueError(f"-o: {args.output} is no plain file; rows are added to it and sorted")
    if args.resume and not args.output.exists():
        raise ValueError(f"--resume: there is no {args.output} to go on with")
    if args.fresh:
        args.output.unlink(missing_ok=True)
    table = SweepTable(args.output, grid)
    changed = table.doubtful()
    if changed is not None:
        raise ValueError(
            f"{args.output}: row {changed[0]} has another digest now ({changed[1][:16]}…), so the "
            "rows would not be of one engine; start over with --fresh or name another file"
        )
    pool: Pool = Dask(args.dask) if args.dask else Processes(args.workers)
    try:
        failures = _fill(table, pool, err)
    except ConnectionError as error:
        kept = f"{len(table.done)} rows are in {args.output}, the same command goes on"
        raise ValueError(f"--dask: {error}; {kept}") from None
    write(args.output, table.lines())
    print(f"{args.output}: {len(table.done)} of {len(grid.scenarios)} Scenarios", file=out)
    for number, failure in sorted(failures.items()):
        print(
            f"fleetlab sweep: row {number} ({grid.scenarios[number].query()}) has no figures: "
            f"{failure.sentence}",
            file=err,
        )
    return 1 if failures else 0


def _fill(table: SweepTable, pool: Pool, err: TextIO) -> dict[int, Failure]:
    """Run all that the table lacks, and return what failed by its number."""
    scenarios = table.grid.scenarios
    missing = [number for number in range(len(scenarios)) if number not in table.done]
    had = len(table.done)
    if had:
        print(f"fleetlab sweep: going on after {had} rows of {len(scenarios)}", file=err)
    failures: dict[int, Failure] = {}
    bar = Bar(err, "sweeping")
    results = spread(measure, [scenarios[number] for number in missing], pool)
    try:
        for task, result in results:
            if isinstance(result, Failure):
                failures[missing[task]] = result
            else:
                table.append(missing[task], result)
            finished = len(table.done) + len(failures)
            bar.show(finished / len(scenarios), f"{finished} of {len(scenarios)}")
    except KeyboardInterrupt:
        bar.clear()
        kept = f"{len(table.done)} of {len(scenarios)} rows are in {table.path}"
        print(f"fleetlab sweep: {kept}; the same command goes on from there", file=err)
        raise
    finally:
        results.close()
        bar.clear()
        table.close()
    return failures
