"""Scenarios of a ledger run again: each once, here or in processes of their own."""

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
class Repeat:
    """What a Scenario gave when it was run again: digest and exact figures.

    ``refusal`` says why there are none; ``checked`` is false where that is for want of
    a file and no fault of the Scenario.
    """

    digest: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    refusal: str = ""
    checked: bool = True


def repeat(
    scenario: Scenario,
    trace: JobTable | None = None,
    progress: Progress = lambda share: None,
    rule: str = "",
) -> Repeat:
    """Return what ``scenario`` gives, placed by ``rule`` if there is one, also where it cannot be.

    A rule comes from outside: it is read in its own small language, and its steps are counted.
    """
    try:
        run = simulate(scenario, trace, Rule(rule) if rule else None, progress)
        if run.stopped:
            return Repeat(refusal=plain(run.stopped, 300))
        return Repeat(run.digest, figures_of(run))
    except Exception as error:
        # whatever one Scenario does to the engine, the others are still to be checked
        return Repeat(refusal=f"it cannot be run: {plain(error, 200) or type(error).__name__}")


class Repeats:
    """Runs Scenarios again, each once, with the traces that are at hand.

    Raises TraceError or OSError, one sentence, for a trace that is bad.
    """

    def __init__(self, traces: Sequence[Path] = ()) -> None:
        self._traces: dict[str, JobTable] = {}
        self._known: dict[tuple[Scenario, str], Repeat] = {}
        for path in traces:
            data = load(path, path.name)
            self._traces[trace_name(data)] = load_trace(data, name=path.name).jobs

    def of(
        self, scenario: Scenario, progress: Progress = lambda share: None, rule: str = ""
    ) -> Repeat:
        """Return what ``scenario`` gives, placed by ``rule`` if there is one."""
        if (scenario, rule) not in self._known:
            self._known[scenario, rule] = self._repeat(scenario, progress, rule)
        return self._known[scenario, rule]

    def _repeat(self, scenario: Scenario, progress: Progress, rule: str) -> Repeat:
        trace = self._traces.get(scenario.trace)
        if scenario.workload == "trace" and trace is None:
            return Repeat(
                refusal=f"it replays the reader's own trace {scenario.trace or '(unnamed)'}, which "
                "is not in the ledger; give that file with --trace",
                checked=False,
            )
        return repeat(scenario, trace, progress, rule)

    def prepare(self, scenarios: Iterable[Scenario], pool: Pool, progress: Progress) -> None:
        """Run all of ``scenarios`` that need no trace in a pool of processes."""
        wanted = [
            scenario
            for scenario in dict.fromkeys(scenarios)
            if scenario.workload != "trace" and (scenario, "") not in self._known
        ]
        for done, (number, found) in enumerate(spread(repeat, wanted, pool), start=1):
            if isinstance(found, Failure):
                found = Repeat(refusal=f"it cannot be run: {found.sentence}")
            self._known[wanted[number], ""] = found
            progress(done / len(wanted))
