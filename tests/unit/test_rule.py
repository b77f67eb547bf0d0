"""A placement rule as text: what it may say, what stops it, and what it does to a run."""

from __future__ import annotations

import tracemalloc

import pytest

from fleetlab.analysis.usage import Usage
from fleetlab.policy.custom import Ask, PolicyStopped
from fleetlab.policy.rule import START, Rule
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate
from tests.rules import HOLDS_OUT

FREE = [[8, 0], [3, 3]]


def rule_of(body: str) -> Rule:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return Rule(f"def place(job, free):\n{lines}")


def test_the_worked_rule_fills_the_block_with_the_most_room_first() -> None:
    assert Rule(START)(Ask(8), FREE) == [(0, 0, 8)]
    assert Rule(START)(Ask(10), FREE) == [(0, 0, 8), (1, 0, 2)]


def test_a_rule_may_use_loops_lists_sets_and_functions_of_its_own() -> None:
    text = """
LIMIT = 2
def place(job, free):
    seen = {(b, n) for b, row in enumerate(free) for n, room in enumerate(row) if room}
    table = {b: sum(row) for b, row in enumerate(free)}
    first = sorted(seen, key=lambda at: (table[at[0]], at))[:LIMIT]
    while len(first) > 1:
        first.pop()
    return [(*first[0], taken(job.gpus, free[first[0][0]][first[0][1]]))]
def taken(wanted, room):
    return min(wanted, room) if room % 2 else room
"""
    assert Rule(text)(Ask(3), FREE) == [(1, 0, 3)]


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        ("import js", 2, "import"),
        ("x = 1\nreturn ().__class__", 3, "__class__"),
        ("return '{0}'.format(job)", 2, ".format"),
        ("return __builtins__", 2, "underscore"),
        ("return 9 ** 9", 2, "a power"),
        ("return 1 << 9", 2, "a shift"),
        ("return f'{job}'", 2, "formatted text"),
        ("try:\n    pass\nexcept Exception:\n    pass", 2, "try"),
        ("yield 1", 2, "yield"),
        ("class A:\n    pass", 2, "a class"),
        ("global x", 2, "global"),
        ("free[0][:] = free[1]", 2, "stretch of a list"),
        ("a, *b = free", 2, "stretch of a list"),
        ("return sorted(free, key=free.append)", 2, "call .append on the spot"),
        ("job.gpus = 4", 2, "change what it is given"),
        ("free[0] *= 99", 2, "give the element a name"),
        ("return b''", 2, "bytes"),
        ("def f(*all):\n    return all", 2, "named arguments"),
        ("return " + "9" * 60, 2, "too large"),
        ("return (", 2, "'(' was never closed"),
    ],
)
def test_what_a_rule_cannot_say_is_refused_at_its_line(body: str, line: int, why: str) -> None:
    with pytest.raises(PolicyStopped) as stopped:
        rule_of(body)
    assert stopped.value.line == line
    assert why in str(stopped.value)


def test_a_text_without_the_function_says_what_is_missing() -> None:
    with pytest.raises(PolicyStopped, match="no function place"):
        Rule("x = 1")
    with pytest.raises(PolicyStopped, match="only name values"):
        Rule("for x in range(9):\n    pass\n\n\ndef place(job, free):\n    return None\n")


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    pass",
        "for x in free:\n    free.append(x)",
        "return place(job, free)",
        "return sum(x for a in range(9999) for x in range(9999))",
        "return list(range(999999999))",
        "return [0] * 999999999",
        "x = [0]\nwhile True:\n    x = x + x",
        "x = [0]\nwhile True:\n    x += x",
        "x = [0]\nwhile True:\n    x.extend(x)",
        "x = [0]\nx.extend(y for y in x)\nreturn x",
        "x = [0]\nx.extend(enumerate(x))\nreturn x",
        "x = [0]\nx.extend(zip(x, x))\nreturn x",
        "return 'a' * 999999999",
        "return 'ab' * 99 % 2",
        "return '%999999999d' % 1",
        "x = 2\nwhile True:\n    x = x * x",
        "x = 2\nwhile True:\n    x *= x",
        "a = []\nfor i in range(60):\n    a = [a, a]\nb = []\nfor i in range(60):\n    b = [b, b]\n"
        "return a == b",
        "a = ()\nfor i in range(60):\n    a = (a, a)\nreturn {a: 1}",
        "a = ()\nfor i in range(60):\n    a = (a, a)\nreturn {a}",
        "a = ()\nd = {}\nfor i in range(60):\n    a = (a, a)\nd[a] = 1",
        "a = ()\nfor i in range(60):\n    a = (a, a)\nreturn set([a])",
        "a = []\na.append(a)\nb = []\nb.append(b)\nreturn a == b",
        "x = list(range(9999))\nkept = []\nwhile True:\n    kept.append(x[:])",
        "x = list(range(9999))\nkept = []\nwhile True:\n    kept.append([*x, *x])",
        "return round(5, -999999999)",
        "return max(free, key=lambda row: free.append(row))",
        "return (lambda f: f(f))(lambda f: f(f))",
        "return open('/etc/passwd')",
        "return free[99]",
        "return 1 / 0",
    ],
)
def test_a_hostile_rule_is_stopped_with_a_sentence_and_little_memory(body: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(PolicyStopped) as stopped:
            rule_of(body)(Ask(4), [row.copy() for row in FREE])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(stopped.value)
    assert peak < 30e6


def test_an_endless_loop_names_its_line() -> None:
    with pytest.raises(PolicyStopped, match="still going after 50,000 steps") as it:
        rule_of("x = 0\nwhile True:\n    x = x + 1")(Ask(1), FREE)
    assert it.value.line in (3, 4)  # of the loop, or of the one line in it
    assert str(it.value).startswith(f"line {it.value.line}: ")


def test_a_rule_that_is_slow_for_every_job_is_stopped_over_the_run() -> None:
    rule = Rule("def place(job, free):\n    return None if sum(range(900)) else 1\n", 2000, 5000)
    rule(Ask(1), FREE)
    with pytest.raises(PolicyStopped, match="5,000 steps in this run"):
        for _ in range(9):
            rule(Ask(1), FREE)


def test_a_rule_that_keeps_gangs_in_one_block_leaves_none_across_the_spine() -> None:
    scenario = Scenario.default("titan", 2).but(jobs=200, load=60)
    run = simulate(scenario, placement=Rule(HOLDS_OUT))
    assert run.stopped == ""
    assert Usage(run).hop_shares(0, run.last_ms)[2] == 0.0
    loose = simulate(scenario)
    assert Usage(loose).hop_shares(0, loose.last_ms)[2] > 0.3


def test_the_same_rule_gives_the_same_run() -> None:
    scenario = Scenario.default("titan", 2).but(jobs=100)
    digests = {simulate(scenario, placement=Rule(HOLDS_OUT)).digest for _ in range(2)}
    assert len(digests) == 1
