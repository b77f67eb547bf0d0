"""Runs of a ledger made again: each once, here or in processes of their own.

What is made again as one is a Scenario together with the rule that places its jobs:
the same Scenario under another rule is another run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleetlab.figures import figures_of
from fleetlab.job import JobTable
from fleetlab.outside import plain
from fleetlab.policy.rule import Rule
from fleetlab.scenario import Scenario, trace_name
from fleetlab.simulate import simulate
from fleetlab.sweeps.workers import Failure, Pool, spread
from fleetlab.workloads.table import load
from fleetlab.workloads.traces import load_trace

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Wanted:
    """What is run again as one: a Scenario, and the text of the reader's own rule, or nothing."""

    scenario: Scenario
    rule: str = ""


@dataclass(frozen=True)
class Repeat:
    """What came when a run was made again: digest and exact figures.

    ``refusal`` says why there are none; ``checked`` is false where that is for want of
    a file and no fault of the run.
    """

    digest: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    refusal: str = ""
    checked: bool = True


def repeat(
    wanted: Wanted, trace: JobTable | None = None, progress: Progress = lambda share: None
) -> Repeat:
    """Return what ``wanted`` gives, also where it cannot be run.

    A rule comes from outside: it is read in its own small language, and its steps are
    counted, in whatever process that is.
    """
    try:
        placement = Rule(wanted.rule) if wanted.rule else None
        run = simulate(wanted.scenario, trace, placement, progress)
        if run.stopped:
            return Repeat(refusal=plain(run.stopped, 300))
        return Repeat(run.digest, figures_of(run))
    except Exception as error:
        # whatever one run does to the engine, the others are still to be checked
        return Repeat(refusal=f"it cannot be run: {plain(error, 200) or type(error).__name__}")


class Repeats:
    """Makes runs again, each once, with the traces that are at hand.

    Raises TraceError or OSError, one sentence, for a trace that is bad.
    """

    def __init__(self, traces: Sequence[Path] = ()) -> None:
        self._traces: dict[str, JobTable] = {}
        self._known: dict[Wanted, Repeat] = {}
        for path in traces:
            data = load(path, path.name)
            self._traces[trace_name(data)] = load_trace(data, name=path.name).jobs

    def of(self, wanted: Wanted, progress: Progress = lambda share: None) -> Repeat:
        """Return what ``wanted`` gives; it is run only if it has not been before."""
        if wanted not in self._known:
            self._known[wanted] = self._repeat(wanted, progress)
        return self._known[wanted]

    def _repeat(self, wanted: Wanted, progress: Progress) -> Repeat:
        scenario = wanted.scenario
        trace = self._traces.get(scenario.trace)
        if scenario.workload == "trace" and trace is None:
            return Repeat(
                refusal=f"it replays the reader's own trace {scenario.trace or '(unnamed)'}, which "
                "is not in the ledger; give that file with --trace",
                checked=False,
            )
        return repeat(wanted, trace, progress)

    def prepare(self, wanted: Iterable[Wanted], pool: Pool, progress: Progress) -> None:
        """Run all of ``wanted`` that need no trace in a pool of processes, each with its rule."""
        tasks = [
            one
            for one in dict.fromkeys(wanted)
            if one.scenario.workload != "trace" and one not in self._known
        ]
        for done, (number, found) in enumerate(spread(repeat, tasks, pool), start=1):
            if isinstance(found, Failure):
                found = Repeat(refusal=f"it cannot be run: {found.sentence}")
            self._known[tasks[number]] = found
            progress(done / len(tasks))
