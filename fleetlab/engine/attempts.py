"""The attempts of a run under way: where each stands, when it ends, what it loses.

Every start is an attempt (``fleetlab.attempt``); its end moves when its speed
does, and an END event that no longer counts is told by its number.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import replace
from typing import TYPE_CHECKING

from fleetlab.attempt import UNIT, Attempt, setup_after_resize_ms
from fleetlab.engine.accounts import Accounts
from fleetlab.fleet import Parts
from fleetlab.log import Cause, Event
from fleetlab.policy.fairness import attained_service_gpu_ms

if TYPE_CHECKING:
    from fleetlab.engine.event_loop import Engine

END = 0


class Attempts:
    """Begins, ends, interrupts and retimes attempts, and answers orders (as their ``Record``).

    ``running`` are the attempts by job, ``begun_ms`` and ``due_ms`` when each began and
    will end, ``left_ms`` the work that was to do when it began, ``evicted_ms`` when each
    was last interrupted, ``shielded`` the jobs that started overdue and are evicted for no
    priority. ``accounts`` are kept.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        jobs = engine.jobs
        self.running: dict[int, Attempt] = {}
        self.begun_ms: dict[int, int] = {}
        self.due_ms: dict[int, int] = {}
        self.evicted_ms: dict[int, int] = {}
        self.shielded: set[int] = set()
        self.left_ms = engine.duration_ms.copy()
        memory_gb = engine.conditions.memory_gb
        self.accounts = Accounts(engine.fleet, jobs, engine.policy, memory_gb)
        self._asked_ms: list[int] = jobs.estimate_ms.tolist()
        self._milli: list[int] = jobs.gpu_milli.tolist()
        self._elastic: list[bool] = jobs.elastic.tolist()
        self._expected: dict[int, int] = {}
        self._number: dict[int, int] = {}  # of each job's END; a job may have stale ones too
        self._setup_ms: dict[int, int] = {}  # that the next attempt begins with
        self._carried: dict[int, tuple[bool, int]] = {}  # its writing and unsaved work
        self._served_gpu_ms = [0] * len(jobs)
        self._wide: dict[int, int] = {}  # running gangs over several blocks, and their GPUs
        for job in range(len(jobs)):
            self._estimate(job)

    def happen(self, job: int, number: int) -> None:
        """End ``job`` if the END event of that ``number`` still counts."""
        if self._number.get(job) == number:
            self.finish(job)

    def begin(self, job: int) -> None:
        """Begin an attempt at ``job`` on what it holds."""
        engine, now = self.engine, self.engine.now
        if engine.start_ms[job] < 0:
            engine.start_ms[job] = now
        self.accounts.take(job, self.held_milli(job), now)
        if engine.fleet.hops(engine.nodes_of(job)) > 1:
            self._wide[job] = self.world_gpus(job)
        attempt = Attempt(
            engine.conditions.checkpoint,
            now,
            self.left_ms[job],
            self._slow_ppm(job),
            self._setup_ms.pop(job, 0),
            *self._carried.pop(job, (False, 0)),
        )
        self.running[job] = attempt
        self.begun_ms[job] = now
        expected = self._schedule(job)
        engine.log.extend((now, Event.START, job, expected, attempt.slow_ppm - UNIT))
        self._share_spine()
        if engine.policy.preemption == "order" and engine.policy.order == "las":
            self._look_when_demoted(job)

    def _look_when_demoted(self, job: int) -> None:
        """Have a pass made when ``job`` has had so much that it may be evicted."""
        served = self._served_gpu_ms[job]
        for threshold in self.engine.policy.service_thresholds_gpu_ms:
            if threshold > served:
                wait = -(-(threshold - served) // self.engine.gpus[job])
                self.engine.wake(self.engine.now + wait)

    def _schedule(self, job: int) -> int:
        """Let ``job`` end when its attempt is due; return when its estimate says."""
        engine, attempt = self.engine, self.running[job]
        due = self.due_ms[job] = attempt.due_ms()
        self._number[job] = engine.schedule(due, END, job)
        if job in self._expected:
            self._forget_expected(job)
        done = engine.duration_ms[job] - attempt.left_ms
        estimate = max(0, self._asked_ms[job] - done)
        expected = self._expected[job] = replace(attempt, left_ms=estimate).due_ms()
        insort(engine.running, (expected, job))
        if expected != engine.now + engine.estimate_ms[job]:
            engine.off_plan = True
        return expected

    def _forget_expected(self, job: int) -> None:
        running = self.engine.running
        del running[bisect_left(running, (self._expected.pop(job), job))]

    def _close(self, job: int) -> Attempt:
        """Take ``job`` off its GPUs; return its attempt as it stands."""
        engine, now = self.engine, self.engine.now
        attempt = self.running.pop(job)
        attempt.advance(now)
        self._served_gpu_ms[job] += attained_service_gpu_ms(
            engine.gpus[job], now - self.begun_ms.pop(job)
        )
        self._forget_expected(job)
        del self._number[job], self.due_ms[job]
        self.accounts.give(job, self.held_milli(job), now)
        engine.vacate(job)
        self._wide.pop(job, None)
        engine.off_plan = True
        return attempt

    def finish(self, job: int) -> None:
        engine = self.engine
        self._close(job)
        engine.log.extend((engine.now, Event.WORK, job, self.left_ms[job], 0))
        engine.end_ms[job] = engine.now
        engine.log.extend((engine.now, Event.END, job, 0, 0))
        self.left_ms[job] = 0
        self._share_spine()

    def interrupt(self, job: int, cause: Cause, by: int) -> None:
        """Cut the attempt at ``job`` short and let it wait again.

        Moves and changes of size lose nothing; anything else all work since the
        last checkpoint. A change of size saves nothing either: the survivors hold in
        memory what was not saved, and go on with a checkpoint that was being written.
        """
        engine, now = self.engine, self.engine.now
        conditions = engine.conditions
        attempt = self._close(job)
        planned = cause in (Cause.MIGRATION, Cause.RESIZE)
        lost = 0 if planned else attempt.unsaved_ms
        left = attempt.left_ms + lost
        engine.log.extend((now, Event.WORK, job, self.left_ms[job] - left, lost))
        engine.log.extend((now, Event.INTERRUPT, job, cause, by))
        self.left_ms[job] = left
        self.evicted_ms[job] = now
        self._setup_ms[job] = {
            Cause.MIGRATION: engine.policy.migration_pause_ms,
            Cause.RESIZE: setup_after_resize_ms(attempt, conditions.rendezvous_ms),
        }.get(cause, conditions.checkpoint.restart_ms)
        if cause == Cause.RESIZE:
            self._carried[job] = attempt.writing, attempt.unsaved_ms
        self._estimate(job)
        if engine.mechanisms is not None:
            engine.mechanisms.waits(job)
        engine.requeue(job)
        self._share_spine()

    def resize(self, job: int, parts: Parts, by: int) -> None:
        """Let ``job`` go on at once on ``parts``, after a rendezvous."""
        self.interrupt(job, Cause.RESIZE, by)
        self.engine.start(job, parts)

    def save_now(self, job: int) -> None:
        """Let ``job`` begin a checkpoint at once."""
        engine, attempt = self.engine, self.running[job]
        attempt.advance(engine.now)
        attempt.save_now()
        cost = attempt.setup_ms if attempt.writing else 0
        engine.log.extend((engine.now, Event.SAVE, job, attempt.unsaved_ms, cost))
        self._schedule(job)

    # Speed

    def _slow_ppm(self, job: int) -> int:
        return self._slow_on(job, self.engine.nodes_of(job), self.world_gpus(job))

    def _slow_on(self, job: int, nodes: list[int], world: int) -> int:
        """Return how much longer than given ``job`` takes with ``world`` GPUs on ``nodes``."""
        engine = self.engine
        others = sum(self._wide.values()) - self._wide.get(job, 0)
        slow = engine.conditions.interconnect.slow_ppm(engine.fleet, world, nodes, others + world)
        return -(-slow * self._nominal_gpus(job) // world)

    def _share_spine(self) -> None:
        """Give every gang over several blocks the speed that the spine now has for it."""
        engine = self.engine
        if not engine.conditions.interconnect.spine_gpus:
            return
        for job in self._wide:
            attempt, slow = self.running[job], self._slow_ppm(job)
            if attempt.slow_ppm != slow:
                attempt.advance(engine.now)
                attempt.slow_ppm = slow
                expected = self._schedule(job)
                engine.log.extend((engine.now, Event.RETIME, job, expected, slow - UNIT))

    def _nominal_gpus(self, job: int) -> int:
        """Return the world size for which the job's run time was given."""
        gpus, size = self.engine.gpus[job], self.engine.fleet.gpus_per_node
        return -(-gpus // size) * size if self._elastic[job] else gpus

    def world_gpus(self, job: int) -> int:
        """Return with how many GPUs ``job`` works: what it asks for, unless it is elastic."""
        engine = self.engine
        if not self._elastic[job]:
            return engine.gpus[job]
        return sum(count for _, count, _ in engine.held[job])

    def held_milli(self, job: int) -> int:
        """Return the thousandths of a GPU that ``job`` is charged for."""
        return self.world_gpus(job) * self._milli[job]

    # What others ask

    def jobs_on(self, node: int) -> list[int]:
        """Return the running jobs that hold something of ``node``, by number."""
        return sorted(job for job in self.running if node in self.engine.nodes_of(job))

    def _now(self, job: int) -> Attempt:
        """Return a copy of the job's attempt as it stands now."""
        return self.running[job].at(self.engine.now)

    def eviction_cost_gpu_ms(self, job: int) -> int:
        """Return what evicting ``job`` now would cost: work lost and a restart, in GPU-ms."""
        restart = self.engine.conditions.checkpoint.restart_ms
        return (self._now(job).unsaved_ms + restart) * self.engine.gpus[job]

    def would_end_ms(self, job: int, parts: Parts) -> int:
        """Return when an elastic ``job`` would end if it went on with ``parts`` from now on."""
        engine, attempt = self.engine, self._now(job)
        world = sum(count for _, count in parts)
        return replace(
            attempt,
            slow_ppm=self._slow_on(job, [node for node, _ in parts], world),
            setup_ms=setup_after_resize_ms(attempt, engine.conditions.rendezvous_ms),
        ).due_ms()

    def estimated_end_ms(self, job: int, parts: Parts) -> int:
        """Return when ``job``, started on ``parts`` now, will end if its estimate is right."""
        engine = self.engine
        world = sum(count for _, count in parts) if self._elastic[job] else engine.gpus[job]
        return Attempt(
            engine.conditions.checkpoint,
            engine.now,
            self.estimate_left_ms(job),
            self._slow_on(job, [node for node, _ in parts], world),
            self._setup_ms.get(job, 0),
        ).due_ms()

    def _estimate(self, job: int) -> None:
        """Set how long the scheduler takes ``job`` to run: its estimate, with saving it."""
        engine = self.engine
        done = engine.duration_ms[job] - self.left_ms[job]
        estimate = max(0, self._asked_ms[job] - done)
        setup = self._setup_ms.get(job, 0)
        checkpoint = engine.conditions.checkpoint
        engine.estimate_ms[job] = Attempt(checkpoint, 0, estimate, setup_ms=setup).due_ms()

    def estimate_left_ms(self, job: int) -> int:
        """Return the run time that ``job`` still needs by its estimate."""
        engine, attempt = self.engine, self.running.get(job)
        left = self.left_ms[job] if attempt is None else attempt.left_at(engine.now)
        return max(0, self._asked_ms[job] - engine.duration_ms[job] + left)

    def service_queue(self, job: int) -> int:
        """Return the queue of least attained service that ``job`` is in, 0 the first."""
        served = self._served_gpu_ms[job]
        if job in self.running:
            served += attained_service_gpu_ms(
                self.engine.gpus[job], self.engine.now - self.begun_ms[job]
            )
        return bisect_right(self.engine.policy.service_thresholds_gpu_ms, served)

    def fair_priority(self, job: int) -> int:
        """Return the fair-share priority of ``job`` now, in whole 10⁻¹²."""
        return self.accounts.fair_priority(job, self.engine.now)

    def dominant_share(self, tenant: int) -> int:
        """Return the weighted dominant share of ``tenant`` now, in whole 10⁻¹²."""
        return self.accounts.dominant_share(tenant)
