"""Five rules that divide the same resources, and what each of them keeps or breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fleetlab.peek import View
from fleetlab.peek.fields import decimal
from fleetlab.theory import drf
from fleetlab.theory.sharing import (
    ROUNDING,
    envious_pairs,
    tasks_when_claiming,
    users_with_room,
    worse_than_equal_split,
)

CLAIMS = tuple(Fraction(*pair) for pair in ((1, 2), (3, 2), (2, 1), (4, 1)))
"""What a lie makes of one amount of the demand; these are tried one by one."""
PART, ENVY, LIE, IDLE = "at least its part", "no envy", "no gain by a lie", "nothing idle"
PROPERTIES = (PART, ENVY, LIE, IDLE)

Row = tuple[Fraction, ...]
Rule = Callable[[Any, Any], Any]


def _cpus_alone(capacity: Any, demands: Any) -> Any:
    return drf.single_resource(capacity, demands, 0)


def _memory_alone(capacity: Any, demands: Any) -> Any:
    return drf.single_resource(capacity, demands, 1)


RULES: dict[str, Rule] = {
    "DRF": drf.fluid,
    "Asset fairness": drf.asset_fairness,
    "Max-min on CPUs": _cpus_alone,
    "Max-min on memory": _memory_alone,
    "A market of equal incomes": drf.ceei,
}


@dataclass(frozen=True)
class Judged:
    """One rule on one division: tasks by user, and by property what broke it (or nothing).

    ``equal`` is what each would run with its equal part of everything. A rule that
    cannot answer has no tasks, and ``why_not`` says so.
    """

    name: str
    tasks: dict[str, float]
    equal: dict[str, float]
    broken: dict[str, str]
    why_not: str = ""


def judged(capacity: Row, demands: Mapping[str, Row]) -> Iterator[Judged | None]:
    """Yield each rule with what it breaks here, and None after every lie that was tried.

    Tasks may be divided. The properties are those of §3 of the DRF paper. That no lie
    among ``CLAIMS`` pays is no proof, that one pays is.
    """
    equal = {user: equal_part(capacity, row, len(demands)) for user, row in demands.items()}
    for name, rule in RULES.items():
        try:
            tasks = rule(capacity, demands)
        except ValueError:
            yield Judged(name, {}, equal, {}, _without_share(name, demands))
            continue
        broken = {}
        if worse := worse_than_equal_split(capacity, demands, tasks):
            broken[PART] = (
                f"{worse[0]} gets {decimal(tasks[worse[0]])}; alone with "
                f"{part_words(len(demands))} it would run {decimal(equal[str(worse[0])])}"
            )
        if pairs := envious_pairs(capacity, demands, tasks):
            broken[ENVY] = f"{pairs[0][0]} would run more with what {pairs[0][1]} holds"
        for lie in lies(rule, capacity, demands, tasks):
            if lie:
                broken[LIE] = lie
            yield None
        if room := users_with_room(capacity, demands, tasks):
            broken[IDLE] = f"there is room for more of {room[0]}’s"
        yield Judged(name, tasks, equal, broken)


def _without_share(name: str, demands: Mapping[str, Row]) -> str:
    at, what = (0, "CPU") if name.endswith("CPUs") else (1, "memory")
    users = [user for user, row in demands.items() if not row[at]]
    asks = "asks" if len(users) == 1 else "ask"
    return f"{' and '.join(users)} {asks} for no {what}, so there is no share of it to level"


def equal_part(capacity: Sequence[Fraction], row: Sequence[Fraction], users: int) -> float:
    """Return the tasks that fit in an equal part of every resource."""
    return float(min(have / users / need for have, need in zip(capacity, row, strict=True) if need))


def part_words(users: int) -> str:
    """Return an equal part of everything in words."""
    return {1: "everything", 2: "half of everything", 3: "a third of everything"}.get(
        users, "a quarter of everything"
    )


def lies(
    rule: Rule, capacity: Row, demands: Mapping[str, Row], tasks: Mapping[str, float]
) -> Iterator[str]:
    """Try lies one by one; yield a sentence for each that gains more than those before it."""
    best = 1000 * ROUNDING
    for user, row in demands.items():
        for at, factor in ((at, factor) for at in range(len(row)) for factor in CLAIMS if row[at]):
            claim = tuple(need * factor if at == r else need for r, need in enumerate(row))
            got = tasks_when_claiming(rule, capacity, demands, user, claim)
            if got - Fraction(tasks[user]) <= best:
                yield ""
                continue
            best = got - Fraction(tasks[user])
            words = ", ".join(decimal(amount) for amount in claim)
            instead = f"{decimal(got)} in place of {decimal(tasks[user])}"
            yield f"{user} says ⟨{words}⟩ and gets {instead}"


def rules_view(rules: Sequence[Judged]) -> View:
    """Return the rules side by side, with bars against the equal part, and the finding."""
    tries = len(CLAIMS)
    most = max(
        [1e-9, *(value for rule in rules for value in (*rule.tasks.values(), *rule.equal.values()))]
    )
    return {
        "rules_title": _finding(rules),
        "rules": [
            {
                "name": rule.name,
                "why_not": rule.why_not,
                "bars": [
                    {
                        "user": user,
                        "share": count / most,
                        "mark": rule.equal[user] / most,
                        "text": f"{decimal(count)} tasks",
                        "short": count < rule.equal[user] - 1e-6,
                    }
                    for user, count in rule.tasks.items()
                ],
                "kept": [p for p in PROPERTIES if rule.tasks and p not in rule.broken],
                "broken": [[p, rule.broken[p]] for p in PROPERTIES if p in rule.broken],
            }
            for rule in rules
        ],
        "rules_hint": (
            "Tasks may be divided here, so that the rules can be compared exactly. The upright "
            "mark is what a user would run alone with its equal part. As lies, each amount is "
            f"claimed at {tries} other sizes."
        ),
        "rules_table": [
            ["rule", "tasks", *PROPERTIES],
            *(
                [
                    rule.name,
                    ", ".join(f"{u} {decimal(n)}" for u, n in rule.tasks.items()) or rule.why_not,
                    *("" if not rule.tasks else rule.broken.get(p, "kept") for p in PROPERTIES),
                ]
                for rule in rules
            ),
        ],
    }


def _finding(rules: Sequence[Judged]) -> str:
    if len(rules) < len(RULES):
        return "The other rules are being compared"
    drf_rule, *others = rules
    found = []
    for wanted in (PART, LIE, ENVY):
        broken = [rule for rule in others if wanted in rule.broken]
        if broken and wanted not in drf_rule.broken:
            found.append(_breach(broken[0], wanted))
    if not found:
        return "On these numbers no other rule breaks what DRF keeps"
    return f"Unlike DRF, {'; '.join(found[:2])}"


def _breach(rule: Judged, wanted: str) -> str:
    who = rule.broken[wanted].split(" ", 1)[0]
    name = rule.name[0].lower() + rule.name[1:]
    if wanted == PART:
        return f"{name} gives {who} fewer tasks than {part_words(len(rule.tasks))} would run"
    return f"{name} pays {who} for a lie" if wanted == LIE else f"{name} leaves {who} envious"
