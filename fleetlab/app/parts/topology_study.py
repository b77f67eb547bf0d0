"""What a reader has found out in Part 2: runs, the seesaw's pair, scored policies, the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fleetlab.analysis.compare import Difference
from fleetlab.app.instruments.scatter import Point
from fleetlab.app.trials import Trial
from fleetlab.ledger.evidence import kept_figures
from fleetlab.missions.goals import ITERATIONS, Verdict, goal, judge, unseen_seeds
from fleetlab.network import CROSS_SPINE, SAME_LEAF, goodput_loss, step_stretch
from fleetlab.policy.custom import PolicyStopped
from fleetlab.policy.rule import Rule
from fleetlab.run import Run
from fleetlab.scenario import FOR_EVER, Scenario
from fleetlab.services.nearness import Service, service_of
from fleetlab.wording import duration

Figures = Mapping[str, float]

BASELINE_LOADS = (60, 85)
"""Offered loads, in percent, at which gangs are measured against hold-and-wait."""

COMMUNICATION = 0.21
"""The part of a training step in communication that compute does not hide."""

COST = 4.2
"""How many times longer that takes over the spine: bandwidths of 50 and 12 GB/s."""

RULE_LOAD, RULE_JOBS = 70, 600
RULED = (
    "blind to topology",
    "fewest hops that are free",
    "holds out for one block",
    "your rule",
)
"""What places in the runs that show a rule, as the page lists them."""
BLIND, FEWEST, HOLDS_OUT, YOURS = RULED


def rule_penalty() -> int:
    """Return in percent how much longer a step takes over the spine, by the model."""
    return round((step_stretch(COMMUNICATION, COST) - 1) * 100)


def rule_loss() -> float:
    """Return the share of goodput that is lost when all of a gang's traffic crosses the spine."""
    return goodput_loss(COMMUNICATION, COST)


def bandwidth_ratio() -> float:
    """Return how many times narrower the spine is than a leaf."""
    return SAME_LEAF.bandwidth_bytes_s / CROSS_SPINE.bandwidth_bytes_s


ORDER_WORDS = {"fifo": "FIFO", "fair": "fair share", "drf": "DRF", "sjf": "shortest first"}


def in_words(scenario: Scenario, measured: bool = True) -> str:
    """Return a policy in a few words; with ``measured`` load, fabric and seed too."""
    patience = {FOR_EVER: "strict", 0: "loose"}.get(
        scenario.patience, f"{duration(scenario.patience * 60)} patience".replace(".0", "")
    )
    order = ORDER_WORDS.get(scenario.order, scenario.order)
    parts = ["hold-and-wait" if scenario.gang != "whole" else patience, order]
    if scenario.order == "priority" and scenario.ageing:
        parts.append(f"ageing {scenario.ageing} h")
    if scenario.quota != "none":
        parts.append(f"{scenario.quota} quota")
    if scenario.starvation:
        parts.append(f"bound {scenario.starvation} h")
    if scenario.placement != "best-fit":
        parts.append(scenario.placement.replace("-", " "))
    if measured:
        parts += [
            f"load {scenario.load} %",
            f"fabric {scenario.penalty} %",
            f"seed {scenario.seed}",
        ]
    return ", ".join(parts)


def work_of(scenario: Scenario) -> tuple[int, ...]:
    """Return what a Scenario has to get done, whatever the policy: its load, fabric and jobs."""
    return scenario.load, scenario.penalty, scenario.jobs, scenario.seed


@dataclass
class Slot:
    """One scored policy and its figures by unseen seed."""

    policy: Scenario
    figures: dict[int, Figures] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """What the policy reached over the seeds that are there."""
        return judge(self.policy.track, [dict(each) for each in self.figures.values()])


@dataclass
class RuleResult:
    """What one policy made of the rule's trace."""

    name: str
    figures: Figures
    stopped: str = ""


@dataclass
class Study:
    """A reader's findings on one track; nothing here draws or tells."""

    scenario: Scenario
    points: dict[str, Point] = field(default_factory=dict)
    before: list[Scenario] = field(default_factory=list)
    pair: dict[str, Figures] = field(default_factory=dict)
    baseline: dict[str, Figures] = field(default_factory=dict)
    slots: list[Slot] = field(default_factory=list)
    pinned: dict[str, int] = field(default_factory=dict)
    difference: Difference | None = None
    rule_results: dict[str, RuleResult] = field(default_factory=dict)
    rule_problem: str = ""
    _diffed: dict[str, Run] = field(default_factory=dict)
    _measured: tuple[Run, Figures, Service | None] | None = None

    # Runs

    def ran(self, run: Run) -> None:
        """Keep a run as a point."""
        if run.scenario is not None:
            self.remember(run.scenario, kept_figures(run))

    def figures_of(self, run: Run) -> Figures:
        """Return the kept figures of the run that is looked at, measured once."""
        return self._measure(run)[1]

    def service_of(self, run: Run) -> Service | None:
        """Return the track's service in the run that is looked at, measured once."""
        return self._measure(run)[2]

    def _measure(self, run: Run) -> tuple[Run, Figures, Service | None]:
        if self._measured is None or self._measured[0] is not run:
            self._measured = (run, kept_figures(run), service_of(run))
        return self._measured

    def remember(self, scenario: Scenario, figures: Figures) -> None:
        """Keep a run by its Scenario and figures, and as part of a scored policy if it is one."""
        query = "?" + scenario.query()
        if "mfu" not in figures or "wait_so_far_s" not in figures:
            return
        self.points[query] = Point(
            query,
            in_words(scenario),
            work_of(scenario),
            figures["wait_so_far_s"],
            figures["mfu"],
            figures["allocated"],
            figures.get("worst_low_priority_s", 0.0),
        )
        if is_scored(scenario):
            self._score(scenario, figures)

    def _score(self, scenario: Scenario, figures: Figures) -> None:
        policy = scenario.but(seed=0)
        for slot in self.slots:
            if slot.policy == policy:
                slot.figures[scenario.seed] = figures
                return
        if len(self.slots) < ITERATIONS:
            self.slots.append(Slot(policy, {scenario.seed: figures}))

    def restore(self, runs: Any) -> None:
        """Take up what a ledger's runs of this part and track say; what is no such run is left."""
        for line in runs if isinstance(runs, list) else []:
            if not isinstance(line, dict) or line.get("part") != 2:
                continue
            scenario, complaints = Scenario.read(str(line.get("scenario", "")))
            figures = line.get("figures")
            mine = (scenario.track, scenario.part) == (self.scenario.track, 2)
            if mine and not complaints and isinstance(figures, dict):
                numbers = {k: v for k, v in figures.items() if isinstance(v, int | float)}
                if not self._restore_rule(scenario, numbers, bool(line.get("rule"))):
                    self.remember(scenario, numbers)

    def _restore_rule(self, scenario: Scenario, figures: Figures, own: bool) -> bool:
        """Take up a run that showed a rule; return whether it was one."""
        for name, ruled in self._ruled().items():
            if ruled == scenario and own == (name == YOURS):
                self.rule_results[name] = RuleResult(name, figures)
                return True
        return own

    # What to run

    def pair_trials(self, scenario: Scenario) -> list[Trial]:
        """Return the runs for the seesaw: strict and loose, everything else as chosen."""
        self.pair.clear()
        whole = scenario.but(gang="whole")
        return [
            Trial("strict", whole.but(patience=FOR_EVER)),
            Trial("loose", whole.but(patience=0)),
        ]

    def baseline_trials(self, scenario: Scenario) -> list[Trial]:
        """Return the runs that answer the part's question, where they are not there yet."""
        if len(self.baseline) == 2 * len(BASELINE_LOADS):
            return []
        usual = Scenario.default(scenario.track, 2).but(seed=scenario.seed, jobs=scenario.jobs)
        return [
            Trial(f"{gang} {load}", usual.but(gang=gang, load=load))
            for load in BASELINE_LOADS
            for gang in ("whole", "hold-and-wait")
        ]

    def score_trials(self, scenario: Scenario) -> list[Trial]:
        """Return the scored runs of the policy in ``scenario`` that its slot does not have yet."""
        scored = scenario.but(**goal(scenario.track).conditions)
        slot = next((slot for slot in self.slots if slot.policy == scored.but(seed=0)), None)
        if slot is None and len(self.slots) >= ITERATIONS:
            return []
        there = slot.figures.keys() if slot is not None else ()
        seeds = [seed for seed in unseen_seeds(scenario.seed) if seed not in there]
        return [Trial(f"score {seed}", scored.but(seed=seed)) for seed in seeds]

    def diff_trials(self) -> list[Trial]:
        """Return the two runs that the pinned policies are told apart by; none without both."""
        self.difference = None
        self._diffed.clear()
        if set(self.pinned) != {"a", "b"}:
            return []
        one, other = (self.slots[self.pinned[name]] for name in ("a", "b"))
        shared = sorted(one.figures.keys() & other.figures.keys())
        if not shared:
            return []
        return [
            Trial("diff a", one.policy.but(seed=shared[0])),
            Trial("diff b", other.policy.but(seed=shared[0])),
        ]

    def rule_trials(self, text: str) -> list[Trial]:
        """Return the runs that show a rule beside built-in placements; none for a wrong text."""
        self.rule_results.clear()
        self.rule_problem = ""
        try:
            rule = Rule(text)
        except PolicyStopped as error:
            self.rule_problem = f"{error}."
            return []
        return [
            Trial(name, scenario, rule if name == YOURS else None)
            for name, scenario in self._ruled().items()
        ]

    def _ruled(self) -> dict[str, Scenario]:
        """Return the Scenarios that show a rule, by what places there; the rule's own first."""
        usual = Scenario.default(self.scenario.track, 2)
        seed = int(np.random.SeedSequence((self.scenario.seed, 3)).generate_state(1)[0]) >> 1
        trace = usual.but(
            load=RULE_LOAD, jobs=RULE_JOBS, penalty=rule_penalty(), backfill="skip", seed=seed
        )
        return {
            YOURS: trace,
            BLIND: trace,
            FEWEST: trace.but(placement="topology-aware"),
            HOLDS_OUT: trace.but(patience=FOR_EVER),
        }

    # What came of it

    def done(self, trial: Trial, run: Run) -> bool:
        """Take a trial's run; return whether a ledger should keep it."""
        figures = kept_figures(run)
        kind, _, rest = trial.name.partition(" ")
        if kind in ("strict", "loose") and not rest:
            self.pair[kind] = figures
            self.ran(run)
            return True
        if kind in ("whole", "hold-and-wait"):
            self.baseline[trial.name] = figures
            return True
        if kind == "score":
            self.ran(run)
            return True
        if kind == "diff":
            self._diffed[rest] = run
            if len(self._diffed) == 2:
                self.difference = self._diffed["a"].diff(self._diffed["b"])
            return False
        self.rule_results[trial.name] = RuleResult(trial.name, figures, run.stopped)
        if run.stopped:
            self.rule_problem = run.stopped
        return not run.stopped


def is_scored(scenario: Scenario) -> bool:
    """Decide whether a Scenario is one of the ten scored runs: their conditions mark it."""
    wanted = goal(scenario.track).conditions
    return all(getattr(scenario, name) == value for name, value in wanted.items())
