"""Ten thousand jobs of Lublin's workload model on 256 processors, start time by start time."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from fleetlab.cli import main
from fleetlab.engine.event_loop import Engine, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from tests.oracle import reference

PROCESSORS = 256


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> reference.Rows:
    """Return (submit, run time, processors) in seconds, read without fleetlab's readers."""
    lines = (shared_data / "swf-lublin" / "lublin_256.swf").read_text().splitlines()
    fields = [line.split() for line in lines if line.strip() and not line.startswith(";")]
    return [(int(f[1]), int(f[3]), int(f[4])) for f in fields]


def _starts(rows: reference.Rows, backfill: str) -> list[int]:
    submit, runtime, processors = (np.array(column) for column in zip(*rows, strict=True))
    jobs = JobTable(submit_ms=submit * 1000, duration_ms=runtime * 1000, gpus=processors)
    policy = Policy(backfill=backfill)
    engine = Engine(Fleet.pool(PROCESSORS), jobs, policy, np.random.default_rng(0)).run()
    assert all(start % 1000 == 0 for start in engine.start_ms)
    return [start // 1000 for start in engine.start_ms]


@pytest.mark.parametrize(
    ("backfill", "scheduler"),
    [
        ("none", reference.fcfs),
        ("easy", reference.easy),
        ("conservative", reference.conservative),
    ],
)
def test_every_job_of_the_log_starts_when_an_independent_scheduler_starts_it(
    rows, backfill, scheduler
):
    assert len(rows) == 10_000
    assert _starts(rows, backfill) == scheduler(rows, PROCESSORS)


@pytest.mark.parametrize(
    ("backfill", "scheduler"), [("none", reference.fcfs), ("easy", reference.easy)]
)
def test_the_command_replays_the_log_itself_to_the_same_starts(
    rows, backfill, scheduler, shared_data, tmp_path
):
    log, starts = shared_data / "swf-lublin" / "lublin_256.swf", tmp_path / "starts.csv"
    words = ["--gpus", str(PROCESSORS), "--backfill", backfill, "--starts", str(starts)]
    assert main(["replay", str(log), *words]) == 0
    with starts.open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [int(row["start_s"]) for row in found] == scheduler(rows, PROCESSORS)
    assert [row["job"] for row in found] == [str(number) for number in range(1, 10_001)]


@pytest.mark.parametrize(
    ("scheduler", "starts"),
    [
        # 100 processors: (0, 10, 60) (1, 10, 70) (2, 8, 40) (3, 50, 30)
        (reference.fcfs, [0, 10, 20, 20]),
        (reference.easy, [0, 10, 2, 10]),
        (reference.conservative, [0, 10, 2, 10]),
    ],
)
def test_the_independent_schedulers_agree_with_a_case_worked_by_hand(scheduler, starts):
    rows = [(0, 10, 60), (1, 10, 70), (2, 8, 40), (3, 50, 30)]
    assert scheduler(rows, 100) == starts
