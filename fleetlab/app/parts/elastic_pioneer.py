"""Part 3 on Tiny Pioneer: hearables that run low or walk off, and models that may be slim."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean
from typing import Any

from fleetlab.analysis.timeline import Timeline
from fleetlab.app.instruments.converge import SweepView
from fleetlab.app.instruments.course import Course
from fleetlab.app.instruments.ring import AWAY, IDLE, IN, SLIM, WORKING, RingView
from fleetlab.app.parts.elastic_story import (
    HOUR_MS,
    Case,
    Plan,
    Story,
    Sweep,
    binomial,
    fine_percent,
    scenario_of,
    spot_words,
    spread_words,
)
from fleetlab.app.picture import Bar, Panel
from fleetlab.run import Run, State
from fleetlab.scenario import Scenario
from fleetlab.services.hearing import (
    DEVICES,
    HEAVY,
    LIMIT_MS,
    LIMIT_MW,
    Hearing,
    Model,
    can_run,
    latency_ms,
    power_mw,
)
from fleetlab.services.hearing import (
    SLIM as SLIM_MODEL,
)
from fleetlab.services.service import day_ms, still_ms
from fleetlab.terms import node_life_ms, spot_nodes
from fleetlab.wording import clock, duration, plural

V1, V2, V3 = 0, 1, 2


class PioneerStory(Story):
    """Dropout, latency and milliwatts by class of device."""

    seeds = (5, 3, 2, 2)
    same_run = True
    sweep = Sweep(
        "away", (5, 10, 30, 60, 120, 180), ("5 min", "10", "30", "1 h", "2 h", "3 h"),
        "how long a device is away", "% of the time silent",
    )  # fmt: skip

    def opening_ms(self, run: Run) -> int:
        """Return the first instant at which a model has no V3."""
        _, begin, until = run.queued
        waits = begin[(begin > 0) & (until > begin)]
        return int(waits.min()) + 1000 if len(waits) else super().opening_ms(run)

    def ring(self, run: Run, timeline: Timeline, time_ms: int) -> RingView:
        """Return the devices on three circles: V1 outside, V3 inside."""
        state = run.state_at(time_ms)
        slim, silent = _models(run, state)
        classes = [run.fleet.class_of(node) for node in range(run.fleet.nodes)]
        states = [IDLE] * run.fleet.nodes
        for node in range(run.fleet.nodes):
            if state.owner[node] >= 0:
                states[node] = IN
            elif node in state.down:
                states[node] = AWAY
        hosts = [n for n, here in enumerate(states) if here == IDLE and classes[n] == V2]
        for node in hosts[:slim]:
            states[node] = SLIM
        heavy = sum(here == IN for here in states)
        small = f"{heavy} heavy on V3" + (f", {slim} slim on V2" if slim else "")
        return RingView(tuple(states), tuple(classes), (), WORKING, f"{silent} silent", small)

    def title(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return the finding of the moment."""
        state = run.state_at(time_ms)
        slim, silent = _models(run, state)
        gone = sum(run.fleet.class_of(node) == V3 for node in state.down)
        if silent:
            return f"{plural(gone, 'V3')} away, and {plural(silent, 'wearer')} {_hears(silent)}"
        if slim:
            goes = "goes" if slim == 1 else "go"
            return f"{plural(gone, 'V3')} away: {plural(slim, 'model')} {goes} on slim, on a V2"
        if gone:
            return f"{plural(gone, 'V3')} away, and every model has found another"
        return "Every V3 is in reach, and every model is heard"

    def scene(self, scenario: Scenario) -> str:
        """Return what fleet this is and how to read the picture."""
        fleet = scenario.fleet_shape
        counts = [fleet.blocks * count for count in fleet.class_counts]
        return (
            f"{counts[0]} V1 on the outer circle, {counts[1]} V2, {counts[2]} V3 inside; filled: "
            f"runs a heavy model. {spot_words(scenario, 'device')}. Hatched, outside its circle: "
            f"away for {duration(scenario.away * 60)}. There is no ring to rebuild: what counts is "
            "who else can run the model."
        )

    def why(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return what happens to a model whose device leaves."""
        scenario = scenario_of(run)
        v2, v3 = DEVICES[V2], DEVICES[V3]
        if scenario.elastic:
            rule = (
                f"Without a V3 a model runs slim on a V2: {power_mw(SLIM_MODEL, v2):.2f} mW and "
                f"{latency_ms(SLIM_MODEL, v2):.2f} ms, with less isolation."
            )
        else:
            rule = (
                f"Without a V3 a heavy model is silent: on a V2 it would draw "
                f"{power_mw(HEAVY, v2):.1f} mW, and {LIMIT_MW:.0f} mW is all there is; on its V3 "
                f"it draws {power_mw(HEAVY, v3):.2f} mW."
            )
        still = still_ms(scenario) // 1000
        move = f" A move is heard for {still} s." if still else " A move is not heard."
        return f"{clock(time_ms)}. {rule}{move}"

    def course(self, run: Run, timeline: Timeline) -> Course:
        """Return how many models have no V3, over the day."""
        end = day_ms(run)
        _, begin, until = run.queued
        changes: list[tuple[int, int]] = []
        for start, stop in zip(begin.tolist(), until.tolist(), strict=True):
            if start < end and stop > start:
                changes += [(start, 1), (min(stop, end), -1)]
        hours, values, waiting = [0.0], [0.0], 0
        for time, step in sorted(changes):
            hours += [time / HOUR_MS] * 2
            values += [waiting, waiting + step]
            waiting += step
        hours.append(end / HOUR_MS)
        values.append(waiting)
        top = max(2.0, *values) * 1.15
        return Course(
            ((tuple(hours), tuple(values)),), (), end / HOUR_MS, 0.0, top, "models without a V3"
        )

    def course_title(self, run: Run, timeline: Timeline) -> str:
        """Return what becomes of the models without a V3."""
        scenario = scenario_of(run)
        _, begin, until = run.queued
        end = day_ms(run)
        hours = (
            sum(
                max(0, min(stop, end) - start)
                for start, stop in zip(begin.tolist(), until.tolist(), strict=True)
            )
            / HOUR_MS
        )
        if hours < 0.01:
            return "No model was ever without a V3 in this day"
        what = "slim on a V2" if scenario.elastic else "silent"
        return f"In this day models were without a V3 for {hours:.0f} model-hours: {what}"

    def figures(
        self, scenario: Scenario, static: list[Hearing], elastic: list[Hearing]
    ) -> dict[str, Any]:
        """Return dropout, slim time, power and moves."""
        mine = elastic if scenario.elastic else static
        labels = {
            "main": "time that a wearer heard nothing",
            "lost": "time on a slim model",
            "cost": "power of a model that runs",
            "goal": "fewest devices in reach",
        }
        if not mine:
            return {"labels": labels}
        return {
            "main": _percent(mean(x.silent_share for x in mine)),
            "main_detail": spread_words([100 * x.silent_share for x in mine], "%"),
            "lost": _percent(mean(x.slim_share for x in mine)),
            "lost_detail": (
                f"{power_mw(SLIM_MODEL, DEVICES[V2]):.2f} mW and less isolation, in place of "
                f"{power_mw(HEAVY, DEVICES[V3]):.2f} mW"
            ),
            "cost": f"{mean(x.mean_mw for x in mine):.2f} mW",
            "cost_detail": f"on average; {LIMIT_MW:.0f} mW and {LIMIT_MS:.0f} ms are the limits",
            "goal": f"{min(x.fewest_v3 for x in mine)} V3",
            "goal_detail": (
                f"and {min(x.fewest_v2 for x in mine)} V2, at the worst; "
                f"{mean(x.moves for x in mine):.0f} moves a day"
            ),
            "labels": labels,
        }

    def lost_of_100(self, outcome: Hearing) -> float:
        """Return in how many of 100 hours a wearer hears nothing."""
        return 100 * outcome.silent_share

    def lesson(self, scenario: Scenario, static: list[Hearing], elastic: list[Hearing]) -> str:
        """Return the comparison, and the other way out: V3 to spare."""
        words = ""
        if static and elastic:
            words = (
                f"Heavy or silent, a wearer heard nothing for "
                f"{_percent(mean(x.silent_share for x in static))} of the time; with a slim model "
                f"to fall back on, for {_percent(mean(x.silent_share for x in elastic))}."
            )
        return words + (
            " A heavy model on a V2 would meet 10 ms and break 1 mW, so it is the model that must "
            "give. Spare V3 devices do the same at the price of devices: try fewer heavy models."
        )

    def swept(self, outcome: Hearing) -> float:
        """Return the silent share, in per cent."""
        return 100 * outcome.silent_share

    def curve(self, scenario: Scenario) -> float | None:
        """Return the silent share, in %, of heavy models on independent devices: the binomial.

        A device is away for ``away`` out of its life and that; who has no V3 is silent.
        """
        fleet = scenario.fleet_shape
        spot = [n for n in spot_nodes(scenario) if fleet.class_of(n) == V3]
        all_v3 = sum(fleet.class_of(node) == V3 for node in range(fleet.nodes))
        if scenario.reclaim != "memoryless":
            return None
        if not spot or not scenario.preemptions:
            return 0.0
        models = min(all_v3, max(1, round(scenario.load / 100 * all_v3)))
        away_ms = scenario.away * 60_000
        gone = away_ms / (node_life_ms(scenario) + away_ms)
        count = len(spot)
        short = sum(
            binomial(k, count, gone) * max(0, models - (all_v3 - k)) for k in range(count + 1)
        )
        return 100 * short / models

    def sweep_view(self, view: SweepView) -> tuple[str, SweepView]:
        """Return the sweep with its finding."""
        high = max([1.0, *(point.high for point in view.static)]) * 1.1
        shown = replace(view, low=0.0, high=high)
        if not view.static:
            return "", shown
        last = view.static[-1]
        title = f"Heavy or silent: up to {last.mean:.0f} % of the time nobody is heard"
        if view.elastic:
            title += f"; heavy or slim: {max(p.mean for p in view.elastic):.2f} % at most"
        return title, shown

    def plans(self, scenario: Scenario) -> list[Plan]:
        """Return three ways to meet devices that leave: silence, spare devices, slim models."""
        bold = scenario.but(spot=100, load=100)
        return [
            Plan("heavy or silent", "static", bold.but(elastic=0)),
            Plan("heavy, half the V3 spare", "plain", bold.but(elastic=0, load=50)),
            Plan("heavy or slim", "elastic", bold.but(elastic=1)),
        ]

    def case(self, scenario: Scenario, plans: list[tuple[Plan, list[Hearing]]], price: int) -> Case:
        """Return the case: silence, what a model may draw, what it costs in isolation."""
        silent: list[Bar] = []
        slim: list[Bar] = []
        rows = [["plan", "silent", "slim", "mW on average", "V3 for 16 wearers"]]
        for plan, found in plans:
            if not found:
                continue
            quiet, small = mean(x.silent_share for x in found), mean(x.slim_share for x in found)
            silent.append(Bar(plan.label, 100 * quiet, _percent(quiet), plan.kind))
            slim.append(Bar(plan.label, 100 * small, _percent(small), plan.kind))
            rows.append([
                plan.label, _percent(quiet), _percent(small),
                f"{mean(x.mean_mw for x in found):.2f}", f"{round(16 * 100 / plan.scenario.load)}",
            ])  # fmt: skip
        draws = tuple(
            Bar(f"{model.name} on {device.name}", power_mw(model, device), _verdict(model, number),
                "elastic" if can_run(model, device) else "static")
            for model, number in ((HEAVY, V1), (HEAVY, V2), (HEAVY, V3), (SLIM_MODEL, V2))
            for device in (DEVICES[number],)
        )  # fmt: skip
        panels = [
            Panel("1. Time that a wearer hears nothing", tuple(silent)),
            Panel("2. What a model draws", draws, (LIMIT_MW, "1 mW")),
            Panel("3. Time with less isolation", tuple(slim)),
        ]
        title = "The case is being measured"
        if len(silent) == len(plans):
            title = (
                f"A slim model brings silence from {silent[0].text} to {silent[-1].text}, "
                "and stays under 1 mW"
            )
        note = (
            f"All devices come and go, {scenario.preemptions} departures a day, "
            f"{duration(scenario.away * 60)} each. Teaching values; the slim model has 40 % of the "
            "operations. Spare devices silence the silence too, and cost twice the V3."
        )
        return Case(title, note, panels, rows)


def _models(run: Run, state: State) -> tuple[int, int]:
    """Return how many models are slim and how many are silent at an instant."""
    waiting = len(state.waiting)
    fleet = run.fleet
    v2 = sum(fleet.class_of(node) == V2 and node not in state.down for node in range(fleet.nodes))
    slim = min(waiting, v2) if scenario_of(run).elastic else 0
    return slim, waiting - slim


def _verdict(model: Model, number: int) -> str:
    device = DEVICES[number]
    return f"{power_mw(model, device):.2f} mW, {latency_ms(model, device):.2f} ms"


def _hears(silent: int) -> str:
    return "hears nothing" if silent == 1 else "hear nothing"


def _percent(share: float) -> str:
    return fine_percent(share, below=1, fine=2, coarse=1)
