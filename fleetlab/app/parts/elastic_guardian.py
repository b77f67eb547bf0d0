"""Part 3 on Edge Guardian: a ring is rebuilt while a loop has ten milliseconds."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from statistics import mean
from typing import Any

from fleetlab.analysis.timeline import Timeline
from fleetlab.app.instruments.converge import SweepView
from fleetlab.app.instruments.course import Course
from fleetlab.app.instruments.ring import BROKEN, PAUSED, WORKING, RingView
from fleetlab.app.parts.elastic_story import (
    HOUR_MS,
    Case,
    Plan,
    Story,
    Sweep,
    fine_percent,
    node_states,
    scenario_of,
    spot_words,
    spread_words,
    survivors,
)
from fleetlab.app.picture import Bar, Panel
from fleetlab.missions import mission
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.services.loop import DEADLINE_MS, TAIL, Loops, fewest_nodes, loop_ms
from fleetlab.services.service import Piece, day_ms, piece_at, pieces, still_ms
from fleetlab.terms import spot_nodes
from fleetlab.wording import clock, dollars, duration, plural

DAY_S = 86_400
BUDGET_S = TAIL * DAY_S
TOP_MS = 3e6


class GuardianStory(Story):
    """p99.9 of the loop against its deadline, and what a rebuild does to it."""

    seeds = (8, 5, 3, 3)
    sweep = Sweep(
        "notice", (0, 10, 20, 30, 45, 60, 90, 120),
        ("none", "10 s", "20", "30", "45", "60", "90", "120"),
        "notice before a node goes", "p99.9 of the loop, ms",
    )  # fmt: skip

    def ring(self, run: Run, timeline: Timeline, time_ms: int) -> RingView:
        """Return the ring with the latency of a loop that begins now."""
        instant = timeline.at(time_ms)
        held = survivors(run, instant)
        piece = piece_at(_day(run), time_ms)
        how = WORKING if not piece.still else PAUSED if instant.nodes else BROKEN
        return RingView(
            node_states(run, instant, held), (0,) * run.fleet.nodes, held, how,
            _latency_words(_latency_ms(run, piece, time_ms)),
            "this loop; its deadline is 10 ms",
        )  # fmt: skip

    def title(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return the finding of the moment."""
        piece, whole = piece_at(_day(run), time_ms), run.fleet.nodes
        gone = whole - piece.nodes if piece.nodes else len(timeline.at(time_ms).away)
        if piece.still:
            took = _latency_words(_latency_ms(run, piece, time_ms))
            if not piece.nodes:
                return f"The loop stands still, for want of {plural(gone, 'node')}"
            return f"The ring is rebuilt: this loop takes {took}"
        latency = loop_ms(piece.nodes, whole)
        if latency > DEADLINE_MS:
            return f"{plural(gone, 'node')} gone: {latency:.1f} ms, and the deadline is missed"
        if gone:
            return f"{plural(gone, 'node')} gone: the loop takes {latency:.1f} ms and holds"
        return f"All {whole} nodes work: the loop takes {latency:.1f} ms"

    def scene(self, scenario: Scenario) -> str:
        """Return what fleet this is and how to read the picture."""
        fleet = scenario.fleet_shape
        return (
            f"{fleet.nodes} nodes of {fleet.gpus_per_node} GPUs share the cameras of every loop. "
            f"{spot_words(scenario)}. Hatched, outside the ring: taken back. The cameras stay the "
            "same, so fewer nodes compute longer."
        )

    def why(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return what stops the loop, or what lets it go on."""
        scenario = scenario_of(run)
        still = still_ms(scenario) // 1000
        if scenario.elastic:
            rule = (
                f"A rebuild halts the loop for {still} s: {scenario.rendezvous} s of rendezvous, "
                f"{scenario.notice} s of notice."
                if still
                else "Notice is as long as a rendezvous: the new ring stands before the node goes."
            )
        else:
            rule = (
                f"A static ring waits {scenario.away} min for its node and "
                f"{duration(scenario.restart)} to reload."
            )
        return f"{clock(time_ms)}. {rule} p99.9 forgives {BUDGET_S:.0f} s a day."

    def course(self, run: Run, timeline: Timeline) -> Course:
        """Return the latency of the loop over the day; a halt is a spike."""
        hours: list[float] = []
        values: list[float] = []
        for piece in _day(run):
            for time in (piece.begin_ms, piece.end_ms):
                hours.append(time / HOUR_MS)
                left = _latency_ms(run, piece, time)
                values.append(left)
        top = max(100.0, *(value * 1.5 for value in values))
        return Course(
            ((tuple(hours), tuple(values)),), (), day_ms(run) / HOUR_MS, 4.0, top,
            "ms, logarithmic", (DEADLINE_MS, "deadline, 10 ms"), log=True,
        )  # fmt: skip

    def course_title(self, run: Run, timeline: Timeline) -> str:
        """Return how often the loop stood still."""
        still = [piece.length_ms for piece in _day(run) if piece.still]
        if not still:
            return "The loop never stood still in this day"
        return f"The loop stood still for {duration(sum(still) / 1000)} of this day"

    def figures(
        self, scenario: Scenario, static: list[Loops], elastic: list[Loops]
    ) -> dict[str, Any]:
        """Return p99.9, halts, late loops and rent."""
        mine = elastic if scenario.elastic else static
        labels = {
            "main": "p99.9 of the loop",
            "lost": "the loop stood still",
            "cost": "rent of a day",
            "goal": "loops that were late",
        }
        if not mine:
            return {"labels": labels}
        worst = mean(loops.p999_ms for loops in mine)
        return {
            "main": _latency_words(worst),
            "main_detail": (
                f"{'within' if worst <= DEADLINE_MS else 'beyond'} 10 ms; median "
                f"{mean(x.p50_ms for x in mine):.1f} ms; {plural(len(mine), 'seed')}"
            ),
            "lost": duration(mean(x.halted_s for x in mine)),
            "lost_detail": (
                f"a day, in {mean(x.halts for x in mine):.1f} halts; {BUDGET_S:.0f} s are forgiven"
            ),
            "cost": dollars(rent_a_day(scenario)),
            "cost_detail": f"{dollars(rent_a_day(scenario.but(spot=0)))} with nothing on spot",
            "goal": _percent(mean(x.late_share for x in mine)),
            "goal_detail": spread_words([100 * x.late_share for x in mine], "%"),
            "labels": labels,
        }

    def lost_of_100(self, outcome: Loops) -> float:
        """Return in how many of 100 hours a loop comes too late."""
        return 100 * outcome.late_share

    def lesson(self, scenario: Scenario, static: list[Loops], elastic: list[Loops]) -> str:
        """Return the comparison, and what p99.9 asks for."""
        words = ""
        if static and elastic:
            words = (
                f"p99.9 was {_latency_words(mean(x.p999_ms for x in static))} on the static ring "
                f"and {_latency_words(mean(x.p999_ms for x in elastic))} on the elastic one."
            )
        if scenario.notice >= scenario.rendezvous:
            return words + (
                " With notice as long as a rendezvous the new ring stands before the node goes: "
                "what is left to fear is a burst that takes too many at once."
            )
        return words + (
            " Elastic alone is not enough for a loop: three rebuilds of 30 s a day use up what "
            "p99.9 forgives. Checkpoints do nothing here, since a loop has nothing to save."
        )

    def swept(self, outcome: Loops) -> float:
        """Return p99.9 in ms."""
        return outcome.p999_ms

    def curve(self, scenario: Scenario) -> float | None:
        """Return p99.9 of an elastic loop whose reclaims come one by one, in ms.

        Loops that begin in a halt of S are late by S at most; 86.4 s of a day are
        forgiven, so with k halts it is S less 86.4 s / k.
        """
        if scenario.reclaim != "memoryless":
            return None
        whole = scenario.fleet_shape.nodes
        halts = scenario.preemptions * len(spot_nodes(scenario)) / whole
        usual = loop_ms(whole, whole)
        if not halts:
            return usual
        return usual + max(0.0, still_ms(scenario) - BUDGET_S * 1000 / halts)

    def sweep_view(self, view: SweepView) -> tuple[str, SweepView]:
        """Return the sweep with its finding: from which notice on the deadline is met."""
        shown = replace(
            view, low=4.0, high=TOP_MS, log=True, limit=(DEADLINE_MS, "deadline, 10 ms")
        )
        good = [point for point in view.elastic if point.mean <= DEADLINE_MS]
        if not view.elastic:
            return "", shown
        if not good:
            return "No notice up to 120 s brings p99.9 under 10 ms here", shown
        words = dict(view.ticks)[good[0].at].replace(" s", "")
        if words == "none":
            return "The elastic loop meets its deadline even without notice", shown
        return f"From {words} s of notice on, the elastic loop meets its deadline", shown

    def plans(self, scenario: Scenario) -> list[Plan]:
        """Return the loop wholly on spot: static, elastic, and elastic with notice."""
        bold = scenario.but(spot=100)
        enough = max(120, scenario.rendezvous)
        return [
            Plan("static", "static", bold.but(elastic=0, notice=0)),
            Plan("elastic, no notice", "static", bold.but(elastic=1, notice=0)),
            Plan(f"elastic, {enough} s of notice", "elastic", bold.but(elastic=1, notice=enough)),
        ]

    def case(self, scenario: Scenario, plans: list[tuple[Plan, list[Loops]]], price: int) -> Case:
        """Return the case for the safety board: latency, halts, rent."""
        whole = scenario.fleet_shape.nodes
        usual = loop_ms(whole, whole)
        rent, spot = rent_a_day(scenario.but(spot=0)), rent_a_day(scenario.but(spot=100))
        tails = [Bar("on demand", usual, f"{usual:.1f} ms")]
        halts = [Bar("on demand", 0.0, "0 s")]
        rows = [
            ["plan", "p99.9", "stood still a day", "late loops", "rent a day"],
            ["on demand", f"{usual:.1f} ms", "0 s", "0 %", dollars(rent)],
        ]
        passed: dict[str, bool] = {}
        for plan, found in plans:
            if not found:
                continue
            tail = mean(x.p999_ms for x in found)
            still = mean(x.halted_s for x in found)
            passed[plan.label] = max(x.p999_ms for x in found) <= DEADLINE_MS
            tails.append(Bar(plan.label, tail, _latency_words(tail), plan.kind))
            halts.append(Bar(plan.label, still, duration(still), plan.kind))
            late = _percent(mean(x.late_share for x in found))
            rows.append([plan.label, _latency_words(tail), duration(still), late, dollars(spot)])
        panels = [
            Panel("1. p99.9 of the loop (log)", tuple(tails), (DEADLINE_MS, "10 ms"), log=True),
            Panel("2. Stood still, a day", tuple(halts), (BUDGET_S, f"{BUDGET_S:.0f} s forgiven")),
            Panel(
                "3. Rent, a day",
                (
                    Bar("on demand", rent, dollars(rent)),
                    Bar("all on spot", spot, dollars(spot), "elastic"),
                ),
            ),
        ]
        held = [label for label, good in passed.items() if good]
        title = (
            f"Of these plans on spot only one keeps 10 ms: {held[0]}"
            if len(held) == 1
            else f"On spot the loop keeps 10 ms if {' or '.join(held)}"
            if held
            else "On spot no plan keeps the loop under 10 ms here"
            if len(passed) == len(plans)
            else "The case is being measured"
        )
        note = (
            f"All {whole} nodes on spot, {scenario.preemptions} preemptions a day. A halt of more "
            f"than {BUDGET_S:.0f} s a day puts p99.9 into it, whatever the median says. "
            f"The loop also needs {fewest_nodes(whole)} of {whole} nodes at every moment."
        )
        return Case(title, note, panels, rows)


def rent_a_day(scenario: Scenario) -> float:
    """Return what the fleet of ``scenario`` costs in a day, none of its nodes being away."""
    track, fleet = mission(scenario.track), scenario.fleet_shape
    spot = len(spot_nodes(scenario)) * fleet.gpus_per_node
    rest = fleet.gpus - spot
    return 24 * (rest * track.gpu_hour_dollars + spot * track.spot_hour_dollars)


@lru_cache(maxsize=2)
def _day(run: Run) -> list[Piece]:
    return pieces(run)


def _latency_ms(run: Run, piece: Piece, time_ms: int) -> float:
    """Return how long a loop takes that begins at ``time_ms`` in ``piece``."""
    whole = run.fleet.nodes
    if not piece.still:
        return loop_ms(piece.nodes, whole)
    end = piece.end_ms
    for later in _day(run):
        if later.still and later.begin_ms == end:
            end = later.end_ms
    return loop_ms(whole, whole) + max(0, end - time_ms)


def _latency_words(ms: float) -> str:
    return f"{ms:.1f} ms" if ms < 100 else duration(ms / 1000)


def _percent(share: float) -> str:
    return fine_percent(share, below=0.1, fine=3, coarse=1)
