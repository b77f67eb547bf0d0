"""No number in the text for instructors is typed in, its tables add up and its examples work."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from builder.assemble import SITE
from fleetlab.missions import PARTS
from fleetlab.missions.questions import questions
from fleetlab.scenario import PAGE_KEYS, Scenario
from tests.app.page_facts import GUIDE, TIMING, page_facts, rubric
from tests.app.prose_check import unsourced
from tests.app.test_part_templates import page_html

FACTS = page_facts()
CODE = re.compile(r"`[^`\n]+`")
INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
PROSE = INDENTED.sub("", CODE.sub("``", GUIDE))
"""The text without its examples, which are tested below."""

STRUCTURAL = re.compile(
    r"\b[Pp]art [123]\b"  # that these are the parts there are is tested below
    r"|^\| \d+ to \d+ \||^\| criterion \|.*$",  # and so are these tables
    re.MULTILINE,
)

SAID = [
    "In {lesson_min} minutes and {parts:word} parts",
    "one of {tracks:word} fleets",
    "has {iterations:word} scored runs",
    "(a {deadline_ms} ms safety loop)",
    "({fps} frames a second)",
    "(hearables of {classes:word} classes)",
    "whole numbers from {seed_low} to {seed_top}.",
    "the {parts:word} parts with their seed",
    "means over {seeds:word} seeds",
    "A cluster is {load} % full",
    "a job of {titan_size} in one node",
    "takes any {titan_size} waits",
    "{free} % free is plenty of room",
    "the nodes with {titan_size} free",
    "At {held_load} % offered load",
    "At {seesaw_load} % offered load, with gangs on several blocks {seesaw_penalty} % slower",
    "At a penalty of {cheap_penalty} % the seesaw",
    "{spot} % of your nodes are spot",
    "hours of {of_hours} lost",
    "With {cost_min} minutes a checkpoint and {restart_min} minutes a restart",
    "every {rarely_h:word} hours",
    "on {train_gpus} GPUs",
    "{points:Word} points.",
    "larger than {ledger_mb} MB",
    "in {workers:word} processes",
    "then {sure_2}, {sure_3}, {sure_4} and {sure_5} %",
    "0 is best, and half sure of everything scores {half_sure_scores}",
    # the case is asked at twice the time, and what is said of it is one half of two
    'time doubles" is true',
    "And doubling does not",
    "looks for the doubling",
    "At twice the time",
    "The CFO's case has two halves",
    "proves the doubling has answered half",
    # a pair of runs, as the paradox and every comparison needs
    "from two own runs",
    "with two runs",
    "must cite two runs",
    "two diverging utilisations",
    "the two are the same",
]  # fmt: skip

CHOSEN = [
    "With 75 minutes",  # a double lesson in many schools; nothing in the lab counts it
    "Two seeds give two different days",  # an example
    "is near 2, *slightly longer*",  # from where on two words mean the same is a matter of taste
    "run both at 20 % load",  # an idle fleet; test_answer_key.py measures there what is said
    "Ask two questions",  # an advice
]
"""What no code holds: the author's own choices, each with its reason."""


def test_every_number_of_the_text_has_its_source() -> None:
    absent, loose = unsourced(PROSE, SAID + CHOSEN, FACTS, STRUCTURAL)
    assert absent == [], "instructor.md no longer says this, or the code has another number"
    assert loose == [], "instructor.md has a number without a source"


def test_a_number_without_a_source_is_found() -> None:
    text = PROSE + "| 45 to 60 | Part 2 | all ninety of them, at 97 % |\n"
    assert len(unsourced(text, SAID + CHOSEN, FACTS, STRUCTURAL)[1]) == 2
    assert unsourced("In 50 minutes", SAID[:1], FACTS)[0] == ["In 45 minutes and three parts"]


def test_the_timing_has_no_gap_and_each_part_by_its_name() -> None:
    rows = [(int(start), int(end)) for start, end, _ in TIMING.findall(GUIDE)]
    assert rows[0][0] == 0 and all(start < end for start, end in rows)
    assert all(before[1] == after[0] for before, after in pairwise(rows))
    named = [what for *_, what in TIMING.findall(GUIDE) if what.startswith("Part ")]
    assert named == [f"Part {part}, {asked.title}" for part, asked in questions().items()]


def test_the_parts_that_it_names_are_those_there_are() -> None:
    assert {int(part) for part in re.findall(r"\b[Pp]art (\d+)", GUIDE)} == set(PARTS)


def test_the_rubric_goes_up_in_equal_steps_and_comes_to_its_points() -> None:
    marks, criteria = rubric()
    assert marks == list(range(0, marks[-1] + 1, marks[1])) and len(marks) == 3
    assert criteria * marks[-1] == int(FACTS["points"])


def addresses() -> list[str]:
    spans = [code.strip("`") for code in CODE.findall(GUIDE)]
    found = [code for code in spans if code.startswith(("?", "&"))]
    return found + re.findall(r'src="[^"?]*(\?[^"]*)"', GUIDE)


def test_the_text_has_addresses_in_its_table_and_in_its_frame() -> None:
    assert len(addresses()) > 6 and any("embed=1" in address for address in addresses())


@pytest.mark.parametrize("address", addresses())
def test_every_address_in_it_says_what_the_lab_understands(address: str) -> None:
    pairs = dict(pair.split("=") for pair in address.strip("?&").split("&"))
    known = {"embed": ["1"], "lecture": ["1"], "theme": ["dark", "light"], "only": charts()}
    assert set(known) == set(PAGE_KEYS)
    for key in PAGE_KEYS:
        assert key not in pairs or pairs[key] in known[key]
    assert Scenario.read(address)[1] == []


def test_the_page_and_the_engine_agree_on_which_keys_are_the_page_s() -> None:
    ours = re.search(r"const OURS = (\[[^\]]*\])", (SITE / "place.js").read_text("utf-8"))
    assert ours and json.loads(ours.group(1)) == list(PAGE_KEYS)


def charts(part: str = r"\d") -> list[str]:
    """Return what `only=` may name: an instrument whose title's id says so (showOnly, view.js)."""
    return ["fleet", *re.findall(rf'aria-labelledby="part{part}-([\w-]+)-title"', page_html())]


def test_every_instrument_that_it_lists_stands_in_its_part() -> None:
    row = next(line for line in GUIDE.splitlines() if line.startswith("| one instrument"))
    groups = re.findall(r"((?:`\w+`(?:, )?)+) in part (\d)", row)
    assert [int(part) for _, part in groups] == list(PARTS)
    for names, part in groups:
        assert set(re.findall(r"`(\w+)`", names)) <= set(charts(part))
