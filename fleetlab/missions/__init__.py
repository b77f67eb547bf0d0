"""The four tracks: what each sets, as data. ``goals`` and figures build on it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

TRACKS = ("titan", "guardian", "nomad", "pioneer")
PARTS = (1, 2, 3)


@dataclass(frozen=True)
class Mission:
    """What a track sets: its name, fleet and workload, gang sizes, words and money.

    ``scenario`` holds the defaults of a Scenario on this track and ``parts`` those
    in which a part differs; ``classes`` the names of the capability classes, lowest
    first (empty: all alike); ``campaign_runs`` how many runs like the one of Part 3 the
    track's money is about.
    """

    track: str
    name: str
    workloads: tuple[str, ...]
    sizes: tuple[int, ...]
    gpu: str
    gpu_hour_dollars: float
    spot_hour_dollars: float
    classes: tuple[str, ...]
    campaign_runs: int
    scenario: dict[str, Any]
    parts: dict[int, dict[str, Any]]
    words: dict[str, str]


@cache
def mission(track: str) -> Mission:
    """Return the mission of ``track``; raises KeyError for a track that does not exist."""
    if track not in TRACKS:
        raise KeyError(f"track: {track!r} is not one of {', '.join(TRACKS)}")
    data = tomllib.loads(files(__package__).joinpath(f"{track}.toml").read_text("utf-8"))
    return Mission(
        track=track,
        name=data["name"],
        workloads=tuple(data["workloads"]),
        sizes=tuple(data["sizes"]),
        gpu=data["gpu"],
        gpu_hour_dollars=float(data["gpu_hour_dollars"]),
        spot_hour_dollars=float(data["spot_hour_dollars"]),
        classes=tuple(data["classes"]),
        campaign_runs=int(data.get("campaign_runs", 1)),
        scenario=dict(data["scenario"]),
        parts={part: dict(data.get(f"part{part}", {})) for part in PARTS},
        words=dict(data["words"]),
    )
