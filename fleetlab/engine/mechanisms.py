"""What only some runs need: attempts that are cut short, and the rules that do it.

A plain run has no ``Mechanisms`` and pays nothing. With them the engine asks at five
places: when a job comes, around a pass, when a job is refused, when one starts,
and when anything but a submission happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fleetlab.engine import elastic
from fleetlab.engine.attempts import END, Attempts
from fleetlab.engine.conditions import CALM, Conditions
from fleetlab.engine.outages import Outages
from fleetlab.fleet import Parts
from fleetlab.job import JobTable
from fleetlab.log import Event
from fleetlab.policy.migration import plan_drain
from fleetlab.policy.order import ORDERS
from fleetlab.policy.patience import Patience
from fleetlab.policy.preemption import choose, may_evict
from fleetlab.policy.refusal import OF_THE_OWNER, Refusal
from fleetlab.policy.settings import Policy

if TYPE_CHECKING:
    from fleetlab.engine.event_loop import Engine

NOTICE, DOWN, UP, LOOSEN, OVERDUE = 2, 3, 4, 5, 6
"""Kinds of events, in the order in which those of one instant are taken; 0 ends, 1 wakes."""

_BY_HOLES = (Refusal.NO_NODE_HOLDS_IT, Refusal.NO_BLOCK_HOLDS_IT, Refusal.TOO_FEW_WHOLE_NODES)


def needs_mechanisms(policy: Policy, conditions: Conditions, jobs: JobTable) -> bool:
    """Return whether a run is more than jobs that start once, run their time and end."""
    return bool(
        conditions != CALM
        or ORDERS[policy.order].standing is not None
        or policy.gang != "whole"
        or policy.preemption != "none"
        or policy.quota_rule != "none"
        or policy.patience_ms
        or policy.starvation_ms
        or policy.migration_pause_ms
        or jobs.elastic.any()
    )


class Mechanisms:
    """The attempts of a run under way, and the optional rules around them.

    ``overdue`` are the waiting jobs that nobody may pass, ``moved`` those that were
    migrated, ``deadlocked`` whether a deadlock was logged. Raises ValueError where
    policy, conditions and jobs contradict each other.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        policy, jobs, conditions = engine.policy, engine.jobs, engine.conditions
        self.attempts = Attempts(engine)
        self.overdue: set[int] = set()
        self.moved: set[int] = set()
        self.deadlocked = False
        self._overdue_at: dict[int, int] = {}  # of the waiting jobs
        self._elastic: list[bool] = jobs.elastic.tolist()
        self._any_elastic = any(self._elastic)
        self._aside: list[int] = []
        order = ORDERS[policy.order]
        self._standing = order.standing
        self._restless = order.standing is not None and not order.settled
        self._patience = Patience(engine, LOOSEN) if policy.patience_ms else None
        self._outages = Outages(self.attempts, (NOTICE, DOWN, UP)) if conditions.outages else None
        if policy.gang == "hold-and-wait" and (
            conditions.outages
            or policy.blind
            or jobs.elastic.any()
            or int(jobs.gpu_milli.min(initial=1000)) < 1000
        ):
            raise ValueError(
                "hold-and-wait deals out whole GPUs that stay and can run a job; choose whole gangs"
            )
        if policy.backfill == "conservative" and (
            conditions.outages or conditions.memory_gb or jobs.elastic.any()
        ):
            raise ValueError(
                "conservative backfill promises every job a place, and outages, memory and elastic "
                "jobs break promises; choose easy, skip or none"
            )

    # What happens

    def submitted(self, job: int) -> bool:
        """Return whether ``job`` may wait: quota does not forbid it for good."""
        never = self.attempts.accounts.never(job)
        if never:
            self.engine.reject(job, never)
            return False
        self.waits(job)
        return True

    def waits(self, job: int) -> None:
        """Give ``job`` its turn, and the first if the starvation bound passes while it waits."""
        if self._standing is not None or self.engine.policy.starvation_ms:
            self.engine.waiting.stand(job, self._stands(job))
        bound = self.engine.policy.starvation_ms
        if bound:
            self._overdue_at[job] = self.engine.now + bound
            self.engine.schedule(self.engine.now + bound, OVERDUE, job)

    def happen(self, kind: int, number: int, what: int) -> None:
        """Let the event of that ``number`` happen: what it is about depends on its kind."""
        if kind == END:
            self.attempts.happen(what, number)
        elif kind == LOOSEN and self._patience is not None:
            self._patience.loosen(what, number)
        elif kind == OVERDUE:
            self._mark_overdue(what)
        elif kind in (NOTICE, DOWN, UP) and self._outages is not None:
            if self._outages.over():
                self.engine.forget_events()
            else:
                self._outages.happen(kind, what)

    def _mark_overdue(self, job: int) -> None:
        engine = self.engine
        if self._overdue_at.get(job) == engine.now:
            self.overdue.add(job)
            engine.waiting.put_first(job, int(engine.jobs.submit_ms[job]))
            engine.log.extend((engine.now, Event.OVERDUE, job, engine.policy.starvation_ms, 0))

    def decide(self, backfill: Callable[[Engine], None]) -> None:
        """Make one pass of the scheduler, and what comes before and after it."""
        engine = self.engine
        if self._outages is not None:
            self._outages.sweep()
        if engine.waiting.turns:
            self._reorder()
            backfill(engine)
            for job in self._aside:
                engine.waiting.add(job)
            self._aside.clear()
        if self._any_elastic and not engine.waiting.turns:
            elastic.grow(self.attempts)

    def _stands(self, job: int) -> int:
        """Return the standing of ``job`` now, before ties."""
        if self._standing is None:
            return 0
        return self._standing(self.engine.jobs, job, self.attempts)

    def _reorder(self) -> None:
        """Bring the queue into the order that holds now, if that changes while jobs wait."""
        waiting = self.engine.waiting
        if self._restless and waiting.turns:
            waiting.reorder({job: self._stands(job) for job in waiting if job not in self.overdue})

    # What the pass asks

    def refusal(self, job: int) -> Refusal:
        """Return why the owner of ``job`` may not start it now, or NONE."""
        return self.attempts.accounts.refusal(job)

    def reword(self, job: int, refusal: int) -> int:
        """Return the reason to log: a gang that could run wider is holding out."""
        if self._patience is not None and self._patience.holds_out(job, refusal):
            return Refusal.HOLDING_OUT_FOR_LOCALITY
        return refusal

    def settle(self, job: int, refusal: Refusal) -> bool:
        """Return whether the head's refusal is dealt with: set aside, or started after all."""
        engine = self.engine
        if refusal in OF_THE_OWNER:
            engine.refuse(job, refusal)
            engine.waiting.remove(job)
            self._aside.append(job)
            return True
        evictable = may_evict(self.attempts, job)
        victims = choose(engine, job, evictable) if evictable else None
        if victims:
            for victim in victims:
                self.attempts.interrupt(victim.job, victim.cause, job)
            if engine.try_start(job):
                raise ValueError(f"job {job} does not fit where it was made room for")
            return True
        return bool(engine.policy.migration_pause_ms and refusal in _BY_HOLES and self._drain(job))

    def _drain(self, job: int) -> bool:
        """Move jobs out of the way of ``job`` if that pays, and start it; return whether it did."""
        plan = plan_drain(self.attempts, job, self.moved)
        if plan is None:
            return False
        engine, drain = self.engine, plan.drain
        engine.log.extend((engine.now, Event.MIGRATE, job, drain.moved_gpus, drain.payback_ms))
        for victim, _ in plan.moves:
            self.moved.add(victim.job)
            self.attempts.interrupt(victim.job, victim.cause, job)
        for other, place in ((job, plan.place), *((v.job, place) for v, place in plan.moves)):
            if isinstance(place, list):
                engine.start(other, place)
            else:
                engine.start_share(other, *place)
        return True

    def outlasts(self, job: int, parts: Parts, by_ms: int | None) -> bool:
        """Return whether ``job`` started on ``parts`` would by its estimate end after ``by_ms``."""
        return by_ms is not None and self.attempts.estimated_end_ms(job, parts) > by_ms

    def start_smaller(self, job: int, refusal: Refusal, by_ms: int | None) -> Refusal:
        """Start an elastic ``job`` with fewer nodes than it asks for, or return ``refusal``."""
        parts = elastic.smaller_place(self.engine, job) if self._elastic[job] else None
        if parts is None or self.outlasts(job, parts, by_ms):
            return refusal
        self.engine.start(job, parts)
        return Refusal.NONE

    def begin(self, job: int) -> None:
        """Begin an attempt at ``job`` on what it holds, after which it waits no longer."""
        if job in self.overdue:
            self.overdue.remove(job)
            self.attempts.shielded.add(job)
        self._overdue_at.pop(job, None)
        if self._patience is not None:
            self._patience.started(job)
        self.attempts.begin(job)
        self._reorder()
