"""How fast the engine is: ratios to its peers, and how its time grows.

    python3 build.py bench engine [--runs N] [--swf FILE] [--only NAME ...] [--plot FILE.svg]

Times are processor seconds of one process, the medians of several runs in turn, so that
another program on the machine does not count; only the browser's are of the wall. Peers
run in an environment of their own, made from requirements/bench.lock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from builder.environment import prepare
from builder.say import BuildError, say
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.pack import read_nodes, read_pods, run_pack
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate
from fleetlab.workloads.traces import read_trace
from tests.oracle import reference

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = ROOT.parent / "shared" / "data"
PROCESSORS = 256
SIZES = ((1_000, 10_000), (3_000, 30_000), (10_000, 100_000), (30_000, 300_000),
         (100_000, 1_000_000))  # fmt: skip
MEMORY_LIMIT_MB = 4000


def main(arguments: list[str]) -> int:
    """Measure what was asked for; return 1 if a target is missed."""
    options = parser().parse_args(arguments)
    if options.runs < 1:
        raise BuildError("--runs must be 1 or more.")
    say(f"processor seconds, medians of {options.runs} runs")
    met = [BENCHES[name](options) for name in options.only or BENCHES]
    return 0 if all(met) else 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    options = argparse.ArgumentParser(prog="build.py bench engine")
    options.add_argument("--runs", type=int, default=3, help="runs of each, default 3")
    options.add_argument(
        "--swf",
        type=Path,
        default=DATA / "swf-lublin" / "lublin_256.swf",
        help="the log of 10,000 jobs on 256 processors",
    )
    options.add_argument(
        "--packing",
        type=Path,
        default=DATA / "alibaba-gpu-v2023",
        help="the folder of the Alibaba 2023 node and pod lists",
    )
    options.add_argument("--only", nargs="+", choices=list(BENCHES), help="measure these alone")
    options.add_argument("--plot", type=Path, help="write the growth as an SVG picture there")
    return options


# Against peers


def read_rows(path: Path) -> reference.Rows:
    """Return (submit, run time, processors) in seconds of every job, in order."""
    if not path.is_file():
        raise BuildError(f"{path} is not there; name the log of 10,000 jobs with --swf FILE.")
    lines = path.read_text(encoding="utf-8").splitlines()
    fields = [line.split() for line in lines if line.strip() and not line.startswith(";")]
    return [(int(f[1]), int(f[3]), int(f[4])) for f in fields]


def ours(path: Path, backfill: str) -> tuple[float, list[int]]:
    """Return how long reading the log, running it and its Run take, and the starts in seconds."""
    began = time.process_time()
    jobs = read_trace(path, "swf")
    policy = Policy(backfill=backfill)
    rng = np.random.Generator(np.random.PCG64(0))
    run = Run.of(Engine(Fleet.pool(PROCESSORS), jobs, policy, rng).run())
    spent = time.process_time() - began
    first_ms = 1000 * read_rows(path)[0][0] - int(jobs.submit_ms[0])  # a trace begins at 0
    return spent, ((run.start_ms + first_ms) // 1000).tolist()


@cache
def peers() -> Path:
    """Return the Python of the peers' environment, made from its lock if it is not there."""
    return prepare("bench")


def peer(script: str, *arguments: str) -> Any:
    """Return what a peer's script prints, run in the peers' environment."""
    command = [str(peers()), str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BuildError(f"{script} failed: {last}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def accasim(options: argparse.Namespace) -> bool:
    """Compare with AccaSim on the log, first come first served and with EASY backfill."""
    rows = read_rows(options.swf)
    met = []
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "log.swf"
        told.write_text(with_requests(options.swf), encoding="utf-8")
        for name, backfill, schedule, target in (
            ("fifo", "none", reference.fcfs, 150),
            ("easy", "easy", reference.easy, 50),
        ):
            right = schedule(rows, PROCESSORS)
            theirs, mine = [], []
            for number in range(options.runs):
                answer = peer("accasim_peer.py", str(told), name, str(PROCESSORS))
                theirs.append(answer["cpu_s"])
                spent, starts = ours(options.swf, backfill)
                mine.append(spent)
                if starts != right:
                    raise BuildError(f"the engine's {name} starts differ from the reference's")
                say(f"  run {number + 1} of {options.runs}, AccaSim {name}: {theirs[-1]:.1f} s")
            met.append(ratio(f"AccaSim 1.1.3, {name}, {len(rows):,} jobs", theirs, mine, target))
    return all(met)


def with_requests(path: Path) -> str:
    """Return the log with what a job took as what it asked for: AccaSim reads only requests."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith(";"):
            fields = line.split()
            fields[7], fields[8] = fields[4], fields[3]
            lines.append(" ".join(fields))
    return "\n".join(lines) + "\n"


def simpy(options: argparse.Namespace) -> bool:
    """Compare with first-come-first-served clusters in SimPy on the log.

    The target is for processors that are requested and released, as its guide has it for
    what a limited number of processes use at a time; a container, from which an amount is
    taken as from a tank, is shown beside it.
    """
    rows = read_rows(options.swf)
    right = reference.fcfs(rows, PROCESSORS)
    jobs = read_trace(options.swf, "swf")
    met = []
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "jobs.json"
        told.write_text(json.dumps(rows), encoding="utf-8")
        for kind, target in (("resource", 5), ("container", 1)):
            theirs, mine = [], []
            for _ in range(options.runs):
                answer = peer("simpy_peer.py", str(told), str(PROCESSORS), kind)
                if answer["starts"] != right:
                    raise BuildError(f"the starts of SimPy's {kind} differ from the reference's")
                theirs.append(answer["cpu_s"])
                began = time.process_time()
                rng = np.random.Generator(np.random.PCG64(0))
                Engine(Fleet.pool(PROCESSORS), jobs, Policy(backfill="none"), rng).run()
                mine.append(time.process_time() - began)
            met.append(ratio(f"SimPy 4.1.2, fifo, {kind}", theirs, mine, target))
    return all(met)


def ratio(name: str, theirs: list[float], mine: list[float], target: float) -> bool:
    """Print both medians and their ratio; return whether it reaches the target."""
    peer_s, own_s = statistics.median(theirs), statistics.median(mine)
    met = peer_s / own_s >= target
    say(f"{name:<36}{peer_s:>9.2f} s{own_s:>9.3f} s{peer_s / own_s:>8.0f}x  "
        f"target {target:g}x {verdict(met)}")  # fmt: skip
    return met


def verdict(met: bool) -> str:
    return "met" if met else "MISSED"


# On its own


def timed(runs: int, what: Callable[[], object]) -> float:
    """Return the median processor seconds of ``what``."""
    found = []
    for _ in range(runs):
        began = time.process_time()
        what()
        found.append(time.process_time() - began)
    return statistics.median(found)


def packing(options: argparse.Namespace) -> bool:
    """Pack the paper's pods to 130 % of the nodes with FGD."""
    if not options.packing.is_dir():
        raise BuildError(f"{options.packing} is not there; name the folder with --packing FOLDER.")
    nodes = read_nodes(options.packing / "openb_node_list_gpu_node.csv")
    pods = read_pods(options.packing / "openb_pod_list_default.csv")
    spent = timed(options.runs, lambda: run_pack(nodes, pods, "fgd", demand=1.3, seed=0))
    met = spent <= 5
    say(f"{'FGD packing of the 2023 trace':<36}{spent:>20.2f} s           "
        f"target 5 s {verdict(met)}")  # fmt: skip
    return met


def scenario(options: argparse.Namespace) -> bool:
    """Run the default Scenario's fleet with 2,000 jobs and EASY backfill."""
    asked = Scenario.default().but(jobs=2000, backfill="easy")
    spent = timed(max(5, options.runs), lambda: simulate(asked))
    met = spent <= 1
    say(f"{'512 GPUs, 2,000 jobs, EASY':<36}{spent:>20.3f} s           target 1 s {verdict(met)}")
    return met


def browser(options: argparse.Namespace) -> bool:
    """Run the same Scenario in Chromium, in the worker of the built page, and here in turn.

    The least of the runs counts: these are seconds of the wall, to which others only add.
    """
    from tests.bench.browser import measure

    asked = Scenario.default().but(jobs=2000, backfill="easy")
    theirs, mine = map(min, measure(asked, max(15, options.runs)))
    met = theirs <= min(1, 4 * mine)
    say(f"{'the same in Chromium':<36}{theirs:>9.3f} s{mine:>9.3f} s{theirs / mine:>8.1f}x  "
        f"target 4x, 1 s {verdict(met)}")  # fmt: skip
    return met


def scale(options: argparse.Namespace) -> bool:
    """Grow fleet and workload together, each size in a process of its own."""
    points = []
    for gpus, jobs in SIZES:
        runs = options.runs if jobs <= 100_000 else 1
        found = [one_scale(gpus, jobs) for _ in range(runs)]
        point = statistics.median(p["us_per_job"] for p in found)
        memory = max(p["peak_mb"] for p in found)
        points.append((found[0]["gpus"], jobs, point, memory))
        say(f"  {found[0]['gpus']:>8,} GPUs{jobs:>11,} jobs{point:>8.1f} us a job{memory:>7,} MB")
    growth = points[-1][2] / points[0][2]
    met = growth <= 2 and points[-1][3] < MEMORY_LIMIT_MB
    say(f"{'time a job, largest over smallest':<36}{growth:>20.2f}x            "
        f"target 2x, {MEMORY_LIMIT_MB:,} MB {verdict(met)}")  # fmt: skip
    if options.plot:
        from tests.bench.growth import picture

        options.plot.write_text(picture(points), encoding="utf-8")
    return met


def one_scale(gpus: int, jobs: int) -> Any:
    """Return what tests/bench/growth.py measures in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.growth", str(gpus), str(jobs)]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environ)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BuildError(f"{jobs:,} jobs on {gpus:,} GPUs failed: {last}")
    return json.loads(done.stdout)


BENCHES: dict[str, Callable[[argparse.Namespace], bool]] = {
    "accasim": accasim,
    "simpy": simpy,
    "packing": packing,
    "scenario": scenario,
    "browser": browser,
    "scale": scale,
}
