"""What is free on every node, and what pods ask for: CPU, memory, GPUs in thousandths.

The state of packing. It decides nothing: ``fleetlab.policy.packing`` scores the
nodes; ``take`` and ``release`` book what was decided, so that a scheduler with
arrivals and departures can use it as well as an experiment without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
WHOLE_MILLI = 1000


@dataclass(frozen=True, order=True)
class Task:
    """The shape of a request: CPU in thousandths, GPUs, thousandths of each, models allowed."""

    cpu_milli: int
    gpus: int = 0
    gpu_milli: int = 0
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """A machine: its name, CPU in thousandths, memory in MiB, GPUs and their model."""

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    model: str = ""

    def __post_init__(self) -> None:
        for field in ("cpu_milli", "memory_mib", "gpus"):
            if getattr(self, field) < 0:
                raise ValueError(f"node {self.name}: {field} is {getattr(self, field)}, below 0")


@dataclass(frozen=True)
class Pod:
    """A request: ``gpus`` GPUs of ``gpu_milli`` thousandths each, on one of ``models`` if any.

    Raises ValueError when a number is negative or several GPUs are asked for in part.
    """

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int = 0
    gpu_milli: int = 0
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in ("cpu_milli", "memory_mib", "gpus", "gpu_milli"):
            if getattr(self, field) < 0:
                raise ValueError(f"pod {self.name}: {field} is {getattr(self, field)}, below 0")
        if self.gpus and not 0 < self.gpu_milli <= WHOLE_MILLI:
            raise ValueError(f"pod {self.name}: gpu_milli is {self.gpu_milli}, not 1 to 1000")
        if self.gpus > 1 and self.gpu_milli < WHOLE_MILLI:
            raise ValueError(
                f"pod {self.name}: asks for {self.gpus} GPUs in part; a pod shares one GPU only"
            )

    @property
    def shares(self) -> bool:
        """Return whether the pod takes a part of one GPU."""
        return self.gpus == 1 and self.gpu_milli < WHOLE_MILLI

    @property
    def total_milli(self) -> int:
        """Return the GPU thousandths asked for in all."""
        return self.gpus * self.gpu_milli

    @property
    def task(self) -> Task:
        """Return what fragmentation sees of the pod (memory plays no part in it)."""
        milli = self.gpu_milli if self.gpus else 0
        return Task(self.cpu_milli, self.gpus, milli, self.models)


@dataclass(frozen=True)
class Allocation:
    """Where a pod goes: the row of its node in the state and the GPUs it takes there."""

    pod: Pod
    row: int
    node: str
    gpus: tuple[int, ...]


@dataclass(frozen=True)
class Refusal:
    """Why no node can hold a pod: how many nodes fall short, by resource.

    A node short of several resources counts under each. ``too_far_apart``
    counts those with enough free GPU in all, but not in one place.
    """

    pod: Pod
    nodes: int
    short_of_model: int
    short_of_gpu: int
    short_of_cpu: int
    short_of_memory: int
    too_far_apart: int

    @property
    def reason(self) -> str:
        """Return the refusal as one sentence."""
        pod = self.pod
        if pod.shares:
            wish = f"{pod.gpu_milli}/1000 of one GPU"
        else:
            wish = f"{pod.gpus} whole GPU{'' if pod.gpus == 1 else 's'}"
        if pod.models:
            wish += " of model " + " or ".join(pod.models)
        short = [
            f"{count} have {what}"
            for count, what in (
                (self.short_of_model, "another model"),
                (self.short_of_gpu, "too little GPU free in one place"),
                (self.short_of_cpu, "too little CPU"),
                (self.short_of_memory, "too little memory"),
            )
            if count
        ]
        text = (
            f"needs {wish}, {pod.cpu_milli / 1000:g} CPU and {pod.memory_mib} MiB on one node; "
            f"of {self.nodes} nodes {', '.join(short) or 'none exists'}"
        )
        if self.too_far_apart:
            text += f"; in {self.too_far_apart} the free GPU would do if it were not in pieces"
        return text


class PackState:
    """What is free on every node, as columns; rows are nodes in order of their names.

    ``gpu_free_milli[row, gpu]`` (an absent GPU has none free), ``cpu_free_milli``,
    ``memory_free_mib``, and kept beside them: ``total_free_milli`` (a node's free
    GPU in all), ``largest_free_milli``, ``whole_free`` (GPUs that nobody uses),
    ``kinds[row, k]`` (pods by size: column 0 those that share, k those of k
    GPUs) and ``version`` (how often a row has changed, for caches).

    Raises ValueError when two nodes have one name.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(sorted(nodes, key=lambda node: node.name))
        count = len(self.nodes)
        if len({node.name for node in self.nodes}) < count:
            raise ValueError("nodes: two have the same name, so ties could not be broken")
        self.gpus = np.array([node.gpus for node in self.nodes], dtype=np.int64)
        widest = max(1, int(self.gpus.max(initial=1)))
        present = np.arange(widest) < self.gpus[:, None]
        self.gpu_free_milli: Ints = np.where(present, WHOLE_MILLI, 0).astype(np.int64)
        self.cpu_free_milli = np.array([node.cpu_milli for node in self.nodes], dtype=np.int64)
        self.memory_free_mib = np.array([node.memory_mib for node in self.nodes], dtype=np.int64)
        self.largest_cpu_milli = max(1, int(self.cpu_free_milli.max(initial=1)))
        self.largest_gpu_milli = widest * WHOLE_MILLI
        self.total_free_milli: Ints = self.gpu_free_milli.sum(axis=1)
        self.largest_free_milli: Ints = self.gpu_free_milli.max(axis=1, initial=0)
        self.whole_free: Ints = self.gpus.copy()
        self.kinds: Ints = np.zeros((count, widest + 1), dtype=np.int64)
        self.version: Ints = np.zeros(count, dtype=np.int64)
        self.models = tuple(node.model for node in self.nodes)
        self.capacity_milli = int(self.gpus.sum()) * WHOLE_MILLI
        self._model_masks: dict[tuple[str, ...], Flags] = {}

    @property
    def used_milli(self) -> int:
        """Return the GPU thousandths that are booked on all nodes."""
        return self.capacity_milli - int(self.total_free_milli.sum())

    def has_model(self, models: tuple[str, ...]) -> Flags:
        """Return, by row, whether a node's GPUs are of one of ``models`` (any, if empty)."""
        if models not in self._model_masks:
            mask = [not models or model in models for model in self.models]
            self._model_masks[models] = np.array(mask, dtype=np.bool_)
        return self._model_masks[models]

    def has_gpu(self, pod: Pod) -> Flags:
        """Return, by row, whether the GPUs the pod asks for are free in one place."""
        if pod.shares:
            return np.asarray(self.largest_free_milli >= pod.gpu_milli)
        return np.asarray(self.whole_free >= pod.gpus)

    def candidates(self, pod: Pod) -> Ints:
        """Return the rows of the nodes that can hold the pod, in order of name."""
        fits = self.has_gpu(pod)
        fits &= self.cpu_free_milli >= pod.cpu_milli
        fits &= self.memory_free_mib >= pod.memory_mib
        if pod.models:
            fits &= self.has_model(pod.models)
        return np.flatnonzero(fits)

    def refuse(self, pod: Pod) -> Refusal:
        """Return how many nodes fall short of the pod's request, and of what."""
        model = self.has_model(pod.models)
        gpu = self.has_gpu(pod)
        return Refusal(
            pod=pod,
            nodes=len(self.nodes),
            short_of_model=int((~model).sum()),
            short_of_gpu=int((~gpu).sum()),
            short_of_cpu=int((self.cpu_free_milli < pod.cpu_milli).sum()),
            short_of_memory=int((self.memory_free_mib < pod.memory_mib).sum()),
            too_far_apart=int((~gpu & model & (self.total_free_milli >= pod.total_milli)).sum()),
        )

    def take(self, allocation: Allocation) -> None:
        """Book an allocation. Raises ValueError when what it names is not free."""
        pod, row = allocation.pod, allocation.row
        gpus = list(allocation.gpus)
        if len(gpus) != pod.gpus or len(set(gpus)) != len(gpus):
            raise ValueError(f"{pod.name}: {len(gpus)} GPUs allocated, {pod.gpus} asked for")
        if (
            self.cpu_free_milli[row] < pod.cpu_milli
            or self.memory_free_mib[row] < pod.memory_mib
            or bool((self.gpu_free_milli[row, gpus] < pod.gpu_milli).any())
        ):
            raise ValueError(f"{pod.name}: {allocation.node} is not free as allocated")
        self._change(allocation, -1)

    def release(self, allocation: Allocation) -> None:
        """Give an allocation back. Raises ValueError when it was not booked."""
        pod, row = allocation.pod, allocation.row
        node = self.nodes[row]
        gpus = list(allocation.gpus)
        if (
            self.cpu_free_milli[row] + pod.cpu_milli > node.cpu_milli
            or self.memory_free_mib[row] + pod.memory_mib > node.memory_mib
            or bool((self.gpu_free_milli[row, gpus] + pod.gpu_milli > WHOLE_MILLI).any())
        ):
            raise ValueError(f"{pod.name}: released on {node.name}, where it was not booked")
        self._change(allocation, +1)

    def _change(self, allocation: Allocation, sign: int) -> None:
        pod, row = allocation.pod, allocation.row
        self.cpu_free_milli[row] += sign * pod.cpu_milli
        self.memory_free_mib[row] += sign * pod.memory_mib
        self.version[row] += 1
        if pod.gpus:
            free = self.gpu_free_milli[row]
            free[list(allocation.gpus)] += sign * pod.gpu_milli
            left = free.tolist()
            self.total_free_milli[row] = sum(left)
            self.largest_free_milli[row] = max(left)
            self.whole_free[row] = left.count(WHOLE_MILLI)
            self.kinds[row, 0 if pod.shares else pod.gpus] -= sign
