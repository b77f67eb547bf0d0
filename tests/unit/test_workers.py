"""Work over processes and over a Dask cluster: nothing is lost when a worker dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from fleetlab.cli import main
from fleetlab.sweeps.sweep import Grid, measure
from fleetlab.sweeps.workers import Dask, Failure, Pool, Processes, spread
from tests.tasks import obey

HARMLESS = [f"task {number}" for number in range(6)]


def results(tasks: list[str], pool: Pool) -> dict[int, str | Failure]:
    found: dict[int, str | Failure] = {}
    for number, result in spread(obey, tasks, pool):
        assert number not in found, "a task came back twice"
        found[number] = result
    return found


def test_every_task_comes_back_once_under_its_number() -> None:
    found = results(HARMLESS, Processes(2))
    assert found == {number: task.upper() for number, task in enumerate(HARMLESS)}


def test_no_task_is_no_work() -> None:
    assert results([], Processes(2)) == {}


def test_a_task_that_raises_is_a_failure_in_one_line_and_the_rest_goes_on() -> None:
    found = results(["raise", *HARMLESS], Processes(2))
    assert found[0] == Failure("ValueError: this task has no result")
    assert len(found) == 7


def test_a_worker_that_dies_loses_no_result(tmp_path: Path) -> None:
    tasks = [*HARMLESS[:3], f"die once {tmp_path / 'mark'}", *HARMLESS[3:]]
    found = results(tasks, Processes(2))
    assert found == {number: task.upper() for number, task in enumerate(tasks)}
    assert (tmp_path / "mark").exists()


def test_a_task_that_kills_its_worker_three_times_is_named_and_no_other_is() -> None:
    found = results(["die", *HARMLESS], Processes(3))
    assert found[0] == Failure("its worker died whenever it was tried, at last alone")
    assert [found[number] for number in range(1, 7)] == [task.upper() for task in HARMLESS]


def test_two_killers_at_once_are_told_from_those_that_were_at_work_beside_them() -> None:
    found = results(["die", HARMLESS[0], "die", HARMLESS[1]], Processes(4))
    assert [type(found[number]) for number in range(4)] == [Failure, str, Failure, str]


def test_work_that_is_no_longer_wanted_leaves_no_process_behind() -> None:
    before = set(multiprocessing.active_children())
    work = spread(obey, HARMLESS, Processes(2))
    next(work)
    work.close()
    for process in set(multiprocessing.active_children()) - before:
        process.join()
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid or 0, 0)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1"
    ) as cluster:
        yield cluster


def test_a_dask_cluster_gives_the_rows_that_this_process_does(cluster: Any) -> None:
    scenarios = Grid.parse('scenario = "track=titan&jobs=200"\nseeds = 4').scenarios
    found = dict(spread(measure, scenarios, Dask(cluster.scheduler_address)))
    assert found == {number: measure(scenario) for number, scenario in enumerate(scenarios)}


def test_the_sweep_command_runs_on_a_cluster_as_it_does_on_processes(
    cluster: Any, tmp_path: Path
) -> None:
    (tmp_path / "grid.toml").write_text('scenario = "track=titan&jobs=200"\nseeds = 3\n')
    tables = []
    for where in (["--dask", cluster.scheduler_address], ["--workers", "1"]):
        out = tmp_path / f"{where[0]}.csv"
        assert main(["sweep", str(tmp_path / "grid.toml"), "-o", str(out), *where]) == 0
        tables.append(out.read_text())
    assert tables[0] == tables[1]
    assert tables[0].count("\n") == 4


def test_a_dask_worker_killed_in_the_middle_loses_no_row(cluster: Any) -> None:
    scenarios = Grid.parse('scenario = "track=titan&jobs=2000"\nseeds = 10').scenarios
    victim = next(iter(cluster.workers.values())).pid
    found = {}
    for number, row in spread(measure, scenarios, Dask(cluster.scheduler_address)):
        if not found:
            os.kill(victim, signal.SIGKILL)
        found[number] = row
    assert sorted(found) == list(range(10))
    assert not any(isinstance(row, Failure) for row in found.values())


def test_a_scheduler_without_a_worker_is_refused_and_not_waited_for_for_ever() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", host="127.0.0.1") as empty,
        pytest.raises(ValueError, match="has no worker; start one"),
    ):
        Dask(empty.scheduler_address, timeout_s=0.5)


def test_an_address_at_which_nobody_answers_is_one_sentence() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match="--dask: no scheduler answers at tcp:"):
        Dask("tcp://127.0.0.1:9", timeout_s=0.2)
    with pytest.raises(ValueError, match="--dask: no scheduler answers at nonsense:"):
        Dask("nonsense://x", timeout_s=0.2)


def test_a_task_that_kills_every_dask_worker_is_named_and_none_beside_it() -> None:
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    # no second try by Dask itself: what lay on a dead worker comes back at once, guilty or not
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
        ) as cluster,
    ):
        found = results(["die", *HARMLESS], Dask(cluster.scheduler_address))
    assert found[0] == Failure("its worker died whenever it was tried, at last alone")
    assert [found[number] for number in range(1, 7)] == [task.upper() for task in HARMLESS]


class Deserted:
    """A cluster that takes tasks and has nobody who does them."""

    def __init__(self) -> None:
        self.left = False

    def open(self, alone: bool) -> tuple[Executor, int]:
        return _Idle(), 2

    def close(self, executor: Executor, cut_short: bool) -> None:
        assert cut_short

    def deserted(self) -> bool:
        return True

    def leave(self) -> None:
        self.left = True

    def killed(self, error: BaseException) -> bool:
        return False


class _Idle(Executor):
    def submit(self, *_: Any, **__: Any) -> Future[Any]:  # type: ignore[override]
        return Future()


def test_a_cluster_without_workers_is_given_up_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetlab.sweeps.workers._LOOK_EVERY_S", 0.0)
    pool = Deserted()
    with pytest.raises(ConnectionError, match="the cluster has no worker left"):
        results(HARMLESS, pool)
    assert pool.left
