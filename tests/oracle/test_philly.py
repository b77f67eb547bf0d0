"""Philly's jobs replayed by the command line, start by start, against plain schedulers."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pytest

from fleetlab.cli import main
from tests.oracle import reference

JOBS = 82_247
CLUSTER, CLUSTER_JOBS = "ee9e8c", 1_511


@pytest.fixture(scope="module")
def philly(shared_data: Path) -> Path:
    return shared_data / "philly" / "philly.csv"


@pytest.fixture(scope="module")
def rows(philly: Path) -> list[tuple[int, int, int, str]]:
    """Return (submit s, run s, GPUs, virtual cluster) in order of the file, read anew."""
    with philly.open(newline="") as stream:
        found = list(csv.DictReader(stream))
    moments = [datetime.fromisoformat(row["timestamp"]) for row in found]
    first = min(moments)
    return [
        (
            int((moment - first).total_seconds()),
            int(float(row["duration"])),
            int(row["num_gpus"]),
            row["cluster"],
        )
        for moment, row in zip(moments, found, strict=True)
    ]


def replayed(philly: Path, folder: Path, *words: str) -> list[dict[str, str]]:
    starts = folder / "starts.csv"
    assert main(["replay", str(philly), "--starts", str(starts), *words]) == 0
    with starts.open(newline="") as stream:
        return list(csv.DictReader(stream))


def by_submission(
    rows: list[tuple[int, int, int, str]], places: list[int]
) -> tuple[list[int], reference.Rows]:
    """Return places in order of submission, ties in order of the file, and their rows."""
    order = sorted(places, key=lambda place: (rows[place][0], place))
    return order, [rows[place][:3] for place in order]


@pytest.mark.parametrize(
    ("backfill", "scheduler"), [("none", reference.fcfs), ("easy", reference.easy)]
)
def test_a_virtual_cluster_starts_when_an_independent_scheduler_starts_it(
    philly, rows, tmp_path, backfill, scheduler
):
    places = [place for place, row in enumerate(rows) if row[3] == CLUSTER]
    assert len(places) == CLUSTER_JOBS
    gpus = max(rows[place][2] for place in places)
    words = ("--vc", CLUSTER, "--gpus", str(gpus), "--backfill", backfill)
    found = replayed(philly, tmp_path, *words)
    assert [int(row["job"]) for row in found] == places
    order, expected = by_submission(rows, places)
    starts = dict(zip(order, scheduler(expected, gpus), strict=True))
    assert [int(row["start_s"]) for row in found] == [starts[place] for place in places]
    assert any(starts[place] > rows[place][0] for place in places), "nobody waited"


def test_all_jobs_of_philly_start_when_an_independent_scheduler_starts_them(philly, rows, tmp_path):
    gpus = 1024
    found = replayed(philly, tmp_path, "--gpus", str(gpus), "--backfill", "none")
    assert len(found) == len(rows) == JOBS
    order, expected = by_submission(rows, list(range(JOBS)))
    starts = dict(zip(order, reference.fcfs(expected, gpus), strict=True))
    for place, (row, (submit, runtime, wanted, _)) in enumerate(zip(found, rows, strict=True)):
        assert row == {
            "job": str(place),
            "submit_s": str(submit),
            "start_s": str(starts[place]),
            "end_s": str(starts[place] + runtime),
            "gpus": str(wanted),
        }
    assert any(starts[place] > rows[place][0] for place in range(JOBS)), "nobody waited"
