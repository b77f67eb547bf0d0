"""A Scenario as the command line takes it: an address, its query alone, or a JSON file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fleetlab.job import JobTable
from fleetlab.progress import Bar
from fleetlab.run import Run
from fleetlab.scenario import Scenario, ScenarioError, trace_name
from fleetlab.simulate import simulate
from fleetlab.workloads.table import load
from fleetlab.workloads.traces import load_trace

FORM = "track=titan&part=1&load=85&seed=7, the page's address with these, or a JSON file"


def read_scenario(text: str) -> Scenario:
    """Return the Scenario that an argument names; raises ScenarioError saying what it cannot be."""
    if text.endswith(".json") and "=" not in text:
        name = Path(text).name
        try:
            return Scenario.from_json(json.loads(load(Path(text), name)))
        except (json.JSONDecodeError, RecursionError) as error:
            raise ScenarioError(f"{name}: not readable as JSON ({error})") from None
        except ScenarioError as error:
            raise ScenarioError(f"{name}: {error}") from None
    query = text.partition("?")[2] if "?" in text else text
    if "=" not in query:
        raise ScenarioError(f"scenario: {text[:40]!r} names no choice; write {FORM}")
    return Scenario.parse(query.partition("#")[0])


def add_trace(parser: argparse.ArgumentParser) -> None:
    """Add the option that gives a Scenario with ``workload=trace`` its file."""
    parser.add_argument(
        "--trace", type=Path, metavar="FILE", help="the file that workload=trace replays"
    )


def read_jobs(path: Path | None, *scenarios: Scenario) -> JobTable | None:
    """Return the jobs of the trace at ``path``, or None where none is given.

    Raises ScenarioError when it is not the file that a Scenario names, or none replays it.
    """
    if path is None:
        return None
    if not any(scenario.workload == "trace" for scenario in scenarios):
        raise ScenarioError("--trace: the Scenario draws its workload; add workload=trace to it")
    data = load(path, path.name)
    digest = trace_name(data)
    for scenario in scenarios:
        if scenario.trace not in ("", digest):
            raise ScenarioError(
                f"--trace: {path.name} has the digest {digest} and the Scenario was made with "
                f"{scenario.trace}; give that file"
            )
    return load_trace(data, name=path.name).jobs


def simulate_with_bar(scenario: Scenario, trace: JobTable | None, bar: Bar) -> Run:
    """Return the Run of ``scenario``, with a bar while it lasts."""
    try:
        return simulate(scenario, trace, progress=bar.show)
    finally:
        bar.clear()
