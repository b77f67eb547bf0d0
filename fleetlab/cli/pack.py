"""Fill a cluster with shared GPUs until nothing more fits: the FGD paper's experiment."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from fleetlab.cli.output import check_writable, write
from fleetlab.pack import DEMAND, PackResult, read_nodes, read_pods, run_pack
from fleetlab.policy.packing import POLICIES
from fleetlab.progress import Bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``fleetlab pack`` takes."""
    parser.add_argument("nodes", type=Path, metavar="NODES.csv")
    parser.add_argument("pods", type=Path, metavar="PODS.csv")
    parser.add_argument("--policy", choices=POLICIES, default="fgd")
    parser.add_argument(
        "--demand", type=float, default=DEMAND, help="GPU asked for, over capacity (default 1.3)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the first run (default 0)")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds to run (default 1)")
    parser.add_argument(
        "--ties", choices=("name", "random"), default="name", help="which of equal nodes is taken"
    )
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the results here too")


def run(args: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print the share of GPU allocated, by seed, and return 0."""
    if args.seed < 0 or not 1 <= args.seeds <= 10_000:
        raise ValueError("--seed starts at 0, and --seeds is from 1 to 10,000")
    check_writable("--json", args.json)
    nodes = read_nodes(args.nodes, args.nodes.name)
    pods = read_pods(args.pods, args.pods.name)
    bar = Bar(err, "packing")
    results: list[PackResult] = []
    for seed in range(args.seed, args.seed + args.seeds):

        def show(done: int, total: int, rounds: int = len(results)) -> None:
            bar.show((rounds + done / total) / args.seeds)

        results.append(
            run_pack(nodes, pods, args.policy, args.demand, seed, ties=args.ties, progress=show)
        )
    bar.clear()
    if args.json is not None:
        write(args.json, [json.dumps([asdict(result) for result in results], indent=2) + "\n"])
    for result in results:
        print(
            f"{result.policy} seed {result.seed}: {100 * result.allocated:.2f} % of GPU allocated "
            f"({result.placed:,} of {result.pods:,} pods placed, "
            f"{100 * result.asked:.1f} % of capacity asked for)",
            file=out,
        )
    if len(results) > 1:
        shares = [result.allocated for result in results]
        print(
            f"{args.policy}: {100 * sum(shares) / len(shares):.2f} % in the mean of "
            f"{len(shares)} seeds, {100 * min(shares):.2f} to {100 * max(shares):.2f}",
            file=out,
        )
    return 0
