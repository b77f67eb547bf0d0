"""Placement by packing on several resources, GPUs shared in thousandths.

A pod asks for CPU, memory and either a share of one GPU or whole GPUs, perhaps
of certain models only. A policy scores the nodes that can hold it; the highest
score wins and a tie goes to the node whose name sorts first. That rule is part
of every policy: scores are whole numbers, so ties are common and decide much.

Source of the policies and of the experiment in ``fleetlab.pack``: Weng et al.,
"Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
Gradient Descent", USENIX ATC 2023, and the rules its public simulator states.
Scores use only whole numbers and + - * /, so every platform decides alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fleetlab.policy.fragmentation import FragmentationGradient
from fleetlab.policy.pack_state import (
    WHOLE_MILLI,
    Allocation,
    Ints,
    Node,
    PackState,
    Pod,
    Refusal,
    Task,
)

__all__ = [
    "POLICIES",
    "Allocation",
    "Node",
    "PackState",
    "Packer",
    "Pod",
    "Refusal",
    "Task",
    "best_fit",
    "clustering",
    "dot_product",
    "packing",
]


# A policy's score of the candidate rows: whole numbers, the highest wins.
Score = Callable[[PackState, Pod, Ints], Ints]


def dot_product(state: PackState, pod: Pod, rows: Ints) -> Ints:
    """Return high scores where free and asked resources point apart (Tetris, reversed).

    Score 100 (1 - (a . r) / 2), a the free and r the asked CPU and GPU as shares of
    the largest node. After Grandl et al., SIGCOMM 2014, as used in Weng et al.
    """
    cpu, gpu = state.largest_cpu_milli, state.largest_gpu_milli
    dot = (state.cpu_free_milli[rows] / cpu) * (pod.cpu_milli / cpu)
    dot = dot + (state.total_free_milli[rows] / gpu) * (pod.total_milli / gpu)
    return (100.0 * (1.0 - dot / 2.0)).astype(np.int64)


def best_fit(state: PackState, pod: Pod, rows: Ints) -> Ints:
    """Return high scores where least CPU and GPU are left over.

    Score 100 (1 - mean of what is left, as shares of the largest node); the
    multi-resource best fit of Protean, as used in Weng et al.
    """
    cpu, gpu = state.largest_cpu_milli, state.largest_gpu_milli
    left = (state.cpu_free_milli[rows] - pod.cpu_milli) * gpu
    left += (state.total_free_milli[rows] - pod.total_milli) * cpu
    score: Ints = (200 * cpu * gpu - 100 * left) // (2 * cpu * gpu)
    return score


def packing(state: PackState, pod: Pod, rows: Ints) -> Ints:
    """Return high scores for GPUs in use, then used nodes, then idle ones (MLaaS, NSDI 2022).

    100 down to 50 by what is free on the tightest shared GPU; 50 less the idle
    GPUs taken on a used node; a third of 100 less the idle GPUs of an idle node.
    """
    if not pod.gpus:
        return np.zeros(len(rows), dtype=np.int64)
    idle = state.whole_free[rows]
    used_node = np.maximum(50 - pod.gpus, 33) * np.ones(len(rows), dtype=np.int64)
    if pod.shares:
        free = state.gpu_free_milli[rows]
        tightest = np.where(free >= pod.gpu_milli, free, WHOLE_MILLI).min(axis=1)
        used_node = np.where(tightest < WHOLE_MILLI, 100 - tightest // 100, used_node)
    return np.where(idle == state.gpus[rows], np.maximum(33 - idle, idle), used_node)


def clustering(state: PackState, pod: Pod, rows: Ints) -> Ints:
    """Return high scores where pods of the same size run (Gandiva, OSDI 2018).

    A quarter of 100 each: nodes of this size only, of this among others, idle
    ones, others; within a quarter fuller nodes first.
    """
    if not pod.gpus:
        return np.zeros(len(rows), dtype=np.int64)
    kinds = state.kinds[rows] > 0
    sizes = kinds.sum(axis=1)
    same = kinds[:, 0 if pod.shares else pod.gpus]
    quarter = np.where(same, np.where(sizes == 1, 75, 50), np.where(sizes == 0, 25, 0))
    most = state.largest_gpu_milli
    score: Ints = quarter + 25 * (most - state.total_free_milli[rows]) // most
    return score


POLICIES = ("random", "dotprod", "clustering", "packing", "bestfit", "fgd")
_SCORES: dict[str, Score] = {
    "dotprod": dot_product,
    "clustering": clustering,
    "packing": packing,
    "bestfit": best_fit,
}


class Packer:
    """A policy at work on a state: ``place`` decides, ``take`` and ``release`` book.

    ``tasks`` with their popularity are what "fgd" expects to come next (see
    ``typical_tasks``); ``ties`` is "name", or "random" to draw among equal scores
    (a rule that shows how much ties decide: it costs FGD its lead). Both draw
    from ``rng``.

    Raises ValueError when the policy is not known or lacks what it needs.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        policy: str,
        *,
        tasks: Sequence[tuple[Task, int]] = (),
        ties: str = "name",
        rng: np.random.Generator | None = None,
    ) -> None:
        if policy not in POLICIES:
            raise ValueError(f"no packing policy {policy!r}; choose from {', '.join(POLICIES)}")
        if ties not in ("name", "random"):
            raise ValueError(f"no tie rule {ties!r}; choose from name, random")
        if rng is None and "random" in (policy, ties):
            raise ValueError("random placement and random ties need a random generator")
        if policy == "fgd" and not tasks:
            raise ValueError("the policy fgd needs the typical tasks and their popularity")
        self.policy = policy
        self.ties = ties
        self.state = PackState(nodes)
        self._rng = rng
        self._gradient = FragmentationGradient(self.state, tasks) if policy == "fgd" else None

    def place(self, pod: Pod, within: int = 0) -> Allocation | Refusal:
        """Return where the policy puts the pod, or why no node can hold it; books nothing.

        ``within`` masks the rows that may be used (0: all).
        """
        state = self.state
        rows = state.candidates(pod)
        if within:
            rows = rows[[within >> row & 1 == 1 for row in rows.tolist()]]
        if not len(rows):
            return state.refuse(pod)
        if self.policy == "random":
            row = int(rows[self._draw(len(rows))])
        elif self._gradient is not None:
            scores, choices = self._gradient.score(pod.task)
            row = int(rows[self._best(scores[rows])])
            if pod.shares:
                return Allocation(pod, row, state.nodes[row].name, (int(choices[row]),))
        else:
            row = int(rows[self._best(_SCORES[self.policy](state, pod, rows))])
        return Allocation(pod, row, state.nodes[row].name, self._pick_gpus(pod, row))

    def take(self, allocation: Allocation) -> None:
        """Book what ``place`` returned."""
        self.state.take(allocation)

    def release(self, allocation: Allocation) -> None:
        """Give back what was booked."""
        self.state.release(allocation)

    def _draw(self, count: int) -> int:
        assert self._rng is not None  # the constructor saw to it
        return int(self._rng.integers(count))

    def _best(self, scores: Ints) -> int:
        if self.ties == "random":
            equals = np.flatnonzero(scores == scores.max())
            return int(equals[self._draw(len(equals))])
        # argmax returns the first of equals: the name that sorts first.
        return int(np.argmax(scores))

    def _pick_gpus(self, pod: Pod, row: int) -> tuple[int, ...]:
        """Return the idle GPUs of lowest number, or the tightest that can be shared."""
        free = self.state.gpu_free_milli[row].tolist()
        if not pod.shares:
            idle = [gpu for gpu, milli in enumerate(free) if milli == WHOLE_MILLI]
            return tuple(idle[: pod.gpus])
        fitting = [gpu for gpu, milli in enumerate(free) if milli >= pod.gpu_milli]
        if self.policy == "random":
            return (fitting[self._draw(len(fitting))],)
        return (min(fitting, key=lambda gpu: (free[gpu], gpu)),)
