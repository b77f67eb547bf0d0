"""Placement by a function of the user's own: what it may be told, and what of its answers counts.

``place(job, free)`` gets the job's ``gpus`` and ``needs`` (capability class) and a fresh
table ``free[block][node]`` of free GPUs. It returns a list of (block, node, gpus), or
None to let the job wait. What raises, answers nonsense or does not return is stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from fleetlab.fleet import Fleet, Occupancy, Parts
from fleetlab.policy.refusal import Refusal
from fleetlab.policy.shape import Place, Shape

LINES_A_CALL = 200_000
"""Lines of Python after which a function that has not returned is stopped."""


class Ask(NamedTuple):
    """What a placement function learns of a job: how many GPUs, of which class at least."""

    gpus: int
    needs: int = 0


Custom = Callable[[Ask, list[list[int]]], Any]


class PolicyStopped(Exception):
    """One sentence that says what a user's policy did that cannot be; ``line`` 0 is unknown."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True)
class Watched:
    """``function``, stopped by PolicyStopped when it raises or takes more than ``lines`` lines.

    Lines are counted with ``sys.settrace``, a jump back within one line as a line too. So
    what loops inside compiled code (``time.sleep``) is not stopped, nor what goes on after
    it has caught every exception there is.
    """

    function: Custom
    lines: int = LINES_A_CALL

    def __call__(self, job: Ask, free: list[list[int]]) -> Any:
        """Return what the function answers."""
        left, last = self.lines, 0

        def count(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left, last
            frame.f_trace_opcodes = True
            if event == "opcode":
                left -= frame.f_lasti <= last
                last = frame.f_lasti
            else:  # the opcode of a line comes next
                left -= event == "line"
                last = frame.f_lasti - 1
            if left < 0:
                raise PolicyStopped(
                    f"line {frame.f_lineno}: the policy was still going after {self.lines:,} "
                    "lines; it must answer sooner",
                    frame.f_lineno,
                )
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            return self.function(job, free)
        except PolicyStopped:
            raise
        except (Exception, SystemExit) as error:
            line = _line_in(error, self.function)
            at = f"line {line}: " if line else ""
            raise PolicyStopped(f"{at}the policy raised {said(error)}", line) from error
        finally:
            sys.settrace(before)


def said(error: BaseException) -> str:
    """Return the kind of an error and the first line of its text."""
    try:
        text = (str(error).splitlines() or [""])[0][:160]
    except Exception:
        text = ""  # an error of the user's own that cannot even be told
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _line_in(error: BaseException, function: Custom) -> int:
    """Return the last line of ``function``'s own file that ``error`` came through, or 0."""
    code = getattr(function, "__code__", None)
    line, trace = 0, error.__traceback__
    while trace is not None:
        if code is not None and trace.tb_frame.f_code.co_filename == code.co_filename:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def placed_by(function: Custom) -> Place:
    """Return ``function`` as the engine asks for a placement, every answer checked.

    One that counts its own steps says so with a true ``counts_steps``.
    """
    watched = function if getattr(function, "counts_steps", False) else Watched(function)

    def place(
        shape: Shape, occupancy: Occupancy, rng: np.random.Generator, within: int = 0
    ) -> Parts | Refusal:
        if shape.gpus > occupancy.free_total:
            return Refusal.TOO_FEW_FREE
        free = _table(shape, occupancy, within)
        if sum(map(sum, free)) < shape.gpus:
            return Refusal.NO_CAPABLE_DEVICE if shape.needs_class else Refusal.TOO_FEW_FREE
        answer = watched(Ask(shape.gpus, shape.needs_class), free)
        if answer is None:
            return Refusal.POLICY_LETS_IT_WAIT
        return parts_of(answer, shape, occupancy, within)

    return place


def _table(shape: Shape, occupancy: Occupancy, within: int) -> list[list[int]]:
    """Return the free GPUs that the job could use, by block and node."""
    fleet = occupancy.fleet
    usable = fleet.class_masks[shape.needs_class]
    if within:
        usable &= within
    size = fleet.gpus_per_node
    free = [
        (count if not shape.whole_nodes or count == size else 0) if usable >> node & 1 else 0
        for node, count in enumerate(occupancy.free)
    ]
    width = fleet.nodes_per_block
    return [free[block * width : (block + 1) * width] for block in range(fleet.blocks)]


def parts_of(answer: Any, shape: Shape, occupancy: Occupancy, within: int = 0) -> Parts:
    """Return a policy's ``answer`` as parts; raises PolicyStopped with what is wrong in it."""
    fleet = occupancy.fleet
    free = _table(shape, occupancy, within)
    if type(answer) not in (list, tuple):  # a kind of their own might do anything when read
        raise PolicyStopped(
            f"the policy answered {_shown(answer)}; it must answer a list of (block, node, gpus), "
            "or None to let the job wait"
        )
    taken: dict[int, int] = {}
    for part in answer:
        block, node, gpus = _numbers(part)
        _check_place(fleet, block, node)
        there = free[block][node]
        number = block * fleet.nodes_per_block + node
        where = f"node {node} of block {block}"
        if number in taken:
            raise PolicyStopped(f"the policy named {where} twice for one job")
        if not 1 <= gpus <= there:
            raise PolicyStopped(
                f"the policy took {gpus} GPUs of {where}, where the job can have {there}"
            )
        taken[number] = gpus
    total = sum(taken.values())
    if total != shape.gpus:
        raise PolicyStopped(f"the policy placed {total} GPUs of a job that asks for {shape.gpus}")
    return list(taken.items())


def _numbers(part: Any) -> tuple[int, int, int]:
    whole = type(part) in (list, tuple) and len(part) == 3
    if not whole or any(type(number) is not int for number in part):
        raise PolicyStopped(
            f"the policy answered with {_shown(part)} in its list; each part is three whole "
            "numbers, (block, node, gpus)"
        )
    block, node, gpus = part
    return block, node, gpus


def _check_place(fleet: Fleet, block: int, node: int) -> None:
    if not (0 <= block < fleet.blocks and 0 <= node < fleet.nodes_per_block):
        raise PolicyStopped(
            f"the policy named node {node} of block {block}; blocks go from 0 to "
            f"{fleet.blocks - 1} and nodes from 0 to {fleet.nodes_per_block - 1}"
        )


def _shown(value: Any) -> str:
    if isinstance(value, int | float | str | bool):
        text = repr(value) if not isinstance(value, int) or abs(value) < 10**18 else "a huge number"
        return text if len(text) <= 40 else text[:37] + "..."
    return f"a {type(value).__name__}"
