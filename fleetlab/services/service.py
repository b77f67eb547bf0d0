"""What reclaims do to a service: how many nodes it has over time, and when it stands still.

A service runs from the start for its whole day; what comes after is not counted.
With a notice as long as a rendezvous the new ring is formed beside the old one, and the
service does not stand still; a ring that grows is always formed so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from fleetlab.analysis.timeline import Stretch, Timeline
from fleetlab.run import NEVER, Run
from fleetlab.scenario import Scenario


@dataclass(frozen=True)
class Piece:
    """A stretch of the day, in ms, with ``nodes`` at work; with ``still`` nobody is served."""

    begin_ms: int
    end_ms: int
    nodes: int
    still: bool = False

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.begin_ms


def day_ms(run: Run) -> int:
    """Return how long the service is looked at: what its longest job was to last, in ms."""
    return int(run.jobs.duration_ms.max(initial=0))


def still_ms(scenario: Scenario) -> int:
    """Return how long a part stands still that has lost a node: the rendezvous, less the notice."""
    return max(0, scenario.rendezvous - scenario.notice) * 1000


def pieces(run: Run) -> list[Piece]:
    """Return the day of the one gang of ``run``, in order of time, without gaps.

    It stands still while it holds nothing, while it restarts, and for ``still_ms``
    after it has lost nodes.
    """
    if run.scenario is None:
        raise ValueError("a run of no Scenario has no notice; simulate a Scenario")
    end, pause = day_ms(run), still_ms(run.scenario)
    found: list[Piece] = []
    before = 0
    for stretch in _attempts(run):
        begin, until = min(stretch.begin_ms, end), min(stretch.end_ms, end)
        nodes = len(stretch.nodes)
        if begin == until:
            before = nodes or before
            continue
        if not nodes:
            found.append(Piece(begin, until, 0, True))
            continue
        assert stretch.attempt is not None
        halt = stretch.attempt.setup_ms
        if stretch.resized:
            halt = pause if nodes < before else 0
        at_work = min(until, begin + halt)
        if at_work > begin:
            found.append(Piece(begin, at_work, nodes, True))
        if until > at_work:
            found.append(Piece(at_work, until, nodes))
        before = nodes
    return found


def _attempts(run: Run) -> list[Stretch]:
    """Return the stretches of the gang, those of one attempt made one."""
    found: list[Stretch] = []
    for stretch in Timeline(run).stretches:
        if stretch.attempt is not None and stretch.begin_ms > stretch.started_ms:
            found[-1] = replace(found[-1], end_ms=stretch.end_ms)
        else:
            found.append(stretch)
    return found


def halts_ms(day: list[Piece]) -> list[int]:
    """Return how long each halt of the day lasts; pieces that follow each other are one."""
    found: list[int] = []
    end = -1
    for piece in day:
        if piece.still and piece.begin_ms == end:
            found[-1] += piece.length_ms
        elif piece.still:
            found.append(piece.length_ms)
        end = piece.end_ms if piece.still else -1
    return found


def piece_at(day: list[Piece], time_ms: int) -> Piece:
    """Return the piece of ``day`` that ``time_ms`` lies in; its last one from then on."""
    return next((piece for piece in day if piece.end_ms > time_ms), day[-1])


def live_nodes(run: Run) -> list[Piece]:
    """Return the day as stretches with the number of nodes that are not gone."""
    end = day_ms(run)
    node, down, up = run.outages
    up = np.where(up == NEVER, end, up)
    cuts = sorted({0, end, *(t for t in (*down.tolist(), *up.tolist()) if 0 < t < end)})
    found = []
    for begin, until in pairwise(cuts):
        gone = len({*node[(down <= begin) & (up > begin)].tolist()})
        found.append(Piece(begin, until, run.fleet.nodes - gone))
    return found
