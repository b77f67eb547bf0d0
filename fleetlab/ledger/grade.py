"""The class table: one row a ledger, whatever state the file is in.

Right and wrong are the answers of ``missions/questions.toml``. Confidence is scored
with Brier's rule: (p − 1)² for a right answer and p² for a wrong one, where p is the
probability that the reader's words stand for; 0 is best, and who always says "a
guess" among four gets 0.0625 to 0.5625 (Brier, Monthly Weather Review 78, 1950).
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from fleetlab.ledger.record import PARTS, Ledger, read_ledger
from fleetlab.ledger.repeats import Repeats, Wanted
from fleetlab.ledger.seal import canonical
from fleetlab.ledger.verification import Verification, verify, wanted_of
from fleetlab.missions.questions import questions
from fleetlab.outside import OutsideError, plain
from fleetlab.workloads.table import csv_cell

Progress = Callable[[float, str], None]

SURENESS = {2: 0.4, 3: 0.5, 4: 0.75, 5: 0.95}
"""The probability that a confidence stands for; 1, a guess, is one over the options."""

LONGEST_NAME = 120
MOST_JOBS = 5_000_000
"""Jobs in all that a ledger wants run beyond which a class table does not run it again."""


@dataclass(frozen=True)
class Answer:
    """What one reader predicted of one part; ``brier`` is from 0 (best) to 1."""

    part: int
    choice: str
    right: bool
    confidence: int
    guess: float | None
    brier: float


@dataclass(frozen=True)
class Row:
    """What the class table says of one file.

    ``problem`` is a sentence when the file is no ledger, and the rest is then empty.
    ``checks`` has a word by rule of ``RULES``: ``yes``, ``no``, ``unknown``, or
    nothing where there is nothing to judge. ``holds``, ``fails`` and
    ``unchecked`` count figures that were run again. ``shares_with`` names rows with
    the same prediction or run made in the same millisecond.
    """

    name: str
    problem: str = ""
    track: str = ""
    seed: int | None = None
    version: str = ""
    missing: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    runs: int = 0
    checks: tuple[tuple[str, str], ...] = ()
    holds: int | None = None
    fails: int | None = None
    unchecked: int | None = None
    verification: str = ""
    priority: str = ""
    shares_with: tuple[str, ...] = ()

    def answer(self, part: int) -> Answer | None:
        """Return the answer to ``part``, or None."""
        return next((answer for answer in self.answers if answer.part == part), None)

    @property
    def brier(self) -> float | None:
        """The mean Brier score of the predictions, or None without any."""
        return mean(answer.brier for answer in self.answers) if self.answers else None


def find_ledgers(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return (name, file) of every file in ``paths``, and of every ``.json`` in its folders.

    A name is the path within the folder, without the suffix. Sorted, each file once.
    Raises OutsideError for a path that is not there, and where there is no ledger at all.
    """
    found: dict[Path, str] = {}
    for path in paths:
        if path.is_dir():
            inside = (
                Path(folder, name)
                for folder, _, names in os.walk(path)
                for name in names
                if name.lower().endswith(".json")
            )
            for file in inside:
                found.setdefault(file.resolve(), file.relative_to(path).with_suffix("").as_posix())
        elif path.exists():
            found.setdefault(path.resolve(), path.stem)
        else:
            raise OutsideError(f"{plain(path, LONGEST_NAME)}: there is no such file or folder")
    if not found:
        raise OutsideError("there is no .json file in what was given; name the ledgers or a folder")
    return sorted((plain(name, LONGEST_NAME), path) for path, name in found.items())


def grade(
    files: Sequence[tuple[str, Path]],
    repeats: Repeats | None = None,
    progress: Progress = lambda share, name: None,
) -> list[Row]:
    """Return a row for each (name, file), in their order; with ``repeats`` runs are repeated."""
    rows: list[Row] = []
    owners: defaultdict[bytes, list[int]] = defaultdict(list)
    for number, (name, path) in enumerate(files):

        def within(share: float, at: int = number, name: str = name) -> None:
            progress((at + share) / len(files), name)

        within(0.0)
        try:
            ledger = read_ledger(path)
        except OutsideError as error:
            rows.append(Row(name, problem=str(error)))
        except OSError as error:
            rows.append(Row(name, problem=f"it cannot be read: {error.strerror or error}"))
        else:
            for mark in _marks(ledger):
                owners[mark].append(number)
            rows.append(_row(name, ledger, repeats, within))
    shared: defaultdict[int, set[int]] = defaultdict(set)
    for sharing in owners.values():
        for number in sharing:
            shared[number].update(set(sharing) - {number})
    return [
        replace(row, shares_with=tuple(rows[other].name for other in sorted(shared[number])))
        for number, row in enumerate(rows)
    ]


def _marks(ledger: Ledger) -> set[bytes]:
    """Return a mark of each prediction and run; the same to the millisecond is the same mark."""
    entries = [(made.at, f"{made.part} {made.choice}") for made in ledger.predictions]
    entries += [(run.at, run.digest) for run in ledger.runs]
    return {
        hashlib.sha256(canonical([ledger.track, *entry]).encode("utf-8")).digest()
        for entry in entries
    }


def _row(
    name: str, ledger: Ledger, repeats: Repeats | None, progress: Callable[[float], None]
) -> Row:
    note = ""
    if repeats is not None and (jobs := _jobs_in(ledger)) > MOST_JOBS:
        note = f"not run again: {jobs:,} jobs; use fleetlab verify"
        repeats = None
    found = verify(ledger, repeats, progress)
    row = Row(
        name,
        track=ledger.track,
        seed=ledger.seed,
        version=plain(ledger.version),
        missing=tuple(ledger.missing),
        answers=tuple(_answers(ledger)),
        runs=len(ledger.runs),
        checks=tuple((rule, _word(found, rule)) for rule in RULES),
        priority=ledger.priority or "",
        verification=note,
    )
    if repeats is None:
        return row
    verdict = {0: "all holds"}.get(found.code, "does not hold" if found.count(False) else "in part")
    return replace(
        row,
        verification=verdict,
        holds=found.count(True),
        fails=found.count(False),
        unchecked=found.count(None),
    )


RULES = {
    "seal": "seal",
    "order": "in_order",
    "prediction": "predicted_first",
    "evidence": "evidence",
    "paradox": "paradox",
}
"""What is judged of each ledger, also without running it, and the column it is in."""


def _word(found: Verification, rule: str) -> str:
    about = [finding.holds for finding in found.findings if rule in (finding.what, finding.where)]
    if not about:
        return "yes" if rule == "order" else ""
    return "no" if False in about else "unknown" if None in about else "yes"


def _answers(ledger: Ledger) -> Iterator[Answer]:
    for part in PARTS:
        made = ledger.prediction(part)
        if made is not None:
            question = questions()[part]
            right = made.choice == question.answer
            probability = SURENESS.get(made.confidence, 1 / len(question.options))
            brier = (probability - right) ** 2
            yield Answer(part, made.choice, right, made.confidence, made.number, brier)


def wanted_in(files: Sequence[tuple[str, Path]]) -> Iterator[Wanted]:
    """Yield what ``grade`` runs again, of all files that are ledgers; some perhaps twice."""
    for _, path in files:
        try:
            ledger = read_ledger(path)
        except (OutsideError, OSError):
            continue
        if _jobs_in(ledger) <= MOST_JOBS:
            yield from wanted_of(ledger)


def _jobs_in(ledger: Ledger) -> int:
    """Return how many jobs there are in all that a ledger wants run, under each rule anew."""
    return sum(one.scenario.jobs for one in wanted_of(ledger))


def csv_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the class table as CSV (RFC 4180), one line a row; no cell can be a formula."""
    parts = [
        f"part{part}_{column}"
        for part in PARTS
        for column in ("choice", "right", "confidence", "guess", "brier")
    ]
    yield _csv_line(
        [
            "name", "track", "seed", "version", "complete", "missing", *parts, "right", "brier",
            "runs", *RULES.values(), "verification", "holds", "fails", "unchecked", "priority",
            "shares_with", "problem",
        ]
    )  # fmt: skip
    for row in rows:
        answers: list[object] = []
        for part in PARTS:
            answer = row.answer(part)
            answers += (
                ["", "", "", "", ""]
                if answer is None
                else [
                    answer.choice, _yes(answer.right), answer.confidence, _known(answer.guess),
                    round(answer.brier, 4),
                ]
            )  # fmt: skip
        judged = [word for _, word in row.checks] or [""] * len(RULES)
        good = not row.problem
        yield _csv_line(
            [
                row.name, row.track, _known(row.seed), row.version,
                _yes(not row.missing) if good else "", "; ".join(row.missing), *answers,
                sum(answer.right for answer in row.answers) if good else "",
                "" if row.brier is None else round(row.brier, 4),
                row.runs if good else "", *judged, row.verification, _known(row.holds),
                _known(row.fails), _known(row.unchecked), row.priority,
                "; ".join(row.shares_with), row.problem,
            ]
        )  # fmt: skip


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([csv_cell(cell) for cell in cells])
    return line.getvalue()


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"


def _known(value: float | None) -> object:
    return "" if value is None else value
