"""A policy of the user's own in the engine: checked, stopped, and what the run did until then."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleetlab.engine.event_loop import Engine, Event, Policy
from fleetlab.fleet import Fleet
from fleetlab.job import JobTable
from fleetlab.policy.custom import Ask
from fleetlab.policy.refusal import Refusal
from fleetlab.run import Run
from fleetlab.scenario import Scenario

FLEET = Fleet(2, 2, 4)


def run_with(place: Any, jobs: JobTable | None = None, fleet: Fleet = FLEET, **policy: Any) -> Run:
    jobs = jobs if jobs is not None else JobTable([0, 10], [100, 100], [2, 2])
    engine = Engine(fleet, jobs, Policy(placement=place, **policy), np.random.default_rng(0))
    return Run.of(engine.run())


def first_node(job: Ask, free: list[list[int]]) -> Any:
    for block, row in enumerate(free):
        for node, room in enumerate(row):
            if room >= job.gpus:
                return [(block, node, job.gpus)]
    return None


def test_a_function_places_jobs_where_it_says() -> None:
    run = run_with(first_node)
    assert run.stopped == ""
    assert run.start_ms.tolist() == [0, 10]
    assert run.spans.node.tolist() == [0, 0]


def test_a_job_that_the_function_lets_wait_waits_and_the_log_says_why() -> None:
    # four GPUs a node, three taken on each: two are free and no node has them both
    jobs = JobTable([0, 0, 1], [100, 100, 50], [3, 3, 3])
    run = run_with(first_node, jobs, Fleet(1, 2, 4))
    assert run.start_ms.tolist() == [0, 0, 100]
    row = run.row_of(2, Event.REFUSE, 50)
    assert row is not None and row[3] == Refusal.TOO_FEW_FREE
    jobs = JobTable([0, 0, 1], [100, 100, 50], [3, 3, 2])
    run = run_with(first_node, jobs, Fleet(1, 2, 4))
    row = run.row_of(2, Event.REFUSE, 50)
    assert row is not None and row[3] == Refusal.POLICY_LETS_IT_WAIT
    assert "own function lets it wait" in run.why(2, 0.05)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ([(5, 0, 2)], "node 0 of block 5; blocks go from 0 to 1"),
        ([(0, 2, 2)], "node 2 of block 0; blocks go from 0 to 1 and nodes from 0 to 1"),
        ([(0, 0, 9)], "took 9 GPUs of node 0 of block 0, where the job can have 4"),
        ([(0, 0, 0), (0, 1, 2)], "took 0 GPUs"),
        ([(0, 0, 1), (0, 0, 1)], "node 0 of block 0 twice"),
        ([(0, 0, 1)], "placed 1 GPUs of a job that asks for 2"),
        ([], "placed 0 GPUs"),
        ([(0, 0)], "a tuple in its list"),
        ([(0, 0, 2.0)], "three whole numbers"),
        ([(0, 0, True)], "three whole numbers"),
        (7, "answered 7; it must answer a list"),
        ("node 1", "answered 'node 1'"),
        ({0: 2}, "answered a dict"),
    ],
)
def test_nonsense_is_named_and_ends_the_run(answer: Any, why: str) -> None:
    run = run_with(lambda job, free: answer)
    assert why in run.stopped
    assert "Until then 0 of 2 jobs had started" in run.stopped


def test_a_policy_that_raises_is_named_at_its_line_and_the_run_says_what_it_did_until_then() -> (
    None
):
    def place(job: Ask, free: list[list[int]]) -> Any:
        if sum(map(sum, free)) < 16:
            raise RuntimeError("I give up")
        return first_node(job, free)

    run = run_with(place)
    line = place.__code__.co_firstlineno + 2
    assert f"line {line}: the policy raised RuntimeError: I give up" in run.stopped
    assert "at 0.01 s" in run.stopped and "1 of 2 jobs had started and 0 had ended" in run.stopped
    assert run.events is not None and run.log[-1, 1] == Event.STOP
    assert run.metrics.window_ms == (0, 10)


def test_a_policy_that_never_returns_is_stopped() -> None:
    def place(job: Ask, free: list[list[int]]) -> Any:
        while True:
            pass

    run = run_with(place)
    assert "still going after 200,000 lines" in run.stopped


def test_a_loop_on_one_line_is_stopped_too() -> None:
    spin = eval("lambda job, free: [part for part in iter(int, 1)]")
    assert "still going after 200,000 lines" in run_with(spin).stopped


def test_a_policy_that_would_end_the_program_is_stopped_and_named() -> None:
    def place(job: Ask, free: list[list[int]]) -> Any:
        raise SystemExit(3)

    assert "the policy raised SystemExit: 3" in run_with(place).stopped


def test_an_error_or_an_answer_that_fails_when_it_is_read_is_told_all_the_same() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise ValueError

    class Trap(list[Any]):
        def __iter__(self) -> Any:
            raise RuntimeError

    def raising(job: Ask, free: list[list[int]]) -> Any:
        raise Silent

    assert "the policy raised Silent. " in run_with(raising).stopped
    assert "the policy answered a Trap" in run_with(lambda job, free: Trap([1])).stopped


def test_a_policy_may_be_an_object_that_cannot_be_hashed() -> None:
    class Placer:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, job: Ask, free: list[list[int]]) -> Any:
            return first_node(job, free)

    assert run_with(Placer()).digest == run_with(first_node).digest


def test_what_a_function_does_to_its_table_changes_nothing() -> None:
    def place(job: Ask, free: list[list[int]]) -> Any:
        answer = first_node(job, free)
        free[0][0] = 99
        free.clear()
        return answer

    assert run_with(place).digest == run_with(first_node).digest


def test_a_function_sees_only_devices_that_can_run_the_job() -> None:
    seen: list[list[list[int]]] = []

    def place(job: Ask, free: list[list[int]]) -> Any:
        seen.append([row.copy() for row in free])
        return first_node(job, free)

    jobs = JobTable([0], [10], [1], needs_class=[1])
    run = run_with(place, jobs, Fleet(1, 3, 1, (2, 1)))
    assert seen == [[[0, 0, 1]]]
    assert run.spans.node.tolist() == [2]


def test_the_examples_of_the_document_run() -> None:
    text = Path("docs/policies.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, Any] = {}
    for block in blocks:
        # the same on fewer jobs
        names["small"] = Scenario.default("titan", 2).but(jobs=40)
        exec(block.replace('Scenario.default("titan", 2)', "small"), names)
        assert names["run"].stopped == ""
