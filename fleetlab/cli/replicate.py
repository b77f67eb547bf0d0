"""Replications: a Scenario on many seeds, alone or beside another on the same seeds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TextIO

from fleetlab import __version__
from fleetlab.cli.output import write
from fleetlab.cli.report import FLAGS, UNSTABLE, markdown, spoken, spoken_estimate, spoken_range
from fleetlab.cli.scenario import read_jobs, read_scenario
from fleetlab.figures import FIGURES, figures_of
from fleetlab.job import JobTable
from fleetlab.progress import Bar
from fleetlab.scenario import LIMITS, Scenario
from fleetlab.simulate import simulate
from fleetlab.statistics import Estimate, estimate, paired
from fleetlab.sweeps.sweep import measure
from fleetlab.sweeps.workers import Failure, Processes, spread

Figures = dict[str, float]

MOST_SEEDS = 10_000

_JOBS = ("track", "workload", "fleet", "load", "jobs", "size", "trace")
"""Choices that decide which jobs come; the rest is policy."""


def replicate(args: argparse.Namespace, scenario: Scenario, out: TextIO, err: TextIO) -> int:
    """Print estimates over ``--seeds`` seeds, with differences if ``--against``; return 0."""
    _check(args, scenario)
    seeds = range(scenario.seed, scenario.seed + args.seeds)
    other = None if args.against is None else read_scenario(args.against)
    pair = [scenario] if other is None else [scenario, other]
    trace = read_jobs(args.trace, *pair)
    runs = [one.but(seed=seed) for one in pair for seed in seeds]
    measured = _measure(runs, trace, args.workers, err)
    mine, others = measured[: len(seeds)], measured[len(seeds) :]
    print(f"scenario       {scenario.query()}", file=out)
    if other is not None:
        print(f"against        {other.but(seed=scenario.seed).query()}", file=out)
    print(f"seeds          {seeds[0]} to {seeds[-1]}, ± is the 95 % interval of the mean", file=out)
    names = [name for name in FIGURES if all(name in row for row in measured)]
    if other is None:
        record: dict[str, Any] = {"figures": _alone(names, mine, out)}
    else:
        record = _beside(names, mine, others, out)
        if any(getattr(scenario, name) != getattr(other, name) for name in _JOBS):
            print("The two draw different jobs, so pairing their seeds says little.", file=out)
    unstable = sum(row["unstable"] for row in measured)
    if unstable:
        print(f"{UNSTABLE} ({unstable:.0f} of {len(measured)} runs)", file=out)
    if args.json is not None:
        about = {"version": __version__, "scenario": scenario.query(), "seeds": list(seeds)}
        if other is not None:
            about["against"] = other.but(seed=scenario.seed).query()
        write(args.json, [json.dumps(about | record, indent=2, default=str) + "\n"])
    return 0


def _check(args: argparse.Namespace, scenario: Scenario) -> None:
    if not 1 <= args.seeds <= MOST_SEEDS:
        raise ValueError(f"--seeds: {args.seeds} is not a number of seeds from 1 to {MOST_SEEDS:,}")
    if scenario.seed + args.seeds - 1 > LIMITS["seed"][1]:
        raise ValueError(f"--seeds: no seed is above {LIMITS['seed'][1]}; start at a lower one")
    if args.workers is not None and args.workers < 1:
        raise ValueError(f"--workers: {args.workers} is below 1; give 1 or more")
    if args.why or args.events is not None:
        raise ValueError("--why and --events are about one run; leave out --seeds and --against")


def _measure(
    runs: list[Scenario], trace: JobTable | None, workers: int | None, err: TextIO
) -> list[Figures]:
    """Return the figures of every run in order; raises ValueError where one has none."""
    bar = Bar(err, "running")
    found: dict[int, Figures] = {}
    for number, figures in _each(runs, trace, workers):
        found[number] = figures
        bar.show(len(found) / len(runs), f"{len(found)} of {len(runs)}")
    bar.clear()
    return [found[number] for number in range(len(runs))]


def _each(
    runs: list[Scenario], trace: JobTable | None, workers: int | None
) -> Iterator[tuple[int, Figures]]:
    if trace is not None or len(runs) < 3:
        # a trace would have to be sent along with every run
        for number, run in enumerate(runs):
            yield number, figures_of(simulate(run, trace))
        return
    for number, row in spread(measure, runs, Processes(workers)):
        if isinstance(row, Failure):
            raise ValueError(f"{runs[number].query()}: {row.sentence}")
        yield number, {name: float(row[name]) for name in FIGURES if name in row}


def _alone(names: list[str], rows: list[Figures], out: TextIO) -> Mapping[str, Any]:
    found = {name: estimate([row[name] for row in rows]) for name in names}
    cells = [
        [
            name,
            spoken_estimate(name, one),
            "" if name in FLAGS else spoken(name, one.spread),
            "" if name in FLAGS else spoken_range(name, one),
        ]
        for name, one in found.items()
    ]
    print(
        *markdown(["figure", "mean", "spread (sd)", "lowest to highest"], cells), sep="\n", file=out
    )
    return {name: asdict(one) for name, one in found.items()}


def _beside(
    names: list[str], mine: list[Figures], others: list[Figures], out: TextIO
) -> dict[str, Any]:
    cells, record = [], {}
    for name in names:
        a, b = [row[name] for row in mine], [row[name] for row in others]
        difference = paired(a, b)
        record[name] = {
            "mine": asdict(estimate(a)),
            "other": asdict(estimate(b)),
            "difference": asdict(difference),
        }
        cells.append(
            [
                name,
                spoken_estimate(name, estimate(a)),
                spoken_estimate(name, estimate(b)),
                "" if name in FLAGS else spoken_estimate(name, difference),
                "" if name in FLAGS else _verdict(difference),
            ]
        )
    header = ["figure", "scenario", "against", "against less scenario", ""]
    print(*markdown(header, cells), sep="\n", file=out)
    return {"figures": record}


def _verdict(difference: Estimate) -> str:
    if difference.lowest == difference.highest == 0:
        return "same"
    return "differs" if difference.excludes_zero else "not told apart"
