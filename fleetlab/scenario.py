"""The Scenario: everything a reader chose, as one frozen value with a short text form.

The text form is a URL query (``track=titan&part=1&load=85&seed=7``): the page's
address, the ledger and the command line all carry it. Only what differs from the
track's defaults is written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fleetlab.engine.reclaim import PROCESSES
from fleetlab.fleet import Fleet
from fleetlab.missions import PARTS, TRACKS, mission
from fleetlab.policy.backfill import BACKFILLS
from fleetlab.policy.order import ORDERS
from fleetlab.policy.placement import PLACEMENTS
from fleetlab.policy.quota import RULES
from fleetlab.policy.settings import GANGS, PREEMPTIONS
from fleetlab.terms import policy_of

PAGE_KEYS = ("embed", "only", "lecture", "theme")
"""Keys of the address that belong to the page and not to the Scenario."""

FOR_EVER = -1
"""Patience without end, as a Scenario writes it."""

LIMITS = {
    "load": (0, 150),
    "jobs": (1, 200_000),
    "seed": (0, 2**31 - 1),
    "size": (1, 1024),
    "ageing": (0, 1000),
    "starvation": (0, 1000),
    "patience": (FOR_EVER, 10_080),
    "migration": (0, 1440),
    "penalty": (0, 400),
    "spot": (0, 100),
    "preemptions": (0, 1000),
    "notice": (0, 600),
    "away": (0, 1440),
    "elastic": (0, 1),
    "tau": (0, 10_080),
    "checkpoint": (0, 3600),
    "restart": (0, 14_400),
    "rendezvous": (0, 600),
}


class ScenarioError(ValueError):
    """One sentence that says which choice is impossible and what would do."""


@dataclass(frozen=True)
class Scenario:
    """Track, part, fleet, workload, seed and policy: all that a Run depends on.

    ``load`` is offered load in percent of the fleet; ``jobs`` how many are drawn;
    ``size`` the gang that the part asks about; ``trace`` names the reader's own
    file by the first 16 digits of its SHA-256 (empty otherwise).

    Sharing: ``gang`` whole or hold-and-wait; waiting ``ageing`` hours is worth one
    level of priority (0: nothing); who has waited ``starvation`` hours may not be
    passed (0: no bound); ``preemption`` says whom the head of the queue may evict,
    and ``migration`` is the pause in minutes of a job moved so that a gang fits
    (0: none is moved). ``quota`` is the rule under which tenants hold to their
    shares of the fleet.

    Locality: a gang holds out ``patience`` minutes for one node, then as long for
    one block (0: takes any place, -1: never does); a gang on several blocks that
    one block could hold runs ``penalty`` percent longer.

    Spot: ``spot`` percent of the nodes can be taken back, by the process
    ``reclaim``, ``preemptions`` times a day over the fleet if all of it were spot;
    ``notice`` seconds before, for ``away`` minutes. With ``elastic`` 1 training goes
    on with the nodes that are left, after ``rendezvous`` seconds. Work is saved every
    ``tau`` minutes (0: never), which takes ``checkpoint`` seconds; going on after an
    interruption takes ``restart`` seconds.

    Raises ScenarioError for an impossible choice.
    """

    track: str = "titan"
    part: int = 1
    fleet: str = "8x8x8"
    workload: str = "titan"
    load: int = 90
    jobs: int = 10_000
    size: int = 8
    order: str = "fifo"
    backfill: str = "easy"
    placement: str = "best-fit"
    seed: int = 1
    trace: str = ""
    gang: str = "whole"
    ageing: int = 0
    starvation: int = 0
    preemption: str = "none"
    migration: int = 0
    quota: str = "none"
    patience: int = 0
    penalty: int = 0
    spot: int = 0
    reclaim: str = "memoryless"
    preemptions: int = 0
    notice: int = 0
    away: int = 0
    elastic: int = 0
    tau: int = 0
    checkpoint: int = 0
    restart: int = 0
    rendezvous: int = 0

    def __post_init__(self) -> None:
        _choose("track", self.track, TRACKS)
        _choose("part", self.part, PARTS)
        _choose("order", self.order, tuple(ORDERS))
        _choose("backfill", self.backfill, tuple(BACKFILLS))
        _choose("placement", self.placement, tuple(PLACEMENTS))
        _choose("workload", self.workload, mission(self.track).workloads)
        _choose("gang", self.gang, GANGS)
        _choose("preemption", self.preemption, PREEMPTIONS)
        _choose("quota", self.quota, RULES)
        _choose("reclaim", self.reclaim, PROCESSES)
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ScenarioError(
                    f"{name}: {_quote(value)} is not a whole number from {low} to {high}"
                )
        try:
            fleet = Fleet.parse(self.fleet)
        except ValueError as error:
            raise ScenarioError(str(error)) from None
        if fleet.gpus > 20_000:
            raise ScenarioError(f"fleet: {fleet.gpus} GPUs; a Scenario may have 20000 at most")
        if len(fleet.class_counts) != len(mission(self.track).classes):
            wanted = mission(self.track).classes
            raise ScenarioError(
                f"fleet: {self.fleet} has {len(fleet.class_counts)} device classes and the track "
                f"{self.track} has {len(wanted)}"
            )
        if self.size > fleet.gpus:
            raise ScenarioError(f"size: a gang of {self.size} never fits on {fleet.gpus} GPUs")
        if self.trace and not re.fullmatch(r"[0-9a-f]{16}", self.trace):
            raise ScenarioError("trace: the name of a trace is 16 hexadecimal digits")
        if self.backfill == "conservative" and self.workload in ("nomad", "alibaba"):
            raise ScenarioError(
                "backfill: conservative plans whole GPUs, and this workload shares them; "
                "choose easy, skip or none"
            )
        try:
            policy_of(self)
        except ValueError as error:
            raise ScenarioError(str(error)) from None

    @classmethod
    def default(cls, track: str = "titan", part: int = 1) -> Scenario:
        """Return the Scenario with which ``track`` opens ``part``."""
        _choose("track", track, TRACKS)
        _choose("part", part, PARTS)
        usual = mission(track).scenario | mission(track).parts[part]
        return cls(track=track, part=part, **usual)

    @classmethod
    def parse(cls, text: str) -> Scenario:
        """Return the Scenario that ``text`` names; raises ScenarioError for what it cannot be."""
        scenario, complaints = cls._read(text)
        if complaints:
            raise ScenarioError(complaints[0])
        return scenario

    @classmethod
    def read(cls, text: str) -> tuple[Scenario, list[str]]:
        """Return the Scenario nearest to ``text`` and a sentence for each choice left out."""
        return cls._read(text)

    @classmethod
    def _read(cls, text: str) -> tuple[Scenario, list[str]]:
        complaints: list[str] = []
        try:
            pairs = parse_qsl(text.lstrip("?"), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            pairs, complaints = [], ["address: it has more than 100 choices; none was taken"]
        asked = dict(reversed([(k, v) for k, v in pairs if k not in PAGE_KEYS]))
        track = asked.pop("track", "titan")
        if track not in TRACKS:
            complaints.append(_choice_sentence("track", track, TRACKS))
            track = "titan"
        part = asked.get("part", "1")
        scenario = cls.default(track, int(part) if part in map(str, PARTS) else 1)
        known = {field.name for field in fields(cls)} - {"track"}
        unknown = [key for key in asked if key not in known]
        if unknown:
            shown = ", ".join(_quote(key) for key in unknown[:3])
            complaints.append(f"address: {shown} is no choice here and was left out")
        values: dict[str, Any] = {}
        for key in sorted(asked.keys() & known):
            try:
                values[key] = _READERS.get(key, str)(asked[key])
            except ValueError:
                low, high = LIMITS.get(key, (1, 3))
                complaints.append(
                    f"{key}: {_quote(asked[key])} is not a whole number from {low} to {high}"
                )
        try:
            return replace(scenario, **values), complaints
        except ScenarioError:
            pass  # then one by one, to name each that cannot be
        # workload and fleet first: other choices are checked against them
        for key in sorted(values, key=lambda k: (k not in ("workload", "fleet"), k)):
            try:
                scenario = replace(scenario, **{key: values[key]})
            except ScenarioError as error:
                complaints.append(str(error))
        return scenario, complaints

    def query(self) -> str:
        """Return the short text form: track, part, seed, and what differs from the defaults."""
        usual = asdict(Scenario.default(self.track, self.part))
        chosen = {
            name: value
            for name, value in asdict(self).items()
            if name in ("track", "part", "seed") or value != usual[name]
        }
        return urlencode(chosen, safe="@,")

    def to_json(self) -> dict[str, Any]:
        """Return every choice by name, as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Scenario:
        """Return the Scenario in ``data``; raises ScenarioError naming what is wrong in it."""
        if not isinstance(data, dict):
            raise ScenarioError("scenario: it must be an object of choices by name")
        known = {field.name: field.type for field in fields(cls)}
        for name, value in data.items():
            if name not in known:
                raise ScenarioError(f"scenario: {_quote(name)} is no choice of a Scenario")
            if not isinstance(value, int if known[name] == "int" else str):
                raise ScenarioError(f"scenario: {name} is {_quote(value)}, not a {known[name]}")
        return cls(**data)

    def but(self, **changes: Any) -> Scenario:
        """Return this Scenario with other choices."""
        return replace(self, **changes)

    @property
    def fleet_shape(self) -> Fleet:
        """The fleet as hardware: the crisis has its own, whatever is chosen."""
        return Fleet.parse("50x4x8" if self.workload == "titan-crisis" else self.fleet)


def trace_name(data: bytes) -> str:
    """Return the name by which a Scenario knows a trace: the start of its bytes' SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", text):
        raise ValueError(text)
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {
    field.name: _whole for field in fields(Scenario) if field.type == "int"
}


def _quote(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _choice_sentence(name: str, value: object, known: tuple[Any, ...]) -> str:
    return f"{name}: {_quote(value)} is not one of {', '.join(map(str, known))}"


def _choose(name: str, value: object, known: tuple[Any, ...]) -> None:
    if value not in known:
        raise ScenarioError(_choice_sentence(name, value, known))
