"""No number on the page is typed in: each is a run's, a formula's, a setting's, or has a source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builder.assemble import SITE
from fleetlab.app import parts
from tests.app.prose_check import sentences, unsourced
from tests.app.prose_facts import facts

CONTENT = SITE / "content"
FILES = sorted(
    path.relative_to(CONTENT).with_suffix("").as_posix()
    for path in CONTENT.rglob("*.md")
    if path.stem != "instructor"  # test_instructor_numbers.py
)
FACTS = facts()

STRUCTURAL = re.compile(
    r"\*\*[^*\n]* = [^*\n]*\*\*"  # a formula that stands by itself
    r"|T = n·\[[^\]]*\]|√\(2C/λ\)|λτ/2|1 / \(1 − discount\)|from 0 to S"  # and inside a sentence
    r"|p99\.9|Llama-3-70B|part 3|^\d\. "  # names, and numbers of a list
    r"|^\d+(?:\.\d)? (?:s|min|h)$",  # marks on an axis
    re.MULTILINE,
)

SAID = {
    "guardian/brief": [
        "**within {deadline_ms} ms**",
        "One perception job is **{guardian_size} GPUs**",
        "Over {layers} layers they exchange {shared_mb} MB twice a layer, {allreduces} AllReduces",
        "Computing takes {compute_ms} ms besides",
        "the four GPUs lie",
        "the one loop in a {tail_one_in:word}",
        "across the spine, {spine_hops:word} hops away",
        "the second barely, and the third has already failed",  # of the three places just named
    ],
    # the chapter's own figures, which the brief derives
    "guardian/card": [
        "went from 1 ms to 15 ms, and the loop has {deadline_ms}.",
        "nodes {spine_hops:word} network hops apart",
    ],
    "guardian/part1/after": [
        "any {guardian_size} starts early",
        "look at the two waits",  # in one piece and anywhere
    ],
    "guardian/part1/question": [
        "cluster is {load} % full",
        "**{guardian_size} GPUs in one node**",
        "**any {guardian_size}**",
    ],
    "guardian/part1/reflect": ["answer for {deadline_ms} ms at"],
    "guardian/part1/terms": ["four GPUs joined by NVLink", "*Any {guardian_size}* may"],
    "guardian/part2/after": [
        "{layers} layers with two AllReduces each, {shared_mb} MB over {ranks} ranks",
        "with n = {allreduces} and N = {ranks}.",
        "({node_gb_s} GB/s, {node_us} µs)",
        "({block_gb_s} GB/s, {block_us} µs)",
        "({spine_gb_s} GB/s, {spine_us} µs, three hops)",
        "With {compute_ms} ms of compute only the first two keep the {deadline_ms} ms",
        "*one* perception job in a hundred lie across the spine fails",  # ten times the tail
        "more than one loop in a {tail_one_in:word} runs",
    ],
    "guardian/part2/reflect": ["down {lost_goodput} %"],
    "guardian/part3/after": [
        "forgives {about_forgiven_s} seconds of standstill",
        "of {loop_nodes} nodes must be there",
        "changes over between two frames",  # one and the next
    ],
    "guardian/part3/challenge": ["would fall by two thirds"],
    "guardian/part3/math": [
        "A day has {day_s} seconds, so {forgiven_s} s of it",
        "at which that is {forgiven_s} s",
        "k·S ≤ {forgiven_s} s: three rebuilds of {third_s} s",
        "The base is {compute_ms} ms of compute",
    ],
    "guardian/part3/question": ["**{spot} % of the nodes"],
    "guardian/part3/terms": ["{loop_nodes} nodes share the cameras"],
    "nomad/brief": [
        "**{fps} times a second**: {frame_ms} ms a frame",
        "out of the {frame_ms} ms",
        "a discount of {nomad_off} %",
        "30 seconds to 2 minutes",  # the clouds' own notices: Azure and Google 30 s, AWS 120 s
        "Thirty seconds are {notice_frames} frames",
        "half a GPU, a quarter, one.",  # held to the workload in test_workload_numbers.py
        "**{nomad_size:word} whole GPUs in the same node**",
        "since half a frame",  # of a pair's
        "a quarter free here, a half there",
    ],
    "nomad/card": ["saved {nomad_off} %"],
    "nomad/part1/after": [
        "on a quarter of a GPU",  # test_workload_numbers.py
        "puts the quarters together",
    ],
    "nomad/part1/question": [
        "is {load} % full",
        "**{nomad_size} whole GPUs in one node**",
        "**any {nomad_size}**",
    ],
    "nomad/part1/terms": [
        "uses a quarter has three quarters free, and neither of these {nomad_size:word} can use it",
    ],
    "nomad/part2/after": [
        "{scene_mb} MB a frame",
        "beside {render_ms} ms of rendering",
        "({city_gbit_s} Gbit/s and {city_ms} ms one way",
        "The limit is {frame_ms} ms",
        "A pair of GPUs renders half a picture each",
        "Between two edge sites",  # one and another
    ],
    "nomad/part2/reflect": ["down {lost_goodput} %"],
    "nomad/part3/after": [
        "at {pool_load} % load the pool can lose a fifth of its nodes",
        "or {fps} FPS with",
        "thirty seconds are {notice_frames} frames",
        "Two things do. **Room**",  # and **Notice**
        "half of them leaves # FPS",
        "a cold start of one or {away_min:word} minutes",
        "gives up pixels for {away_min:word} minutes",
    ],
    "nomad/part3/challenge": ["At {nomad_off} % off", "thirty seconds of notice"],
    "nomad/part3/math": [
        "With n = {pool}, ρ = {rho} and p = ¼ a burst takes {burst_takes} on average and the room "
        "is {room}",
        "for {away_min} minutes of its {life_h} hours, so about one node in {missing_one_in}",
        "ten at once",  # one more than the room
        "at {nomad_off} %",
    ],
    "nomad/part3/question": ["at {nomad_off} % off"],
    "nomad/part3/terms": ["they draw {fps} and"],
    "part1/math": [
        "At ρ = 0.8 it is # service times for C = 1 and # for C = 3",
    ],
    "part2/reflect": ["down {lost_goodput} %"],
    "part3/math": [
        "C = {checkpoint_min} min and one interruption in {interruption_h} h",
        "# at {titan_off} % off, # at {nomad_off} %",
    ],
    "part3/question": ["**{spot} % of your nodes"],
    "pioneer/brief": [
        "**less than {limit_ms} ms**, on **less than {limit_mw} mW**",
        "**V1**: {v1_gops} GOPS, {v1_kb} KB, {v1_pj} pJ",
        "**V2**: {v2_gops} GOPS, {v2_kb} KB, {v2_pj} pJ",
        "**V3**: {v3_gops} GOPS, {v3_mb} MB, {v3_pj} pJ",
        "{ops_m} million operations an inference, {inferences} inferences a second, and up to "
        "{heavy_kb} KB",
        "{classes:word} generations of it",
    ],
    "pioneer/card": [
        "{classes:Word} generations of earbuds",
    ],
    "pioneer/part1/question": ["are {load} % busy"],
    "pioneer/part2/after": [
        "keeps {limit_ms} ms and {limit_mw} mW",
        "the {limit_ms} ms are gone",
        "Fifteen minutes of patience already removes most of the drops",  # test_prose_claims.py
        "Two things can go wrong",  # *kind* and *distance*
        "in two groups they go through a phone",  # one and another
        "there are {group_v3:word} V3 in each",
    ],
    "pioneer/part2/reflect": ["the rooms get {lost_goodput} % less done"],
    "pioneer/part3/after": [
        "of {classes:word} classes only one",
    ],
    "pioneer/part3/math": [
        "has {ops_m} M operations, {inferences} times a second: at {v2_pj} pJ on a V2",
        "At most {limit_pj} pJ an operation keep it under {limit_mw} mW",
        "With {slim_share} % of the operations",
    ],
    "pioneer/part3/terms": ["with {slim_share} % of the operations"],
    "titan/brief": [
        "*replicas*: {replica} GPUs",
        "a *gang* of {gang} that",
        "leaf block, {whole_nodes} nodes",
        "**{crisis_free} GPUs are free**",
        "in {racks} racks",
        "costs ${dollars} an hour",
        "about {about_tokens} tokens a second (*teaching value*: batch {batch}, {efficiency} % of "
        "the memory bandwidth of {replica} GPUs)",
        "lie {free_a_rack:word} by {free_a_rack:word}, in {racks} racks",
    ],
    "titan/card": ["{crisis_free} GPUs are free, two in each of {racks} racks. The {gang}-GPU job"],
    "titan/part1/after": [
        "At ${dollars} a GPU-hour",
        "look at the two waits",  # in one piece and anywhere
    ],
    "titan/part1/question": [
        "is {load} % full",
        "**{titan_size} contiguous GPUs**",
        "**any {titan_size}**",
    ],
    "titan/part1/terms": ["all {titan_size} in one node. *Any {titan_size}* may"],
    "titan/part2/after": [
        "at {loose_load} % load and a fabric {loose_penalty} % slower",
        "A serving replica of {replica} GPUs",
        "batch {batch}, {model_layers} layers, memory at {efficiency} % of {memory_tb_s} TB/s",
        "At ${dollars} a GPU-hour",
        "the two wait the same",  # strict and loose
        "runs {layer_allreduces:word} AllReduces a layer",
    ],
    "titan/part3/after": [
        "one of {train_nodes} nodes",
        "every {interruption_h} hours, an hour between checkpoints, five minutes to write one and "
        "half an hour to come back",
        # the figures beside these are computed at just these settings
        "It doubles too with four hours between checkpoints and six interruptions a day (#)",
        "1/{train_nodes} of its speed",
        "four hours between them",
        "Eight GPUs of a node",
        "a node with seven is",
        "loses three things",  # work, the wait for a node, the reload
    ],
    "titan/part3/challenge": [
        "costs ${spot_dollars} an hour and not ${demand_dollars}",
        "the time to converge doubles",
        "Doubling alone",
        "the doubled plan loses",
        "answers in three steps",  # the list below it
    ],
}
"""What the prose says with a number, by file; `#` stands for a figure that the build fills in."""

PARTS = Path(parts.__file__).parent
WORDED = {
    "elastic.py": ["Of 100 hours the static choice lost "],
    "elastic_guardian.py": [
        "its deadline is {deadline_ms} ms",
        "deadline, {deadline_ms} ms",
        " {deadline_ms} ms; median ",
        "three rebuilds of {rendezvous_s} s a day use up",
        "No notice up to 120 s brings p99.9 under {deadline_ms} ms here",
        "only one keeps {deadline_ms} ms: ",
        "the loop keeps {deadline_ms} ms if ",
        "under {deadline_ms} ms here",
        "{deadline_ms} ms",
        "0 %",
    ],
    "elastic_nomad.py": [
        " nodes gone: {fps} FPS go on with ",
        "{fps} FPS, {frame_ms} ms a frame",
        "or {fps} FPS with ",
        "rescaled, 30 s of notice",
        "{fps} FPS, all pixels",
        "{fps} FPS",
        "0 %",
        "100 %",
        "half of them gone leaves ",  # computed just before
    ],
    "elastic_pioneer.py": [
        "5 min",
        "V3 for {wearers} wearers",
        "would meet {limit_ms} ms and break {limit_mw} mW",
        "the slim model has {slim_share} % of the operations",
        "stays under {limit_mw} mW",
        "{limit_mw} mW",
        "cost twice the V3.",  # half of them are spare
        "heavy, half the V3 spare",  # a load of 50 %
    ],
    "elastic_story.py": [
        "0 %",
        "in bursts of a quarter",  # reclaim.BURST_SHARE, in test_script_numbers.py
    ],
    "elastic_titan.py": [
        "more than {longest_run} times",
        "which is not double",
        "about double",
        "10 min",
        "with 100 % of the nodes on spot",
        "100 % spot, static",
        "100 % spot, elastic",
        "twice as long",  # DOUBLE
    ],
    "fragmentation_words.py": ["95 % waited at most"],
    "topology.py": ["All ten scored runs are used"],  # goals.ITERATIONS, in a test of its own
    "topology_found.py": ["Ten scored runs at ", "Pin two runs"],
    "topology_runs.py": ["100\u00a0%"],
    "topology_words.py": [
        "95 % of those who started waited ",
        "a replica of {replica} gives ",
        "{frame_ms} ms a frame. One node ",
        "in a pair over two groups",  # one and another
    ],
}
"""The same of the sentences that the parts make of a run; 95 is the quantile, 100 a whole."""


def checked(text: str, said: list[str]) -> tuple[list[str], list[str]]:
    """Return what of ``said`` a text does not have, and its numbers without a source."""
    return unsourced(text, said, FACTS, STRUCTURAL)


@pytest.mark.parametrize("name", FILES)
def test_every_number_in_prose_has_its_source(name: str) -> None:
    text = (CONTENT / f"{name}.md").read_text("utf-8")
    absent, loose = checked(text, SAID.get(name, []))
    assert absent == [], f"{name}.md no longer says this, or the code has another number"
    assert loose == [], f"{name}.md has a number without a source"


def test_no_source_is_kept_for_a_text_that_is_gone() -> None:
    assert set(SAID) <= set(FILES)


@pytest.mark.parametrize("name", sorted(path.name for path in PARTS.glob("*.py")))
def test_every_number_in_a_part_s_sentences_has_its_source(name: str) -> None:
    text = "\n".join(sentences(PARTS / name))
    absent, loose = checked(text, WORDED.get(name, []))
    assert absent == [], f"{name} no longer says this, or the code has another number"
    assert loose == [], f"{name} has a number without a source"


def test_a_number_without_a_source_is_found() -> None:
    text = "It holds {{ figures.part2_seeds }} of 97 GPUs, and four wait."
    assert checked(text, ["holds # of"]) == ([], ["It holds # of 97 GPUs, and four wait."] * 2)
    assert checked(text, ["of {load} GPUs"])[0] == ["of 90 GPUs"]
