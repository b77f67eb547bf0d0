"""What jobs meet while they run: the network, checkpoints, and nodes that come and go."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetlab.attempt import Checkpoint
from fleetlab.engine.interconnect import Interconnect
from fleetlab.log import Cause


@dataclass(frozen=True)
class Outage:
    """A node that is gone from ``down_ms`` until ``up_ms`` (equal: back at once).

    It is announced ``notice_ms`` before. Raises ValueError for a time out of order.
    """

    node: int
    down_ms: int
    up_ms: int
    notice_ms: int = 0
    cause: Cause = Cause.FAILURE

    def __post_init__(self) -> None:
        if not 0 <= self.down_ms <= self.up_ms or self.notice_ms < 0 or self.node < 0:
            raise ValueError(
                f"outage of node {self.node}: down at {self.down_ms} ms, up at {self.up_ms} ms, "
                f"notice {self.notice_ms} ms; none may be negative, and up not before down"
            )


@dataclass(frozen=True)
class Conditions:
    """Everything that happens to jobs whatever the policy; by default nothing does.

    ``outages`` are drawn or read beforehand (``fleetlab.engine.reclaim``), so that all
    policies on one seed meet the same. With ``panic`` a notice makes every job
    on the node save at once. ``rendezvous_ms`` is what an elastic job pays to
    rebuild its ring when it goes on with more nodes or with fewer. ``memory_gb`` is
    the fleet's memory, counted as a whole (0: not counted). Raises ValueError for a
    negative number.
    """

    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    interconnect: Interconnect = field(default_factory=Interconnect)
    outages: tuple[Outage, ...] = ()
    panic: bool = False
    rendezvous_ms: int = 0
    memory_gb: int = 0

    def __post_init__(self) -> None:
        for name in ("rendezvous_ms", "memory_gb"):
            if getattr(self, name) < 0:
                raise ValueError(f"conditions: {name} is {getattr(self, name)}; give 0 or more")


CALM = Conditions()
