"""A ledger as a value: what one reader predicted, ran and concluded on one track.

``docs/ledger.md`` describes the file. What is read here comes from outside: nothing
of it is believed before it was checked, and no file can cost more than its size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from fleetlab.ledger.evidence import diverge
from fleetlab.missions import TRACKS
from fleetlab.missions.questions import CONFIDENCES, questions
from fleetlab.outside import OutsideError, load_json, plain, read_bytes
from fleetlab.policy.rule_text import LONGEST_TEXT as LONGEST_RULE

SCHEMA = "fleetlab-ledger/2"
FIRST_SCHEMA = "fleetlab-ledger/1"
PARTS = (1, 2, 3)
PRIORITIES = ("density", "locality")

LARGEST_BYTES = 8_000_000
LONGEST_TEXT = 20_000
MOST_RUNS = 1_000
MOST_FIELDS = 100
DEEPEST = 20
STEP = "v2_08"
"""This lab's step in the textbook's own ledger, ``{track, current_step, history, …}``."""
LARGEST_NUMBER = 1e18

_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class LedgerError(OutsideError):
    """One sentence that says what is wrong with a ledger, where, and what to do."""


@dataclass(frozen=True)
class Prediction:
    """What was predicted of a part; ``confidence`` is from 1 to 5, ``at`` a time as text."""

    part: int
    choice: str
    number: float | None
    confidence: int
    at: str


@dataclass(frozen=True)
class Record:
    """A run as recorded: the text of its Scenario, the digest, and figures by name.

    ``rule`` is the text of the reader's own placement rule, empty where none was used.
    """

    part: int
    scenario: str
    digest: str
    figures: Mapping[str, float]
    at: str
    rule: str = ""


@dataclass(frozen=True)
class Ledger:
    """A ledger that was read. ``data`` is the file's own object, which the seal is about.

    ``evidence`` has a number or None by name, ``evidence_runs`` and ``paradox_runs``
    are digests. What the reader has not written yet is empty or None.
    """

    schema: str
    track: str
    seed: int | None
    version: str
    predictions: tuple[Prediction, ...]
    runs: tuple[Record, ...]
    policy: Mapping[str, Any]
    evidence: Mapping[str, float | None]
    evidence_runs: tuple[str, ...]
    rejected_alternative: str
    priority: str | None
    paradox_text: str
    paradox_runs: tuple[str, ...]
    residual_risk: str
    reflections: Mapping[str, str]
    rule: str
    data: Mapping[str, Any]

    def prediction(self, part: int) -> Prediction | None:
        """Return the prediction of ``part``, or None."""
        return next((made for made in self.predictions if made.part == part), None)

    def run(self, digest: str) -> Record | None:
        """Return the newest run with that digest, or None."""
        return next((run for run in reversed(self.runs) if run.digest == digest), None)

    @property
    def missing(self) -> list[str]:
        """What the ledger lacks, in words; nothing when it is complete."""
        wanted: list[tuple[object, str]] = []
        for part in PARTS:
            wanted += [
                (self.prediction(part), f"the prediction of part {part}"),
                (any(run.part == part for run in self.runs), f"a run of part {part}"),
                (self.reflections.get(f"part{part}", "").strip(), f"the reflection of part {part}"),
            ]
        wanted += [
            (self.evidence_runs, "the final policy"),
            (self.rejected_alternative.strip(), "the rejected alternative"),
            (self.priority, "density or locality"),
            (
                self.paradox_text.strip() and len(self.paradox_runs) == 2,
                "the paradox answer",
            ),
            (
                not self.paradox_runs or self._cited_runs_diverge(),
                "two runs that diverge, for the paradox answer",
            ),
            (self.residual_risk.strip(), "the residual risk"),
        ]
        return [name for there, name in wanted if not there]

    def _cited_runs_diverge(self) -> bool:
        cited = [run for run in map(self.run, self.paradox_runs) if run is not None]
        if len(cited) != 2 or cited[0].part != cited[1].part:
            return False
        return diverge(cited[0].figures, cited[1].figures)


def read_ledger(path: Path) -> Ledger:
    """Return the ledger in the file at ``path``.

    Raises OutsideError for what is no ledger, and OSError for a file that cannot be read.
    """
    return parse_ledger(read_bytes(path, LARGEST_BYTES), path.name)


def parse_ledger(data: bytes, name: str = "ledger") -> Ledger:
    """Return the ledger in ``data``; ``name`` is what sentences call it. Raises OutsideError."""
    return _Reader(plain(name)).ledger(_own_step(load_json(data, name, DEEPEST)))


def _own_step(value: Any) -> Any:
    """Return this lab's step where ``value`` is the textbook's ledger of all labs, else itself."""
    if not isinstance(value, dict) or "schema" in value or "history" not in value:
        return value
    history = value["history"]
    if isinstance(history, list):  # its older form
        steps = [item for item in history if isinstance(item, dict)]
        return next((item.get("design") for item in steps if item.get("step") == STEP), None)
    return history.get(STEP) if isinstance(history, dict) else None


class _Reader:
    """Takes a JSON value apart field by field; every complaint names file and place."""

    def __init__(self, name: str) -> None:
        self._name = name

    def refuse(self, place: str, reason: str) -> NoReturn:
        raise LedgerError(f"{self._name}, {place}: {reason}")

    def ledger(self, value: Any) -> Ledger:
        if not isinstance(value, dict):
            raise LedgerError(f"{self._name} is JSON, but not a ledger of this lab")
        schema = value.get("schema")
        if schema not in (SCHEMA, FIRST_SCHEMA):
            raise LedgerError(
                f"{self._name} has the schema {plain(json.dumps(schema))}; this version of "
                f'fleetlab reads "{SCHEMA}" and "{FIRST_SCHEMA}"'
            )
        track = self.one_of("track", value.get("track"), TRACKS)
        evidence = self.fields("evidence", value.get("evidence"))
        paradox = self.fields("paradox_answer", value.get("paradox_answer"))
        reflections = self.fields("reflections", value.get("reflections"))
        priority = value.get("priority")
        return Ledger(
            schema=schema,
            track=track,
            seed=self.optional(self.whole, "seed", value.get("seed")),
            version=self.text("version", value.get("version")),
            predictions=tuple(self.predictions(value.get("predictions"))),
            runs=tuple(self.runs(value.get("runs"), schema)),
            policy=self.policy(value.get("policy")),
            evidence={
                key: self.optional(self.number, f"evidence.{plain(key)}", item)
                for key, item in evidence.items()
                if key != "runs"
            },
            evidence_runs=self.digests("evidence.runs", evidence.get("runs")),
            rejected_alternative=self.text(
                "rejected_alternative", value.get("rejected_alternative")
            ),
            priority=None if priority is None else self.one_of("priority", priority, PRIORITIES),
            paradox_text=self.text("paradox_answer.text", paradox.get("text")),
            paradox_runs=self.digests("paradox_answer.runs", paradox.get("runs")),
            residual_risk=self.text("residual_risk", value.get("residual_risk")),
            reflections={
                f"part{part}": self.text(f"reflections.part{part}", reflections.get(f"part{part}"))
                for part in PARTS
            },
            rule=self.text("rule", value.get("rule"), LONGEST_RULE),
            data=value,
        )

    def predictions(self, value: Any) -> list[Prediction]:
        made: list[Prediction] = []
        for place, entry in self.entries("predictions", value, len(PARTS)):
            part = self.one_of(f"{place}.part", entry.get("part"), PARTS)
            if any(other.part == part for other in made):
                self.refuse(place, f"part {part} is predicted twice")
            offered = tuple(choice for choice, _ in questions()[part].options)
            levels = tuple(range(1, len(CONFIDENCES) + 1))
            number = self.optional(self.number, f"{place}.number", entry.get("number"))
            if number is not None and number < 0:
                self.refuse(f"{place}.number", f"{number} is negative; a guess is 0 or more")
            made.append(
                Prediction(
                    part=part,
                    choice=self.one_of(f"{place}.choice", entry.get("choice"), offered),
                    number=number,
                    confidence=self.one_of(f"{place}.confidence", entry.get("confidence"), levels),
                    at=self.time(f"{place}.at", entry.get("at")),
                )
            )
        return made

    def runs(self, value: Any, schema: str) -> list[Record]:
        found: list[Record] = []
        for place, entry in self.entries("runs", value, MOST_RUNS):
            figures = self.fields(f"{place}.figures", entry.get("figures"))
            part = entry.get("part", 1 if schema == FIRST_SCHEMA else None)
            found.append(
                Record(
                    part=self.one_of(f"{place}.part", part, PARTS),
                    scenario=self.text(f"{place}.scenario", entry.get("scenario"), 2_000),
                    digest=self.digest(f"{place}.digest", entry.get("digest")),
                    figures={
                        key: self.number(f"{place}.figures.{plain(key)}", item)
                        for key, item in figures.items()
                    },
                    at=self.time(f"{place}.at", entry.get("at")),
                    rule=self.text(f"{place}.rule", entry.get("rule"), LONGEST_RULE),
                )
            )
        return found

    def policy(self, value: Any) -> dict[str, Any]:
        policy = self.fields("policy", value)
        for key, item in policy.items():
            if isinstance(item, str):
                self.text(f"policy.{plain(key)}", item, 200)
            elif isinstance(item, dict | list):
                self.refuse(f"policy.{plain(key)}", "it must be a text, a number, true or false")
        return policy

    def entries(self, place: str, value: Any, most: int) -> list[tuple[str, dict[str, Any]]]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(place, "it must be a list")
        if len(value) > most:
            self.refuse(place, f"it has {len(value):,} entries; at most {most:,} are possible")
        return [
            (f"{place}[{number}]", self.fields(f"{place}[{number}]", entry, empty=False))
            for number, entry in enumerate(value)
        ]

    def fields(self, place: str, value: Any, empty: bool = True) -> dict[str, Any]:
        if value is None and empty:
            return {}
        if not isinstance(value, dict):
            self.refuse(place, f"{_shown(value)} is not an object")
        if len(value) > MOST_FIELDS:
            self.refuse(place, f"it has {len(value):,} fields; at most {MOST_FIELDS} are possible")
        return value

    def digests(self, place: str, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > MOST_FIELDS:
            self.refuse(place, f"it must be a list of at most {MOST_FIELDS} digests")
        return tuple(self.digest(f"{place}[{n}]", item) for n, item in enumerate(value))

    def digest(self, place: str, value: Any) -> str:
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            self.refuse(place, f"{_shown(value)} is not a digest of 64 hexadecimal digits")
        return value

    def time(self, place: str, value: Any) -> str:
        try:
            if isinstance(value, str) and _TIME.fullmatch(value):
                datetime.fromisoformat(value)
                return value
        except ValueError:
            pass
        self.refuse(place, f"{_shown(value)} is not a time like 2026-01-31T09:30:00.000Z")

    def text(self, place: str, value: Any, longest: int = LONGEST_TEXT) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(place, f"{_shown(value)} is not a text")
        if len(value) > longest:
            self.refuse(
                place, f"it has {len(value):,} characters; at most {longest:,} are possible"
            )
        return value

    def number(self, place: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(place, f"{_shown(value)} is not a number")
        if abs(value) > LARGEST_NUMBER:
            self.refuse(place, f"{_shown(value)} is too large to be a figure")
        return value

    def whole(self, place: str, value: Any) -> int:
        number = self.number(place, value)
        if number != int(number):
            self.refuse(place, f"{_shown(value)} is not a whole number")
        return int(number)

    def optional(self, read: Callable[[str, Any], Any], place: str, value: Any) -> Any:
        return None if value is None else read(place, value)

    def one_of(self, place: str, value: Any, known: tuple[Any, ...]) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int) or value not in known:
            self.refuse(place, f"{_shown(value)} is not one of {', '.join(map(str, known))}")
        return value


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return plain(json.dumps(value, ensure_ascii=False))
