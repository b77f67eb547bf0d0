"""Replay a trace of real jobs on a fleet, and print what they waited."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import numpy as np

from fleetlab import __version__
from fleetlab.cli.output import check_writable, write
from fleetlab.cli.report import lines_of, rounded
from fleetlab.figures import figures_of
from fleetlab.fleet import Fleet
from fleetlab.policy.backfill import BACKFILLS
from fleetlab.policy.order import ORDERS
from fleetlab.policy.placement import PLACEMENTS
from fleetlab.policy.settings import PREEMPTIONS, Policy
from fleetlab.progress import Bar
from fleetlab.replay import replay, start_lines
from fleetlab.wording import duration, plural
from fleetlab.workloads.traces import FORMATS, Trace, load_trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab replay`` takes."""
    parser.add_argument("trace", type=Path, metavar="TRACE")
    parser.add_argument("--format", choices=FORMATS, help="default: told by the file's first line")
    parser.add_argument("--tenant", "--vc", metavar="NAME", help="replay the jobs of one owner")
    parser.add_argument(
        "--steps-per-s", action="append", default=[], metavar="RATE or TYPE=RATE",
        help="steps a second, for traces that give work in steps (gavel)",
    )  # fmt: skip
    fleet = parser.add_mutually_exclusive_group()
    fleet.add_argument(
        "--fleet", default="8x8x8", metavar="BLOCKSxNODESxGPUS", help="default 8x8x8"
    )
    fleet.add_argument("--gpus", type=int, metavar="N", help="a pool of N GPUs that are all alike")
    parser.add_argument("--order", choices=tuple(ORDERS), default="fifo")
    parser.add_argument("--backfill", choices=tuple(BACKFILLS), default="easy")
    parser.add_argument("--placement", choices=tuple(PLACEMENTS), default="best-fit")
    parser.add_argument("--preemption", choices=PREEMPTIONS, default="none")
    parser.add_argument(
        "--kill-at-estimate", action="store_true", help="end a job that outlives its estimate"
    )
    for name, words in (
        ("ageing", "waiting so long is worth one level of priority"),
        ("patience", "a gang holds out so long for one node, then for one block"),
        ("starvation", "a job that has waited so long goes first"),
    ):
        parser.add_argument(f"--{name}-s", type=int, default=0, metavar="SECONDS", help=words)
    parser.add_argument("--seed", type=int, default=1, help="for placements that draw (default 1)")
    parser.add_argument(
        "--starts", type=Path, metavar="OUT.csv",
        help="write job,submit_s,start_s,end_s,gpus, in order of the trace",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the figures")


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Replay the trace, print its figures and return 0."""
    if args.seed < 0:
        raise ValueError(f"--seed: {args.seed} is negative; give 0 or more")
    check_writable("--starts", args.starts)
    check_writable("--json", args.json)
    fleet, policy = _fleet(args), _policy(args)
    bar = Bar(err, "reading")
    trace = load_trace(
        args.trace,
        args.format,
        args.trace.name,
        lambda done, total: bar.show(done / max(1, total)),
        _rates(args.steps_per_s),
    )
    bar.clear()
    jobs = trace.jobs if args.tenant is None else trace.select_tenant(args.tenant)
    bar = Bar(err, "replaying")
    finished = replay(jobs, fleet, policy, args.seed, bar.show)
    bar.clear()
    if args.starts is not None:
        write(args.starts, start_lines(finished, _names(trace, args.tenant)))
    span_s = int(jobs.submit_ms.max() - jobs.submit_ms.min()) / 1000
    print(
        f"{args.trace.name}: {plural(len(jobs), 'job')} ({trace.format}) over {duration(span_s)}"
        + (f", {plural(trace.skipped, 'line')} left out" if trace.skipped else ""),
        file=out,
    )
    print(
        f"{fleet} ({plural(fleet.gpus, 'GPU')}), order {policy.order}, backfill "
        f"{policy.backfill}, placement {policy.placement}, seed {args.seed}",
        file=out,
    )
    print(*lines_of(finished), sep="\n", file=out)
    if args.json is not None:
        record = {
            "version": __version__,
            "trace": {"name": args.trace.name, "format": trace.format, "jobs": len(jobs)},
            "fleet": str(fleet),
            "policy": asdict(policy),
            "seed": args.seed,
            "digest": finished.digest,
            "figures": rounded(figures_of(finished)),
        }
        write(args.json, [json.dumps(record, indent=2) + "\n"])
    return 0


def _fleet(args: argparse.Namespace) -> Fleet:
    if args.gpus is not None and args.gpus < 1:
        raise ValueError(f"--gpus: {args.gpus} is below 1; give 1 or more")
    try:
        return Fleet.parse(args.fleet) if args.gpus is None else Fleet.pool(args.gpus)
    except ValueError as error:
        option = "--fleet" if args.gpus is None else "--gpus"
        raise ValueError(f"{option}: {str(error).removeprefix('fleet: ')}") from None


def _policy(args: argparse.Namespace) -> Policy:
    for name in ("ageing_s", "patience_s", "starvation_s"):
        if getattr(args, name) < 0:
            raise ValueError(f"--{name.replace('_', '-')}: {getattr(args, name)} is negative")
    return Policy(
        order=args.order,
        backfill=args.backfill,
        placement=args.placement,
        preemption=args.preemption,
        kill_at_estimate=args.kill_at_estimate,
        ageing_ms=1000 * args.ageing_s,
        patience_ms=1000 * args.patience_s,
        starvation_ms=1000 * args.starvation_s,
    )


def _rates(texts: list[str]) -> float | Mapping[str, float] | None:
    """Return steps a second: one rate for all, by type, or None where none is given."""
    rates: dict[str, float] = {}
    for text in texts:
        kind, _, number = text.rpartition("=")
        try:
            rates[kind] = float(number)
        except ValueError:
            raise ValueError(
                f"--steps-per-s: {text[:40]!r} is no rate; write 12.5 or TYPE=12.5"
            ) from None
    if "" in rates and len(rates) > 1:
        raise ValueError("--steps-per-s: give one rate for all, or a rate for each type")
    return rates.get("", rates) if rates else None


def _names(trace: Trace, tenant: str | None) -> list[str]:
    """Return the name of every job replayed: its own, else its place in the whole trace."""
    every = range(len(trace.jobs))
    if tenant is None:
        return [trace.jobs.name(job) for job in every]
    number = trace.tenants.index(tenant)
    rows = np.flatnonzero(trace.jobs.tenant == number).tolist()
    return [trace.jobs.name(job) for job in rows]
