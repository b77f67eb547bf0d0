"""Part 1 in words: all texts and figures that the page shows of a session, as one value.

Texts are plain: the page writes them as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from fleetlab.analysis.explain import asks_for
from fleetlab.analysis.moment import Moment
from fleetlab.app.session import Session
from fleetlab.fleet import Fleet
from fleetlab.missions import Mission, mission
from fleetlab.run import Run
from fleetlab.wording import clock, dollars, duration, percent, plural, times

HOURS_A_YEAR = 8760
SLIGHTLY = 2.0
CHOICES = (("shorter", 0.9), ("same", 1.1), ("slightly", SLIGHTLY), ("much", float("inf")))
NEAR = 0.5
"""In doublings, how near to SLIGHTLY both words are fair."""

CHOICE_WORDS = {
    "shorter": "shorter",
    "same": "the same",
    "slightly": "slightly longer",
    "much": "much longer",
}
LONGEST_TABLE = 400


@dataclass(frozen=True)
class Replica:
    """One seed's answer to the part's question: mean waits of the pair, in seconds."""

    seed: int
    near_s: float
    anywhere_s: float
    dropped: int
    holes: float
    unstable: bool


def replica_of(run: Run) -> Replica | None:
    """Return the mean waits of the pair that the part compares; None when there is no pair."""
    if run.pair is None or run.scenario is None:
        return None
    kinds, metrics = run.jobs.kinds, run.metrics
    near, anywhere = (
        metrics.by_kind[kinds[run.pair.near]],
        metrics.by_kind[kinds[run.pair.anywhere]],
    )
    return Replica(
        run.scenario.seed,
        near.mean_s,
        anywhere.mean_s,
        metrics.dropped,
        metrics.hole_gpus,
        metrics.unstable,
    )


def frame(session: Session) -> dict[str, Any]:
    """Return what the page shows now; empty before the first run."""
    run, moment = session.run, session.moment
    if run is None or moment is None:
        return {}
    track = mission(session.scenario.track)
    shown: dict[str, Any] = {
        "playing": session.playing,
        "title": title(moment, track),
        "scene": scene(moment, track),
        "why": session.why(),
        "table": table(moment, track),
        "stage_label": f"{title(moment, track)}. {scene(moment, track)}",
    }
    return shown | figures(session, run, track)


def title(moment: Moment, track: Mission) -> str:
    """Return the finding of the moment: how many are free, and who waits all the same."""
    free = plural(moment.free, track.gpu)
    verb = "is" if moment.free == 1 else "are"
    waiting = moment.state.waiting
    if not waiting:
        if moment.free == 0:
            return f"Every {track.gpu} is busy, and nobody waits"
        return f"{free} {verb} free, and nobody waits"
    head = moment.run.shape_of(waiting[0])
    if track.classes:
        wanted = asks_for(head, moment.run.fleet).replace("a ", "the next ", 1)
        if moment.free == 0:
            return f"No device is free, and a model waits for {wanted}"
        return f"{free} {verb} free, and a model still waits for {wanted}"
    who = f"the gang of {head.gpus}" if head.gpus > 8 else f"a {track.words['job']} of {head.gpus}"
    if moment.free == 0:
        return f"Every GPU is busy, and {who} waits"
    return f"{free} {verb} free, and {who} still waits"


def scene(moment: Moment, track: Mission) -> str:
    """Return where and when this is, and how to read the picture."""
    fleet = moment.run.fleet
    what = plural(fleet.gpus, track.gpu)
    crisis = block_words(moment.run, track) == "rack"
    place = "racks" if crisis else track.words["blocks"]
    holes = (
        "Hatched: free, yet useless to the head of the queue."
        if moment.state.waiting
        else f"Hatched: free, yet useless to {_asker(moment, fleet)}."
    )
    sizes = ""
    if track.classes:
        sizes = f" Larger squares are more capable devices ({', '.join(track.classes)})."
    return f"{what} in {fleet.blocks} {place}, {clock(moment.time_ms)}. {holes}{sizes}"


def block_words(run: Run, track: Mission) -> str:
    """Return what a block is called: a rack in the crisis, the track's word elsewhere."""
    crisis = run.scenario is not None and run.scenario.workload == "titan-crisis"
    return "rack" if crisis else track.words["block"]


def _asker(moment: Moment, fleet: Fleet) -> str:
    asked = asks_for(moment.asker, fleet)
    return f"a job that needs {asked}"


def figures(session: Session, run: Run, track: Mission) -> dict[str, Any]:
    """Return what was measured, in words, with its spread over seeds."""
    replicas, metrics = session.replicas, run.metrics
    shown: dict[str, Any] = {"stability": "", "reveal": "", "answer": ""}
    labels = {"hole_cost": "what the holes cost"}
    if replicas and run.pair is not None:
        near = [replica.near_s for replica in replicas]
        anywhere = [replica.anywhere_s for replica in replicas]
        high = max(_mean(near), _mean(anywhere), 1e-9)
        job = track.words["job"]
        names = (run.jobs.kinds[run.pair.near], run.jobs.kinds[run.pair.anywhere])
        labels |= {"contiguous": names[0], "any": names[1]}
        shown |= {
            "contiguous_wait": duration(_mean(near)),
            "contiguous_spread": _spread(near),
            "any_wait": duration(_mean(anywhere)),
            "any_spread": _spread(anywhere),
            "bars": {"contiguous": _mean(near) / high, "any": _mean(anywhere) / high},
        }
        spoken = tuple(f"a {name}" if track.classes else f"a {job} of {name}" for name in names)
        shown |= reveal(session, replicas, (spoken[0], spoken[1]))
        shown["chart_title"] = _chart_title(replicas, (spoken[0], spoken[1]))
        shown["chart_table"] = [
            ["seed", f"{names[0]}, mean wait", f"{names[1]}, mean wait", "times as long"],
            *(
                [str(r.seed), duration(r.near_s), duration(r.anywhere_s), _ratio_words(r)]
                for r in replicas
            ),
        ]
    else:
        labels |= {"contiguous": "mean wait of all jobs", "any": "95 % waited at most"}
        high = max(metrics.waits.p95_s, metrics.waits.mean_s, 1e-9)
        shown |= {
            "contiguous_wait": duration(metrics.waits.mean_s),
            "contiguous_spread": f"{plural(metrics.waits.count, 'job')}, one run",
            "any_wait": duration(metrics.waits.p95_s),
            "any_spread": f"longest {duration(metrics.waits.max_s)}",
            "bars": {
                "contiguous": metrics.waits.mean_s / high,
                "any": metrics.waits.p95_s / high,
            },
            "chart_title": "",
            "chart_table": [],
        }
    unstable = sum(replica.unstable for replica in replicas) or int(metrics.unstable)
    if unstable:
        shown["stability"] = (
            "UNSTABLE: the queue grew to the end of the run. This load is beyond what the policy "
            "can place, so the waits grow with the length of the run."
        )
    shown |= _cost(session, run, track, labels)
    if track.classes:
        labels["objective"] = "models dropped"
        offered = sum(1 for kind in run.jobs.needs_class.tolist() if kind == len(track.classes) - 1)
        shown["objective"] = percent(metrics.dropped / max(1, len(run.jobs)))
        shown["objective_detail"] = (
            f"{metrics.dropped:,} of {len(run.jobs):,} models, sent to a device that cannot run "
            f"them; {offered:,} of them are heavy"
        )
    else:
        labels["objective"] = "GPU-time given out"
        shown["objective"] = percent(metrics.allocated)
        shown["objective_detail"] = (
            f"the jobs of this seed ask for {percent(metrics.offered)}"
            + f"; on average {metrics.stranded_gpus:.0f} GPUs lie where no gang of "
            f"{session.scenario.size} fits"
        )
    return shown | {"labels": labels}


def _cost(session: Session, run: Run, track: Mission, labels: dict[str, str]) -> dict[str, str]:
    """Return what the free GPUs cost while someone waited."""
    holes = _mean([r.holes for r in session.replicas]) or run.metrics.hole_gpus
    if run.scenario is not None and run.scenario.workload == "titan-crisis":
        moment = session.moment
        holes = float(moment.holes) if moment is not None else holes
    if not track.gpu_hour_dollars:
        labels["hole_cost"] = "free while a model waits"
        return {
            "hole_cost": f"{holes:.1f} devices",
            "hole_cost_detail": f"on average, of {run.fleet.gpus}; hearables cost no rent",
        }
    hourly = holes * track.gpu_hour_dollars
    return {
        "hole_cost": f"{dollars(hourly)} / h",
        "hole_cost_detail": (
            f"{holes:.3g} {'GPU' if holes == 1 else 'GPUs'} free while a "
            f"{track.words['job']} waits, at ${track.gpu_hour_dollars:g} an hour: "
            f"{dollars(hourly * HOURS_A_YEAR)} a year"
        ),
    }


def reveal(session: Session, replicas: Sequence[Replica], names: tuple[str, str]) -> dict[str, Any]:
    """Return the prediction beside what was measured; nothing before both are there."""
    if session.prediction is None or session.scenario.load == 0:
        return {}
    near, anywhere = _mean([r.near_s for r in replicas]), _mean([r.anywhere_s for r in replicas])
    measured = near / anywhere if anywhere > 0 else float("inf") if near > 0 else 1.0
    answer = next(choice for choice, limit in CHOICES if measured <= limit)
    chosen = str(session.prediction.get("choice", ""))
    ratios = sorted(r.near_s / r.anywhere_s for r in replicas if r.anywhere_s > 0)
    spread = f" ({times(ratios[0])} to {times(ratios[-1])})" if len(ratios) > 1 else ""
    how = CHOICE_WORDS[answer]
    if answer in ("shorter", "same"):
        finding = f"{how} ({times(measured)})"
    else:
        ratio = "without measure" if measured == float("inf") else f"{times(measured)} as long"
        finding = f"{how}: {ratio}"
    words = [
        f"Here {names[0]} waited {finding}. It is {duration(near)} against {duration(anywhere)} "
        f"for {names[1]}, over {plural(len(replicas), 'seed')}{spread}."
    ]
    said = CHOICE_WORDS.get(chosen, "")
    if not said:
        return {"reveal": words[0], "answer": answer}
    if not session.as_asked:
        words.append(
            f"You said {said} of the settings that this part opens with; these are others."
        )
        return {"reveal": " ".join(words), "answer": answer}
    if chosen == answer:
        words.append("That is what you said.")
    elif {chosen, answer} == {"slightly", "much"} and abs(log2(measured / SLIGHTLY)) < NEAR:
        answer = chosen
        words.append(f"You said {said}. So near to {SLIGHTLY:g} times, that is a fair word for it.")
    else:
        words.append(f"You said {said}; it stays in your ledger as evidence.")
    number = session.prediction.get("number")
    if isinstance(number, int | float) and number > 0 and 0 < measured < float("inf"):
        off = max(number / measured, measured / number)
        near_enough = off < 1.5
        verdict = "was close" if near_enough else f"was off by {times(off)}"
        words.append(f"Your {number:g} {verdict}.")
    return {"reveal": " ".join(words), "answer": answer}


def _chart_title(replicas: Sequence[Replica], names: tuple[str, str]) -> str:
    longer = sum(r.near_s > r.anywhere_s for r in replicas)
    return (
        f"On {longer} of {plural(len(replicas), 'seed')}, {names[0]} waited longer than {names[1]}"
    )


def _ratio_words(replica: Replica) -> str:
    if replica.anywhere_s > 0:
        return times(replica.near_s / replica.anywhere_s)
    return "–"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "mean wait, one seed so far"
    low, high = duration(min(values)), duration(max(values))
    return f"mean wait; {low} to {high} over {len(values)} seeds"


def table(moment: Moment, track: Mission) -> list[list[str]]:
    """Return the fleet at this moment as rows: one a node, the first row the heads."""
    run, fleet, state = moment.run, moment.run.fleet, moment.state
    block = block_words(run, track)
    rows = [[block, "device" if track.classes else "node", "free", "useless", "jobs on it"]]
    for node in range(min(fleet.nodes, LONGEST_TABLE)):
        owners = _owners(moment, node)
        free = int(state.free[node])
        name = str(node % fleet.nodes_per_block + 1)
        if track.classes:
            name += f" ({track.classes[fleet.class_of(node)]})"
        rows.append(
            [
                str(fleet.block_of(node) + 1),
                name,
                str(free),
                str(free if moment.hole_nodes[node] else 0),
                ", ".join(run.jobs.name(job) for job in owners) or "–",
            ]
        )
    return rows


def _owners(moment: Moment, node: int) -> list[int]:
    size = moment.run.fleet.gpus_per_node
    owners = moment.state.owner[node * size : (node + 1) * size].tolist()
    return list(dict.fromkeys(job for job in owners if job >= 0))
