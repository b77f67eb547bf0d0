"""The job table: what is asked of the fleet, one row a job, as columns.

A job is a gang: it takes all its GPUs at once or none. ``span`` bounds how far
apart they may lie, ``whole_nodes`` asks for rail alignment (rank r on rail
r mod 8 needs whole nodes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

NODE, BLOCK, FLEET = 1, 2, 3
SPAN_NAMES = {NODE: "node", BLOCK: "block", FLEET: "fleet"}

_ANY_SIGN = ("priority", "estimate_ms", "min_gpus", "max_gpus")
_HIGHEST = {"gpu_milli": 1000, "span": FLEET, "whole_nodes": 1}

Ints = npt.NDArray[np.int64]


def _column(values: Any, count: int) -> Ints:
    array = np.asarray(values, dtype=np.int64)
    return np.full(count, array, dtype=np.int64) if array.ndim == 0 else array


@dataclass(frozen=True)
class JobTable:
    """Jobs in order of their running number; every column has one entry a job.

    ``submit_ms`` (ms since the start), ``duration_ms`` (run time when the gang
    lies as close as its span allows), ``estimate_ms`` (what its owner asked
    for; schedulers see only this), ``gpus`` (gang size), ``gpu_milli`` (share
    of each GPU in thousandths, 1000 is a whole one), ``span`` (NODE, BLOCK or
    FLEET), ``whole_nodes`` (0 or 1), ``priority`` (higher runs first),
    ``tenant`` (number of the owner), ``needs_class`` (the lowest capability
    class that can run it), ``kind`` (number into ``kinds``, the groups that
    metrics tell apart), ``min_gpus`` and ``max_gpus`` (the world sizes with which an
    elastic job can go on, in whole nodes; ``gpus`` when not given), ``memory_gb``
    (what it takes of the fleet's memory, where that is counted).

    Raises ValueError when columns differ in length or a value is impossible.
    """

    submit_ms: Ints
    duration_ms: Ints
    gpus: Ints
    estimate_ms: Ints = field(default_factory=lambda: np.array(-1))
    gpu_milli: Ints = field(default_factory=lambda: np.array(1000))
    span: Ints = field(default_factory=lambda: np.array(FLEET))
    whole_nodes: Ints = field(default_factory=lambda: np.array(0))
    priority: Ints = field(default_factory=lambda: np.array(0))
    tenant: Ints = field(default_factory=lambda: np.array(0))
    needs_class: Ints = field(default_factory=lambda: np.array(0))
    kind: Ints = field(default_factory=lambda: np.array(0))
    min_gpus: Ints = field(default_factory=lambda: np.array(-1))
    max_gpus: Ints = field(default_factory=lambda: np.array(-1))
    memory_gb: Ints = field(default_factory=lambda: np.array(0))
    kinds: tuple[str, ...] = ("job",)
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.submit_ms)
        for column in fields(self):
            if column.name not in ("kinds", "names"):
                object.__setattr__(self, column.name, _column(getattr(self, column.name), count))
        for column in fields(self):
            if column.name in ("kinds", "names"):
                continue
            values = getattr(self, column.name)
            if values.shape != (count,):
                raise ValueError(f"jobs: {column.name} has {values.size} entries for {count} jobs")
            low = 1 if column.name in ("gpus", "gpu_milli", "span") else 0
            if column.name not in _ANY_SIGN and count and int(values.min()) < low:
                row = int(np.argmin(values))
                raise ValueError(f"jobs: {column.name} of job {row} is {values[row]}, below {low}")
            high = _HIGHEST.get(column.name)
            if high is not None and count and int(values.max()) > high:
                row = int(np.argmax(values))
                raise ValueError(f"jobs: {column.name} of job {row} is {values[row]}, above {high}")
        wide = (self.gpu_milli < 1000) & ((self.gpus > 1) | (self.whole_nodes > 0))
        if wide.any():
            row = int(np.argmax(wide))
            raise ValueError(
                f"jobs: job {row} asks for {self.gpu_milli[row]} thousandths of a GPU and for more "
                "than one GPU; a share is of one GPU, so give it gpus 1 and whole_nodes 0"
            )
        missing = self.estimate_ms < 0
        object.__setattr__(
            self, "estimate_ms", np.where(missing, self.duration_ms, self.estimate_ms)
        )
        for name in ("min_gpus", "max_gpus"):
            given = getattr(self, name)
            object.__setattr__(self, name, np.where(given < 0, self.gpus, given))
        wrong = (self.min_gpus > self.gpus) | (self.max_gpus < self.gpus) | (self.min_gpus < 1)
        wrong |= self.elastic & (self.whole_nodes == 0)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"jobs: job {row} asks for {self.gpus[row]} GPUs and can go on with "
                f"{self.min_gpus[row]} to {self.max_gpus[row]}; give at least 1, at most and at "
                "least what it asks for, and whole_nodes 1 to an elastic job"
            )
        if self.names and len(self.names) != count:
            raise ValueError(f"jobs: {len(self.names)} names for {count} jobs")

    def __len__(self) -> int:
        return len(self.submit_ms)

    @property
    def elastic(self) -> npt.NDArray[np.bool_]:
        """Whether each job can go on with fewer or more GPUs than it asks for."""
        varies: npt.NDArray[np.bool_] = (self.min_gpus < self.gpus) | (self.max_gpus > self.gpus)
        return varies

    def name(self, job: int) -> str:
        """Return the job's own name, or its running number."""
        return self.names[job] if self.names else str(job)

    def select(self, rows: Sequence[int] | Ints) -> JobTable:
        """Return the jobs at ``rows``, in that order."""
        picked = {
            c.name: getattr(self, c.name)[rows]
            for c in fields(self)
            if c.name not in ("kinds", "names")
        }
        names = tuple(self.names[int(r)] for r in rows) if self.names else ()
        return replace(self, names=names, **picked)

    def by_submit(self) -> JobTable:
        """Return the jobs in order of submission; equal times keep their order."""
        return self.select(np.argsort(self.submit_ms, kind="stable"))
