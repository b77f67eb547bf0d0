"""Required levels, as in Kueue's tests of topology-aware scheduling, and in the engine's fleet."""

from __future__ import annotations

import numpy as np
import pytest

from fleetlab.fleet import Fleet, Occupancy, Parts
from fleetlab.job import BLOCK, NODE
from fleetlab.policy.placement import PLACEMENTS
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Shape
from fleetlab.policy.topology import Leaf, required_domain

#   b1          b2
#  r1  r2      r1  r2     pods that fit
#   1   3       1   2
RACKS = [
    Leaf(("b1", "r1"), 1),
    Leaf(("b1", "r2"), 3),
    Leaf(("b2", "r1"), 1),
    Leaf(("b2", "r2"), 2),
]


@pytest.mark.parametrize(
    ("pods", "level", "answer"),
    [
        (2, 2, ("b2", "r2")),
        (3, 2, ("b1", "r2")),
        (4, 2, "only 3 out of 4 fit"),
        (4, 1, ("b1",)),
        (3, 1, ("b2",)),
        (5, 1, "only 4 out of 5 fit"),
    ],
)
def test_a_required_level_takes_the_tightest_domain_or_says_how_many_fit(
    pods: int, level: int, answer: object
) -> None:
    assert required_domain(RACKS, pods, level) == answer


def test_a_level_that_the_topology_does_not_have_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="level is 3; the topology has levels 1 to 2"):
        required_domain(RACKS, 1, 3)


@pytest.mark.parametrize("placement", ["best-fit", "topology-aware"])
@pytest.mark.parametrize(
    ("gpus", "span", "answer"),
    [
        # racks as nodes of four GPUs: 1 and 3 free in one block, 1 and 2 in the other
        (2, NODE, [(3, 2)]),
        (3, NODE, [(1, 3)]),
        (4, NODE, Refusal.NO_NODE_HOLDS_IT),
        (4, BLOCK, [(1, 3), (0, 1)]),
        (5, BLOCK, Refusal.NO_BLOCK_HOLDS_IT),
    ],
)
def test_the_engine_takes_the_same_domains(
    placement: str, gpus: int, span: int, answer: Parts | Refusal
) -> None:
    occupancy = Occupancy(Fleet(2, 2, 4))
    occupancy.take([(0, 3), (1, 1), (2, 3), (3, 2)])
    place = PLACEMENTS[placement]
    assert place(Shape(gpus, span=span), occupancy, np.random.default_rng(0), 0) == answer
