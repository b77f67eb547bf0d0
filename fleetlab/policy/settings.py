"""The Policy: every choice of the scheduler, as one frozen, validated value."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index

from fleetlab.policy.backfill import BACKFILLS
from fleetlab.policy.custom import Custom
from fleetlab.policy.fairness import WEEK_MS, service_queue
from fleetlab.policy.order import ORDERS
from fleetlab.policy.placement import PLACEMENTS
from fleetlab.policy.quota import RULES

GANGS = ("whole", "hold-and-wait")
PREEMPTIONS = ("none", "priority", "order")
VICTIMS = ("cheapest", "youngest")
FOREVER_MS = 1 << 50
"""Patience without end: a gang that never accepts a wider place."""


@dataclass(frozen=True)
class Policy:
    """How the scheduler decides. All but the first three are off by default.

    ``placement`` is a name or a function of one's own (``fleetlab.policy.custom``).

    ``kill_at_estimate`` ends a job that outlives its estimate. ``blind`` lets
    placement ignore capability classes; a job that lands on a device that cannot
    run it is dropped.

    Order: waiting ``ageing_ms`` is worth one level of priority (0: nothing);
    fair share forgets half of what a tenant used in ``half_life_ms``, and
    ``weights`` (by tenant; empty: all alike) are its targets and DRF's weights;
    ``service_thresholds_gpu_ms`` part the queues of least attained service. A job
    that has waited ``starvation_ms`` (0: no bound) goes first, nobody may pass it, and
    once it runs nobody evicts it for priority.

    Gang: ``hold-and-wait`` lets jobs take GPUs piece by piece, an anti-policy.
    Locality: a gang holds out ``patience_ms`` for one node, then as long for one
    block, before it accepts a wider place (0: at once; FOREVER_MS: never).

    Preemption: ``priority`` lets the head of the queue evict running jobs of lower
    priority, ``order`` those that the order would serve later (srpt, las,
    priority); of the ``victims`` that would do, the cheapest (work lost and
    restart) or the youngest go. ``migration_pause_ms`` (0: never) is what it
    costs to move a running job so that a gang fits, done if that pays for
    itself within ``migration_payback_ms``.

    Quota: ``quota`` in GPUs by tenant under ``quota_rule``; ``departments`` (by
    tenant) and ``department_quota`` (by department) bound several tenants together.

    Raises ValueError with one sentence for an unknown name or an impossible number.
    """

    order: str = "fifo"
    backfill: str = "easy"
    placement: str | Custom = "best-fit"
    kill_at_estimate: bool = False
    blind: bool = False
    ageing_ms: int = 0
    half_life_ms: int = WEEK_MS
    weights: tuple[int, ...] = ()
    service_thresholds_gpu_ms: tuple[int, ...] = ()
    starvation_ms: int = 0
    gang: str = "whole"
    patience_ms: int = 0
    preemption: str = "none"
    victims: str = "cheapest"
    migration_pause_ms: int = 0
    migration_payback_ms: int = FOREVER_MS
    quota_rule: str = "none"
    quota: tuple[int, ...] = ()
    departments: tuple[int, ...] = ()
    department_quota: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, known in (
            ("order", ORDERS),
            ("backfill", BACKFILLS),
            ("placement", PLACEMENTS),
            ("gang", GANGS),
            ("preemption", PREEMPTIONS),
            ("victims", VICTIMS),
            ("quota_rule", RULES),
        ):
            value = getattr(self, name)
            if name == "placement" and callable(value):
                continue
            if value not in known:
                raise ValueError(f"{name}: {value!r} is not one of {', '.join(known)}")
        for name in (
            "ageing_ms",
            "starvation_ms",
            "patience_ms",
            "migration_pause_ms",
            "migration_payback_ms",
        ):
            if _whole(name, getattr(self, name)) < 0:
                raise ValueError(f"{name}: {getattr(self, name)} is negative; give 0 or more")
        for name in ("weights", "service_thresholds_gpu_ms", "quota", "department_quota"):
            for value in getattr(self, name):
                _whole(name, value)
        if _whole("half_life_ms", self.half_life_ms) < 1:
            raise ValueError(f"half_life_ms: {self.half_life_ms} is below 1; give a time above 0")
        if any(weight < 1 for weight in self.weights):
            raise ValueError(f"weights: {min(self.weights)} is below 1; give whole numbers above 0")
        service_queue(0, self.service_thresholds_gpu_ms)
        self._check_quota()
        self._check_together()

    def _check_quota(self) -> None:
        if any(number < 0 for number in (*self.quota, *self.department_quota)):
            raise ValueError("quota: a quota is negative; give 0 or more GPUs")
        if self.quota_rule == "none":
            if self.quota or self.departments or self.department_quota:
                raise ValueError("quota: there are quotas and no rule; choose a quota_rule")
        elif not self.quota:
            raise ValueError("quota: the rule needs a quota for every tenant; give quota")
        if self.departments and len(self.departments) != len(self.quota):
            raise ValueError(
                f"departments: {len(self.departments)} given for {len(self.quota)} tenants"
            )
        for number in self.departments:
            if not 0 <= number < len(self.department_quota):
                raise ValueError(f"departments: department {number} has no department_quota")

    def _check_together(self) -> None:
        """Refuse choices that contradict each other."""
        if self.preemption == "order" and self.order not in ("srpt", "las", "priority"):
            raise ValueError(
                f"preemption: the order {self.order} says only who waits first; "
                "choose srpt, las or priority, or preemption by priority"
            )
        moves = self.preemption != "none" or self.migration_pause_ms or self.quota_rule != "none"
        if self.backfill == "conservative" and (moves or self.patience_ms or self.starvation_ms):
            raise ValueError(
                "conservative backfill promises every job a place, and preemption, migration, "
                "quota, patience and a starvation bound break promises; choose easy, skip or none"
            )
        if self.gang == "hold-and-wait" and (moves or self.patience_ms):
            raise ValueError(
                "hold-and-wait gives out single GPUs; it goes with no preemption, migration, "
                "quota or patience"
            )


def _whole(name: str, value: object) -> int:
    """Return ``value``; raises ValueError, naming it, where it is no whole number."""
    try:
        return index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{name}: {value!r} is not a whole number") from None
