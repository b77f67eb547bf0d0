"""Packing: nodes small enough to check by hand, and the reason of every refusal."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab import pack
from fleetlab.policy.fragmentation import FragmentationGradient, fragmentation, typical_tasks
from fleetlab.policy.packing import (
    POLICIES,
    Allocation,
    Node,
    Packer,
    PackState,
    Pod,
    Refusal,
    Task,
    best_fit,
    clustering,
    dot_product,
    packing,
)
from fleetlab.workloads.table import TraceError

CPU, MEMORY = 64_000, 262_144


def node(name: str, gpus: int = 2, cpu: int = CPU, memory: int = MEMORY, model: str = "") -> Node:
    return Node(name, cpu, memory, gpus, model)


def share(milli: int, cpu: int = 1_000) -> Pod:
    return Pod(f"share-{milli}", cpu, 1_024, 1, milli)


def whole(gpus: int, cpu: int = 1_000, models: tuple[str, ...] = ()) -> Pod:
    return Pod(f"whole-{gpus}", cpu, 1_024, gpus, 1000 if gpus else 0, models)


def packer(policy: str, nodes: list[Node], seed: int = 0, ties: str = "name") -> Packer:
    tasks = [(Task(1_000, 1, 500), 1), (Task(1_000, 1, 1000), 1)]
    return Packer(nodes, policy, tasks=tasks, ties=ties, rng=np.random.default_rng(seed))


def put(packed: Packer, pod: Pod) -> Allocation:
    decision = packed.place(pod)
    assert isinstance(decision, Allocation)
    packed.take(decision)
    return decision


def refusal(packed: Packer, pod: Pod) -> Refusal:
    decision = packed.place(pod)
    assert isinstance(decision, Refusal)
    return decision


# Fragmentation ----------------------------------------------------------------


def test_all_free_gpu_is_a_fragment_to_a_task_that_lacks_cpu() -> None:
    task = Task(6_000, 1, 465)
    value = fragmentation(1_000, [200, 1000, 1000, 500], [(task, 0.0933)])
    assert value == pytest.approx(251.91, abs=0.005)


def test_only_pieces_too_small_are_fragments_to_a_task_that_fits() -> None:
    task = Task(1_000, 1, 465)
    assert fragmentation(1_000, [200, 1000, 1000, 500], [(task, 1.0)]) == 200
    assert fragmentation(1_000, [200, 1000, 1000, 500], [(Task(1_000, 2, 1000), 1.0)]) == 700
    assert fragmentation(1_000, [200, 1000, 1000, 500], [(Task(1_000, 3, 1000), 1.0)]) == 2700


def test_all_free_gpu_is_a_fragment_to_a_task_without_gpu_and_to_one_of_another_model() -> None:
    assert fragmentation(1_000, [300, 1000], [(Task(500), 0.5)]) == 650
    picky = Task(500, 1, 100, ("V100",))
    assert fragmentation(1_000, [300, 1000], [(picky, 1.0)], model="T4") == 1300
    assert fragmentation(1_000, [300, 1000], [(picky, 1.0)], model="V100") == 0


def test_typical_tasks_are_the_most_popular_until_their_share_is_reached() -> None:
    common, rare, rarest = Task(1, 1, 500), Task(2, 1, 500), Task(3, 1, 500)
    pods = [common] * 90 + [rare] * 6 + [rarest] * 4
    assert typical_tasks(pods) == [(common, 90), (rare, 6)]
    assert typical_tasks(pods, percent=100) == [(common, 90), (rare, 6), (rarest, 4)]
    assert typical_tasks(pods, percent=90) == [(common, 90)]


def test_the_gradient_of_a_placement_is_the_sigmoid_of_how_fragmentation_falls() -> None:
    tasks = [(Task(1_000, 1, 500), 3), (Task(1_000, 1, 1000), 1)]
    state = PackState([node("a")])
    scores, gpus = FragmentationGradient(state, tasks).score(Task(1_000, 1, 500))
    # Before: nothing is a fragment. After: the half left on one GPU is one to the
    # whole-GPU task, a quarter of the tasks: 0.25 * 500. 100 / (1 + e^0.125) = 46.9.
    assert scores.tolist() == [46]
    assert gpus.tolist() == [0]


# Placement --------------------------------------------------------------------


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "random"])
def test_equal_nodes_tie_and_the_name_that_sorts_first_wins(policy: str) -> None:
    nodes = [node("c"), node("a"), node("b")]
    assert put(packer(policy, nodes), share(500)).node == "a"
    assert put(packer(policy, nodes), whole(1)).node == "a"
    assert put(packer(policy, nodes), whole(0)).node == "a"


def test_random_ties_are_drawn_from_the_equals_only() -> None:
    nodes = [node("a"), node("b"), node("small", gpus=1)]
    chosen = {
        put(packer("bestfit", nodes, seed, ties="random"), whole(2)).node for seed in range(9)
    }
    assert chosen == {"a", "b"}


def test_random_placement_reaches_every_node_and_gpu_that_fits_and_no_other() -> None:
    nodes = [node("a"), node("b"), node("none", gpus=0)]
    chosen = {
        (at.node, at.gpus) for at in (put(packer("random", nodes, s), share(1)) for s in range(60))
    }
    assert chosen == {("a", (0,)), ("a", (1,)), ("b", (0,)), ("b", (1,))}


def test_a_share_goes_to_the_tightest_gpu_that_can_hold_it() -> None:
    packed = packer("bestfit", [node("a", gpus=3)])
    assert put(packed, share(700)).gpus == (0,)
    assert put(packed, share(600)).gpus == (1,)
    assert put(packed, share(250)).gpus == (0,)
    assert put(packed, share(300)).gpus == (1,)


def test_whole_gpus_are_the_idle_ones_of_lowest_number() -> None:
    packed = packer("bestfit", [node("a", gpus=4)])
    put(packed, share(100))
    assert put(packed, whole(2)).gpus == (1, 2)


def test_best_fit_prefers_the_node_with_least_left_over() -> None:
    state = PackState([node("a", gpus=8), node("b", gpus=2)])
    rows = state.candidates(whole(1, cpu=32_000))
    # a: half of CPU and 7/8 of GPU left, b: half and 1/8; the mean of each off 100.
    assert best_fit(state, whole(1, cpu=32_000), rows).tolist() == [31, 68]


def test_dot_product_prefers_the_node_whose_free_resources_resemble_the_request_least() -> None:
    state = PackState([node("a", gpus=8), node("b", gpus=2)])
    pod = whole(2, cpu=32_000)
    # a: 1 * 1/2 + 1 * 1/4 = 0.75; b: 1 * 1/2 + 1/4 * 1/4 = 0.5625; half off 100.
    assert dot_product(state, pod, state.candidates(pod)).tolist() == [62, 71]


def test_packing_prefers_shared_gpus_then_used_nodes_then_small_idle_ones() -> None:
    packed = packer("packing", [node("a", gpus=8), node("b", gpus=2), node("c", gpus=2)])
    assert put(packed, share(400)).node == "b"
    state = packed.state
    # a idle: 33 - 8; b shares the GPU that has 600 free: 100 - 6; c idle: 33 - 2.
    assert packing(state, share(500), state.candidates(share(500))).tolist() == [25, 94, 31]
    # 700 do not fit beside 400, so b must open its second GPU: 50 - 1.
    assert packing(state, share(700), state.candidates(share(700))).tolist() == [25, 49, 31]


def test_clustering_prefers_nodes_that_run_pods_of_the_same_size() -> None:
    packed = packer("clustering", [node("a"), node("b"), node("c"), node("d")])
    for name, pods in (("a", [share(500)]), ("b", [whole(1)]), ("c", [share(500), whole(1)])):
        row = [n.name for n in packed.state.nodes].index(name)
        for gpu, pod in enumerate(pods):
            packed.take(Allocation(pod, row, name, (gpu,)))
    state = packed.state
    rows = np.arange(4)
    # a: only shares, 500 of 2000 used; b: only others; c: mixed; d: idle.
    assert clustering(state, share(100), rows).tolist() == [75 + 6, 12, 50 + 18, 25]


def test_fgd_fills_the_gpu_whose_rest_is_useless_to_the_whole_gpu_task() -> None:
    packed = packer("fgd", [node("a"), node("b")])
    assert put(packed, share(500)).node == "a"
    assert put(packed, share(500)).gpus == (0,)
    assert packed.state.gpu_free_milli[0].tolist() == [0, 1000]


def test_a_cached_score_follows_departures() -> None:
    tasks = [(Task(1_000, 1, 500), 3), (Task(1_000, 1, 1000), 1)]
    state = PackState([node("a"), node("b")])
    gradient = FragmentationGradient(state, tasks)
    idle = gradient.score(Task(1_000, 1, 500))[0].tolist()
    booked = Allocation(share(700), 1, "b", (0,))
    state.take(booked)
    # b: 300 are a fragment to both tasks (300); with 500 more gone from the other
    # GPU the quarter that wants a whole one loses all 800: 0.75 * 300 + 200 = 425.
    assert gradient.score(Task(1_000, 1, 500))[0].tolist() == [idle[0], 46]
    state.release(booked)
    assert gradient.score(Task(1_000, 1, 500))[0].tolist() == idle


# Refusals ---------------------------------------------------------------------


def test_a_refusal_counts_the_nodes_short_of_each_resource() -> None:
    nodes = [
        node("cpu", gpus=8, cpu=1_000),
        node("gpu", gpus=1),
        node("memory", gpus=8, memory=16),
        node("model", gpus=8, model="T4"),
    ]
    nodes = [Node(n.name, n.cpu_milli, n.memory_mib, n.gpus, n.model or "V100") for n in nodes]
    refused = refusal(packer("bestfit", nodes), Pod("p", 2_000, 1_024, 4, 1000, ("V100",)))
    assert (refused.short_of_cpu, refused.short_of_gpu) == (1, 1)
    assert (refused.short_of_memory, refused.short_of_model) == (1, 1)
    assert refused.reason == (
        "needs 4 whole GPUs of model V100, 2 CPU and 1024 MiB on one node; of 4 nodes "
        "1 have another model, 1 have too little GPU free in one place, "
        "1 have too little CPU, 1 have too little memory"
    )


def test_free_gpu_in_pieces_refuses_a_whole_gpu_and_the_reason_says_so() -> None:
    packed = packer("bestfit", [node("a")])
    packed.take(Allocation(share(500), 0, "a", (0,)))
    packed.take(Allocation(share(500), 0, "a", (1,)))
    refused = refusal(packed, whole(1))
    assert (refused.short_of_gpu, refused.too_far_apart) == (1, 1)
    assert refused.reason.endswith("in 1 the free GPU would do if it were not in pieces")
    refused = refusal(packed, share(600))
    assert refused.reason.startswith("needs 600/1000 of one GPU, 1 CPU")


# Booking ----------------------------------------------------------------------


def test_release_gives_back_exactly_what_take_booked() -> None:
    packed = packer("clustering", [node("a"), node("b")])
    before = packed.state.gpu_free_milli.copy()
    booked = [put(packed, pod) for pod in (share(300), whole(1), whole(0), share(700))]
    assert packed.state.used_milli == 2_000
    for allocation in booked:
        packed.release(allocation)
    state = packed.state
    assert (state.gpu_free_milli == before).all() and state.used_milli == 0
    assert state.cpu_free_milli.tolist() == [CPU, CPU]
    assert state.memory_free_mib.tolist() == [MEMORY, MEMORY]
    assert state.whole_free.tolist() == [2, 2] and not state.kinds.any()


def test_what_is_not_free_cannot_be_taken_and_what_is_not_booked_cannot_be_released() -> None:
    state = PackState([node("a", gpus=1)])
    booked = Allocation(share(600), 0, "a", (0,))
    state.take(booked)
    with pytest.raises(ValueError, match="share-600: a is not free as allocated"):
        state.take(booked)
    state.release(booked)
    with pytest.raises(ValueError, match="released on a, where it was not booked"):
        state.release(booked)
    with pytest.raises(ValueError, match="1 GPUs allocated, 2 asked for"):
        state.take(Allocation(whole(2), 0, "a", (0,)))


def test_impossible_requests_and_settings_are_refused_when_they_are_made() -> None:
    with pytest.raises(ValueError, match="asks for 2 GPUs in part; a pod shares one GPU only"):
        Pod("p", 1, 1, 2, 500)
    with pytest.raises(ValueError, match="gpu_milli is 0, not 1 to 1000"):
        Pod("p", 1, 1, 1, 0)
    with pytest.raises(ValueError, match="cpu_milli is -1, below 0"):
        Pod("p", -1, 1)
    with pytest.raises(ValueError, match="node n: gpus is -1, below 0"):
        Node("n", 1, 1, -1)
    with pytest.raises(ValueError, match="two have the same name"):
        PackState([node("a"), node("a")])
    with pytest.raises(ValueError, match="no packing policy 'magic'; choose from random, dotprod"):
        packer("magic", [node("a")])
    with pytest.raises(ValueError, match="no tie rule 'coin'"):
        packer("fgd", [node("a")], ties="coin")
    with pytest.raises(ValueError, match="fgd needs the typical tasks"):
        Packer([node("a")], "fgd")
    with pytest.raises(ValueError, match="need a random generator"):
        Packer([node("a")], "random")


# The experiment ---------------------------------------------------------------

NODES = b"sn,cpu_milli,memory_mib,gpu,model\nn1,64000,262144,2,T4\nn2,64000,262144,2,T4\n"
PODS = (
    b"name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"
    b"p1,1000,1024,1,500,\np2,1000,1024,1,1000,T4|V100\np3,1000,1024,0,0,\n"
)


def test_nodes_and_pods_are_read_from_the_columns_of_the_trace() -> None:
    assert pack.read_nodes(NODES)[1] == Node("n2", 64_000, 262_144, 2, "T4")
    assert [pod.models for pod in pack.read_pods(PODS)] == [(), ("T4", "V100"), ()]


def test_a_pod_that_no_node_could_ever_hold_names_its_line() -> None:
    with pytest.raises(TraceError, match=r"line 5, column gpu_milli: pod p4: .* in part"):
        pack.read_pods(PODS + b"p4,1,1,2,500,\n")
    with pytest.raises(TraceError, match="two nodes have the same name"):
        pack.read_nodes(NODES + b"n1,1,1,1,T4\n")
    with pytest.raises(TraceError, match="no node has a GPU"):
        pack.read_nodes(b"sn,cpu_milli,memory_mib,gpu,model\nn1,1,1,0,\n")
    with pytest.raises(TraceError, match="no pod asks for a GPU"):
        pack.read_pods(b"name,cpu_milli,memory_mib,num_gpu,gpu_milli\np,1,1,0,0\n")


def test_the_workload_is_the_whole_trace_and_then_draws_from_it_up_to_the_demand() -> None:
    pods = pack.read_pods(PODS)
    arrived = pack.draw_workload(pods, 4_000, 1.3, np.random.default_rng(0))
    assert set(arrived[:3]) == set(pods)
    asked = sum(pod.total_milli for pod in arrived)
    assert 5_200 - 1_000 < asked <= 5_200


def test_a_demand_below_the_trace_takes_a_random_part_of_it() -> None:
    pods = pack.read_pods(PODS)
    arrived = pack.draw_workload(pods, 4_000, 0.25, np.random.default_rng(1))
    assert sum(pod.total_milli for pod in arrived) <= 1_000
    assert len(arrived) < len(pods)


def test_one_seed_gives_one_result_and_names_are_dealt_anew_by_seed() -> None:
    nodes, pods = pack.read_nodes(NODES), pack.read_pods(PODS)
    assert pack.run_pack(nodes, pods, "fgd", 1.0, 3) == pack.run_pack(nodes, pods, "fgd", 1.0, 3)
    first = {pack.deal_names(nodes, np.random.default_rng(seed))[0].name for seed in range(9)}
    assert first == {"0-n1", "1-n1"}


def test_a_demand_that_is_no_demand_is_refused() -> None:
    nodes, pods = pack.read_nodes(NODES), pack.read_pods(PODS)
    for demand in (0.0, -1.0, float("nan"), 1e308):
        with pytest.raises(ValueError, match="demand is"):
            pack.run_pack(nodes, pods, "fgd", demand)
