"""The packing experiment: fill a cluster with shared GPUs until nothing more fits.

Follows Weng et al., USENIX ATC 2023, section 6.1, as their public simulator runs
it: the trace's pods arrive in random order, then pods drawn from the trace with
replacement, until the GPU asked for reaches ``demand`` times the capacity;
nothing departs; a pod that finds no node is dropped. The result is the share of
GPU that is allocated in the end. Ties of score go to the node whose name sorts
first, and as there, names are dealt to the nodes anew for each seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fleetlab.policy.fragmentation import typical_tasks
from fleetlab.policy.packing import Allocation, Node, Packer, Pod
from fleetlab.workloads.table import Source, TraceError, read_table

DEMAND = 1.3
_MOST = 10**9


@dataclass(frozen=True)
class PackResult:
    """What a run of the experiment allocated.

    ``allocated`` and ``asked`` are shares of the GPU capacity; ``pods`` arrived,
    ``placed`` found a node.
    """

    policy: str
    seed: int
    demand: float
    allocated: float
    asked: float
    pods: int
    placed: int


def read_nodes(source: Source, name: str = "nodes") -> list[Node]:
    """Return the nodes of a file with columns ``sn,cpu_milli,memory_mib,gpu,model``.

    Raises TraceError, one sentence naming file, line and column.
    """
    nodes: list[Node] = []
    for chunk in read_table(source, name, ("sn", "cpu_milli", "memory_mib", "gpu", "model")):
        names = chunk.text("sn")
        cpu = chunk.whole("cpu_milli", "CPU in thousandths", 0, _MOST)
        memory = chunk.whole("memory_mib", "memory in MiB", 0, _MOST)
        gpus = chunk.whole("gpu", "a number of GPUs", 0, 1024)
        models = chunk.text("model")
        rows = zip(names, cpu.tolist(), memory.tolist(), gpus.tolist(), models, strict=True)
        nodes += [Node(*row) for row in rows]
    if len({node.name for node in nodes}) < len(nodes):
        raise TraceError(f"{name}, column sn: two nodes have the same name; give each its own")
    if not any(node.gpus for node in nodes):
        raise TraceError(f"{name}, column gpu: no node has a GPU; there is nothing to allocate")
    return nodes


def read_pods(source: Source, name: str = "pods") -> list[Pod]:
    """Return the pods of a file with columns ``name,cpu_milli,memory_mib,num_gpu,gpu_milli``.

    A column ``gpu_spec``, if there is one, names the models allowed, between
    ``|``. Raises TraceError, one sentence naming file, line and column.
    """
    pods: list[Pod] = []
    wanted = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
    for chunk in read_table(source, name, wanted):
        names = chunk.text("name")
        cpu = chunk.whole("cpu_milli", "CPU in thousandths", 0, _MOST).tolist()
        memory = chunk.whole("memory_mib", "memory in MiB", 0, _MOST).tolist()
        gpus = chunk.whole("num_gpu", "a number of GPUs", 0, 1024).tolist()
        milli = chunk.whole("gpu_milli", "a share of a GPU in thousandths", 0, 1000).tolist()
        specs = chunk.text("gpu_spec") if "gpu_spec" in chunk.header else [""] * len(names)
        for row, spec in enumerate(specs):
            models = tuple(model.strip() for model in spec.split("|") if model.strip())
            try:
                pods.append(Pod(names[row], cpu[row], memory[row], gpus[row], milli[row], models))
            except ValueError as error:
                chunk.fail(row, "gpu_milli", f"{error}; correct or remove the line")
    if not any(pod.total_milli for pod in pods):
        raise TraceError(f"{name}, column num_gpu: no pod asks for a GPU; nothing can be allocated")
    return pods


def draw_workload(
    pods: Sequence[Pod], capacity_milli: int, demand: float, rng: np.random.Generator
) -> list[Pod]:
    """Return the pods in order of arrival, asking for at most ``demand`` of the capacity.

    The trace itself in random order, cut where it reaches the demand, then pods
    drawn with replacement until the next would exceed it.
    """
    limit = demand * capacity_milli
    order = np.argsort(rng.random(len(pods)), kind="stable").tolist()
    arrived: list[Pod] = []
    asked = 0
    while True:
        at = order[len(arrived)] if len(arrived) < len(pods) else int(rng.integers(len(pods)))
        asked += pods[at].total_milli
        if asked > limit:
            return arrived
        arrived.append(pods[at])


def deal_names(nodes: Sequence[Node], rng: np.random.Generator) -> list[Node]:
    """Return the nodes with a number before each name, dealt at random: the order of ties."""
    numbers = np.argsort(rng.random(len(nodes)), kind="stable").tolist()
    digits = len(str(len(nodes)))
    return [
        replace(node, name=f"{number:0{digits}d}-{node.name}")
        for node, number in zip(nodes, numbers, strict=True)
    ]


def run_pack(
    nodes: Sequence[Node],
    pods: Sequence[Pod],
    policy: str,
    demand: float = DEMAND,
    seed: int = 0,
    *,
    ties: str = "name",
    progress: Callable[[int, int], None] | None = None,
) -> PackResult:
    """Return what a policy allocates of the nodes' GPU when pods arrive until ``demand``.

    ``progress(pods_done, pods)`` is told after every 200 pods. Raises ValueError
    when there is no GPU, no pod asks for one, or ``demand`` is not in (0, 100].
    """
    if not 0 < demand <= 100:
        raise ValueError(f"demand is {demand}, not above 0 and at most 100 times the capacity")
    capacity_milli = 1000 * sum(node.gpus for node in nodes)
    if not capacity_milli or not any(pod.total_milli for pod in pods):
        raise ValueError("nothing to allocate: nodes need GPUs and pods need to ask for them")
    rng = np.random.default_rng(seed)
    arrivals = draw_workload(pods, capacity_milli, demand, rng)
    tasks = typical_tasks(pod.task for pod in pods)
    packer = Packer(deal_names(nodes, rng), policy, tasks=tasks, ties=ties, rng=rng)
    placed = 0
    for done, pod in enumerate(arrivals, 1):
        decision = packer.place(pod)
        if isinstance(decision, Allocation):
            packer.take(decision)
            placed += 1
        if progress is not None and done % 200 == 0:
            progress(done, len(arrivals))
    return PackResult(
        policy=policy,
        seed=seed,
        demand=demand,
        allocated=packer.state.used_milli / capacity_milli,
        asked=sum(pod.total_milli for pod in arrivals) / capacity_milli,
        pods=len(arrivals),
        placed=placed,
    )
