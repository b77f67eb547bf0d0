"""Patience: how long a gang holds out for a close place before it accepts a wider one.

Delay scheduling (Zaharia et al., EuroSys 2010, section 3.2), with time in place
of skips: patience begins to run when a gang first turns down a place it could have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetlab.fleet import Fleet
from fleetlab.job import BLOCK, NODE
from fleetlab.log import Event
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.settings import FOREVER_MS
from fleetlab.policy.shape import Shape, fits_when_empty

if TYPE_CHECKING:
    from fleetlab.engine.event_loop import Engine

_SPATIAL = (Refusal.NO_NODE_HOLDS_IT, Refusal.NO_BLOCK_HOLDS_IT, Refusal.TOO_FEW_WHOLE_NODES)


def closest(shape: Shape, fleet: Fleet) -> Shape:
    """Return ``shape`` with the smallest span that an empty fleet could give it."""
    for span in (NODE, BLOCK):
        closer = shape._replace(span=min(shape.span, span))
        if fits_when_empty(closer, fleet):
            return closer
    return shape


class Patience:
    """Who holds out for what: narrows the shapes of waiting jobs, and widens them in time."""

    def __init__(self, engine: Engine, loosen: int) -> None:
        self.engine = engine
        self._loosen = loosen  # the kind of the timer's event
        self._asked = list(engine.shapes)
        known = {shape: closest(shape, engine.fleet) for shape in set(self._asked)}
        self._closest = [known[shape] for shape in self._asked]
        engine.shapes = self._closest.copy()
        self._timer: dict[int, int] = {}

    def holds_out(self, job: int, refusal: int) -> bool:
        """Return whether ``job``, refused, could run at once if it lay wider; time its patience."""
        engine = self.engine
        if refusal not in _SPATIAL or engine.shapes[job] == self._asked[job]:
            return False
        if job in self._timer:
            return True
        loose = engine.place(self._asked[job], engine.occupancy, engine.rng, 0)
        if isinstance(loose, Refusal):
            return False
        patience = engine.policy.patience_ms
        if patience < FOREVER_MS:
            self._timer[job] = engine.schedule(engine.now + patience, self._loosen, job)
        return True

    def loosen(self, job: int, number: int) -> None:
        """Let ``job`` accept a wider place if the timer that ran out is the one it waits for."""
        if self._timer.get(job) != number:
            return
        del self._timer[job]
        engine = self.engine
        span = engine.shapes[job].span + 1
        asked = self._asked[job]
        engine.shapes[job] = asked if span >= asked.span else asked._replace(span=span)
        engine.log.extend((engine.now, Event.LOOSEN, job, min(span, asked.span), 0))

    def started(self, job: int) -> None:
        """Stop the timer of ``job``; if it ever waits again it holds out anew."""
        self._timer.pop(job, None)
        self.engine.shapes[job] = self._closest[job]
