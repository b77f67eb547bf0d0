"""What the check of a ledger says: of one that is as it was made, and of every way to forge one."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetlab.cli import main
from fleetlab.ledger.evidence import record_of
from fleetlab.ledger.record import parse_ledger
from fleetlab.ledger.repeats import Repeats
from fleetlab.ledger.seal import canonical, sealed
from fleetlab.ledger.verification import Finding, Verification, verify, verify_file
from fleetlab.outside import OutsideError
from fleetlab.policy.rule import START
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate
from fleetlab.workloads.traces import load_trace
from tests.ledgers import STRICT, at, complete, recorded, ruled, write
from tests.rules import ENDLESS, HOLDS_OUT, LABORIOUS

CALM = STRICT.but(load=50)
AGAIN = Repeats()  # each Scenario of these tests runs once
Forge = Callable[[dict[str, Any]], Any]


def check(ledger: dict[str, Any], repeats: Repeats | None = AGAIN) -> Verification:
    return verify(parse_ledger(canonical(ledger).encode()), repeats)


def failed(found: Verification) -> list[tuple[str, str]]:
    """Return (where, without its part and time; what) of all that does not hold."""
    return [(f.where.partition(" (")[0], f.what) for f in found.findings if f.holds is False]


def forged(forge: Forge, seal_again: bool) -> dict[str, Any]:
    ledger = copy.deepcopy(complete())
    forge(ledger)
    return sealed(ledger) if seal_again else ledger


def test_of_a_ledger_as_it_was_made_everything_holds() -> None:
    found = check(complete())
    assert found.code == 0
    assert found.notes == ()
    # seal; a digest and the figures of four runs; predictions; evidence; policy; paradox
    figures = sum(len(run["figures"]) for run in complete()["runs"])
    assert found.count(True) == len(found.findings) == 1 + 4 + figures + 3 + 3 + 2 + 1


def test_findings_come_in_order() -> None:
    wheres = [finding.where.partition(" (")[0] for finding in check(complete()).findings]
    assert list(dict.fromkeys(wheres)) == [
        "seal", "run 1", "run 2", "run 3", "run 4", "prediction of part 1",
        "prediction of part 2", "prediction of part 3", "evidence", "policy", "paradox",
    ]  # fmt: skip


def test_an_edited_figure_fails_the_seal_and_the_replay() -> None:
    found = check(forged(lambda x: x["runs"][1]["figures"].update(mfu=0.5), False))
    assert failed(found) == [("run 2", "seal"), ("run 2", "mfu")]
    says = found.about("mfu")[0].says
    measured = complete()["runs"][1]["figures"]["mfu"]
    assert says == f"mfu is 0.5 in the ledger and {measured} when it is run again"
    assert found.code == 1


def test_a_figure_edited_in_its_last_digit_fails() -> None:
    def nudge(ledger: dict[str, Any]) -> None:
        figures = ledger["runs"][2]["figures"]
        figures["fairness"] = round(figures["fairness"] - 0.0001, 4)

    assert failed(check(forged(nudge, True))) == [("run 3", "fairness")]


def test_sealing_a_forged_figure_again_does_not_make_it_hold() -> None:
    found = check(forged(lambda x: x["runs"][1]["figures"].update(mfu=0.5), True))
    assert failed(found) == [("run 2", "mfu")]


def test_a_digest_of_another_run_fails() -> None:
    def swap(ledger: dict[str, Any]) -> None:
        ledger["runs"][0]["digest"] = ledger["runs"][3]["digest"][::-1]

    assert failed(check(forged(swap, True))) == [("run 1", "digest")]


def test_a_scenario_that_was_edited_has_another_digest() -> None:
    def edit(ledger: dict[str, Any]) -> None:
        run = ledger["runs"][0]
        run["scenario"] += "&placement=random"

    found = check(forged(edit, True))
    assert ("run 1", "digest") in failed(found)
    assert {where for where, _ in failed(found)} == {"run 1"}


def test_two_runs_that_changed_places_fail_the_order() -> None:
    def swap(ledger: dict[str, Any]) -> None:
        ledger["runs"][1], ledger["runs"][2] = ledger["runs"][2], ledger["runs"][1]

    found = check(forged(swap, False))
    assert failed(found) == [("runs 2 and 3", "order")]
    assert "the other way round" in found.about("order")[0].says


def test_the_results_of_two_runs_that_changed_places_fail_the_replay() -> None:
    def swap(ledger: dict[str, Any]) -> None:
        one, other = ledger["runs"][1:3]
        for name in ("digest", "figures"):
            one[name], other[name] = other[name], one[name]

    wheres = {where for where, _ in failed(check(forged(swap, True)))}
    # the digest that the evidence cites is now with the other policy
    assert wheres == {"run 2", "run 3", "policy"}


def test_a_prediction_moved_after_its_run_fails() -> None:
    found = check(forged(lambda x: x["predictions"][2].update(at=at(40)), True))
    assert failed(found) == [("prediction of part 3", "prediction")]
    assert "after the first run" in found.about("prediction")[2].says


def test_a_prediction_at_the_instant_of_its_first_run_counts_as_before() -> None:
    # the page gives the scene that was shown before the lock the time of the lock
    assert check(forged(lambda x: x["predictions"][2].update(at=at(32)), True)).code == 0


def test_a_prediction_moved_before_its_run_fails_the_seal() -> None:
    found = check(forged(lambda x: x["predictions"][0].update(at=at(0)), False))
    assert failed(found) == [("prediction of part 1", "seal")]


def test_a_part_that_was_run_and_never_predicted_fails() -> None:
    found = check(forged(lambda x: x["predictions"].pop(1), True))
    assert failed(found) == [("prediction of part 2", "prediction")]


def test_a_prediction_changed_to_the_right_answer_fails_the_seal() -> None:
    found = check(forged(lambda x: x["predictions"][1].update(choice="decreases-busy"), False))
    assert failed(found) == [("prediction of part 2", "seal")]


def test_a_run_taken_out_breaks_the_chain_behind_it() -> None:
    found = check(forged(lambda x: x["runs"].pop(0), False))
    assert failed(found) == [("prediction of part 2", "seal")]


@pytest.mark.parametrize(
    "forge",
    [
        lambda x: x.update(residual_risk="None."),
        lambda x: x["reflections"].update(part1="Better words."),
        lambda x: x.update(priority="density"),
        lambda x: x.update(seed=8),
        lambda x: x.update(hidden=1),
        lambda x: x["paradox_answer"].update(text="Other."),
    ],
)
def test_an_answer_that_was_edited_fails_the_seal(forge: Forge) -> None:
    assert failed(check(forged(forge, False))) == [("the ledger's answers", "seal")]


def test_a_seal_that_was_taken_off_fails() -> None:
    found = check(forged(lambda x: x.pop("seal"), False))
    assert failed(found) == [("seal", "seal")]


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("?track=titan&load=9999", "it cannot be run: load: '9999' is not a whole number"),
        ("", "digest"),
        ("?track=nomad&part=1", "its Scenario is of nomad, part 1, and the ledger has it under"),
        ("?track=titan&part=2", "its Scenario is of titan, part 2"),
        ("?track=titan&evil=<script>", "'evil' is no choice here"),
        ("?track=\x1b[2J", "it cannot be run"),
    ],
)
def test_a_scenario_that_is_none_fails_alone(scenario: str, reason: str) -> None:
    found = check(forged(lambda x: x["runs"][0].update(scenario=scenario), True))
    first = [finding for finding in found.findings if finding.where.startswith("run 1 ")]
    assert reason in " ".join(finding.says for finding in first)
    assert {where for where, _ in failed(found)} == {"run 1"}
    assert all(finding.says.isprintable() for finding in found.findings)


def test_a_figure_that_no_version_has_could_not_be_checked() -> None:
    found = check(forged(lambda x: x["runs"][0]["figures"].update(happiness=1), True))
    assert failed(found) == []
    assert [finding.holds for finding in found.about("happiness")] == [None]
    assert found.code == 1


def test_a_figure_that_this_run_cannot_have_fails() -> None:
    # nothing converges in Part 1
    found = check(forged(lambda x: x["runs"][0]["figures"].update(time_to_converge_s=5), True))
    assert failed(found) == [("run 1", "time_to_converge_s")]


def test_a_run_without_figures_is_no_evidence() -> None:
    found = check(forged(lambda x: x["runs"][0].update(figures={}), True))
    assert failed(found) == [("run 1", "figures")]


def test_evidence_must_be_a_figure_of_the_runs_that_it_cites() -> None:
    found = check(forged(lambda x: x["evidence"].update(mfu=0.9), True))
    assert failed(found) == [("evidence", "mfu")]


def test_evidence_of_a_run_that_is_not_cited_fails() -> None:
    def cite_loose(ledger: dict[str, Any]) -> None:
        ledger["evidence"]["allocated"] = ledger["runs"][1]["figures"]["allocated"]

    assert failed(check(forged(cite_loose, True))) == [("evidence", "allocated")]


def test_evidence_that_cites_a_stranger_fails() -> None:
    found = check(forged(lambda x: x["evidence"]["runs"].append("0" * 64), True))
    assert failed(found) == [("evidence", "runs")]


def test_a_policy_must_be_the_one_that_was_run() -> None:
    found = check(forged(lambda x: x["policy"].update(patience=0), True))
    assert failed(found) == [("policy", "patience")]


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        (lambda digests: [], "two different runs"),
        (lambda digests: digests[1:2], "two different runs"),
        (lambda digests: [digests[1], digests[1]], "two different runs"),
        (lambda digests: [digests[1], "0" * 64], "not in the ledger"),
        (lambda digests: digests[2:4], "of different parts"),
    ],
)
def test_the_paradox_needs_two_diverging_runs_of_the_readers_own(
    runs: Callable[[list[str]], list[str]], reason: str
) -> None:
    def cite(ledger: dict[str, Any]) -> None:
        ledger["paradox_answer"]["runs"] = runs([run["digest"] for run in ledger["runs"]])

    found = check(forged(cite, True))
    assert failed(found) == [("paradox", "paradox")]
    assert reason in found.about("paradox")[0].says


def test_a_divergence_that_was_written_in_is_no_paradox() -> None:
    # the two runs of another pair: the busier one gets more done, whatever the file says
    def invent(ledger: dict[str, Any]) -> None:
        calm = {**recorded(CALM, 21), "figures": {"allocated": 0.99, "mfu": 0.1}}
        ledger["runs"].insert(3, calm)
        ledger["paradox_answer"]["runs"] = [run["digest"] for run in ledger["runs"][2:4]]

    found = check(forged(invent, True))
    assert ("paradox", "paradox") in failed(found)
    assert "do not diverge" in found.about("paradox")[0].says
    assert check(forged(invent, True), None).about("paradox")[0].holds is True


def test_a_run_placed_by_the_readers_own_rule_is_run_again_with_it() -> None:
    assert failed(check(ruled(START))) == []
    assert check(ruled(START)).about("placement")[0].holds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (START.replace("-sum", "sum"), "the events are others"),
        ("", "the events are others"),
        (ENDLESS, "was stopped at"),
        ("import os", "it cannot be run: line 1: a rule cannot use import"),
    ],
)
def test_another_rule_than_the_recorded_one_fails(text: str, says: str) -> None:
    found = check(ruled(text))
    assert any(says in finding.says and finding.holds is False for finding in found.findings)


def test_a_version_other_than_this_one_is_noted_and_no_fault() -> None:
    found = check(forged(lambda x: x.update(version="0.0.9"), True))
    assert found.code == 0
    assert "made with fleetlab 0.0.9" in found.notes[0]


def test_the_first_schema_has_no_seal_and_says_so() -> None:
    run = {key: value for key, value in complete()["runs"][0].items() if key != "seal"}
    old = {
        "schema": "fleetlab-ledger/1",
        "track": "titan",
        "version": complete()["version"],
        "predictions": complete()["predictions"][:1],
        "runs": [run],
    }
    found = check(old)
    assert found.code == 0
    assert "has no seal" in found.notes[0]


def test_without_repeats_the_rest_is_judged_as_recorded() -> None:
    found = check(complete(), None)
    assert found.code == 0
    assert not found.about("digest")
    assert found.about("paradox")[0].holds is True
    lie = check(forged(lambda x: x["runs"][1]["figures"].update(mfu=0.5), True), None)
    assert failed(lie) == []


def test_progress_goes_from_nothing_to_all_of_it() -> None:
    shares: list[float] = []
    verify(parse_ledger(canonical(complete()).encode()), Repeats(), shares.append)
    assert shares == sorted(shares)
    assert shares[0] >= 0 and shares[-1] <= 1


TRACE = b"submit_s,duration_s,gpus\n0,600,8\n10,600,8\n20,60,64\n"


def traced(folder: Path) -> tuple[dict[str, Any], Path]:
    """Return a ledger whose only run repeats a file of the reader's own, and that file."""
    path = write(folder, TRACE, "own.csv")
    name = hashlib.sha256(TRACE).hexdigest()[:16]
    scenario = Scenario.default().but(workload="trace", trace=name)
    run = record_of(simulate(scenario, load_trace(TRACE, name="own.csv").jobs))
    ledger = complete() | {"runs": [{**run, "at": at(5)}], "evidence": {}, "policy": {}}
    ledger["paradox_answer"] = None
    return sealed(ledger), path


def test_a_run_of_the_readers_own_trace_cannot_be_checked_without_the_file(
    tmp_path: Path,
) -> None:
    found = check(traced(tmp_path)[0], Repeats())
    replay = found.about("replay")[0]
    assert replay.holds is None
    assert "give that file with --trace" in replay.says
    assert found.code == 1


def test_with_the_file_it_is_checked_like_any_other(tmp_path: Path) -> None:
    ledger, trace = traced(tmp_path)
    assert check(ledger, Repeats([trace])).code == 0
    ledger["runs"][0]["figures"]["wait_mean_s"] += 1
    assert failed(check(sealed(ledger), Repeats([trace]))) == [("run 1", "wait_mean_s")]


def test_another_file_is_not_taken_for_it(tmp_path: Path) -> None:
    ledger, _ = traced(tmp_path)
    other = write(tmp_path, TRACE + b"30,60,1\n", "other.csv")
    assert check(ledger, Repeats([other])).about("replay")[0].holds is None


def test_verify_file_returns_what_was_found_and_the_exit_code(tmp_path: Path) -> None:
    found, code = verify_file(write(tmp_path, complete()))
    assert (found.code, code) == (0, 0)
    with pytest.raises(OutsideError):
        verify_file(write(tmp_path, b"{"))


# ---- the command


def test_the_command_says_what_holds_and_exits_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(write(tmp_path, complete()))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ledger.json: Cloud Titan, seed 1")
    assert lines[1].startswith("holds          seal:")
    assert lines[2].startswith(f"holds          run 1 (part 1, {at(2)}): digest, wait_mean_s ")
    assert lines[-2].endswith("0 do not, 0 could not be checked.")
    assert lines[-1] == "The ledger is complete."


def test_the_command_exits_1_and_names_the_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, forged(lambda x: x["runs"][1]["figures"].update(mfu=0.5), True))
    out = tmp_path / "found.json"
    assert main(["verify", str(path), "--json", str(out)]) == 1
    said = [line for line in capsys.readouterr().out.splitlines() if "DOES NOT" in line]
    assert len(said) == 1
    assert "mfu is 0.5 in the ledger and" in said[0]
    assert '"holds": false' in out.read_text()


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 9999, b'{"schema": "other"}'])
def test_the_command_exits_2_with_one_line_for_what_is_no_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    assert main(["verify", str(write(tmp_path, data))]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("fleetlab verify: ledger.json")
    assert said.err.count("\n") == 1


def test_the_command_exits_2_for_a_file_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_a_finding_is_about_one_thing() -> None:
    found = Verification((Finding("run 1", "mfu", None, "unknown"),))
    assert (found.code, found.count(None), found.about("digest")) == (1, 1, [])


def test_a_scenario_that_breaks_the_engine_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(scenario: Scenario, *_: Any, **__: Any) -> Any:
        if scenario.part == 1:
            raise IndexError("list index out of range")
        return simulate(scenario)

    monkeypatch.setattr("fleetlab.ledger.repeats.simulate", broken)
    found = check(complete(), Repeats())
    assert failed(found) == [("run 1", "replay")]
    assert "it cannot be run: list index out of range" in found.about("replay")[0].says


def test_in_processes_of_their_own_the_same_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path, complete()))
    assert main(["verify", path]) == 0
    here = capsys.readouterr().out
    assert main(["verify", path, "--workers", "2"]) == 0
    assert capsys.readouterr().out == here


def test_with_processes_nothing_is_run_in_the_main_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def idle(*_: Any) -> Any:
        raise AssertionError("the main process runs nothing")

    path = str(write(tmp_path, ruled(START)))
    monkeypatch.setattr("fleetlab.ledger.repeats.simulate", idle)  # a process of the pool is new
    assert main(["verify", path, "--workers", "2"]) == 0
    assert main(["verify", path]) == 1


RULES = {
    HOLDS_OUT: "the events are others",
    ENDLESS: "the rule was still going after 50,000 steps for one job",
    LABORIOUS: "the rule has taken 8,000,000 steps in this run",
    "import os": "it cannot be run: line 1: a rule cannot use import",
    "\ud800": "it cannot be run: the rule is no text that Python can read",
}
"""Rules that did not place what they are recorded for, and what is said of each."""


def test_in_processes_each_rule_has_the_one_sentence_that_it_has_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = ruled(START)
    run = ledger["runs"][2]
    lying = [run | {"rule": text, "at": at(21 + n)} for n, text in enumerate(RULES)]
    ledger["runs"][3:3] = lying
    path = str(write(tmp_path, sealed(ledger)))
    assert main(["verify", path]) == 1
    here = capsys.readouterr().out
    for number, says in enumerate(RULES.values(), start=4):
        lines = [line for line in here.splitlines() if f" run {number} (" in line]
        assert lines[0].startswith("DOES NOT HOLD")
        assert says in lines[0]
        assert len(lines) == 1 or "events are others" in says
    assert main(["verify", path, "--workers", "2"]) == 1
    assert capsys.readouterr().out == here


def test_no_process_at_all_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(write(tmp_path, complete())), "--workers", "0"]) == 2
    assert "--workers: 0 is below 1" in capsys.readouterr().err
