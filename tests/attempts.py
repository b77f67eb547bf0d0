"""Runs with mechanisms, played and looked at independently: the log, replayed GPU by GPU."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from fleetlab.engine.conditions import CALM, Conditions
from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.fleet import Fleet, bits_of
from fleetlab.job import BLOCK, NODE, JobTable
from fleetlab.run import Run
from tests.replay import Row, rows_of

MINUTE_MS = 60_000


def play(fleet: Fleet, jobs: JobTable, conditions: Conditions = CALM, **policy: Any) -> Engine:
    """Return the engine after a run of ``jobs``, its log checked."""
    engine = Engine(fleet, jobs, Policy(**policy), np.random.default_rng(0), conditions).run()
    check_attempts(engine)
    return engine


def story(engine: Engine, *kinds: Event) -> list[tuple[int, Event, int, int, int]]:
    """Return the rows of these kinds as plain tuples."""
    return [tuple(row) for row in rows_of(engine) if row.kind in kinds]


def starts(engine: Engine) -> list[tuple[int, int]]:
    """Return (time, job) of every start, in order."""
    return [(row.time_ms, row.job) for row in rows_of(engine) if row.kind == Event.START]


def lost_gpu_ms(engine: Engine) -> int:
    """Return the GPU-ms of work that was lost."""
    return Run.of(engine).lost_gpu_ms


def check_attempts(engine: Engine, piecemeal: bool = False) -> None:
    """Assert what must hold of every run with mechanisms.

    No GPU is booked twice, nor on a node that is gone; a gang is whole and within its
    span when it starts; nothing happens before submission or after the end; and the
    work that counts of a job that ended is its run time, no more and no less.
    """
    fleet, jobs = engine.fleet, engine.jobs
    used: dict[tuple[int, int], int] = defaultdict(int)
    counted: dict[int, int] = defaultdict(int)
    holds: dict[int, list[Row]] = defaultdict(list)
    running: set[int] = set()
    submitted: set[int] = set()
    finished: set[int] = set()
    gone: dict[int, int] = defaultdict(int)
    kept: dict[int, int] = defaultdict(int)
    before_ms = 0

    def book(row: Row, sign: int) -> None:
        if row.kind == Event.SHARE:
            used[row.a, row.b // 1000] += sign * (row.b % 1000 + 1)
            assert 0 <= used[row.a, row.b // 1000] <= 1000
        elif fleet.numbered:
            for gpu in bits_of(row.b):
                used[row.a, gpu] += sign * 1000
                assert 0 <= used[row.a, gpu] <= 1000, f"GPU {gpu} of node {row.a} is booked twice"
        else:
            counted[row.a] += sign * row.b
            assert 0 <= counted[row.a] <= fleet.gpus_per_node

    for row in rows_of(engine):
        assert row.time_ms >= before_ms, "the log goes back in time"
        before_ms, job = row.time_ms, row.job
        if job < 0:
            if row.kind == Event.NODE_DOWN:
                gone[row.a] += 1
            elif row.kind == Event.NODE_UP:
                gone[row.a] -= 1
            continue
        if row.kind == Event.SUBMIT:
            assert job not in submitted and row.time_ms == jobs.submit_ms[job]
            submitted.add(job)
            continue
        assert job in submitted and job not in finished
        if row.kind in (Event.PLACE, Event.SHARE):
            assert job not in running and not gone[row.a], "placed twice, or on a node that is gone"
            book(row, +1)
            holds[job].append(row)
        elif row.kind == Event.START:
            _check_whole(engine, job, holds[job], piecemeal)
            running.add(job)
        elif row.kind == Event.WORK:
            assert job in running and row.b >= 0
            kept[job] += row.a
            assert kept[job] >= 0
        elif row.kind in (Event.END, Event.INTERRUPT):
            running.remove(job)
            for part in holds.pop(job):
                book(part, -1)
            if row.kind == Event.END:
                finished.add(job)
                plain = engine.mechanisms is None  # a plain run tells of no work
                assert plain or kept[job] == engine.duration_ms[job], "work was not conserved"
        elif row.kind == Event.REJECT:
            finished.add(job)
    assert not running
    if not piecemeal:
        assert finished == set(range(len(jobs))), "a job neither ended nor was rejected"
        assert not any(used.values()) and not any(counted.values())


def _check_whole(engine: Engine, job: int, parts: list[Row], piecemeal: bool) -> None:
    """Assert that ``parts`` are all of the gang, and within its span."""
    fleet, jobs = engine.fleet, engine.jobs
    nodes = {part.a for part in parts}
    if jobs.gpu_milli[job] < 1000:
        assert len(parts) == 1 and parts[0].b % 1000 + 1 == jobs.gpu_milli[job]
        return
    gpus = sum(part.b.bit_count() if fleet.numbered else part.b for part in parts)
    size = fleet.gpus_per_node
    if jobs.elastic[job]:
        assert gpus % size == 0 and gpus == size * len(nodes)
        assert jobs.min_gpus[job] <= gpus <= -(-int(jobs.max_gpus[job]) // size) * size
    elif jobs.whole_nodes[job] and not piecemeal:
        assert gpus == -(-int(jobs.gpus[job]) // size) * size == size * len(nodes)
    else:
        assert gpus == jobs.gpus[job]
    if piecemeal:
        return
    if jobs.span[job] == NODE:
        assert len(nodes) == 1
    if jobs.span[job] == BLOCK:
        assert len({fleet.block_of(node) for node in nodes}) == 1
    assert all(fleet.class_of(node) >= jobs.needs_class[job] for node in nodes)
