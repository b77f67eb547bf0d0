"""What a policy must reach in Part 2's ten scored runs: pass and fail, by name."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import mean
from typing import Any

import numpy as np

from fleetlab.network import CLOSE_MFU

ITERATIONS = 10
UNSEEN_SEEDS = 3


@dataclass(frozen=True)
class Goal:
    """One track's conditions and bounds: load and penalty in percent, hours.

    ``work`` is the share of the work offered that must get done: what is offered, and with
    it the MFU that can be reached, differs from seed to seed.
    """

    load: int
    jobs: int
    penalty: int
    work: float
    starved_h: float

    @property
    def conditions(self) -> dict[str, int]:
        """The choices of a Scenario that scoring sets, whatever the reader's are."""
        return {"load": self.load, "jobs": self.jobs, "penalty": self.penalty}


@dataclass(frozen=True)
class Verdict:
    """What a policy reached over the unseen seeds: mean MFU, worst low-priority wait in seconds.

    ``wanted_mfu`` is what the goal comes to on these seeds; ``allocated`` and ``wait_s`` are
    means. ``passed`` says of each goal by name ("mfu", "starvation") whether it is met.
    """

    mfu: float
    wanted_mfu: float
    allocated: float
    wait_s: float
    worst_low_priority_s: float
    passed: dict[str, bool]

    @property
    def good(self) -> bool:
        """Whether every goal is met."""
        return all(self.passed.values())


@cache
def goal(track: str) -> Goal:
    """Return the goal of ``track``; raises KeyError for a track that has none."""
    data = tomllib.loads(files(__package__).joinpath("goals.toml").read_text("utf-8"))
    return Goal(**data[track])


def unseen_seeds(seed: int) -> tuple[int, ...]:
    """Return the seeds that scoring uses for a reader whose own seed is ``seed``."""
    drawn = np.random.SeedSequence((seed, 2)).generate_state(UNSEEN_SEEDS)
    return tuple(int(number) >> 1 for number in drawn)


def judge(track: str, figures: Sequence[dict[str, Any]]) -> Verdict:
    """Return the verdict over the figures (by name) of one policy's scored runs.

    Raises ValueError when there are none.
    """
    if not figures:
        raise ValueError("figures: there is no scored run to judge")
    wanted = goal(track)
    mfu = mean(each["mfu"] for each in figures)
    enough = CLOSE_MFU * wanted.work * mean(each["offered"] for each in figures)
    worst = max(each.get("worst_low_priority_s", 0.0) for each in figures)
    return Verdict(
        mfu=mfu,
        wanted_mfu=enough,
        allocated=mean(each["allocated"] for each in figures),
        wait_s=mean(each["wait_so_far_s"] for each in figures),
        worst_low_priority_s=worst,
        passed={"mfu": mfu >= enough, "starvation": worst <= wanted.starved_h * 3600},
    )
