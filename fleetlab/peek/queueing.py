"""Queueing: the formulas for one server and for many, beside what the engine measures now."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fleetlab.engine.event_loop import Engine
from fleetlab.fleet import Fleet
from fleetlab.job import FLEET
from fleetlab.peek import Answer, FieldError, Question, View
from fleetlab.peek.fields import whole
from fleetlab.policy.settings import Policy
from fleetlab.statistics import Estimate, estimate
from fleetlab.theory.queueing import allen_cunneen, erlang_c
from fleetlab.wording import plural
from fleetlab.workloads.workload import WARM_UP_SHARE, Kind, generate

GPUS = 512
SERVERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
SEEDS = 20
JOBS = 5000
MEAN_S = 1000.0
SLICE_EVENTS = 1500
FLOOR = 0.001
"""Waits shorter than this part of a service are drawn here: they are no waits any more."""


@dataclass(frozen=True)
class Queue:
    """Jobs that come at random to equal servers: load in per cent, C in tenths, servers."""

    load: int
    cv_tenths: int
    servers: int

    @classmethod
    def of(cls, question: Question) -> Queue:
        """Return the queue that the reader's fields ask for, or raise FieldError."""
        servers = whole(question, "servers", "The number of servers", 1, GPUS)
        if servers not in SERVERS:
            raise FieldError(
                "servers",
                f"{servers} servers: give {', '.join(map(str, SERVERS[:-1]))} or {GPUS}, "
                f"so that the {GPUS} GPUs divide evenly.",
            )
        return cls(
            whole(question, "load", "The load", 10, 90),
            whole(question, "cv", "C, in tenths,", 0, 40),
            servers,
        )

    @property
    def cv(self) -> float:
        """Standard deviation of the service time over its mean."""
        return self.cv_tenths / 10

    @property
    def formula(self) -> float:
        """The mean wait in mean service times: exact for one server and for C = 1.

        Pollaczek-Khinchine for one server, Erlang-C scaled by (1 + C²)/2 for more.
        """
        return allen_cunneen(self.servers, self.load / 100 * self.servers, 1.0, self.cv)

    @property
    def exact(self) -> bool:
        """Whether ``formula`` is exact and no approximation."""
        return self.servers == 1 or self.cv_tenths == 10

    def but(self, servers: int) -> Queue:
        """Return the same load and jobs with another number of servers."""
        return Queue(self.load, self.cv_tenths, servers)


def waits(queue: Queue, seed: int, jobs: int = JOBS) -> Iterator[float | None]:
    """Yield None after each slice of a run, and last its mean wait in mean service times.

    The engine that runs the fleet runs this too, first come, first served. A job takes 1 of
    ``servers`` GPUs, which is what a job of 512 / ``servers`` GPUs is to 512 that it fills evenly.
    The jobs that fill the empty system are not counted.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    fleet = Fleet.pool(queue.servers)
    kind = Kind("job", 1.0, 1, MEAN_S, queue.cv, span=FLEET)
    table = generate([kind], fleet, queue.load / 100, jobs, rng)
    engine = Engine(fleet, table, Policy(), rng)
    for _ in engine.steps(SLICE_EVENTS):
        yield None
    counted = slice(int(jobs * WARM_UP_SHARE), None)
    waited = np.asarray(engine.start_ms[counted]) - table.submit_ms[counted]
    yield float(waited.mean()) / 1000 / MEAN_S


class Queueing:
    """The page of queueing; what was measured stays, for the reader who turns a knob back."""

    def __init__(self) -> None:
        self._measured: dict[Queue, list[float]] = {}

    def answer(self, question: Question) -> Answer:
        """Yield the formulas at once, and then what each run adds to the measurements."""
        queue = Queue.of(question)
        yield self._view(queue)
        for measured in dict.fromkeys((queue, queue.but(1), queue.but(GPUS))):
            found = self._measured.setdefault(measured, [])
            while len(found) < SEEDS:
                for wait in waits(measured, len(found)):
                    if wait is not None:
                        found.append(wait)
                    yield None
                yield self._view(queue)

    def _view(self, queue: Queue) -> View:
        return queue_view(queue, {q: found for q, found in self._measured.items() if found})


def queue_view(queue: Queue, measured: Mapping[Queue, Sequence[float]]) -> View:
    """Return formulas and measurements as two charts and a table, with the finding."""
    estimates = {q: estimate(found) for q, found in measured.items()}
    runs = len(measured.get(queue, ()))
    rows = [queue.but(servers) for servers in SERVERS]
    return {
        "title": _finding(queue, estimates.get(queue)),
        "formula": _formula_text(queue),
        "measured": _measured_text(queue, estimates.get(queue), runs),
        "fleet": _fleet_text(queue, estimates.get(queue.but(GPUS))),
        "servers_text": servers_text(queue.servers),
        "load_chart": _load_chart(queue, estimates),
        "servers_chart": _servers_chart(queue, estimates),
        "table": [
            ["servers", "to jobs of", "has to wait (C = 1)", "formula, W / S", "measured, W / S"],
            *(
                [
                    str(row.servers),
                    plural(GPUS // row.servers, "GPU"),
                    f"{erlang_c(row.servers, row.load / 100 * row.servers) * 100:.1f} %",
                    ("" if row.exact or row.formula < FLOOR else "about ") + ratio(row.formula),
                    spread(estimates[row]) if row in estimates else "not measured",
                ]
                for row in rows
            ),
        ],
    }


def ratio(wait: float) -> str:
    """Return a wait in service times with two or three figures, none below a thousandth."""
    if wait < FLOOR:
        return "0" if not wait else f"under {FLOOR}"
    digits = 0 if wait >= 99.5 else 1 if wait >= 9.95 else 2 if wait >= 0.1 else 3
    text = f"{wait:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def spread(found: Estimate) -> str:
    """Return a measured mean with its interval of 95 %."""
    if found.mean < FLOOR:
        return ratio(found.mean)
    if math.isinf(found.half_width):
        return ratio(found.mean)
    half = found.half_width
    return f"{ratio(found.mean)} ± {f'{half:.2g}' if half < 99.5 else ratio(half)}"


def servers_text(servers: int) -> str:
    """Return what so many servers are to a fleet of 512 GPUs."""
    size = GPUS // servers
    if servers == 1:
        return f"1 server: to a job that takes all {GPUS} GPUs, the fleet is a single server"
    return f"{servers} servers: what {GPUS} GPUs are to jobs of {plural(size, 'GPU')}"


def _finding(queue: Queue, found: Estimate | None) -> str:
    who = "One server" if queue.servers == 1 else f"{queue.servers} servers"
    at = f"{who} at {queue.load} % load, C = {queue.cv:g}"
    said = f"{at}: a wait of {ratio(queue.formula)} services by the formula"
    return said + (f", {spread(found)} measured" if found else "")


def _formula_text(queue: Queue) -> str:
    rho, cv = queue.load / 100, queue.cv
    factor = f"(1 + {cv:g}²)/2"
    if queue.servers == 1:
        return (
            f"Pollaczek and Khinchine, exact: {rho:g}/(1 − {rho:g}) · {factor} "
            f"= {ratio(queue.formula)}."
        )
    has_to = erlang_c(queue.servers, rho * queue.servers)
    erlang = has_to / (queue.servers * (1 - rho))
    text = (
        f"Erlang-C: {has_to * 100:.2g} % of the jobs have to wait, the mean over all is "
        f"{ratio(erlang)} services."
    )
    if queue.exact:
        return text + " Exact for C = 1."
    return text + (
        f" Times {factor} it is {ratio(queue.formula)}: an approximation (Allen and Cunneen) that "
        f"says too much where few jobs wait."
    )


def _measured_text(queue: Queue, found: Estimate | None, runs: int) -> str:
    if found is None:
        return f"The engine is running {SEEDS} times {JOBS:,} jobs."
    inside = found.low <= queue.formula <= found.high
    said = f"The engine, {runs} of {SEEDS} runs of {JOBS:,} jobs: {spread(found)} (95 %)."
    if runs < SEEDS or not queue.exact or found.mean < FLOOR:
        return said
    return said + (
        " The formula lies inside."
        if inside
        else " The formula lies outside: the longest waits are rare, and these runs met too few."
    )


def _fleet_text(queue: Queue, fleet: Estimate | None) -> str:
    one, many = queue.but(1), queue.but(GPUS)
    seen = f", and the engine measured {spread(fleet)}" if fleet else ""
    return (
        f"The {ratio(one.formula)}× is a single server’s. The same load on {GPUS} GPUs with jobs "
        f"of 1 GPU waits {ratio(many.formula)}{seen}: a job waits only while all {GPUS} are busy "
        f"at once. What needs the whole fleet together is back at one server."
    )


def _load_chart(queue: Queue, estimates: Mapping[Queue, Estimate]) -> dict[str, Any]:
    loads = range(10, 92, 2)

    def curve(cv_tenths: int, servers: int) -> list[list[float]]:
        points = [(load, Queue(load, cv_tenths, servers).formula) for load in loads]
        return [[load, wait] for load, wait in points if wait >= FLOOR]

    series: list[dict[str, Any]] = [
        {"name": "1 server, C = 1", "style": "muted", "line": True, "dashed": True,
         "points": curve(10, 1)},
        {"name": f"1 server, C = {queue.cv:g}", "style": "warm", "line": True,
         "points": curve(queue.cv_tenths, 1)},
    ]  # fmt: skip
    if queue.servers > 1:
        name = f"{queue.servers} servers, C = {queue.cv:g}"
        series.append({"name": name, "style": "action", "line": True,
                       "points": curve(queue.cv_tenths, queue.servers)})  # fmt: skip
    shown = [
        (q.load, e) for q, e in estimates.items()
        if q.cv_tenths == queue.cv_tenths and q.servers in (1, queue.servers)
    ]  # fmt: skip
    return {
        "label": (
            f"Mean wait in services against the load. {_finding(queue, estimates.get(queue))}."
        ),
        "x": {"label": "load, %", "low": 5, "high": 95, "log": False,
              "ticks": [[x, str(x)] for x in (10, 30, 50, 70, 90)]},
        "y": WAIT_AXIS,
        "here": queue.load,
        "series": [*series, _points(shown)],
    }  # fmt: skip


def _servers_chart(queue: Queue, estimates: Mapping[Queue, Estimate]) -> dict[str, Any]:
    rows = [queue.but(servers) for servers in SERVERS]
    return {
        "label": (
            f"Mean wait in services against the number of servers, at {queue.load} % load and "
            f"C = {queue.cv:g}: {ratio(rows[0].formula)} with one, {ratio(rows[-1].formula)} "
            f"with {GPUS}."
        ),
        "x": {"label": "servers", "low": 0.8, "high": 640, "log": True,
              "ticks": [[s, str(s)] for s in (1, 8, 64, 512)]},
        "y": WAIT_AXIS,
        "here": queue.servers,
        "series": [
            {"name": "formula", "style": "action", "line": True,
             "points": [[q.servers, q.formula] for q in rows if q.formula >= FLOOR]},
            _points([(q.servers, estimates[q]) for q in rows if q in estimates]),
        ],
    }  # fmt: skip


MOST = 200
WAIT_AXIS: dict[str, Any] = {
    "label": "mean wait, in services",
    "low": FLOOR * 0.7,
    "high": MOST,
    "log": True,
    "ticks": [[0.001, "0.001"], [0.01, "0.01"], [0.1, "0.1"], [1, "1"], [10, "10"], [100, "100"]],
}


def _ends(found: Estimate) -> tuple[float, float]:
    return (found.mean,) * 2 if math.isinf(found.half_width) else (found.low, found.high)


def _points(shown: Sequence[tuple[int, Estimate]]) -> dict[str, Any]:
    """Return measured means with their intervals; what hardly waits stands at the floor."""
    return {
        "name": "measured by the engine",
        "style": "ink",
        "mark": "circle",
        "line": False,
        "points": [
            [x, *(max(FLOOR, min(wait, MOST)) for wait in (e.mean, *_ends(e)))] for x, e in shown
        ],
        "below": [x for x, e in shown if e.mean < FLOOR],
    }
