"""An independent look at a finished run: its log, replayed GPU by GPU."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from fleetlab.engine.event_loop import Engine, Event
from fleetlab.fleet import Fleet, bits_of
from fleetlab.job import BLOCK, NODE, JobTable
from fleetlab.policy.refusal import Refusal


class Row(NamedTuple):
    """One row of the log."""

    time_ms: int
    kind: Event
    job: int
    a: int
    b: int


def rows_of(engine: Engine) -> list[Row]:
    """Return the log as rows."""
    numbers = engine.log.tolist()
    return [
        Row(time, Event(kind), job, a, b)
        for time, kind, job, a, b in zip(*(numbers[i::5] for i in range(5)), strict=True)
    ]


def refusals_of(engine: Engine, job: int) -> list[Refusal]:
    """Return the reasons why ``job`` waited, in the order in which they were logged."""
    return [Refusal(r.a) for r in rows_of(engine) if r.kind == Event.REFUSE and r.job == job]


def check(fleet: Fleet, jobs: JobTable, engine: Engine) -> None:
    """Assert what must hold of every run, whatever the policy.

    No GPU is booked twice, a gang is whole and within its span, nothing runs
    before it was submitted, time never runs backwards, END follows START, and
    every job ends, is rejected or is dropped, exactly once.
    """
    rows = rows_of(engine)
    size = fleet.gpus_per_node
    used_milli: dict[tuple[int, int], int] = defaultdict(int)
    used_count: dict[int, int] = defaultdict(int)
    pending: dict[int, list[Row]] = defaultdict(list)
    running: dict[int, list[Row]] = {}
    submitted: set[int] = set()
    finished: dict[int, Event] = {}
    before_ms = 0

    def book(row: Row, sign: int) -> None:
        node = row.a
        assert 0 <= node < fleet.nodes
        if row.kind == Event.SHARE:
            booked = [(row.b // 1000, row.b % 1000 + 1)]
        elif fleet.numbered:
            booked = [(gpu, 1000) for gpu in bits_of(row.b)]
        else:
            used_count[node] += sign * row.b
            assert 0 <= used_count[node] <= size
            return
        for gpu, milli in booked:
            assert 0 <= gpu < size
            used_milli[node, gpu] += sign * milli
            assert 0 <= used_milli[node, gpu] <= 1000, f"GPU {gpu} of node {node} is booked twice"

    for row in rows:
        assert row.time_ms >= before_ms, "the log goes back in time"
        before_ms = row.time_ms
        job = row.job
        if row.kind == Event.SUBMIT:
            assert job not in submitted
            assert row.time_ms == jobs.submit_ms[job]
            submitted.add(job)
            continue
        assert job in submitted, "something happens to a job before its submission"
        assert job not in finished, "something happens to a job after its end"
        if row.kind in (Event.PLACE, Event.SHARE):
            assert job not in running
            book(row, +1)
            pending[job].append(row)
        elif row.kind == Event.START:
            parts = pending.pop(job)
            _check_gang(fleet, jobs, job, parts)
            assert row.a == row.time_ms + jobs.estimate_ms[job]
            running[job] = parts
        elif row.kind == Event.END:
            for part in running.pop(job):
                book(part, -1)
            finished[job] = Event.END
        elif row.kind == Event.DROP:
            for part in pending.pop(job):
                book(part, -1)
            assert fleet.class_of(row.a) < jobs.needs_class[job]
            finished[job] = Event.DROP
        elif row.kind == Event.REJECT:
            finished[job] = Event.REJECT
    assert not pending and not running, "the log is not closed"
    assert set(finished) == set(range(len(jobs))), "a job neither ended nor was refused for good"
    assert not any(used_milli.values()) and not any(used_count.values())
    assert engine.occupancy.free_total == fleet.gpus


def _check_gang(fleet: Fleet, jobs: JobTable, job: int, parts: list[Row]) -> None:
    """Assert that ``parts`` are all of the gang and lie as close as it asked."""
    nodes = [part.a for part in parts]
    assert len(set(nodes)) == len(nodes)
    for node in nodes:
        assert fleet.class_of(node) >= jobs.needs_class[job]
    if jobs.gpu_milli[job] < 1000:
        assert [part.kind for part in parts] == [Event.SHARE]
        assert parts[0].b % 1000 + 1 == jobs.gpu_milli[job]
        return
    counts = [part.b.bit_count() if fleet.numbered else part.b for part in parts]
    asked, size = int(jobs.gpus[job]), fleet.gpus_per_node
    if jobs.whole_nodes[job]:
        assert counts == [size] * -(-asked // size)
    else:
        assert sum(counts) == asked
    if jobs.span[job] == NODE:
        assert len(nodes) == 1
    if jobs.span[job] == BLOCK:
        assert len({fleet.block_of(node) for node in nodes}) == 1
