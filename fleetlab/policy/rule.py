"""A placement rule as text: checked, compiled in a small language, and counted while it runs.

The text is Python with one function ``place(job, free)`` (``fleetlab.policy.custom``),
without imports, attributes beyond a list, text formatting, powers and shifts. Its
tree is rewritten so that every pass of a loop, every call and every list made costs
steps; a rule that runs out of steps is stopped at its line. So memory is bounded too:
nothing is made that has not been paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fleetlab.policy.custom import Ask, PolicyStopped, said
from fleetlab.policy.rule_text import LARGEST_BITS, compiled

STEPS_A_CALL = 50_000
STEPS_A_RUN = 8_000_000
DEEPEST = 40

START = '''def place(job, free):
    """Fill the blocks with the most room first.

    free[block][node]: how many GPUs are free there.
    Return (block, node, gpus) for all of the job,
    or None to let it wait.
    """
    parts = []
    wanted = job.gpus
    blocks = range(len(free))
    for block in sorted(blocks, key=lambda b: -sum(free[b])):
        for node, room in enumerate(free[block]):
            taken = min(room, wanted)
            if taken:
                parts.append((block, node, taken))
                wanted -= taken
    return parts
'''
"""The worked rule that a reader starts from."""


def _round(number: float) -> int:
    return round(number)


def _int(number: float = 0) -> int:
    return int(_number(number))


_BUILTINS: dict[str, Any] = {
    function.__name__: function
    for function in (
        abs, all, any, bool, dict, divmod, enumerate, float, len, list, max, min, range, reversed,
        set, sorted, sum, tuple, zip,
    )
} | {"round": _round, "int": _int}  # fmt: skip
"""What a rule may call besides its own functions."""


class Rule:
    """A compiled rule: call it with a job and the table of free GPUs.

    ``steps`` counts what it has spent in all. Raises PolicyStopped, with the line, for
    text that is not such a rule, and when it raises or spends too much.
    """

    counts_steps = True

    def __init__(
        self, text: str, steps_a_call: int = STEPS_A_CALL, steps_a_run: int = STEPS_A_RUN
    ) -> None:
        self.text = text
        self.steps = 0
        self._a_call, self._a_run = steps_a_call, steps_a_run
        self._left = steps_a_call
        self._depth = 0
        names: dict[str, Any] = {"__builtins__": {}, **_BUILTINS}
        names |= {
            "_tick": self._tick, "_each": self._each, "_call": self._call, "_made": self._made,
            "_times": self._times, "_paid": self._paid, "_mod": _modulo, "_plus": _number,
        }  # fmt: skip
        code = compiled(text)
        self._run(lambda: exec(code, names))
        self._place = names["place"]

    def __call__(self, job: Ask, free: list[list[int]]) -> Any:
        """Return the rule's answer for one job."""
        return self._run(lambda: self._place(job, free))

    def _run(self, call: Callable[[], Any]) -> Any:
        self._left, self._depth = self._a_call, 0
        try:
            return call()
        except PolicyStopped:
            raise
        except RecursionError:
            raise PolicyStopped("the rule goes too deep into itself") from None
        except Exception as error:
            line = _line_of(error)
            at = f"line {line}: " if line else ""
            raise PolicyStopped(f"{at}{said(error)}", line) from None
        finally:
            self.steps += self._a_call - self._left

    # What the rewritten tree calls; each pays for what it makes.

    def _spend(self, steps: int, line: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise PolicyStopped(
                f"line {line}: the rule was still going after {self._a_call:,} steps for one job; "
                "it must answer sooner",
                line,
            )
        if self.steps + self._a_call - self._left > self._a_run:
            raise PolicyStopped(
                f"line {line}: the rule has taken {self._a_run:,} steps in this run; "
                "it must take fewer for each job",
                line,
            )

    def _tick(self, line: int) -> bool:
        self._spend(1, line)
        return True

    def _each(self, values: Iterable[Any], line: int) -> Iterator[Any]:
        for value in values:
            self._spend(1, line)
            yield value

    def _made(self, value: Any, line: int) -> Any:
        self._spend(1 + _size(value), line)
        return value

    def _paid(self, value: Any, line: int) -> Any:
        """Pay for looking into ``value`` to its last leaf, as comparing and hashing do."""
        if type(value) is not int:
            self._look_into(value, line)
        return value

    def _look_into(self, value: Any, line: int) -> None:
        if isinstance(value, _HOLDERS):
            self._spend(1 + len(value), line)
            for inner in value:
                if isinstance(inner, _HOLDERS):
                    self._look_into(inner, line)
            if isinstance(value, dict):
                self._look_into(list(value.values()), line)

    def _call(self, line: int, function: Any, /, *args: Any, **named: Any) -> Any:
        self._spend(1 + len(args) + len(named), line)
        for value in (getattr(function, "__self__", None), *args, *named.values()):
            self._look_into(value, line)
        # what comes element by element is counted element by element
        args = tuple(self._each(a, line) if hasattr(a, "__next__") else a for a in args)
        self._depth += 1
        if self._depth > DEEPEST:
            raise PolicyStopped(
                f"line {line}: functions call each other more than {DEEPEST} deep", line
            )
        value = function(*args, **named)
        self._depth -= 1
        return self._made(value, line)

    def _times(self, one: Any, other: Any, line: int) -> Any:
        for many, few in ((one, other), (other, one)):
            if not isinstance(many, int | float) and isinstance(few, int):
                self._spend(_size(many) * max(0, few), line)
        if isinstance(one, int) and isinstance(other, int):
            _check_bits(one.bit_length() + other.bit_length())
        return self._made(one * other, line)


_HOLDERS = (list, tuple, dict, set)


def _size(value: Any) -> int:
    if isinstance(value, (*_HOLDERS, str, range)):
        return len(value)
    return 0


def _check_bits(bits: int) -> None:
    if bits > LARGEST_BITS:
        raise ValueError("this number becomes too large")


def _modulo(one: Any, other: Any) -> Any:
    return _number(one) % _number(other)


def _number(value: Any) -> Any:
    if not isinstance(value, int | float):
        raise TypeError(f"a number is wanted here, not a {type(value).__name__}")
    return value


def _line_of(error: BaseException) -> int:
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<rule>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
