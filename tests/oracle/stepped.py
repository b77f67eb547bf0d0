"""A scheduler that preempts, written from the definitions: it looks again every millisecond.

One pool of equal GPUs, no backfill. Slow and plain on purpose: nothing is predicted, no
event is kept, every job's work is counted ms by ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass
class Task:
    """A job under way: what it asks for and where it stands."""

    number: int
    submit: int
    duration: int
    gpus: int
    priority: int
    left: int
    unsaved: int = 0
    setup: int = 0
    served: int = 0
    start: int = -1
    end: int = -1


Standing = Callable[[Task], int]
"""Lower is served first, and may evict what is strictly higher."""


def by_priority(task: Task) -> int:
    return -task.priority


def by_remaining(task: Task) -> int:
    return task.left


def by_service(thresholds: Sequence[int]) -> Standing:
    return lambda task: sum(task.served >= threshold for threshold in thresholds)


def simulate(
    rows: Sequence[tuple[int, int, int, int]],
    gpus: int,
    standing: Standing,
    interval: int,
    restart: int,
) -> tuple[list[int], list[int]]:
    """Return the first start and the end of every (submit, duration, GPUs, priority).

    Work is saved after every ``interval`` ms of it (0: never), at no cost; who was evicted
    first spends ``restart``.
    """
    tasks = [Task(i, s, d, g, p, d) for i, (s, d, g, p) in enumerate(rows)]
    waiting: list[Task] = []
    running: list[Task] = []
    now = 0
    while any(task.end < 0 for task in tasks):
        waiting += [task for task in tasks if task.submit == now]
        while True:
            for task in [t for t in running if not t.left and not t.setup]:
                task.end = now
                running.remove(task)
            _pass(waiting, running, gpus, standing, restart, now)
            if all(task.left or task.setup for task in running):
                break
        for task in running:
            task.served += task.gpus
            if task.setup:
                task.setup -= 1
                continue
            task.left -= 1
            task.unsaved += 1
            if task.unsaved == interval:
                task.unsaved = 0
        now += 1
    return [task.start for task in tasks], [task.end for task in tasks]


def _pass(
    waiting: list[Task],
    running: list[Task],
    gpus: int,
    standing: Standing,
    restart: int,
    now: int,
) -> None:
    while waiting:
        head = min(waiting, key=lambda t: (standing(t), t.submit, t.number))
        free = gpus - sum(task.gpus for task in running)
        victims = _victims(head, running, free, standing, restart)
        if victims is None:
            return
        for victim in victims:
            running.remove(victim)
            victim.left += victim.unsaved
            victim.unsaved, victim.setup = 0, restart
            waiting.append(victim)
        waiting.remove(head)
        running.append(head)
        head.start = now if head.start < 0 else head.start


def _victims(
    head: Task, running: list[Task], free: int, standing: Standing, restart: int
) -> list[Task] | None:
    """Return whom to evict for ``head``: the cheapest first, then spared from the dearest on."""
    chosen: list[Task] = []
    own = standing(head)
    for task in sorted(running, key=lambda t: ((t.unsaved + restart) * t.gpus, t.number)):
        if free >= head.gpus:
            break
        if own < standing(task):
            chosen.append(task)
            free += task.gpus
    if free < head.gpus:
        return None
    for task in reversed(chosen.copy()):
        if free - task.gpus >= head.gpus:
            chosen.remove(task)
            free -= task.gpus
    return chosen
