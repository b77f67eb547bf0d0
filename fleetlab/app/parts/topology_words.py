"""Part 2 in words: all texts and figures that the page shows of a session and its study.

Texts are plain: the page writes them as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fleetlab.analysis.moment import Moment
from fleetlab.analysis.reach import Reach, held_idle, idle_gpus, reach_of
from fleetlab.app.parts.fragmentation_words import title as waiting_title
from fleetlab.app.parts.topology_found import deeds, rule_words, slots
from fleetlab.app.parts.topology_runs import percent, reveal, scatter, seesaw
from fleetlab.app.parts.topology_study import Study
from fleetlab.app.session import Session
from fleetlab.log import Event
from fleetlab.missions import Mission, mission
from fleetlab.missions.goals import goal
from fleetlab.run import Run
from fleetlab.services.nearness import Service, talk_ms
from fleetlab.wording import clock, dollars, duration, plural


def frame(
    session: Session, study: Study, scoring: Sequence[str] = (), ruling: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the page shows now; empty before the first run."""
    run, moment = session.run, session.moment
    if run is None or moment is None:
        return {}
    track = mission(session.scenario.track)
    reach = reach_of(run, moment.time_ms)
    locked = session.prediction is not None
    shown: dict[str, Any] = {
        "playing": session.playing,
        "title": title(moment, reach, track) if locked else waiting_title(moment, track),
        "scene": scene(moment, track, locked),
        "why": session.why(),
        "bars": {},
        "labels": {},
    }
    shown["stage_label"] = f"{shown['title']}. {shown['scene']}"
    for more in (
        _table(moment, track),
        _measured(run, study, track),
        _hops(run, reach, track),
        seesaw(study),
        scatter(study),
        reveal(session, study),
        slots(study, scoring),
        rule_words(study, ruling),
        deeds(study),
    ):
        shown["bars"] |= more.pop("bars", {})
        shown["labels"] |= more.pop("labels", {})
        shown |= more
    return shown


# ---- the moment


def title(moment: Moment, reach: Reach, track: Mission) -> str:
    """Return the finding of the moment: who holds and idles, or who lies across blocks."""
    run, now = moment.run, moment.time_ms
    gpus = track.gpu
    if run.policy.gang != "whole":
        idle, holders = idle_gpus(run, now), len(held_idle(run, now))
        dead = run.log[run.log[:, 1] == Event.DEADLOCK, 0]
        if len(dead) and now >= int(dead[0]):
            return f"Deadlock: {plural(idle, gpus)} are held, and none of them ever works again"
        if not idle:
            return f"No {gpus} is held idle"
        verb = "is" if idle == 1 else "are"
        return (
            f"{plural(idle, gpus)} {verb} held idle by {plural(holders, 'gang')} that wait for more"
        )
    blocks = track.words["blocks"]
    waiting = len(moment.state.waiting)
    waits = "nobody waits" if not waiting else f"{plural(waiting, track.words['job'])} wait"
    if waiting == 1:
        waits = f"one {track.words['job']} waits"
    if reach.gpus[2]:
        return f"{plural(reach.gpus[2], gpus)} work in gangs across {blocks}, and {waits}"
    return f"No gang lies across {blocks}, and {waits}"


def scene(moment: Moment, track: Mission, locked: bool = True) -> str:
    """Return where and when this is, and how to read the picture."""
    fleet = moment.run.fleet
    if not locked:
        marks = f"Hatched: free, and the gang at the head waits until all of its {track.gpu}s are."
    elif moment.run.policy.gang != "whole":
        marks = "Hatched: held by a gang that waits for more, and idle."
    else:
        marks = f"Hatched: a gang that lies over several {track.words['blocks']}."
    classes = ""
    if track.classes:
        classes = f" Larger squares are more capable devices ({', '.join(track.classes)})."
    return (
        f"{plural(fleet.gpus, track.gpu)} in {fleet.blocks} {track.words['blocks']}, "
        f"{clock(moment.time_ms)}. {marks}{classes}"
    )


def _table(moment: Moment, track: Mission) -> dict[str, Any]:
    """Return the fleet at this moment as rows, one a block."""
    run, fleet, state = moment.run, moment.run.fleet, moment.state
    reach = reach_of(run, moment.time_ms)
    idle = set(held_idle(run, moment.time_ms).tolist())
    far = set(reach.far.tolist())
    size = fleet.gpus_per_block
    rows = [[track.words["block"], "free", "in gangs across blocks", "held idle", "jobs on it"]]
    for block in range(fleet.blocks):
        owners = state.owner[block * size : (block + 1) * size].tolist()
        here = list(dict.fromkeys(job for job in owners if job >= 0))
        rows.append(
            [
                str(block + 1),
                str(sum(job < 0 for job in owners)),
                str(sum(job in far for job in owners)),
                str(sum(job in idle for job in owners)),
                ", ".join(run.jobs.name(job) for job in here) or "–",
            ]
        )
    return {"table": rows}


# ---- what the run measured


def _measured(run: Run, study: Study, track: Mission) -> dict[str, Any]:
    metrics = run.metrics
    figures = study.figures_of(run)
    worst = figures.get("worst_low_priority_s", 0.0)
    bound = goal(track.track).starved_h
    shown: dict[str, Any] = {
        "labels": {
            "allocated": f"{track.gpu}-time held",
            "productive": "held and working at full speed",
            "wait": "mean wait so far, all users",
            "worst": "longest wait at low priority",
        },
        "bars": {"allocated": metrics.allocated, "productive": metrics.productive},
        "allocated": percent(metrics.allocated),
        "allocated_detail": f"the jobs of this seed ask for {percent(metrics.offered)}",
        "productive": percent(metrics.productive),
        "productive_detail": (
            f"of what is held {percent(metrics.goodput)} is work at full speed: goodput. "
            f"Cluster MFU {metrics.mfu:.3f}: the share of the whole fleet’s peak FLOP/s that is "
            "put to use"
        ),
        "wait": duration(figures.get("wait_so_far_s", metrics.waits.mean_s)),
        "wait_detail": f"95 % of those who started waited {duration(metrics.waits.p95_s)} at most",
        "worst": duration(worst),
        "worst_detail": (
            f"within the bound of {bound:g} h"
            if worst <= bound * 3600
            else f"starved: over the bound of {bound:g} h"
        ),
        "stability": "",
    }
    if metrics.deadlocked:
        shown["stability"] = "Deadlock: nothing will ever end, so the waits only grow."
    elif metrics.unstable:
        shown["stability"] = (
            "UNSTABLE: the queue grew to the end of the run, so the waits grow with its length."
        )
    service = study.service_of(run)
    if service is not None:
        shown |= _service(service, track, metrics.allocated - metrics.productive, run)
    return shown


def _service(service: Service, track: Mission, idle: float, run: Run) -> dict[str, Any]:
    """Return the track's own objective: its name, what it came to, and what decided."""
    near, middle, far = service.by_tier
    a, b, c = (percent(share) for share in service.shares)
    match service.name:
        case "tokens_s":
            burnt = dollars(idle * run.fleet.gpus * track.gpu_hour_dollars)
            label, value = "Llama-3-70B tokens per second", f"{service.value:,.0f}"
            detail = (
                f"a replica of 8 gives {near:,.0f} in one node ({a} of the time), {middle:,.0f} in "
                f"one block ({b}), {far:,.0f} across ({c}). {burnt} an hour is held and idle."
            )
        case "loop_p999_ms":
            verdict = "passes" if service.value <= service.limit else "misses"
            label, value = "p99.9 of the safety loop", f"{service.value:.1f} ms"
            detail = (
                f"{verdict} {service.limit:g} ms. One node {near:.1f} ms ({a} of the loops), one "
                f"leaf {middle:.1f} ms ({b}), across the spine {far:.1f} ms ({c})."
            )
        case "frames_s":
            label, value = "frames per second, pairs of glasses", f"{service.value:.1f}"
            detail = (
                f"16.7 ms a frame. One node {near:.1f} ms ({a}), one edge site {middle:.1f} ms "
                f"({b}), another site {far:.1f} ms and too late ({c})."
            )
        case _:
            label, value = "neural isolation dropped", percent(service.value)
            late = (1 - service.dropped) * service.shares[2]
            detail = (
                f"{percent(service.dropped)} sent to a device that cannot run it; {percent(late)} "
                f"in a pair over two groups: {far:.1f} ms through a phone, {middle:.1f} ms within "
                f"a group, {service.limit:g} ms allowed."
            )
    return {
        "labels": {"service": label},
        "service": value,
        "service_detail": detail,
    }


def _ms(time_ms: float) -> str:
    return f"{time_ms:.0f}\u00a0ms" if time_ms >= 20 else f"{time_ms:.2g}\u00a0ms"


def _hops(run: Run, reach: Reach, track: Mission) -> dict[str, Any]:
    """Return the hop gauge: the running gangs by tier, and what they pay there to talk."""
    what, priced = talk_ms(track.track)
    shares = reach.shares
    mean = sum(share * ms for share, ms in zip(shares, priced, strict=True))
    names = [
        "in one node",
        f"in one {track.words['block']}",
        f"over several {track.words['blocks']}",
    ]
    shown: dict[str, Any] = {"bars": {}, "labels": {}}
    rows = [["where a gang lies", f"{track.gpu}s now", "share", what]]
    for number, (key, hops) in enumerate((("node", 0), ("block", 1), ("spine", 3))):
        shown["bars"][f"hops_{key}"] = shares[number]
        shown["labels"][f"hops_{key}"] = f"{names[number]}, {plural(hops, 'hop')}"
        shown[f"hops_{key}"] = (
            f"{percent(shares[number])} of the gangs’ {track.gpu}s; {_ms(priced[number])}"
        )
        rows.append(
            [
                names[number],
                str(reach.gpus[number]),
                percent(shares[number]),
                _ms(priced[number]),
            ]
        )
    shown["hops_title"] = (
        "No gang runs now"
        if not sum(reach.gpus)
        else f"{percent(shares[2])} of the gangs’ {track.gpu}s reach across "
        f"{track.words['blocks']}: "
        f"{what} takes {_ms(mean)} on average, {_ms(priced[1])} in one {track.words['block']}"
    )
    shown["hops_table"] = rows
    return shown
