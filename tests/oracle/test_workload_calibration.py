"""Calibrated workloads against the published facts, and the traces against both."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from fleetlab.workloads.calibration import (
    ALIBABA,
    PHILLY,
    TABLE_KNOTS,
    Quantiles,
    alibaba_jobs,
    philly_jobs,
    quantile_table,
)
from fleetlab.workloads.traces import load_trace

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the traces are not beside this checkout")
COUNT = 1_000_000


def test_philly_jobs_have_the_published_sizes_and_gpu_time() -> None:
    gpus, duration_ms = philly_jobs(np.random.default_rng(1), COUNT)
    gpu_time = gpus * duration_ms
    published = {1: (93.2, 18.1), 2: (2.2, 3.2), 4: (2.3, 16.7), 8: (2.0, 48.4), 9: (0.35, 13.6)}
    for size, (jobs, time) in published.items():
        group = gpus >= 9 if size == 9 else gpus == size
        assert 100 * group.mean() == pytest.approx(jobs, abs=0.1)
        assert 100 * gpu_time[group].sum() / gpu_time.sum() == pytest.approx(time, abs=1.0)


def test_philly_jobs_have_the_published_durations() -> None:
    gpus, duration_ms = philly_jobs(np.random.default_rng(1), COUNT)
    seconds = duration_ms / 1000
    assert np.median(seconds) == pytest.approx(1_144, rel=0.02)
    assert seconds.mean() == pytest.approx(13_136, rel=0.02)
    assert np.quantile(seconds, 0.95) == pytest.approx(43_646, rel=0.04)
    assert np.quantile(seconds, 0.99) == pytest.approx(254_758, rel=0.03)
    assert seconds.std() / seconds.mean() == pytest.approx(6.43, rel=0.04)
    for size, median_s in ((1, 1_117), (8, 23_683), (16, 52_548)):
        assert np.median(seconds[gpus == size]) == pytest.approx(median_s, rel=0.05)


def test_alibaba_pods_share_gpus_and_stay_as_published() -> None:
    gpus, milli, duration_ms = alibaba_jobs(np.random.default_rng(1), COUNT)
    # The published shares are of all tasks; 13.35 % of those ask for no GPU.
    of_all = 7_064 / 8_152
    shares = (gpus == 1) & (milli < 1000)
    assert 100 * of_all * shares.mean() == pytest.approx(37.8, abs=0.2)
    assert 100 * of_all * ((gpus == 1) & (milli == 1000)).mean() == pytest.approx(48.0, abs=0.2)
    for size, percent in ((2, 0.2), (4, 0.2), (8, 0.5)):
        assert 100 * of_all * (gpus == size).mean() == pytest.approx(percent, abs=0.06)
    seconds = duration_ms / 1000
    assert np.median(seconds) == pytest.approx(540, rel=0.03)
    assert seconds.mean() == pytest.approx(25_843, rel=0.07)
    assert seconds.std() / seconds.mean() == pytest.approx(15.5, rel=0.05)


def test_one_seed_draws_these_jobs_on_every_platform() -> None:
    gpus, duration_ms = philly_jobs(np.random.default_rng(2024), 5)
    assert gpus.tolist() == [1, 1, 1, 1, 1]
    assert duration_ms.tolist() == [3651332, 320879802, 69698, 53911, 79292]
    gpus, milli, duration_ms = alibaba_jobs(np.random.default_rng(2024), 5)
    assert milli.tolist() == [590, 1000, 350, 470, 810]
    assert duration_ms.tolist() == [2194744, 2456101875, 79047, 43712, 100519]


def test_between_quantiles_durations_lie_on_a_line() -> None:
    quarters = Quantiles((0, 2, 4), (0.0, 10.0, 40.0))
    assert quarters.value(np.array([0.0, 0.25, 0.5, 0.75])).tolist() == [0, 5, 10, 25]
    assert quarters.mean_s == 15.0


def test_a_table_keeps_the_mean_and_the_median_of_its_durations() -> None:
    durations = [float(n * n) for n in range(1, 1_000)]
    table = quantile_table(durations, 20)
    assert len(table.at) <= 22
    assert table.mean_s == pytest.approx(np.mean(durations), abs=0.1)
    assert table.value(np.array([0.5]))[0] == pytest.approx(np.median(durations), rel=0.01)


@pytest.mark.parametrize(
    ("at", "seconds", "problem"),
    [
        ((0,), (1.0,), "at least two"),
        ((1, 2), (1.0, 2.0), "must run from 0"),
        ((0, 2), (2.0, 1.0), "must not fall"),
    ],
)
def test_a_table_that_is_no_distribution_is_refused(
    at: tuple[int, ...], seconds: tuple[float, ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        Quantiles(at, seconds)


@needs_data
def test_the_philly_tables_are_those_of_the_trace() -> None:
    jobs = load_trace(DATA / "philly" / "philly.csv").jobs
    assert len(jobs) == 82_247
    for number, table in enumerate(PHILLY.durations):
        sizes = [g for g, c in zip(PHILLY.gpus, PHILLY.classes, strict=True) if c == number]
        group = np.isin(jobs.gpus, sizes)
        assert quantile_table((jobs.duration_ms[group] / 1000).tolist(), TABLE_KNOTS) == table
    counts = [int((jobs.gpus == gpus).sum()) for gpus in PHILLY.gpus]
    assert counts == list(PHILLY.counts)


@needs_data
def test_the_alibaba_tables_are_those_of_the_trace() -> None:
    path = DATA / "alibaba-gpu-v2023" / "openb_pod_list_default.csv"
    trace = load_trace(path)
    assert trace.skipped == 1_088
    keys = list(zip(ALIBABA.gpus, ALIBABA.gpu_milli, ALIBABA.classes, strict=True))
    for number, table in enumerate(ALIBABA.durations):
        group = np.zeros(len(trace.jobs), dtype=bool)
        for gpus, milli, kind in keys:
            if kind == number:
                group |= (trace.jobs.gpus == gpus) & (trace.jobs.gpu_milli == milli)
        seconds = (trace.jobs.duration_ms[group] / 1000).tolist()
        assert quantile_table(seconds, TABLE_KNOTS) == table


@needs_data
def test_the_real_traces_are_read_whole_and_recognised() -> None:
    philly = load_trace(DATA / "philly" / "philly.csv")
    with (DATA / "philly" / "philly_vc_nodes.csv").open() as nodes:
        clusters = [row["vc"] for row in csv.DictReader(nodes)]
    assert philly.format == "philly" and set(clusters) <= set(philly.tenants)
    assert len(philly.select_tenant(clusters[0])) == int((philly.jobs.tenant == 1).sum())
    swf = load_trace(DATA / "swf-lublin" / "lublin_256.swf")
    assert (swf.format, len(swf.jobs), swf.skipped) == ("swf", 10_000, 0)
    assert (swf.jobs.submit_ms[0], swf.jobs.duration_ms[0], swf.jobs.gpus[0]) == (
        5_094_000,
        12_072_000,
        16,
    )
