"""No number in a sentence that a script of the page or Math Peek makes is typed in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builder.assemble import SITE
from fleetlab import peek
from fleetlab.ledger.record import LARGEST_BYTES
from tests.app import prose_check, script_text
from tests.app.page_facts import page_facts
from tests.app.prose_check import unsourced

FACTS = page_facts()
PEEK = Path(peek.__file__).parent
NAMES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.js"))

SCRIPTS = {
    "boot.js": ["Python stopped twice in a short time"],  # it is started again once
    "figures.js": ["wait of 95 %"],  # the name of wait_p95_s
    "ledger.js": [  # the paradox compares a pair
        "These two diverge",
        "the same run twice. Choose two.",
        "These two are of different parts",
        "Choose two of one part.",
        "These two do not diverge",
    ],
    "lock.js": ["one of the {options:word} answers."],
    "page.js": ["one of these {tracks:word}."],
    "reading.js": [
        "part # is predicted twice.",  # what must not be
        "no confidence from 1 to {confidences}",
    ],
    "record.js": ["two runs that diverge"],
    "view.js": ["about {part_min} minutes"],
}
"""What the page's scripts say with a number; `#` stands for what a script fills in."""

PEEKS = {
    "packing.py": [
        "All {heuristics:word} rules of thumb",
        "never opens more than 11/9 · OPT + 6/9",  # Dósa, ESCAPE 2007: theory/binpacking.py
        "over {draws:word} draws",
        "has thousands of items and milliseconds",  # of the chapter's fleets; none is meant
        "items: give 1 to",
        "give one above 0",
    ],
    "queueing.py": [
        "(1 + \n²)/2",  # the factor (1 + C²)/2 of both formulas
        "/(1 − ",  # and ρ/(1 − ρ)
        "Exact for C = 1.",
        "has to wait (C = 1)",
        "({confidence} %)",
        "with jobs of 1 GPU",
        "1 server: to a job that takes all",
        "1 server, C = 1",
        "1 server, C = \n",
    ],
    "rules.py": [  # part_words has them by the number of users
        "half of everything",
        "a third of everything",
        "a quarter of everything",
    ],
    "sharing.py": ["users: give 1 to", "at least one amount above 0."],
}
"""The same of the sentences that Math Peek makes in Python, a line for each piece."""


@pytest.mark.parametrize("name", NAMES)
def test_every_number_in_a_script_s_sentences_has_its_source(name: str) -> None:
    text = "\n".join(script_text.sentences(SITE / name))
    absent, loose = unsourced(text, SCRIPTS.get(name, []), FACTS)
    assert absent == [], f"{name} no longer says this, or the code has another number"
    assert loose == [], f"{name} has a number without a source"


@pytest.mark.parametrize("name", sorted(path.name for path in PEEK.glob("*.py")))
def test_every_number_in_math_peek_s_sentences_has_its_source(name: str) -> None:
    text = "\n".join(prose_check.sentences(PEEK / name))
    absent, loose = unsourced(text, PEEKS.get(name, []), FACTS)
    assert absent == [], f"{name} no longer says this, or the code has another number"
    assert loose == [], f"{name} has a number without a source"


def test_no_source_is_kept_for_a_module_that_is_gone() -> None:
    assert set(SCRIPTS) <= set(NAMES)
    assert set(PEEKS) <= {path.name for path in PEEK.glob("*.py")}


def test_a_number_without_a_source_is_found_in_a_script(tmp_path: Path) -> None:
    script = tmp_path / "loose.js"
    script.write_text(
        "// 17 in a comment\n"
        'const at = /["`]9 of/.test("M1 7H27") ? "h2" : `${seen ? `of ${n} in 41` : ""} left`;\n'
        'write("state", "All three wait.");\n'
    )
    text = "\n".join(script_text.sentences(script))
    assert text.splitlines() == ["of # in 41", "# left", "All three wait."]
    assert len(unsourced(text, [], FACTS)[1]) == 2


def test_a_number_without_a_source_is_found_in_python(tmp_path: Path) -> None:
    module = tmp_path / "loose.py"
    module.write_text('"""Of 5."""\nSAID = f"{found:.2f} of 12 bins"\n')
    text = "\n".join(prose_check.sentences(module))
    assert unsourced(text, [], FACTS) == ([], [" of 12 bins"])


def test_the_page_takes_ledgers_as_large_as_the_command_line_does() -> None:
    script = (SITE / "exchange.js").read_text("utf-8")
    (largest,) = re.findall(r"LARGEST_LEDGER = (\w+);", script)
    assert float(largest) == LARGEST_BYTES
