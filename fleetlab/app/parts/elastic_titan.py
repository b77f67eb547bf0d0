"""Part 3 on Cloud Titan: a training run on spot nodes, and five million dollars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import mean, stdev
from typing import Any

import numpy as np

from fleetlab.analysis.timeline import Phase, Timeline
from fleetlab.app.instruments.converge import SweepView
from fleetlab.app.instruments.course import Course
from fleetlab.app.instruments.ring import RingView
from fleetlab.app.parts.elastic_story import (
    HOUR_MS,
    Case,
    Plan,
    Story,
    Sweep,
    how,
    node_states,
    reclaim_times,
    spot_words,
    spread_words,
    survivors,
)
from fleetlab.app.picture import Bar, Panel
from fleetlab.missions import mission
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.services.prices import Case as Money
from fleetlab.services.prices import break_even_stretch, case, discount
from fleetlab.services.training import Training, expected_stretch, interruption_mean_s
from fleetlab.theory.checkpoint import optimal_interval
from fleetlab.wording import clock, dollars, duration, percent, plural

PHASE_WORDS = {
    Phase.WORKING: "working",
    Phase.SAVING: "writing a checkpoint",
    Phase.REBUILDING: "closing the ring",
    Phase.RESTARTING: "reloading the checkpoint",
    Phase.WAITING: "waiting for the node",
    Phase.DONE: "converged",
}
DOUBLE = 2.0
TOP = 4.0


def work_s(scenario: Scenario) -> float:
    """Return how long the run takes when nothing disturbs it, in s."""
    from fleetlab.workloads.catalogue import resident

    jobs = resident(scenario.workload, scenario.fleet_shape, scenario.load / 100)
    return int(jobs.duration_ms[0]) / 1000


class TitanStory(Story):
    """Time to converge, what is lost, and what a GPU-hour that counts costs."""

    seeds = (10, 10, 4, 1)
    sweep = Sweep(
        "tau",
        (10, 20, 30, 45, 60, 90, 120, 180, 240),
        ("10 min", "20", "30", "45", "1 h", "1.5 h", "2 h", "3 h", "4 h"),
        "checkpoint interval τ",
        "times as long",
    )

    def ring(self, run: Run, timeline: Timeline, time_ms: int) -> RingView:
        """Return the ring with the share of the work that is done."""
        instant = timeline.at(time_ms)
        total = int(run.jobs.duration_ms[0])
        held = survivors(run, instant)
        small = PHASE_WORDS[instant.phase]
        if instant.phase is Phase.WORKING and instant.away:
            small = f"{len(held)} of {run.fleet.nodes} nodes at work"
        return RingView(
            node_states(run, instant, held), (0,) * run.fleet.nodes, held, how(instant),
            percent(instant.done_ms / total), small,
        )  # fmt: skip

    def title(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return the finding of the moment."""
        instant = timeline.at(time_ms)
        gone, there = len(instant.away), run.fleet.nodes - len(instant.away)
        if instant.phase is Phase.WAITING:
            verb = "is" if gone == 1 else "are"
            return f"{plural(gone, 'node')} {verb} gone, and {there} wait"
        if instant.phase is Phase.RESTARTING:
            return f"All {there} nodes reload the last checkpoint"
        if instant.phase is Phase.REBUILDING:
            return f"{len(instant.nodes)} nodes close the ring"
        if instant.phase is Phase.SAVING:
            return f"{len(instant.nodes)} nodes stop to write a checkpoint"
        if instant.phase is Phase.DONE:
            took, plain = int(run.end_ms[0]) / 1000, int(run.jobs.duration_ms[0]) / 1000
            return f"Converged after {duration(took)} in place of {duration(plain)}"
        if gone:
            return f"{plural(gone, 'node')} {'is' if gone == 1 else 'are'} gone, {there} work on"
        return f"All {there} nodes are at work"

    def scene(self, scenario: Scenario) -> str:
        """Return what fleet this is and how to read the picture."""
        fleet = scenario.fleet_shape
        return (
            f"{fleet.gpus:,} GPUs train one model. {spot_words(scenario)}. Hatched, outside the "
            "ring: taken back. The global batch stays the same whatever the size of the ring."
        )

    def why(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return what is saved, at risk and lost at this moment."""
        instant = timeline.at(time_ms)
        done, risk, lost = (
            duration(ms / 1000) for ms in (instant.done_ms, instant.unsaved_ms, instant.lost_ms)
        )
        words = f"{clock(time_ms)}: {done} of work stand"
        words += f", {risk} of them in memory only." if instant.unsaved_ms else ", all of it saved."
        if instant.interruptions:
            words += f" {plural(instant.interruptions, 'interruption')} cost {lost} of work so far."
        if instant.rebuilds:
            words += (
                f" The ring was rebuilt {plural(instant.rebuilds, 'time')} and no work was lost."
                if not instant.lost_ms
                else f" The ring was rebuilt {plural(instant.rebuilds, 'time')}."
            )
        return words

    def course(self, run: Run, timeline: Timeline) -> Course:
        """Return the work that stands, over time: a saw whose teeth are what interruptions cost."""
        progress = timeline.progress()
        hours = tuple(time / HOUR_MS for time, _ in progress)
        done = tuple(ms / HOUR_MS for _, ms in progress)
        last = int(run.end_ms[0])
        cut = [time / HOUR_MS for time in reclaim_times(run) if 0 < time < last]
        marks = zip(cut, np.interp(cut, hours, done).tolist(), strict=True)
        work = int(run.jobs.duration_ms[0]) / HOUR_MS
        return Course(
            ((hours, done),), tuple(marks),
            max(last / HOUR_MS, work), 0.0, work * 1.04, "hours of work done",
            beside=((0.0, work), (0.0, work)),
        )  # fmt: skip

    def course_title(self, run: Run, timeline: Timeline) -> str:
        """Return where the time went."""
        spent = timeline.spent
        took = duration(spent.total_ms / 1000)
        parts = {
            "work that had to be done again": spent.lost_ms,
            "checkpoints": spent.saving_ms,
            "waiting for nodes and restarts": spent.waiting_ms + spent.restarting_ms,
            "rebuilding the ring": spent.rebuilding_ms + spent.slower_ms,
        }
        words = ", ".join(
            f"{duration(ms / 1000)} {name}" for name, ms in parts.items() if ms >= 60_000
        )
        return f"Of {took}, {duration(spent.work_ms / 1000)} were work that counts" + (
            f"; the rest: {words}" if words else ""
        )

    def figures(
        self, scenario: Scenario, static: list[Training], elastic: list[Training]
    ) -> dict[str, Any]:
        """Return time to converge, lost work, rent and the price of an hour that counts."""
        mine, other = (elastic, static) if scenario.elastic else (static, elastic)
        name, others = ("elastic", "static") if scenario.elastic else ("static", "elastic")
        labels = {
            "main": f"time to converge, {name}",
            "lost": f"lost work, {name}",
            "cost": f"rent of the run, {name}",
            "goal": "an hour that counts costs",
        }
        if not mine:
            return {"labels": labels}
        stretches = [training.stretch for training in mine]
        time = _time_words(mine)
        shown: dict[str, Any] = {
            "main": time,
            "main_detail": spread_words(stretches, "times as long as undisturbed"),
            "lost": duration(mean(t.lost_s for t in mine)),
            "lost_detail": (
                f"{mean(t.interruptions for t in mine):.1f} interruptions and "
                f"{mean(t.rebuilds for t in mine):.1f} rebuilds a run, on average"
            ),
            "cost": dollars(mean(t.dollars for t in mine)),
            "cost_detail": f"{dollars(_plain_dollars(scenario))} on demand and undisturbed",
            "labels": labels,
        }
        work_h = work_s(scenario) / 3600 * scenario.fleet_shape.gpus
        shown["goal"] = f"{dollars(mean(t.dollars for t in mine) / work_h)} a GPU"
        shown["goal_detail"] = (
            f"${mission('titan').gpu_hour_dollars:.2f} on demand; "
            f"spot alone pays up to {break_even_stretch(discount('titan')):.2f} times the time"
        )
        if other:
            both = [*stretches, *(t.stretch for t in other)]
            high = max(mean(stretches), mean(t.stretch for t in other), 1e-9)
            shown["main_detail"] += f"; {others}: {_time_words(other)}"
            shown["bars"] = {"main": mean(stretches) / high, "other": min(both) / high}
        return shown

    def lost_of_100(self, outcome: Training) -> float:
        """Return how many of 100 hours bring the work no further."""
        return 100 * (1 - 1 / outcome.stretch)

    def lesson(self, scenario: Scenario, static: list[Training], elastic: list[Training]) -> str:
        """Return the comparison, and why neither more checkpoints nor single GPUs do it."""
        words = (
            f"The static ring took {_times(static)} as long as undisturbed, "
            f"the elastic one {_times(elastic)}."
        )
        mean_s = interruption_mean_s(scenario)
        if scenario.reclaim == "memoryless" and math.isfinite(mean_s) and scenario.checkpoint:
            best_s = optimal_interval(scenario.checkpoint, mean_s)
            best = scenario.but(tau=max(1, round(best_s / 60)))
            words += (
                f" Even saving at its best, every {duration(best_s)}, a static ring would need "
                f"{expected_stretch(best, work_s(scenario)):.2f} times as long."
            )
        return words + (
            " Taking single GPUs away would break the tensor-parallel group of the whole node, so "
            "the node is what a ring can lose."
        )

    def swept(self, outcome: Training) -> float:
        """Return how many times as long it took."""
        return outcome.stretch

    def curve(self, scenario: Scenario) -> float | None:
        """Return Daly's expected time, where reclaims are memoryless."""
        if scenario.reclaim != "memoryless":
            return None
        return expected_stretch(scenario.but(elastic=0), work_s(scenario))

    def sweep_view(self, view: SweepView) -> tuple[str, SweepView]:
        """Return the sweep with its finding: the best interval, and how far elastic lies below."""
        shown = replace(view, low=1.0, high=TOP, limit=(DOUBLE, "twice as long"))
        if not view.static:
            return "", shown
        best = min(view.static, key=lambda point: point.mean)
        where = _interval_words(dict(view.ticks)[best.at])
        title = f"Saving every {where} is best for a static ring: {best.mean:.2f} times as long"
        if view.elastic:
            ends = [f(point.mean for point in view.elastic) for f in (min, max)]
            words = [f"{end:.2f}" for end in ends]
            title += f"; elastic takes {' to '.join(dict.fromkeys(words))}"
        return title, shown

    def plans(self, scenario: Scenario) -> list[Plan]:
        """Return what the CFO asked for, static and elastic, all on spot nodes."""
        bold = scenario.but(spot=100)
        return [
            Plan("100 % spot, static", "static", bold.but(elastic=0)),
            Plan("100 % spot, elastic", "elastic", bold.but(elastic=1)),
        ]

    def case(
        self, scenario: Scenario, plans: list[tuple[Plan, list[Training]]], price: int
    ) -> Case:
        """Return the three steps of the case: doubling, the price of time, what elastic keeps."""
        runs = mission("titan").campaign_runs
        plain_h = work_s(scenario) / 3600 * runs
        plain = _plain_dollars(scenario) * runs
        spot = plain * (1 - discount("titan"))
        money: dict[str, Money] = {}
        times = [Bar("on demand", 1.0, "1.00")]
        nets: list[Bar] = []
        kept = [Bar("promised, if time stood still", plain - spot, dollars(plain - spot))]
        rows = [
            [
                "plan",
                "times as long",
                "days",
                "rent",
                "saved",
                "flips at, a day",
                "left at your price",
            ],
            ["on demand", "1.00", f"{plain_h / 24:.0f}", dollars(plain), "$0", "–", "$0"],
        ]
        for plan, found in plans:
            if not found:
                continue
            stretch = mean(t.stretch for t in found)
            one = money[plan.kind] = case(
                mean(t.dollars for t in found) * runs, plain_h * stretch, plain, plain_h
            )
            never = not all(t.converged for t in found)
            spread = (min(t.stretch for t in found), max(t.stretch for t in found))
            times.append(
                Bar(plan.label, stretch, "never" if never else f"{stretch:.2f}", plan.kind, spread)
            )
            net = one.net_dollars(price)
            nets.append(Bar(plan.label, net, _money(net), plan.kind))
            kept.append(Bar(plan.label, one.saved_dollars, dollars(one.saved_dollars), plan.kind))
            flips = one.flips_at_dollars_a_day
            rows.append([
                plan.label, "never" if never else f"{stretch:.2f}", f"{one.days:.0f}",
                dollars(one.dollars), dollars(one.saved_dollars),
                "never" if math.isinf(flips) else dollars(max(0.0, flips)), _money(net),
            ])  # fmt: skip
        panels = [
            Panel("1. How long it takes, times", tuple(times), (DOUBLE, "doubled")),
            Panel(f"2. Left if a day costs {dollars(price)}", tuple(nets)),
            Panel("3. What the rent alone saves", tuple(kept)),
        ]
        title, note = _verdict(plans, money, price)
        expected = self.curve(scenario.but(spot=100))
        if expected is not None:
            note = f"Daly's closed form expects {min(expected, 99):.2f} times. {note}"
        gpu_h = plain_h * scenario.fleet_shape.gpus
        prices = mission("titan")
        note += (
            f" {runs} runs of {work_s(scenario) / 3600:.0f} h on "
            f"{scenario.fleet_shape.gpus:,} GPUs: {gpu_h / 1e6:.2f} M GPU-hours at "
            f"${prices.gpu_hour_dollars:.2f}, or ${prices.spot_hour_dollars:.2f} on spot."
        )
        return Case(title, note, panels, rows)


def _verdict(
    plans: list[tuple[Plan, list[Training]]], money: dict[str, Money], price: int
) -> tuple[str, str]:
    """Return what the case shows, as a title, and what follows, as a note."""
    measured = {plan.kind: [t.stretch for t in found] for plan, found in plans if found}
    if "static" not in measured or "elastic" not in measured:
        return "The case is being measured", "On seeds of its own, with 100 % of the nodes on spot."
    static, elastic = money["static"], money["elastic"]
    stretch, error = mean(measured["static"]), _error(measured["static"])
    proof = f"Without elasticity it takes {stretch:.2f} times as long"
    if stretch + 2 * error < DOUBLE:
        proof += ", which is not double"
    elif stretch - 2 * error <= DOUBLE:
        proof += ", about double"
    keeps = f"elastic keeps {dollars(elastic.saved_dollars)}"
    flips = static.flips_at_dollars_a_day
    flip = (
        "the static plan costs more than it saves before any delay is counted"
        if static.saved_dollars <= 0
        else f"the static plan still saves {dollars(static.saved_dollars)} of rent, and turns into "
        f"a loss only when a day of delay is worth more than {dollars(flips)}"
    )
    net = static.net_dollars(price)
    here = f" At {dollars(price)} a day it {'leaves' if net > 0 else 'loses'} {dollars(abs(net))}."
    return (
        f"{proof}; {keeps}",
        f"Measured: ± {error:.2f} over {plural(len(measured['static']), 'seed')}. "
        f"Time alone does not decide: {flip}.{here}",
    )


def _money(amount: float) -> str:
    return f"−{dollars(-amount)}" if amount < 0 else dollars(amount)


def _error(values: Sequence[float]) -> float:
    """Return the standard error of a mean."""
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def _times(found: Sequence[Training]) -> str:
    if not all(t.converged for t in found):
        return "more than 12 times"
    return f"{mean(t.stretch for t in found):.2f} times"


def _time_words(found: Sequence[Training]) -> str:
    if not all(t.converged for t in found):
        return "never"
    return f"{mean(t.time_to_converge_s for t in found) / 3600:.0f} h"


def _interval_words(tick: str) -> str:
    return tick if "h" in tick or "min" in tick else f"{tick} min"


def _plain_dollars(scenario: Scenario) -> float:
    """Return what the run costs on demand when nothing disturbs it."""
    gpu_h = scenario.fleet_shape.gpus * work_s(scenario) / 3600
    return gpu_h * mission(scenario.track).gpu_hour_dollars
