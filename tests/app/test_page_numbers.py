"""No number in the page's own words is typed in: labels, sketches, Math Peek's form, the ledger."""

from __future__ import annotations

import re
from functools import cache

import pytest

from builder import pages
from builder.assemble import SITE
from fleetlab.app.parts import PARTS
from fleetlab.missions.questions import CONFIDENCES, questions
from fleetlab.peek import packing, queueing
from fleetlab.services.hearing import DEVICES, HEAVY, LIMIT_MW, power_mw
from fleetlab.services.nearness import perception_ms
from tests.app.page_facts import page_facts
from tests.app.page_text import page_texts
from tests.app.prose_check import unsourced

FACTS = page_facts()
STRUCTURAL = re.compile(
    r"\b[Pp]arts? [123]\b|^Brief(?: [123] \w+)+ Ledger$"  # the parts there are
    r"|^(?:Return to|Pin [AB],) run \d+"  # that these are the scored runs is tested below
    r"|Llama-3-70B|^width=device-width.*$",
    re.MULTILINE,
)

SAID = {
    "index": [
        "The {tracks:word} situations can be read",
        "{parts:Word} parts, about {lesson_min} minutes.",
        "about {part_min} minutes",
        "{replica}-GPU serving replicas and a gang of {gang} that",
        "safety loop of {deadline_ms} ms",
        "{guardian_size}-GPU perception jobs",
        "in the picture at {fps} FPS",
        "sessions of one GPU, {nomad_size:word}, or a fraction",
        "taken from {frame_ms} ms a frame",
        "in {limit_ms} ms under {limit_mw} mW",
        # a light, a middling and a heavy model each need a class of their own
        "models of {classes:word} sizes on devices of {classes:word} classes",
    ],
    "scenes": [
        "{racks:Word} racks of {rack_gpus} GPUs. {free_a_rack:Word} GPUs in each rack are free",
        "{spine_hops:word} hops apart, against a deadline of {deadline_ms} ms",
        "{spine_hops} hops apart",
        "apart\n{deadline_ms} ms\n",
        "{fps:Word} frames of one second. After frame {taken} the node",
        "{frame_ms} ms a frame",
        "against the limit that {limit_mw} mW sets",
        "{v1_pj} pJ/op",
        "{v2_pj} pJ/op",
        "{v3_pj} pJ/op",
        "pJ/op\n{limit_mw} mW",
    ],
    "parts": [
        "1 is just as long, 0.5 half as long.",  # what a ratio is
        "half sure",
        "at {held_load} % load?",
        "Of {of_hours} hours, how many",
    ],
    "peek": [
        "{worked_cpus} CPUs, {worked_gb} GB: {worked_tasks}",
        "{asset_cpus} and {asset_gb}: {asset_tasks}",
        "{three_cpus} and {three_gb}, {three_users:word} users",
        "Draw\n{drawn} items\n",
        "between a quarter and a half of a bin of {bin}.",  # page_facts compares the bounds
        "Load ρ\n{at_load} %\n",
        "times C\n{at_cv}\n",
        "Servers\n{at_servers} server\n",
        "0 if all jobs are alike, 1 if exponential.",  # what a coefficient of variation is
        "One server, C = {plain_c}",
        "One server, C = {varied_c}",
        "{fleet_servers} servers, C = {fleet_c}",
    ],
    "ledger": [
        "Cite two of your own runs",  # the paradox compares a pair
    ],
}
"""What the page says with a number, by template."""


@cache
def page() -> str:
    """Return the page without its prose, which has tests of its own."""
    asked = [question.for_page() for question in questions().values()]
    return pages.render_page(
        SITE / "index.html",
        content=_NoProse(),
        parts=[question for question in asked if question["part"] in PARTS],
        questions=asked,
        confidences=CONFIDENCES,
        rule_start="",
    )


class _NoProse(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def field(name: str, of: str = "value") -> int:
    """Return what a field of Math Peek's form has before it is touched, or its limit."""
    (found,) = re.findall(rf'<input[^>]* name="{name}"[^>]*? {of}="(\d+)"', page())
    return int(found)


def first_values() -> dict[str, str]:
    """Return what Math Peek's fields and the sketches begin with."""
    sketch = (SITE / "scenes.html").read_text("utf-8")
    (taken,) = re.findall(r"set frames, taken = \d+, (\d+)", sketch)  # any frame would do
    return {
        "drawn": str(field("count")),
        "at_load": str(field("load")),
        "at_cv": str(field("cv")),
        "at_servers": str(2 ** field("servers")),
        "taken": taken,
    }


@pytest.mark.parametrize("where", SAID)
def test_every_number_on_the_page_has_its_source(where: str) -> None:
    text = page_texts(page())[where]
    absent, loose = unsourced(text, SAID[where], FACTS | first_values(), STRUCTURAL)
    assert absent == [], f"{where} no longer says this, or the code has another number"
    assert loose == [], f"{where} has a number without a source"


def test_the_frame_of_the_text_for_instructors_has_no_number() -> None:
    guide = pages.render_page(SITE / "instructor.html", content=_NoProse(), version="")
    assert unsourced(page_texts(guide)["index"], [], FACTS, STRUCTURAL) == ([], [])


def test_no_place_of_the_page_is_left_out() -> None:
    assert set(page_texts(page())) == set(SAID)


def test_a_number_without_a_source_is_found_in_a_text_and_in_a_label() -> None:
    html = (
        '<main><p>All <b>97</b> wait.</p><svg class="sketch" viewBox="0 0 31 9" '
        'aria-label="Forty racks"><text y="28">60 frames</text></svg></main>'
    )
    texts = page_texts(html)
    assert unsourced(texts["index"], [], FACTS) == ([], ["All 97 wait."])
    assert unsourced(texts["scenes"], ["{fps} frames"], FACTS)[1] == ["Forty racks\n60 frames"]


# ---- what the sketches draw

DRAWN = [
    "for rack in range({racks})",
    "for node in range({rack_nodes})",
    'width="{{{{ {node_gpus} * cell }}}}" height="{{{{ {rack_nodes} * cell }}}}"',
    '("one node", {node_us}, {node_gb_s})',
    '("one leaf block", {block_us}, {block_gb_s})',
    '("{spine_hops} hops apart", {spine_us}, {spine_gb_s})',
    "{allreduces} * ({ring_steps} * alpha_us / 1000 + {ring_share} * {shared_mb} / gb_s)",
    'width="{{{{ {compute_ms} * scale }}}}"',
    "network_ms > {slack_ms} else",
    "left + {deadline_ms} * scale",
    "set frames, taken = {fps}, ",
    "1e-3 / ({ops_m}e6 * {inferences}) * 1e12",  # a milliwatt, in joules and picojoules
    '("V1", {v1_pj}), ("V2", {v2_pj}), ("V3", {v3_pj})',
]


def test_every_length_in_the_sketches_comes_from_the_code_s_numbers() -> None:
    sketch = (SITE / "scenes.html").read_text("utf-8")
    assert unsourced(sketch, DRAWN, FACTS)[0] == []


def sketches() -> list[str]:
    """Return the drawings of the tracks, in their order."""
    return re.findall(r'<svg class="sketch".*?</svg>', page(), re.DOTALL)[:4]


def test_the_sketches_draw_as_many_holes_and_frames_as_they_say() -> None:
    titan, _, nomad, _ = sketches()
    assert titan.count('class="busy"') == int(FACTS["racks"])
    assert titan.count('class="hole"') == int(FACTS["crisis_free"])
    assert nomad.count("<rect") == int(FACTS["fps"])
    assert nomad.count('class="busy"') == int(first_values()["taken"])


def test_what_the_sketches_say_of_limits_is_so() -> None:
    late = [ms > float(FACTS["deadline_ms"]) for ms in perception_ms()]
    assert late == [False, False, True], "only the last one runs past the deadline"
    below = [power_mw(HEAVY, device) < LIMIT_MW for device in DEVICES]
    assert below == [False, False, True], "only V3 is below the limit"


# ---- what the page offers


def test_as_many_scored_runs_can_be_returned_to_as_there_are() -> None:
    offered = re.findall(r"^Return to run (\d+)$", page_texts(page())["parts"], re.MULTILINE)
    assert [int(number) for number in offered] == list(range(1, int(FACTS["iterations"]) + 1))


def test_math_peek_s_sliders_end_where_python_does() -> None:
    assert field("count", "max") == packing.MOST_ITEMS
    assert [2**at for at in range(field("servers", "max") + 1)] == list(queueing.SERVERS)
    assert field("cv", "max") == 4
    for load in (field("load", "min"), field("load", "max")):
        assert queueing.Queue.of({"load": load, "cv": 10 * field("cv", "max"), "servers": 1})


def test_the_textbook_s_step_is_the_one_that_is_exported() -> None:
    (step,) = re.findall(r'STEP = "(\w+)"', (SITE / "textbook.js").read_text("utf-8"))
    assert f"its step {step}." in page_texts(page())["ledger"]
