"""Part 3 on Mobile Nomad: frames of glasses whose render nodes are taken back in bursts."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from statistics import mean
from typing import Any

from fleetlab.analysis.timeline import Timeline
from fleetlab.app.instruments.converge import SweepView
from fleetlab.app.instruments.course import Course
from fleetlab.app.instruments.ring import PAUSED, WORKING, RingView
from fleetlab.app.parts.elastic_story import (
    HOUR_MS,
    Case,
    Plan,
    Story,
    Sweep,
    binomial,
    fine_percent,
    node_states,
    scenario_of,
    spot_words,
    spread_words,
)
from fleetlab.app.picture import Bar, Panel
from fleetlab.engine.reclaim import BURST_SHARE
from fleetlab.missions import mission
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.services.frames import FRAME_MS, FULL_FPS, Frames, fps, needed_nodes, pixels
from fleetlab.services.prices import break_even_stretch, discount
from fleetlab.services.service import Piece, day_ms, live_nodes, piece_at, still_ms
from fleetlab.terms import spot_nodes
from fleetlab.wording import clock, dollars, duration, percent, plural

MINUTES_A_DAY = 1440


class NomadStory(Story):
    """Late frames at full size, or smaller pictures in time; frozen glasses; what a frame costs."""

    seeds = (5, 4, 3, 3)
    same_run = True
    sweep = Sweep(
        "preemptions", (0, 48, 96, 192, 300, 400, 500, 600),
        ("0", "48", "96", "192", "300", "400", "500", "600"),
        "preemptions a day, were all nodes spot", "% of the frames late",
    )  # fmt: skip

    def ring(self, run: Run, timeline: Timeline, time_ms: int) -> RingView:
        """Return the pool around the picture that the glasses show."""
        instant = timeline.at(min(time_ms, day_ms(run) - 1))
        held = instant.nodes
        share = _share(run, time_ms)
        scenario = scenario_of(run)
        if scenario.elastic:
            big, small, frame = "60 FPS", f"{percent(share)} of the pixels", share
        else:
            big, small, frame = f"{FULL_FPS * share:.0f} FPS", "at full size", 1.0
        return RingView(
            node_states(run, instant, held), (0,) * run.fleet.nodes, held,
            WORKING if share == 1 or scenario.elastic else PAUSED, big, small, frame,
        )  # fmt: skip

    def title(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return the finding of the moment."""
        scenario = scenario_of(run)
        gone = len(timeline.at(min(time_ms, day_ms(run) - 1)).away)
        share, live = _share(run, time_ms), run.fleet.nodes - gone
        if share == 1:
            if gone:
                return f"{plural(gone, 'node')} gone, and {live} still draw every frame"
            return f"All {live} nodes are there, and every frame is on time"
        if scenario.elastic:
            return f"{gone} nodes gone: 60 FPS go on with {percent(share)} of the pixels"
        return f"{gone} nodes gone: {FULL_FPS * share:.0f} FPS, and every frame is late"

    def scene(self, scenario: Scenario) -> str:
        """Return what fleet this is and how to read the picture."""
        fleet = scenario.fleet_shape
        return (
            f"{fleet.nodes} nodes of {fleet.gpus_per_node} GPUs draw every pair of glasses; "
            f"{needed_nodes(scenario):.1f} of them are needed. {spot_words(scenario)}. Hatched and "
            f"outside: taken back, for a cold start of {duration(scenario.away * 60)}. The middle "
            "is the picture in the glasses."
        )

    def why(self, run: Run, timeline: Timeline, time_ms: int) -> str:
        """Return what a reclaim does to who wears the glasses."""
        scenario = scenario_of(run)
        still = still_ms(scenario) // 1000
        if still:
            freeze = (
                f"The glasses on a node that goes freeze for {still} s, {still * 60:,} frames: "
                f"they are handed over in {scenario.rendezvous} s and have "
                f"{scenario.notice} s of notice."
            )
        else:
            freeze = (
                f"{scenario.notice} s of notice are {scenario.notice * 60:,} frames: every pair of "
                "glasses is handed over before its node goes."
            )
        return f"{clock(time_ms)}. {freeze}"

    def course(self, run: Run, timeline: Timeline) -> Course:
        """Return frames per second, or pixels, over the day."""
        scenario = scenario_of(run)
        needed, top = needed_nodes(scenario), 100.0 if scenario.elastic else FULL_FPS
        hours: list[float] = []
        values: list[float] = []
        for piece in _day(run):
            for time in (piece.begin_ms, piece.end_ms):
                hours.append(time / HOUR_MS)
                values.append(top * pixels(piece.nodes, needed))
        label = "% of the pixels" if scenario.elastic else "frames a second"
        limit = None if scenario.elastic else (FULL_FPS, "60 FPS, 16.7 ms a frame")
        return Course(
            ((tuple(hours), tuple(values)),), (), day_ms(run) / HOUR_MS,
            0.0, top * 1.15, label, limit,
        )  # fmt: skip

    def course_title(self, run: Run, timeline: Timeline) -> str:
        """Return how long the pool was too small."""
        scenario = scenario_of(run)
        needed = needed_nodes(scenario)
        short = sum(p.length_ms for p in _day(run) if p.nodes < needed)
        if not short:
            return "The pool was never too small in this day"
        what = "smaller pictures" if scenario.elastic else "late frames"
        return f"The pool was too small for {duration(short / 1000)} of this day: {what}"

    def figures(
        self, scenario: Scenario, static: list[Frames], elastic: list[Frames]
    ) -> dict[str, Any]:
        """Return the worst picture, late frames, frozen glasses and the price of an hour."""
        mine = elastic if scenario.elastic else static
        labels = {
            "main": "the worst picture of the day",
            "lost": "frames that were late",
            "cost": "a GPU-hour of good frames",
            "goal": "a pair of glasses froze",
        }
        if not mine:
            return {"labels": labels}
        if scenario.elastic:
            worst = min(x.lowest_pixels for x in mine)
            main = f"60 FPS, {percent(worst)}"
            detail = f"of the pixels, when {min(x.fewest_nodes for x in mine)} nodes were left"
        else:
            main = f"{min(x.lowest_fps for x in mine):.0f} FPS"
            detail = f"at full size, when {min(x.fewest_nodes for x in mine)} nodes were left"
        full = mission("nomad").gpu_hour_dollars
        return {
            "main": main,
            "main_detail": detail,
            "lost": _percent(mean(x.late_share for x in mine)),
            "lost_detail": spread_words([100 * x.late_share for x in mine], "%")
            + (f"; smaller for {_percent(mean(x.small_share for x in mine))} of the time"
               if scenario.elastic else ""),
            "cost": dollars(mean(x.effective_dollars for x in mine)),
            "cost_detail": (
                f"${full:.2f} on demand: at {percent(discount('nomad'))} off spot pays up to "
                f"{break_even_stretch(discount('nomad')):.0f} times the time"
            ),
            "goal": duration(mean(x.frozen_s for x in mine)),
            "goal_detail": f"a day, after {mean(x.reclaimed for x in mine):.0f} reclaims",
            "labels": labels,
        }  # fmt: skip

    def lost_of_100(self, outcome: Frames) -> float:
        """Return in how many of 100 hours frames are late."""
        return 100 * outcome.late_share

    def lesson(self, scenario: Scenario, static: list[Frames], elastic: list[Frames]) -> str:
        """Return the comparison, and when nothing needs to be done at all."""
        words = ""
        if static and elastic:
            words = (
                f"At full size {_percent(mean(x.late_share for x in static))} of the frames were "
                f"late; rescaled, {_percent(mean(x.late_share for x in elastic))}."
            )
        needed, whole = needed_nodes(scenario), scenario.fleet_shape.nodes
        spare = whole - math.ceil(needed)
        half = fps(whole / 2, needed)
        return words + (
            f" The pool can lose {plural(spare, 'node')} and nobody sees it; half of them gone "
            f"leaves {math.floor(half)} FPS at full size, or 60 FPS with "
            f"{percent(pixels(whole / 2, needed), 1)} of the pixels, until new ones have started."
        )

    def swept(self, outcome: Frames) -> float:
        """Return the share of late frames, in per cent."""
        return 100 * outcome.late_share

    def curve(self, scenario: Scenario) -> float | None:
        """Return the share of late frames at full size, in %, where reclaims can be counted.

        Bursts: each leaves fewer nodes than needed with the binomial chance of that, for
        as long as a cold start; overlaps are left out. Memoryless: a node is away for
        the share of time that a cold start is of its life.
        """
        spot, whole = len(spot_nodes(scenario)), scenario.fleet_shape.nodes
        most = whole - math.ceil(needed_nodes(scenario))
        if not spot or not scenario.preemptions:
            return 0.0
        life_min = whole * MINUTES_A_DAY / scenario.preemptions
        if scenario.reclaim == "bursts":
            bursts = MINUTES_A_DAY / (life_min * BURST_SHARE)
            short = bursts * _more_than(most, spot, BURST_SHARE) * scenario.away / MINUTES_A_DAY
        elif scenario.reclaim == "memoryless":
            short = _more_than(most, spot, scenario.away / (life_min + scenario.away))
        else:
            return None
        freezing = scenario.preemptions * spot / whole / whole * still_ms(scenario) / 1000 / 86_400
        return 100 * min(1.0, short + freezing)

    def sweep_view(self, view: SweepView) -> tuple[str, SweepView]:
        """Return the sweep with its finding."""
        high = max([1.0, *(point.high for point in view.static)]) * 1.1
        shown = replace(view, low=0.0, high=high)
        if not view.static:
            return "", shown
        last = view.static[-1]
        title = f"At full size up to {last.mean:.1f} % of the frames come late"
        if view.elastic:
            title += f"; rescaled, {max(p.mean for p in view.elastic):.2f} % at most"
        return title, shown

    def plans(self, scenario: Scenario) -> list[Plan]:
        """Return the pool wholly on spot: full size, rescaled, rescaled with notice."""
        bold = scenario.but(spot=100)
        return [
            Plan("full size", "static", bold.but(elastic=0, notice=0)),
            Plan("rescaled", "elastic", bold.but(elastic=1, notice=0)),
            Plan("rescaled, 30 s of notice", "elastic", bold.but(elastic=1, notice=30)),
        ]

    def case(self, scenario: Scenario, plans: list[tuple[Plan, list[Frames]]], price: int) -> Case:
        """Return the case: late frames, the worst picture, the price of good frames."""
        full = mission("nomad").gpu_hour_dollars
        late = [Bar("on demand", 0.0, "0 %")]
        worst = [Bar("on demand", 100.0, "60 FPS, all pixels")]
        cost = [Bar("on demand", full, dollars(full))]
        rows = [
            ["plan", "late frames", "lowest FPS", "fewest pixels", "frozen a day", "good GPU-hour"],
            ["on demand", "0 %", "60", "100 %", "0 s", dollars(full)],
        ]
        for plan, found in plans:
            if not found:
                continue
            share = mean(x.late_share for x in found)
            rate, drawn = min(x.lowest_fps for x in found), min(x.lowest_pixels for x in found)
            hour = mean(x.effective_dollars for x in found)
            late.append(Bar(plan.label, 100 * share, _percent(share), plan.kind))
            words = (
                f"{rate:.0f} FPS" if rate < FULL_FPS else f"60 FPS, {percent(drawn)} of the pixels"
            )
            worst.append(Bar(plan.label, 100 * drawn * rate / FULL_FPS, words, plan.kind))
            cost.append(Bar(plan.label, hour, dollars(hour), plan.kind))
            rows.append([
                plan.label, _percent(share), f"{rate:.0f}", percent(drawn),
                duration(mean(x.frozen_s for x in found)), dollars(hour),
            ])  # fmt: skip
        panels = [
            Panel("1. Frames that come late", tuple(late)),
            Panel("2. The worst picture of the day", tuple(worst)),
            Panel("3. A GPU-hour of good frames", tuple(cost)),
        ]
        measured = [(plan, found) for plan, found in plans if found]
        title = "The case is being measured"
        if len(measured) == len(plans):
            static, _, told = (mean(x.late_share for x in found) for _, found in measured)
            title = (
                f"Rescaled and told in time, {_percent(told)} of the frames are late; at full size "
                f"{_percent(static)}"
            )
        note = (
            f"All {scenario.fleet_shape.nodes} nodes on spot. A frame has {FRAME_MS:.1f} ms. The "
            f"rent decides nothing between these plans: at {percent(discount('nomad'))} off, spot "
            f"would pay up to {break_even_stretch(discount('nomad')):.0f} times the time. Frames "
            "decide."
        )
        return Case(title, note, panels, rows)


@lru_cache(maxsize=2)
def _day(run: Run) -> list[Piece]:
    return live_nodes(run)


def _share(run: Run, time_ms: int) -> float:
    """Return the share of the frames, or of the pixels, that are drawn at an instant."""
    piece = piece_at(_day(run), time_ms)
    return pixels(piece.nodes, needed_nodes(scenario_of(run)))


def _more_than(most: int, count: int, chance: float) -> float:
    """Return the chance that more than ``most`` of ``count`` go, each with ``chance``."""
    return sum(binomial(k, count, chance) for k in range(most + 1, count + 1))


def _percent(share: float) -> str:
    return fine_percent(share, below=10, fine=2, coarse=0)
