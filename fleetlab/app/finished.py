"""A finished run as bytes, so that a page goes on from one that the build has made."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, fields

import numpy as np

from fleetlab.run import Run
from fleetlab.scenario import Scenario


@dataclass(frozen=True)
class Finished:
    """A run, and what was looked at when it ended."""

    run: Run
    time_ms: int
    job: int

    @property
    def scenario(self) -> Scenario | None:
        """The Scenario that was run."""
        return self.run.scenario

    def pack(self) -> bytes:
        """Return the bytes that ``unpack`` reads, the log as differences: they compress well."""
        run, log = self.run, self.run.log
        plain = {field.name: getattr(run, field.name) for field in fields(run)}
        plain["log"] = None
        metrics = run.metrics  # measured already, so that whoever goes on need not
        steps = np.diff(log, axis=0, prepend=np.zeros((1, log.shape[1]), dtype=log.dtype))
        columns = np.ascontiguousarray(steps.T).tobytes()
        return pickle.dumps(
            (plain, metrics, log.shape, columns, self.time_ms, self.job), protocol=5
        )


def unpack(data: bytes) -> Finished:
    """Return what ``pack`` wrote; only bytes of the build's own, checked against its list."""
    plain, metrics, (rows, columns), steps, time_ms, job = pickle.loads(data)
    by_column = np.frombuffer(steps, dtype=np.int64).reshape(columns, rows)
    plain["log"] = np.ascontiguousarray(np.cumsum(by_column, axis=1).T)
    run = Run(**plain)
    vars(run)["metrics"] = metrics
    return Finished(run, time_ms, job)
