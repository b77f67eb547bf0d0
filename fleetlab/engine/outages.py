"""Nodes that go and come back while jobs run: notice, eviction, return."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fleetlab.engine.elastic import survivors
from fleetlab.fleet import Held
from fleetlab.log import Event

if TYPE_CHECKING:
    from fleetlab.engine.attempts import Attempts


class Outages:
    """The outages of a run under way.

    From its notice on a node is closed to new work, from ``down_ms`` until
    ``up_ms`` it is gone. ``sweep`` keeps what a closed node has free out of reach.
    """

    def __init__(self, attempts: Attempts, kinds: tuple[int, int, int]) -> None:
        self.attempts = attempts
        notice, down, up = kinds
        self._acts = {notice: self._notice, down: self._down, up: self._up}
        engine = attempts.engine
        self.outages = engine.conditions.outages
        nodes = engine.fleet.nodes
        for number, outage in enumerate(self.outages):
            if outage.node >= nodes:
                raise ValueError(f"outage {number}: node {outage.node}, and the fleet has {nodes}")
            if outage.notice_ms:
                first = max(0, outage.down_ms - outage.notice_ms)
                engine.schedule(first, notice, number)
            engine.schedule(outage.down_ms, down, number)
            engine.schedule(outage.up_ms, up, number)
        self.last_submit_ms = int(engine.jobs.submit_ms.max(initial=-1))
        self._closed = Counter[int]()  # how many outages keep a node closed
        self._kept: dict[int, Held] = {}

    def happen(self, kind: int, number: int) -> None:
        """Let the notice, the start or the end of an outage happen."""
        self._acts[kind](number)

    def over(self) -> bool:
        """Return whether nothing is left that an outage could harm."""
        engine = self.attempts.engine
        idle = not self.attempts.running and not engine.waiting.turns
        return idle and engine.now > self.last_submit_ms

    def _notice(self, number: int) -> None:
        """Close the node, and let its jobs save what they can if the conditions say so."""
        outage, engine = self.outages[number], self.attempts.engine
        self._closed[outage.node] += 1
        engine.log.extend((engine.now, Event.NOTICE, -1, outage.node, outage.down_ms))
        if engine.conditions.panic:
            for job in self.attempts.jobs_on(outage.node):
                self.attempts.save_now(job)

    def _down(self, number: int) -> None:
        """Take the node away: its jobs are interrupted, elastic ones go on without it."""
        outage, attempts = self.outages[number], self.attempts
        engine, node = attempts.engine, outage.node
        if not outage.notice_ms:
            self._closed[node] += 1
        engine.log.extend((engine.now, Event.NODE_DOWN, -1, node, outage.cause))
        for job in attempts.jobs_on(node):
            rest = survivors(engine, job, node)
            if rest:
                attempts.resize(job, rest, node)
            else:
                attempts.interrupt(job, outage.cause, node)
        self.sweep()

    def _up(self, number: int) -> None:
        """Give the node back, unless another outage keeps it."""
        engine, node = self.attempts.engine, self.outages[number].node
        engine.log.extend((engine.now, Event.NODE_UP, -1, node, 0))
        self._closed[node] -= 1
        if self._closed[node]:
            return
        del self._closed[node]
        if node in self._kept:
            engine.occupancy.release(self._kept.pop(node))

    def sweep(self) -> None:
        """Keep what is free on closed nodes from being given out."""
        occupancy = self.attempts.engine.occupancy
        for node in sorted(self._closed):
            if occupancy.free[node]:
                kept = occupancy.take([(node, occupancy.free[node])])
                self._kept.setdefault(node, []).extend(kept)
