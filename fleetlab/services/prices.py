"""What the hours cost: on demand and spot, an hour that counts, a day of delay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fleetlab.missions import mission
from fleetlab.run import Run
from fleetlab.terms import spot_nodes

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Bill:
    """GPU-hours rented on demand and on spot, and what they cost in dollars."""

    on_demand_gpu_h: float
    spot_gpu_h: float
    dollars: float

    @property
    def gpu_h(self) -> float:
        """All GPU-hours that are paid for."""
        return self.on_demand_gpu_h + self.spot_gpu_h


def bill(run: Run, until_ms: int | None = None) -> Bill:
    """Return what the whole fleet of ``run`` costs from its start to ``until_ms`` (its end).

    A node costs while it is there, working or not; one that was taken back costs
    nothing until it returns. Prices are those of the run's track. Raises ValueError for a run
    without a Scenario, which has no prices.
    """
    if run.scenario is None:
        raise ValueError("a run of no Scenario has no prices; simulate a Scenario")
    until = run.last_ms if until_ms is None else until_ms
    track, size = mission(run.scenario.track), run.fleet.gpus_per_node
    spot = set(spot_nodes(run.scenario))
    hours = {False: 0.0, True: 0.0}
    for node in range(run.fleet.nodes):
        hours[node in spot] += until * size / HOUR_MS
    gone = zip(*(column.tolist() for column in run.outages), strict=True)
    for node, down, up in gone:
        hours[node in spot] -= max(0, min(up, until) - min(down, until)) * size / HOUR_MS
    dollars = hours[False] * track.gpu_hour_dollars + hours[True] * track.spot_hour_dollars
    return Bill(hours[False], hours[True], dollars)


def effective_cost(spot_price: float, total_hours: float, productive_hours: float) -> float:
    """Return what a productive GPU-hour costs: price x all hours / productive hours.

    Source: the chapter's C_eff = C_spot·T_total/T_prod. Raises ValueError without
    a productive hour.
    """
    if not productive_hours > 0:
        raise ValueError(f"productive_hours is {productive_hours}; give a number above 0")
    return spot_price * total_hours / productive_hours


def break_even_stretch(discount: float) -> float:
    """Return how many times longer a run may take on cheaper nodes before it costs as much.

    1/(1 - discount): five times at 80 % off. Raises ValueError for a discount outside [0, 1).
    """
    if not 0 <= discount < 1:
        raise ValueError(f"discount is {discount}; give a share from 0 to below 1")
    return 1 / (1 - discount)


def discount(track: str) -> float:
    """Return how much cheaper a spot GPU-hour is on ``track``, as a share; 0 where none is paid."""
    prices = mission(track)
    if not prices.gpu_hour_dollars:
        return 0.0
    return 1 - prices.spot_hour_dollars / prices.gpu_hour_dollars


@dataclass(frozen=True)
class Case:
    """One plan of a campaign beside the same work on nodes that nobody takes back.

    ``saved_dollars`` is what the rent saves, ``late_days`` by how much longer it takes.
    """

    dollars: float
    days: float
    saved_dollars: float
    late_days: float

    def net_dollars(self, dollars_a_day: float) -> float:
        """Return what is left of the saving when a day of delay costs ``dollars_a_day``."""
        return self.saved_dollars - self.late_days * dollars_a_day

    @property
    def flips_at_dollars_a_day(self) -> float:
        """The price of a day's delay above which the plan loses money; inf without delay."""
        return self.saved_dollars / self.late_days if self.late_days > 0 else math.inf


def case(dollars: float, hours: float, plain_dollars: float, plain_hours: float) -> Case:
    """Return the case for a plan against the plain one, by dollars and hours of the campaign."""
    late = max(0.0, hours - plain_hours) / 24
    return Case(dollars, hours / 24, plain_dollars - dollars, late)
