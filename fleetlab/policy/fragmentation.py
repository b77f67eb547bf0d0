"""Fragmentation of free GPU, and the policy that places where it grows least.

A free piece of GPU is a fragment to a task that cannot use it. Weighed by how
popular each task is, that gives a node's fragmentation; Fragmentation Gradient
Descent (FGD) puts each pod where fragmentation grows least.

Source: Weng et al., USENIX ATC 2023, sections 3.2 (measure) and 4.2 (policy).
Popularity is kept as whole counts, so that sums are exact on every platform.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from fleetlab.policy.pack_state import WHOLE_MILLI, Ints, PackState, Task


def fragmentation(
    cpu_free_milli: int,
    gpu_free_milli: Sequence[int],
    tasks: Iterable[tuple[Task, float]],
    model: str = "",
) -> float:
    """Return a node's expected fragmentation in GPU thousandths, over tasks and popularities.

    F = sum over tasks of p * (task fits ? free pieces smaller than it needs :
    all that is free). To a task that wants no GPU all free GPU is a fragment.
    Weng et al., section 3.2.
    """
    total = sum(gpu_free_milli)
    expected = 0.0
    for task, popularity in tasks:
        places = sum(free >= task.gpu_milli for free in gpu_free_milli)
        fits = (
            task.gpus > 0
            and cpu_free_milli >= task.cpu_milli
            and places >= task.gpus
            and (not task.models or model in task.models)
        )
        useless = sum(free for free in gpu_free_milli if free < task.gpu_milli) if fits else total
        expected += popularity * useless
    return expected


def typical_tasks(tasks: Iterable[Task], percent: int = 95) -> list[tuple[Task, int]]:
    """Return the most popular tasks with their counts, until they make up ``percent``.

    Most popular first; of equals the larger request first. Weng et al. take 95 %.
    """
    counts = sorted(
        (
            (count, task.cpu_milli, task.gpu_milli, task.gpus, task.models, task)
            for task, count in Counter(tasks).items()
        ),
        reverse=True,
    )
    wanted = percent * sum(row[0] for row in counts)
    chosen: list[tuple[Task, int]] = []
    reached = 0
    for count, *_, task in counts:
        if 100 * reached >= wanted:
            break
        reached += count
        chosen.append((task, count))
    return chosen


def _thresholds(popularity: int) -> Ints:
    """Return from which decrease (thousandths * popularity) on the score is 1, 2 ... 99.

    The score is floor(100 / (1 + e^(-decrease / 1000))). Its inverse, taken once by
    ``math.log``, keeps np.exp, which differs between platforms, out of decisions.
    """
    bounds = [1000.0 * math.log(score / (100 - score)) for score in range(1, 100)]
    return np.array([math.ceil(bound * popularity) for bound in bounds], dtype=np.int64)


class FragmentationGradient:
    """The FGD score of every node for a task, brought up to date only where nodes changed.

    A score is 50 where a placement leaves fragmentation as it is, more where it
    falls, less where it grows; for a task that shares a GPU the best GPU counts.
    """

    def __init__(self, state: PackState, tasks: Sequence[tuple[Task, int]]) -> None:
        self._state = state
        gpu_tasks = [(task, count) for task, count in tasks if task.gpus]
        self._cpu_weight = sum(count for task, count in tasks if not task.gpus)
        self._bounds = _thresholds(sum(count for _, count in tasks))
        self._cpu = np.array([task.cpu_milli for task, _ in gpu_tasks], dtype=np.int64)
        self._count = np.array([task.gpus for task, _ in gpu_tasks], dtype=np.int64)
        self._need = np.array([task.gpu_milli for task, _ in gpu_tasks], dtype=np.int64)
        self._weight = np.array([count for _, count in gpu_tasks], dtype=np.int64)
        rows = len(state.nodes)
        self._allowed = np.ones((rows, len(gpu_tasks)), dtype=np.bool_)
        for column, (task, _) in enumerate(gpu_tasks):
            self._allowed[:, column] = state.has_model(task.models)
        self._cache: dict[Task, tuple[Ints, Ints, Ints]] = {}

    def score(self, task: Task) -> tuple[Ints, Ints]:
        """Return by row the score of placing the task there, and the best GPU if it shares one.

        Rows that cannot hold the task have no meaning.
        """
        if task not in self._cache:
            rows = len(self._state.nodes)
            empty = np.zeros(rows, dtype=np.int64)
            self._cache[task] = (empty, empty.copy(), np.full(rows, -1, dtype=np.int64))
        scores, choices, seen = self._cache[task]
        stale = np.flatnonzero(seen != self._state.version)
        if len(stale):
            scores[stale], choices[stale] = self._evaluate(task, stale)
            seen[stale] = self._state.version[stale]
        return scores, choices

    def _weigh(self, low: Ints, places: Ints, total: Ints, cpu: Ints, rows: Ints) -> Ints:
        """Return fragmentation times popularity; tasks lie on the last axis of low and places."""
        fits = (places >= self._count) & ((cpu[:, None] >= self._cpu) & self._allowed[rows])
        useless = np.where(fits, low, total[:, None])
        return np.asarray(useless @ self._weight + self._cpu_weight * total)

    def _evaluate(self, task: Task, rows: Ints) -> tuple[Ints, Ints]:
        state = self._state
        free = state.gpu_free_milli[rows]
        total = state.total_free_milli[rows]
        cpu = state.cpu_free_milli[rows]
        below = free[:, :, None] < self._need
        small = np.where(below, free[:, :, None], 0)
        low = small.sum(axis=1)
        places = free.shape[1] - below.sum(axis=1)
        before = self._weigh(low, places, total, cpu, rows)
        cpu = cpu - task.cpu_milli
        no_choice = np.zeros(len(rows), dtype=np.int64)
        if not (task.gpus == 1 and task.gpu_milli < WHOLE_MILLI):
            after = self._weigh(low, places - task.gpus, total - task.gpus * WHOLE_MILLI, cpu, rows)
            return np.searchsorted(self._bounds, before - after, side="right"), no_choice
        best = np.full(len(rows), -1, dtype=np.int64)
        for gpu in range(free.shape[1]):
            left = free[:, gpu] - task.gpu_milli
            smaller = left[:, None] < self._need
            after = self._weigh(
                low - small[:, gpu] + np.where(smaller, left[:, None], 0),
                places - (smaller & ~below[:, gpu]),
                total - task.gpu_milli,
                cpu,
                rows,
            )
            score = np.searchsorted(self._bounds, before - after, side="right")
            better = (left >= 0) & (score > best)
            best[better] = score[better]
            no_choice[better] = gpu
        return best, no_choice
