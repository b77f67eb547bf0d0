"""Work spread over the processes of this machine or over a Dask cluster.

Both are executors of the standard library's kind; no scheduler for them is written
here. A worker that dies loses no result: what it was at is tried again, at last
alone, so that a task which kills every worker it meets is found and named.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_DEATHS = 3
"""A task that was at work when so many workers died is given up; the last time it is alone."""

_LOOK_EVERY_S = 5.0


@dataclass(frozen=True)
class Failure:
    """Why a task has no result, in one sentence."""

    sentence: str


class Pool(Protocol):
    """Where work is done: an executor at a time, and how many tasks it is given at once."""

    def open(self, alone: bool) -> tuple[Executor, int]:
        """Return an executor and how many tasks to have under way (one, if ``alone``)."""

    def close(self, executor: Executor, cut_short: bool) -> None:
        """End what ``open`` returned; ``cut_short`` does not wait for tasks under way."""

    def deserted(self) -> bool:
        """Return whether nobody is left who would do what is under way."""

    def leave(self) -> None:
        """Have no more work."""

    def killed(self, error: BaseException) -> bool:
        """Return whether ``error`` says that workers died, time and again, under the task."""


@dataclass
class Processes:
    """``count`` processes of this machine (None: one a processor), started afresh."""

    count: int | None = None
    _others: set[BaseProcess] = field(default_factory=set)

    def open(self, alone: bool) -> tuple[Executor, int]:
        """Return a pool of new processes."""
        count = 1 if alone else self.count or os.cpu_count() or 1
        self._others = set(multiprocessing.active_children())
        executor = ProcessPoolExecutor(
            count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_worker
        )
        return executor, count

    def close(self, executor: Executor, cut_short: bool) -> None:
        """Let the processes end, or end them."""
        ours = set(multiprocessing.active_children()) - self._others
        executor.shutdown(wait=not cut_short, cancel_futures=True)
        if cut_short:
            for process in ours:
                process.terminate()

    def deserted(self) -> bool:
        """Return False: a pool without processes breaks, and is opened afresh."""
        return False

    def leave(self) -> None:
        """Do nothing: every pool of processes has ended."""

    def killed(self, error: BaseException) -> bool:
        """Return False: a pool of processes breaks as a whole."""
        return False


class Dask:
    """A Dask cluster by the address of its scheduler, through Dask's own executor interface.

    Dask tries a task whose worker died on other workers by itself. The cluster may be
    without any worker for ``timeout_s``. Raises ValueError, in one sentence, when
    ``distributed`` is not installed or nobody answers.
    """

    def __init__(self, address: str, timeout_s: float = 60.0) -> None:
        try:
            from distributed import Client
            from distributed.scheduler import KilledWorker
        except ImportError:
            raise ValueError(
                "--dask: the package distributed is not installed; install dask[distributed]"
            ) from None
        self._killed: type[BaseException] = KilledWorker
        self._timeout_s = timeout_s
        self._deserted_since_s: float | None = None
        try:
            self._client: Any = Client(address, timeout=timeout_s, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ValueError(f"--dask: no scheduler answers at {address} ({reason})") from None
        try:
            self._client.wait_for_workers(1, timeout=timeout_s)
        except TimeoutError:
            self._client.close()
            raise ValueError(
                f"--dask: the scheduler at {address} has no worker; start one"
            ) from None

    def open(self, alone: bool) -> tuple[Executor, int]:
        """Return Dask's executor; two tasks a thread keep its workers busy."""
        threads = sum(self._client.nthreads().values())
        # not pure: a Scenario tried again is a task of its own
        return self._client.get_executor(pure=False), 1 if alone else max(2, 2 * threads)

    def close(self, executor: Executor, cut_short: bool) -> None:
        """Let go of what is not done."""
        executor.shutdown(wait=not cut_short)

    def deserted(self) -> bool:
        """Return whether the cluster has had no worker for too long."""
        try:
            threads = self._client.nthreads()
        except OSError:
            return True
        if threads:
            self._deserted_since_s = None
            return False
        now_s = time.monotonic()
        if self._deserted_since_s is None:
            self._deserted_since_s = now_s
        return now_s - self._deserted_since_s >= self._timeout_s

    def leave(self) -> None:
        """Leave the cluster; its workers go on living."""
        self._client.close()

    def killed(self, error: BaseException) -> bool:
        """Return whether Dask gave the task up, for workers died wherever it was.

        Tasks that were beside it on those workers are given up with it.
        """
        return isinstance(error, self._killed)


@dataclass
class _Round(Generic[Task]):
    """Tasks under way in one executor.

    ``lost`` are those that the death of the whole pool took along, ``killed`` those
    that a cluster gave up.
    """

    executor: Executor
    width: int
    under_way: dict[Future[Any], int] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)

    def fill(self, work: Callable[[Task], Any], tasks: Sequence[Task], queue: deque[int]) -> None:
        while queue and len(self.under_way) < self.width and not self.lost:
            try:
                future = self.executor.submit(work, tasks[queue[0]])
            except BrokenExecutor:
                if not self.under_way:
                    self.lost.append(queue.popleft())
                return
            self.under_way[future] = queue.popleft()

    def collect(self, pool: Pool) -> Iterator[tuple[int, Any]]:
        """Yield what has come back; note what died."""
        done, _ = wait(self.under_way, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        if not done and self.under_way and pool.deserted():
            raise ConnectionError("the cluster has no worker left")
        for future in done:
            number = self.under_way.pop(future)
            try:
                yield number, future.result()
            except BrokenExecutor:
                self.lost.append(number)
            except CancelledError:
                raise ConnectionError("the cluster went away") from None
            except Exception as error:
                if pool.killed(error):
                    self.killed.append(number)
                else:
                    sentence = f"{type(error).__name__}: {' '.join(str(error).split())}"
                    yield number, Failure(sentence)


def spread(
    work: Callable[[Task], Result], tasks: Sequence[Task], pool: Pool
) -> Generator[tuple[int, Result | Failure], None, None]:
    """Yield (number of the task, its result or Failure) as results come.

    ``work`` must be a function that a fresh process can import. Closing the iterator
    ends the work under way. Raises ConnectionError when a cluster is lost.
    """
    queue, alone = deque(range(len(tasks))), deque[int]()
    deaths: Counter[int] = Counter()
    try:
        while queue or alone:
            source = queue or alone
            now: _Round[Task] = _Round(*pool.open(alone=source is alone))
            cut_short = True
            try:
                while now.under_way or (source and not now.lost):
                    now.fill(work, tasks, source)
                    yield from now.collect(pool)
                cut_short = False
            finally:
                pool.close(now.executor, cut_short)
            for number in sorted((*now.lost, *now.killed), reverse=True):
                deaths[number] += 1
                if number in now.killed:
                    deaths[number] = max(deaths[number], MOST_DEATHS - 1)
                if source is alone or deaths[number] >= MOST_DEATHS:
                    yield number, Failure("its worker died whenever it was tried, at last alone")
                else:
                    again = queue if deaths[number] < MOST_DEATHS - 1 else alone
                    again.appendleft(number)
    finally:
        pool.leave()


def _begin_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end when that one has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
