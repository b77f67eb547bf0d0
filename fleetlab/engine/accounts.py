"""What every tenant holds and has used: the figures behind quota, fair share and DRF."""

from __future__ import annotations

import numpy as np

from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.policy.fairness import decayed_usage, fair_share_priority
from fleetlab.policy.quota import effective_quota, refusal
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.settings import Policy

LN_2 = 0.6931471805599453
PICO = 10**12
"""Shares and priorities are compared as whole numbers of this part."""


class Accounts:
    """The tenants' books, kept by ``take`` and ``give`` as jobs start and stop.

    ``held[tenant]`` is in thousandths of a GPU. ``memory_gb`` is what the whole
    fleet has (0: not counted). Raises ValueError when there are more tenants than quotas
    or weights, or quotas add up to more than the fleet.
    """

    def __init__(self, fleet: Fleet, jobs: JobTable, policy: Policy, memory_gb: int) -> None:
        self.fleet = fleet
        self.policy = policy
        count = max(int(jobs.tenant.max(initial=0)) + 1, len(policy.quota))
        for name, given in (("quota", policy.quota), ("weights", policy.weights)):
            if given and len(given) < count:
                raise ValueError(f"{name}: {len(given)} given for {count} tenants; give one each")
        for name, given in (
            ("quota", () if policy.departments else policy.quota),
            ("department_quota", policy.department_quota),
        ):
            if sum(given) > fleet.gpus:
                raise ValueError(
                    f"{name}: the quotas add up to {sum(given)} GPUs and the fleet has "
                    f"{fleet.gpus}; lower them"
                )
        self.tenant: list[int] = jobs.tenant.tolist()
        self.amount: list[int] = (jobs.gpus * jobs.gpu_milli).tolist()
        self.priority: list[int] = np.maximum(jobs.priority, 0).tolist()
        self.memory: list[int] = jobs.memory_gb.tolist()
        self.memory_gb = memory_gb
        self.held = [0] * count
        self.held_memory = [0] * count
        self.quota = [1000 * gpus for gpus in policy.quota]
        self.weights = policy.weights or (1,) * count
        self._used = [0] * count  # decayed, in milli-GPU-ms, as of ``_settled_ms``
        self._settled_ms = 0
        # what many waiting jobs ask for at one instant
        self._fair_priority: dict[tuple[int, int], int] = {}
        self._dominant_share: dict[int, int] = {}

    def take(self, job: int, milli: int, now_ms: int) -> None:
        """Book ``milli`` thousandths of a GPU, and the job's memory, on its tenant."""
        self._settle(now_ms)
        self._hold(self.tenant[job], milli, self.memory[job])

    def give(self, job: int, milli: int, now_ms: int) -> None:
        """Take that off again."""
        self._settle(now_ms)
        self._hold(self.tenant[job], -milli, -self.memory[job])

    def _hold(self, tenant: int, milli: int, memory_gb: int) -> None:
        self.held[tenant] += milli
        self.held_memory[tenant] += memory_gb
        self._dominant_share.pop(tenant, None)

    def _settle(self, now_ms: int) -> None:
        """Bring what was used up to date: old usage fades, and so does what is added meanwhile.

        Holding h for a time t adds the integral of h·½^(s/half-life) over s from 0 to t,
        so it does not matter how often the books are looked at.
        """
        elapsed = now_ms - self._settled_ms
        if elapsed:
            fade = decayed_usage(1.0, elapsed, self.policy.half_life_ms)
            added = self.policy.half_life_ms / LN_2 * (1 - fade)
            self._used = [
                round(used * fade + held * added)
                for used, held in zip(self._used, self.held, strict=True)
            ]
            self._settled_ms = now_ms
            self._fair_priority.clear()

    def refusal(self, job: int) -> Refusal:
        """Return why the tenant of ``job`` may not start it now, or NONE."""
        if self.memory_gb and self.memory[job] + sum(self.held_memory) > self.memory_gb:
            return Refusal.TOO_LITTLE_MEMORY
        allowed = self.may_take(self.tenant[job], self.amount[job])
        return Refusal.NONE if allowed else Refusal.OVER_QUOTA

    def may_take(self, tenant: int, milli: int) -> bool:
        """Return whether quota lets ``tenant`` hold ``milli`` thousandths of a GPU more."""
        if not self.quota:
            return True
        if self.policy.departments and self.held[tenant] + milli > self._room(tenant):
            return False
        return refusal(self.policy.quota_rule, tenant, milli, self.held, self.quota) is None

    def _room(self, tenant: int) -> int:
        """Return what ``tenant`` may hold as far as its department goes."""
        departments = self.policy.departments
        others = sum(
            held
            for other, held in enumerate(self.held)
            if other != tenant and departments[other] == departments[tenant]
        )
        whole = 1000 * self.policy.department_quota[departments[tenant]]
        return effective_quota(whole, whole, others)

    def never(self, job: int) -> Refusal:
        """Return why ``job`` may not start even on an empty fleet, or NONE."""
        held, memory = self.held, self.held_memory
        self.held, self.held_memory = [0] * len(held), [0] * len(memory)
        refused = self.refusal(job)
        self.held, self.held_memory = held, memory
        return refused

    def within_quota(self, job: int) -> bool:
        """Return whether ``job`` would leave its tenant within its own quota."""
        tenant = self.tenant[job]
        return self.held[tenant] + self.amount[job] <= self.quota[tenant]

    def fair_priority(self, job: int, now_ms: int) -> int:
        """Return P·F_target/(F_actual + ε) of ``job``, in whole 10⁻¹², with P = 1 + priority."""
        self._settle(now_ms)
        tenant, priority = self.tenant[job], self.priority[job]
        known = self._fair_priority.get((tenant, priority))
        if known is None:
            total = sum(self._used)
            actual = self._used[tenant] / total if total else 0.0
            target = self.weights[tenant] / sum(self.weights)
            known = round(fair_share_priority(1 + priority, target, actual) * PICO)
            self._fair_priority[tenant, priority] = known
        return known

    def dominant_share(self, tenant: int) -> int:
        """Return the tenant's larger share of GPUs or memory over its weight, in whole 10⁻¹²."""
        known = self._dominant_share.get(tenant)
        if known is None:
            share = self.held[tenant] * PICO // (1000 * self.fleet.gpus)
            if self.memory_gb:
                share = max(share, self.held_memory[tenant] * PICO // self.memory_gb)
            known = self._dominant_share[tenant] = share // self.weights[tenant]
        return known
