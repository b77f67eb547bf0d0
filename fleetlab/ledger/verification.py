"""The check of a ledger: every Scenario is run again and every figure compared.

What holds, what does not and what could not be checked is listed in order: the
seal, the order of the lists, the runs, the predictions, the evidence, the paradox.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fleetlab import __version__
from fleetlab.ledger import seal
from fleetlab.ledger.evidence import DECIMALS, EVIDENCE, OWN_RULE, agrees, diverge, rounded
from fleetlab.ledger.record import FIRST_SCHEMA, Ledger, Record, read_ledger
from fleetlab.ledger.repeats import Progress, Repeat, Repeats, Wanted
from fleetlab.outside import plain
from fleetlab.scenario import Scenario, ScenarioError

ALL_HOLD, NOT_ALL_HOLD = 0, 1


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: where, and whether it holds; None: it could not be checked.

    ``what`` names the figure or the rule, ``says`` is one sentence.
    """

    where: str
    what: str
    holds: bool | None
    says: str


@dataclass(frozen=True)
class Verification:
    """What the check of one ledger came to; ``notes`` bear on no result."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """The exit code: 0 when everything was checked and holds, else 1."""
        return ALL_HOLD if all(finding.holds for finding in self.findings) else NOT_ALL_HOLD

    def count(self, holds: bool | None) -> int:
        """Return how many findings came out like this."""
        return sum(finding.holds is holds for finding in self.findings)

    def about(self, what: str) -> list[Finding]:
        """Return the findings about one rule or figure."""
        return [finding for finding in self.findings if finding.what == what]


def verify_file(
    path: Path, traces: Sequence[Path] = (), progress: Progress = lambda share: None
) -> tuple[Verification, int]:
    """Return what the check of the ledger at ``path`` came to, and the exit code.

    Raises OutsideError, TraceError or OSError, one sentence, for a file that is bad.
    """
    found = verify(read_ledger(path), Repeats(traces), progress)
    return found, found.code


def verify(
    ledger: Ledger, repeats: Repeats | None, progress: Progress = lambda share: None
) -> Verification:
    """Return what holds of ``ledger`` when its Scenarios are run again.

    Without ``repeats`` nothing is run: figures are left as recorded, and the rest is
    judged by them.
    """
    wanted = [_wanted_by(ledger, run) for run in ledger.runs]
    again = [
        Repeat(refusal=one)
        if isinstance(one, str)
        else Repeat(run.digest, run.figures)
        if repeats is None
        else repeats.of(one, _within(progress, number, len(wanted)))
        for number, (run, one) in enumerate(zip(ledger.runs, wanted, strict=True))
    ]
    checked = enumerate(zip(ledger.runs, again, strict=True)) if repeats is not None else ()
    findings = [
        *_check_seal(ledger),
        *_check_order(ledger),
        *(found for place, (run, one) in checked for found in _check_run(place, run, one)),
        *_check_predictions(ledger),
        *_check_evidence(ledger, wanted),
        *_check_paradox(ledger, again),
    ]
    return Verification(tuple(findings), tuple(_notes(ledger)))


def wanted_of(ledger: Ledger) -> list[Wanted]:
    """Return what ``verify`` runs again of ``ledger``: each Scenario with its rule, once.

    In the order of the runs; a run that has no Scenario wants nothing.
    """
    found = (_wanted_by(ledger, run) for run in ledger.runs)
    return list(dict.fromkeys(one for one in found if isinstance(one, Wanted)))


def _within(progress: Progress, number: int, count: int) -> Progress:
    """Return a progress of one of ``count`` pieces that reports that of the whole."""
    return lambda share: progress((number + share) / count)


def _wanted_by(ledger: Ledger, run: Record) -> Wanted | str:
    """Return what ``run`` is to be compared with, or a sentence that says why there is none."""
    try:
        scenario = Scenario.parse(run.scenario)
    except ScenarioError as error:
        return f"it cannot be run: {plain(error, 200)}"
    if (scenario.track, scenario.part) != (ledger.track, run.part):
        return (
            f"its Scenario is of {scenario.track}, part {scenario.part}, and the ledger has it "
            f"under {ledger.track}, part {run.part}"
        )
    return Wanted(scenario, run.rule)


def _notes(ledger: Ledger) -> Iterator[str]:
    if ledger.version != __version__:
        yield (
            f"It was made with fleetlab {plain(ledger.version) or 'of no version'} and is checked "
            f"with {__version__}; figures may differ for that reason alone."
        )
    if ledger.schema == FIRST_SCHEMA:
        yield f"Its schema, {FIRST_SCHEMA}, has no seal, so edits of words and times do not show."


def _check_seal(ledger: Ledger) -> Iterator[Finding]:
    if ledger.schema == FIRST_SCHEMA:
        return
    if "seal" not in ledger.data:
        yield Finding("seal", "seal", False, "the ledger carries no seal: it was taken off")
        return
    broken = seal.breaks({"predictions": [], "runs": [], **ledger.data})
    for name, place in broken:
        if name == "runs":
            where, reason = _run_name(place, ledger.runs[place]), "or what stood before it was"
        elif name == "predictions":
            made = ledger.predictions[place]
            where, reason = f"prediction of part {made.part}", "or what stood before it was"
        else:
            where, reason = "the ledger's answers", "or the end of its lists was"
        yield Finding(where, "seal", False, f"it was changed after it was sealed, {reason}")
    if not broken:
        entries = len(ledger.predictions) + len(ledger.runs)
        yield Finding("seal", "seal", True, f"all {entries} entries and the answers are as sealed")


def _check_order(ledger: Ledger) -> Iterator[Finding]:
    for name, entries in (("predictions", ledger.predictions), ("runs", ledger.runs)):
        times = [entry.at for entry in entries]
        late = [place for place in range(1, len(times)) if times[place] < times[place - 1]]
        for place in late:
            yield Finding(
                f"{name} {place} and {place + 1}",
                "order",
                False,
                f"they were made at {times[place - 1]} and {times[place]}, and stand the other "
                "way round",
            )


def _run_name(place: int, run: Record) -> str:
    return f"run {place + 1} (part {run.part}, {run.at})"


def _check_run(place: int, run: Record, again: Repeat) -> Iterator[Finding]:
    where = _run_name(place, run)
    if again.refusal:
        yield Finding(where, "replay", None if not again.checked else False, again.refusal)
        return
    same = run.digest == again.digest
    says = "digest"
    if not same:
        says = (
            f"the events are others: the digest is {run.digest[:12]}… in the ledger and "
            f"{again.digest[:12]}… when it is run again"
        )
    yield Finding(where, "digest", same, says)
    if not run.figures:
        yield Finding(where, "figures", False, "it has no figures")
    for name, recorded in run.figures.items():
        shown = plain(name)
        if name not in DECIMALS:
            yield Finding(where, shown, None, f"{shown}: this version knows no such figure")
        elif name not in again.figures:
            yield Finding(where, shown, False, f"{shown}: this run has no such figure")
        elif agrees(name, recorded, again.figures[name]):
            yield Finding(where, name, True, f"{name} {recorded}")
        else:
            measured = rounded(name, again.figures[name])
            says = f"{name} is {recorded} in the ledger and {measured} when it is run again"
            yield Finding(where, name, False, says)


def _check_predictions(ledger: Ledger) -> Iterator[Finding]:
    for part in sorted({run.part for run in ledger.runs}):
        where = f"prediction of part {part}"
        first = min(run.at for run in ledger.runs if run.part == part)
        made = ledger.prediction(part)
        if made is None:
            yield Finding(where, "prediction", False, "the part has runs and was never predicted")
        elif made.at > first:
            yield Finding(
                where, "prediction", False, f"it is of {made.at}, after the first run at {first}"
            )
        else:
            yield Finding(where, "prediction", True, f"made at {made.at}, before the first run")


def _check_evidence(ledger: Ledger, wanted: list[Wanted | str]) -> Iterator[Finding]:
    cited = ledger.evidence_runs
    for digest in cited:
        if not any(run.digest == digest for run in ledger.runs):
            yield Finding(
                "evidence", "runs", False, f"it cites the run {digest[:12]}…, which is not there"
            )
    places = [n for n, run in enumerate(ledger.runs) if not cited or run.digest in cited]
    for name, value in ledger.evidence.items():
        if value is None:
            continue
        shown = plain(name)
        if name not in EVIDENCE:
            yield Finding("evidence", shown, None, f"{shown}: this version knows no such evidence")
            continue
        holds = any(ledger.runs[n].figures.get(EVIDENCE[name]) == value for n in places)
        says = f"{name} {value}" if holds else f"{name} {value} is no figure of the runs it cites"
        yield Finding("evidence", name, holds, says)
    choices = [
        asdict(one.scenario) | ({"placement": OWN_RULE} if one.rule else {})
        for n in places
        if isinstance(one := wanted[n], Wanted)
    ]
    for name, value in ledger.policy.items():
        known = [chosen[name] for chosen in choices if name in chosen]
        if known and value is not None:
            holds = value in known
            says = f"{name} {plain(value)}"
            if not holds:
                says += " was not chosen in the runs it cites"
            yield Finding("policy", name, holds, says)


def _check_paradox(ledger: Ledger, again: list[Repeat]) -> Iterator[Finding]:
    if ledger.paradox_runs or ledger.paradox_text.strip():
        holds, says = _paradox(ledger, again)
        yield Finding("paradox", "paradox", holds, says)


def _paradox(ledger: Ledger, again: list[Repeat]) -> tuple[bool | None, str]:
    """Return whether the two runs cited are the reader's own and diverge, and a sentence."""
    cited = ledger.paradox_runs
    newest = {run.digest: place for place, run in enumerate(ledger.runs)}
    if len(cited) != 2 or cited[0] == cited[1]:
        return False, "it must cite two different runs"
    for digest in cited:
        if digest not in newest:
            return False, f"the run {digest[:12]}… is not in the ledger, so not the reader's own"
    places = [newest[digest] for digest in cited]
    name = "runs " + " and ".join(str(place + 1) for place in places)
    if len({ledger.runs[place].part for place in places}) == 2:
        return False, f"{name} are of different parts, whose fleets say nothing of each other"
    one, other = (again[place].figures or ledger.runs[place].figures for place in places)
    if not diverge(one, other):
        return False, f"{name} do not diverge: {_utilisation(one)} and {_utilisation(other)}"
    if not all(again[place].checked for place in places):
        return None, f"{name} diverge as recorded, and cannot be run again here"
    return True, f"{name} diverge: {_utilisation(one)} and {_utilisation(other)}"


def _utilisation(figures: Mapping[str, float]) -> str:
    names = ("allocated", "productive", "mfu")
    return ", ".join(f"{name} {figures[name]:.4f}" for name in names if name in figures)
