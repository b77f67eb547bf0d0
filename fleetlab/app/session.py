"""What one reader does, without a page: choices, runs in slices, the moment looked at.

A newer choice cancels the run under way. When the run is there, the same
Scenario is repeated on other seeds, so that every figure comes with its spread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fleetlab.analysis.explain import explain
from fleetlab.analysis.moment import Moment, crowded_instant
from fleetlab.app.finished import Finished
from fleetlab.app.slices import Clock, run_in_slices
from fleetlab.job import JobTable
from fleetlab.run import Run
from fleetlab.scenario import Scenario, ScenarioError

REPLICATIONS = 20
LONGEST_REPLICATION_ROWS = 400_000
RESPITE_MS = 500
"""How long after a run its first repetition waits, for what the reader does next comes before."""


@dataclass
class Session:
    """One reader's choices and what they led to.

    ``changed`` is called when the run, the moment or the replicas have changed,
    with the name of what did; ``complain`` gets one sentence about what could not
    be. ``measure`` takes from a run what is compared over seeds, or None when the
    run is not worth repeating; ``replicas`` holds what it took, the run's own first.
    ``keep`` takes a run that a part made beside the session's own, as evidence.
    Playing passes over no change with ``every_change``, however short what follows it.
    Pictures do not move while it is ``still``: until the page says that its reader likes it.
    """

    scenario: Scenario
    clock: Clock
    changed: Callable[[str], None]
    complain: Callable[[str], None]
    measure: Callable[[Run], Any] = lambda run: None
    keep: Callable[[Run], None] = lambda run: None
    trace: JobTable | None = None
    trace_digest: str = ""
    run: Run | None = None
    progress: float = 0.0
    time_ms: int = 0
    job: int = -1
    replicas: list[Any] = field(default_factory=list)
    prediction: dict[str, Any] | None = None
    playing: bool = False
    every_change: bool = False
    still: bool = True
    _generation: int = 0
    _plays: int = 0

    def choose(self, **changes: Any) -> None:
        """Take new choices and run them; an impossible one is refused in a sentence."""
        try:
            scenario = self.scenario.but(**changes)
        except ScenarioError as error:
            self.complain(str(error))
            self.changed("scenario")
            return
        self.open(scenario)

    def open(self, scenario: Scenario) -> None:
        """Run ``scenario``, whatever was under way."""
        self.scenario = scenario
        self._generation += 1
        self.playing = False
        self._progressed(0.0)  # first, since it is what a reader sees at once
        self.changed("scenario")
        generation = self._generation
        run_in_slices(
            self.clock,
            scenario,
            wanted=lambda: generation == self._generation,
            done=self._finish,
            failed=self.complain,
            progress=self._progressed,
            trace=self.trace,
        )

    @property
    def as_asked(self) -> bool:
        """Whether the Scenario is what the part's question is about.

        It is while it is as the part opens, on any seed and for any length, static or elastic.
        """
        now = self.scenario
        opened = Scenario.default(now.track, now.part)
        return now == opened.but(seed=now.seed, jobs=now.jobs, elastic=now.elastic)

    def leave(self) -> None:
        """Forget the run: another part asks for another."""
        self._generation += 1
        self.run, self.playing, self.job, self.replicas = None, False, -1, []
        self.every_change = False

    def _progressed(self, share: float) -> None:
        self.progress = share
        self.changed("progress")

    def resume(self, finished: Finished, scenario: Scenario) -> None:
        """Go on from a finished run of ``scenario`` as if it had just ended here."""
        self.scenario = scenario
        self._generation += 1
        self.changed("scenario")
        self._settle(finished)

    @property
    def finished(self) -> Finished | None:
        """The run and what is looked at, to go on from elsewhere; None before the first run."""
        return Finished(self.run, self.time_ms, self.job) if self.run is not None else None

    def _finish(self, run: Run) -> None:
        time_ms = crowded_instant(run)
        waiting = run.waiting_at(time_ms)
        self._settle(Finished(run, time_ms, waiting[0] if waiting else -1))

    def _settle(self, finished: Finished) -> None:
        run = self.run = finished.run
        self.progress = 1.0
        self.time_ms, self.job = finished.time_ms, finished.job
        self.replicas = []
        replica = self.measure(run)
        if replica is not None:
            self.replicas.append(replica)
        self.changed("run")
        if replica is not None and len(run.log) <= LONGEST_REPLICATION_ROWS:
            generation = self._generation
            self.clock.later(RESPITE_MS, lambda: self._replicate(1, generation))

    def _replicate(self, number: int, generation: int) -> None:
        """Repeat the Scenario on the next seed, in slices, until there are enough."""
        if number >= REPLICATIONS:
            return
        top = 2**31 - 1
        scenario = self.scenario.but(seed=(self.scenario.seed + number) % top)

        def repeated(run: Run) -> None:
            replica = self.measure(run)
            if replica is not None:
                self.replicas.append(replica)
                self.changed("replicas")
            self._replicate(number + 1, generation)

        run_in_slices(
            self.clock,
            scenario,
            wanted=lambda: generation == self._generation,
            done=repeated,
            failed=self.complain,
        )

    # ---- the moment looked at

    def look(self, time_ms: int) -> None:
        """Look at another instant of the run."""
        if self.run is not None:
            self.time_ms = min(max(0, time_ms), self.run.last_ms)
            self.changed("moment")

    def ask(self, job: int) -> None:
        """Ask about another job; one that does not exist is refused in a sentence."""
        if self.run is None:
            return
        if not 0 <= job < len(self.run.jobs):
            self.complain(
                f"There is no job {job} in this run; its jobs are 0 to {len(self.run.jobs) - 1}."
            )
            return
        self.job = job
        self.changed("moment")

    def step(self) -> None:
        """Look at the next instant at which something starts, ends or comes."""
        if self.run is not None:
            self.look(self.run.next_change_ms(self.time_ms))

    def play(self, playing: bool) -> None:
        """Let the moment run on, or stop it."""
        self.playing = playing and self.run is not None
        self._plays += 1
        if self.playing and self.run is not None:
            if self.time_ms >= self.run.last_ms:
                self.time_ms = 0
            self._tick((self._generation, self._plays))
        self.changed("moment")

    def _tick(self, begun: tuple[int, int]) -> None:
        if not self.playing or self.run is None or begun != (self._generation, self._plays):
            return
        then = self.time_ms + max(1, self.run.last_ms // 400)
        if self.every_change:
            then = min(then, self.run.next_change_ms(self.time_ms))
        self.look(then)
        if self.time_ms >= self.run.last_ms:
            self.playing = False
            self.changed("moment")
        else:
            self.clock.later(180, lambda: self._tick(begun))

    @property
    def moment(self) -> Moment | None:
        """The instant that is looked at, or None before the first run."""
        return Moment.of(self.run, self.time_ms) if self.run is not None else None

    def why(self) -> str:
        """Return why the job asked about waits, or what it does."""
        if self.run is None or self.job < 0:
            return ""
        return explain(self.run, self.job, self.time_ms)
