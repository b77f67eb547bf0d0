"""Dominant Resource Fairness: progressive filling, step by step, on any users and demands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fleetlab.peek import Answer, FieldError, Question, View
from fleetlab.peek.fields import decimal, number, share
from fleetlab.peek.rules import judged, rules_view
from fleetlab.theory.drf import Step, filling_steps, market

USERS = ("A", "B", "C", "D")
RESOURCES = ("CPUs", "GB")
MOST = 10_000
MOST_STEPS = 120


@dataclass(frozen=True)
class Division:
    """What there is, and what one task of each user takes: CPUs first, then GB of memory."""

    capacity: tuple[Fraction, ...]
    demands: dict[str, tuple[Fraction, ...]]

    @classmethod
    def of(cls, question: Question) -> Division:
        """Return the division that the reader's fields ask for, or raise FieldError."""
        rows = list(question.get("demands", ()))
        if not 1 <= len(rows) <= len(USERS):
            raise FieldError("users", f"There are {len(rows)} users: give 1 to {len(USERS)}.")
        capacity = tuple(
            number(value, f"capacity-{r}", f"The amount of {name}", 0, MOST)
            for r, (name, value) in enumerate(zip(RESOURCES, question["capacity"], strict=True))
        )
        demands = {}
        for user, row in zip(USERS, rows, strict=False):
            demands[user] = tuple(
                number(value, f"demand-{user}-{r}", f"User {user}: {name} of a task", 0, MOST)
                for r, (name, value) in enumerate(zip(RESOURCES, row, strict=True))
            )
            if not any(demands[user]):
                raise FieldError(
                    f"demand-{user}-0",
                    f"User {user} asks for nothing, so would have tasks without end: "
                    f"give at least one amount above 0.",
                )
        return cls(capacity, demands)

    def steps(self) -> list[Step]:
        """Return the grants, or raise FieldError when there are too many to follow."""
        room = [
            min(have / need for have, need in zip(self.capacity, row, strict=True) if need)
            for row in self.demands.values()
        ]
        if sum(room) > MOST_STEPS * len(room):
            raise _too_many()
        steps = filling_steps(self.capacity, self.demands)
        if len(steps) > MOST_STEPS:
            raise _too_many()
        return steps


def _too_many() -> FieldError:
    return FieldError(
        "capacity-0",
        f"More than {MOST_STEPS} tasks fit, too many to follow one by one: "
        f"make the tasks larger, or give fewer CPUs and GB.",
    )


class Sharing:
    """The page of Dominant Resource Fairness."""

    def answer(self, question: Question) -> Answer:
        """Yield the steps, and then what each other rule keeps and breaks."""
        division = Division.of(question)
        yield filling_view(division)
        rules = []
        for rule in judged(division.capacity, division.demands):
            if rule is not None:
                rules.append(rule)
            yield rules_view(rules) if rule is not None else None


def filling_view(division: Division) -> View:
    """Return every step of progressive filling, drawn and said, and the finding."""
    steps = division.steps()
    users = list(division.demands)
    asked = market(division.capacity, division.demands)
    per_task = [asked.dominant(u) for u in range(len(users))]
    dominant = [
        RESOURCES[max(range(2), key=lambda r: _part(division.demands[u][r], division.capacity[r]))]
        for u in users
    ]
    views = [_step(division, [0] * len(users), per_task, "Nobody has a task yet.", "")]
    before = [Fraction(0)] * len(users)
    for at, step in enumerate(steps, 1):
        title = f"Step {at}: a task for {step.user}"
        reason = _reason(str(step.user), users, before, per_task, step)
        views.append(_step(division, step.tasks, per_task, reason, title))
        before = list(step.dominant_shares)
    views[0]["title"] = "Before the first step"
    return {
        "title": _finding(users, steps, per_task),
        "users": users,
        "resources": list(RESOURCES),
        "dominant": [
            f"{user} needs most of the {name}: {share(part)} a task"
            for user, name, part in zip(users, dominant, per_task, strict=True)
        ],
        "steps": views,
        "order": ", ".join(str(step.user) for step in steps) or "nobody",
        "steps_table": [
            ["step", "task for", *(f"{user}: tasks, dominant share" for user in users), "in use"],
            *(
                [
                    str(at),
                    str(steps[at - 1].user) if at else "",
                    *(
                        f"{count}, {text}"
                        for count, text in zip(view["tasks"], view["share_texts"], strict=True)
                    ),
                    " and ".join(view["used_texts"]),
                ]
                for at, view in enumerate(views)
            ),
        ],
    }


def _part(need: Fraction, have: Fraction) -> Fraction:
    return need / have if have else need * 10**9


def _step(
    division: Division, tasks: Sequence[int], per_task: Sequence[Fraction], reason: str, title: str
) -> dict[str, Any]:
    shares = [count * part for count, part in zip(tasks, per_task, strict=True)]
    rows = list(division.demands.values())
    held = [[count * row[r] for count, row in zip(tasks, rows, strict=True)] for r in range(2)]
    return {
        "title": title,
        "reason": reason,
        "tasks": list(tasks),
        "shares": [float(part) for part in shares],
        "share_texts": [share(part) for part in shares],
        "held": [
            [float(part / have) if have else 0.0 for part in parts]
            for parts, have in zip(held, division.capacity, strict=True)
        ],
        "used_texts": [
            f"{decimal(sum(parts, Fraction(0)))} of {decimal(have)} {name}"
            for parts, have, name in zip(held, division.capacity, RESOURCES, strict=True)
        ],
    }


def _reason(
    user: str,
    users: Sequence[str],
    before: Sequence[Fraction],
    per_task: Sequence[Fraction],
    step: Step,
) -> str:
    mine = before[users.index(user)]
    lower = [name for name, part in zip(users, before, strict=True) if part < mine]
    level = [
        name for name, part in zip(users, before, strict=True) if part == mine and name != user
    ]
    said = ""
    if lower:
        said = f"The next task of {_and(lower)} no longer fits. "
    rest = [name for name in users if name not in (user, *lower, *level)]
    if level:
        larger = per_task[users.index(user)] > max(per_task[users.index(n)] for n in level)
        said += f"{_and(sorted([user, *level]))} are level at {share(mine)}, and " + (
            f"the largest task, {user}’s, goes first."
            if larger
            else f"{user} goes first in the order given."
        )
    elif rest:
        least = min(before[users.index(name)] for name in rest)
        said += (
            f"{user} holds {share(mine)} of what it needs most, the least: "
            f"the next has {share(least)}."
        )
    else:
        said += f"{user} goes on alone."
    return said + f" Then {user} has {step.tasks[users.index(user)]}."


def _finding(users: Sequence[str], steps: Sequence[Step], per_task: Sequence[Fraction]) -> str:
    if not steps:
        return "Not one task fits"
    last = steps[-1]
    tasks = ", ".join(
        f"{user} {'runs ' if not at else ''}{count}"
        for at, (user, count) in enumerate(zip(users, last.tasks, strict=True))
    )
    if len(users) == 1:
        return f"Alone, A runs {last.tasks[0]}"
    if len(set(last.dominant_shares)) == 1:
        return f"{tasks}: each ends with {share(last.dominant_shares[0])} of what it needs most"
    low, high = min(last.dominant_shares), max(last.dominant_shares)
    return f"{tasks}: they end with {share(low)} to {share(high)} of what each needs most"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
