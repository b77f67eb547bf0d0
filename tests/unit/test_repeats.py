"""What of a ledger is run again: each Scenario with its rule, once, and where the work is given."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from fleetlab.ledger.record import Ledger, parse_ledger
from fleetlab.ledger.repeats import Repeat, Repeats, Wanted
from fleetlab.ledger.seal import canonical, sealed
from fleetlab.ledger.verification import verify, wanted_of
from fleetlab.policy.rule import START, Rule
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate
from tests.ledgers import AUDIT, LOOSE, SPOT, STRICT, complete, recorded, ruled
from tests.rules import HOLDS_OUT


def read(ledger: dict[str, Any]) -> Ledger:
    return parse_ledger(canonical(ledger).encode())


def with_runs(*runs: dict[str, Any]) -> Ledger:
    return read(sealed(complete() | {"runs": list(runs)}))


class Here:
    """A pool that works in this process, where a test can look on."""

    def open(self, alone: bool) -> tuple[Executor, int]:
        return ThreadPoolExecutor(1), 1

    def close(self, executor: Executor, cut_short: bool) -> None:
        executor.shutdown()

    def deserted(self) -> bool:
        return False

    def leave(self) -> None:
        pass

    def killed(self, error: BaseException) -> bool:
        return False


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    """Return the list of what is simulated from now on, with the rule that it is placed by."""
    seen: list[Wanted] = []

    def look_on(scenario: Scenario, trace: Any, placement: Rule | None, progress: Any) -> Any:
        seen.append(Wanted(scenario, placement.text if placement else ""))
        return simulate(scenario, trace, placement, progress)

    monkeypatch.setattr("fleetlab.ledger.repeats.simulate", look_on)
    return seen


def test_a_rules_run_is_repeated_once_and_with_its_rule_in_the_pool(made: list[Wanted]) -> None:
    ledger, repeats, shares = read(ruled(START)), Repeats(), list[float]()
    repeats.prepare(wanted_of(ledger), Here(), shares.append)
    assert made == [Wanted(AUDIT), Wanted(LOOSE), Wanted(STRICT, START), Wanted(SPOT)]
    assert shares == [0.25, 0.5, 0.75, 1.0]
    made.clear()
    assert verify(ledger, repeats).count(False) == 0
    assert made == []


def test_two_rules_on_one_scenario_are_two_repetitions(made: list[Wanted]) -> None:
    ledger = with_runs(recorded(STRICT, 17, START), recorded(STRICT, 20, HOLDS_OUT))
    repeats = Repeats()
    repeats.prepare(wanted_of(ledger), Here(), lambda share: None)
    assert made == [Wanted(STRICT, START), Wanted(STRICT, HOLDS_OUT)]
    digests = [repeats.of(one).digest for one in wanted_of(ledger)]
    assert digests == [run.digest for run in ledger.runs]
    assert len(set(digests)) == 2


def test_a_scenario_is_another_run_with_a_rule_than_without(made: list[Wanted]) -> None:
    ledger = with_runs(recorded(STRICT, 17), recorded(STRICT, 20, START))
    assert wanted_of(ledger) == [Wanted(STRICT), Wanted(STRICT, START)]
    assert verify(ledger, Repeats()).about("digest")[1].holds
    assert made == wanted_of(ledger)


def test_the_same_scenario_with_the_same_rule_is_wanted_once() -> None:
    runs = [recorded(STRICT, minute, START) for minute in (17, 18)]
    runs[1]["scenario"] += "&theme=dark"  # of the page; the Scenario is the same
    assert wanted_of(with_runs(*runs)) == [Wanted(STRICT, START)]


def test_a_run_without_a_scenario_wants_nothing() -> None:
    assert wanted_of(with_runs(recorded(AUDIT, 2) | {"scenario": "?evil=1"})) == []


def test_what_is_known_is_not_given_to_a_pool_again(made: list[Wanted]) -> None:
    repeats = Repeats()
    one = Wanted(AUDIT)
    assert isinstance(repeats.of(one), Repeat)
    repeats.prepare([one, one], Here(), lambda share: None)
    assert made == [one]
