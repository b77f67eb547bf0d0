"""What the page says of a workload has no number that the workload itself does not have."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fleetlab.workloads import catalogue
from fleetlab.workloads.workload import Kind
from tests.app.prose_check import NUMBER, unsourced
from tests.app.prose_facts import RACKS, Fact, only, whole
from tests.app.prose_facts import facts as prose_facts

WORKLOADS = catalogue._read()
SHARES = {250: "a quarter of a GPU", 500: "half a GPU"}
CITED = re.compile(r"\(\w+ et al\., ATC \d{4}\)|2023(?=, calibrated)|V3")
"""A publication, the year in a trace's name, and a device's own name."""

SAID = {
    "titan": ["{sizes} GPUs", "{mean:word} {unit} on average", "CV {cv}"],
    "titan-one-size": ["{mean:word} {unit} on average", "CV {cv}"],
    "titan-crisis": [
        "{racks} racks with {free_a_rack} GPUs free in each",
        "{replicas:word} {node}-GPU replicas and one of {job} GPUs in every rack",
        "a {gang}-GPU gang in the queue",
    ],
    "guardian": [
        "{probe}-GPU perception jobs",
        "one- and {gpus1:word}-GPU replays",
        "{mean:word} {unit} on average",
        "CV {cv}",
    ],
    "nomad": [
        "quarter, half, one and {probe:word} GPUs",  # the shares are held to their names below
        "{mean:word} {unit} a session on average",
        "CV {cv}",
    ],
    "pioneer": ["{mean:word} {unit} on average", "CV {cv}"],
    "titan-train": ["{hours} hours on every GPU"],
    "titan-gangs": [
        "replicas of {gpus0}, evaluations of {gpus1}, gangs of {gpus2} and {gpus3}",
        "{mean:word} {unit} on average",
        "CV {cv}",
    ],
    "guardian-gangs": [
        "perception jobs of {gpus0}, replays of {gpus1}, gangs of {gpus3} and {gpus2}",
        "{mean:word} {unit} on average",
        "CV {cv}",
    ],
    "nomad-gangs": [
        "pairs of {gpus0}, singles of {gpus1}, scenes of {gpus2} and maps of {gpus3} GPUs",
        "{mean:word} {unit} on average",
        "CV {cv}",
    ],
    "pioneer-gangs": ["{mean:word} {unit} on average", "CV {cv}"],
}
"""The phrases with a number in each workload's words; what is in braces is computed from it."""


def kinds(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what jobs an entry draws."""
    probe = [entry["probe"]] if "probe" in entry else []
    return [*entry.get("kinds", []), *entry.get("pair", []), *probe]


def facts(name: str) -> dict[str, Any]:
    """Return what a workload's numbers are, as its words have them."""
    entry = WORKLOADS[name]
    drawn = kinds(entry)
    found: dict[str, Any] = {f"gpus{at}": Fact(kind["gpus"]) for at, kind in enumerate(drawn)}
    if drawn:
        mean_s = only([kind["mean_s"] for kind in drawn])
        *sizes, largest = sorted(kind["gpus"] for kind in drawn)
        found |= {
            "mean": Fact(mean_s // 3600 or mean_s // 60),
            "unit": "hours" if mean_s >= 3600 else "minutes",
            "cv": Fact(whole(only([kind.get("cv", Kind.cv) for kind in drawn]))),
            "sizes": f"{', '.join(str(size) for size in sizes)} and {largest}",
        }
    if "probe" in entry:
        found["probe"] = Fact(entry["probe"]["gpus"])
    if "gang" in entry:
        found["hours"] = Fact(entry["gang"]["hours"])
    return found | (crisis() if name == "titan-crisis" else {})


def crisis() -> dict[str, str]:
    """Return what the crisis has in each rack, besides what ``prose_facts`` counts."""
    jobs = catalogue.crisis(RACKS)
    replica, job = (jobs.gpus[jobs.kind == kind].tolist() for kind in range(2))
    return prose_facts() | {
        "replicas": Fact(len(replica) // RACKS.blocks),
        "node": Fact(only(replica)),
        "job": Fact(only(job)),
    }


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_number_in_a_workload_s_words_is_the_workload_s(name: str) -> None:
    entry = WORKLOADS[name]
    text = f"{entry['words']}\n{entry['detail']}"
    absent, loose = unsourced(text, SAID.get(name, []), facts(name), CITED)
    assert absent == [], f"{name} no longer says this, or draws other jobs"
    assert loose == [], f"{name} has a number without a source"


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_job_s_name_says_what_the_job_asks_for(name: str) -> None:
    for kind in kinds(WORKLOADS[name]):
        label = CITED.sub("", kind.get("name", ""))
        if "gpu_milli" in kind:
            assert SHARES[kind["gpu_milli"]] in label
            continue
        said = NUMBER.findall(label)
        assert said in ([], [str(kind["gpus"])]), f"{label} of {name} asks for {kind['gpus']} GPUs"


def test_the_crisis_s_kinds_are_named_after_what_they_ask_for() -> None:
    jobs = catalogue.crisis(RACKS)
    for number, label in enumerate(jobs.kinds):
        (gpus,) = set(jobs.gpus[jobs.kind == number].tolist())
        assert label.startswith(f"{gpus}-GPU ")
