"""How placement slows a job down: penalties by tier, and a spine that running jobs share."""

from __future__ import annotations

from dataclasses import dataclass

from fleetlab.attempt import UNIT
from fleetlab.fleet import Fleet
from fleetlab.network import CROSS_SPINE, SAME_LEAF, SAME_NODE, Tier, cost_ratio, step_stretch


@dataclass(frozen=True)
class Interconnect:
    """What it costs a gang to lie wider than it must, in parts per million of its run time.

    A gang that a node holds pays ``node_penalty_ppm`` when it lies on several
    nodes of one block; a gang that a block holds pays ``block_penalty_ppm`` when
    it lies on several blocks. A gang's run time was given for the closest place
    it fits, so closer is not credited. ``communication_ppm`` of a step is
    communication that compute does not hide. The spine carries the traffic of
    ``spine_gpus`` GPUs in gangs over several blocks at full speed (0: of any
    number); beyond that, communication over it takes longer in proportion.
    Raises ValueError for a negative figure, or more than a whole step of communication.
    """

    node_penalty_ppm: int = 0
    block_penalty_ppm: int = 0
    communication_ppm: int = 0
    spine_gpus: int = 0

    def __post_init__(self) -> None:
        for name in ("node_penalty_ppm", "block_penalty_ppm", "communication_ppm", "spine_gpus"):
            if getattr(self, name) < 0:
                raise ValueError(f"interconnect: {name} is {getattr(self, name)}; give 0 or more")
        if self.communication_ppm > UNIT:
            raise ValueError(
                f"interconnect: communication_ppm is {self.communication_ppm}; a step has "
                f"{UNIT} parts at most"
            )

    @classmethod
    def of_tiers(
        cls,
        communication_fraction: float,
        bytes: float,
        ranks: int,
        tiers: tuple[Tier, Tier, Tier] = (SAME_NODE, SAME_LEAF, CROSS_SPINE),
        spine_gpus: int = 0,
    ) -> Interconnect:
        """Return the penalties that AllReduces of ``bytes`` over ``ranks`` come to.

        Each is ``network.step_stretch`` less 1, of a leaf against a node and of
        the spine against a leaf. Raises ValueError as ``cost_ratio`` and
        ``step_stretch`` do.
        """
        node, leaf, spine = tiers

        def penalty_ppm(tier: Tier, home: Tier) -> int:
            ratio = max(1.0, cost_ratio(bytes, ranks, tier, home))
            return round((step_stretch(communication_fraction, ratio) - 1) * UNIT)

        return cls(
            penalty_ppm(leaf, node),
            penalty_ppm(spine, leaf),
            round(communication_fraction * UNIT),
            spine_gpus,
        )

    def slow_ppm(self, fleet: Fleet, gpus: int, nodes: list[int], spine_load: int) -> int:
        """Return how much longer than given a gang of ``gpus`` takes on ``nodes``, in ppm.

        ``spine_load`` is the GPUs of all running gangs over several blocks, this
        one included. With penalty p, communication f and a spine shared c-fold a
        step takes 1 - f + (f + p)·c: only communication grows.
        """
        hops = fleet.hops(nodes)
        penalty = 0
        if hops > 1 and gpus <= fleet.gpus_per_block:
            penalty = self.block_penalty_ppm
        elif hops == 1 and gpus <= fleet.gpus_per_node:
            penalty = self.node_penalty_ppm
        if hops < 2 or not self.spine_gpus or spine_load <= self.spine_gpus:
            return UNIT + penalty
        fraction = self.communication_ppm
        return UNIT - fraction + -(-(fraction + penalty) * spine_load // self.spine_gpus)
