"""No number in a sentence that a script of the page, Math Peek or the lab makes is typed in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fleetlab
from builder.assemble import SITE
from fleetlab import peek
from fleetlab.app.instruments import sharing
from fleetlab.engine.reclaim import BURST_SHARE
from fleetlab.ledger.record import LARGEST_BYTES
from fleetlab.network import GB
from fleetlab.services import nearness
from tests.app import prose_check, script_text
from tests.app.page_facts import page_facts
from tests.app.prose_check import unsourced
from tests.app.prose_facts import whole

FACTS = page_facts()
PACKAGE = Path(fleetlab.__file__).parent
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

LAB = {
    "app/instruments/sharing.py": [  # held to what they choose by the test below
        *("4 h", "2 h", "1 h", "15 min", "6 h", "12 h", "24 h"),
    ],
    "app/instruments/spot_controls.py": [
        "Bursts: a {burst} at once",
        "Like AWS, November 2020",  # the months that engine/market.py names its records by
    ],
    "app/session.py": ["its jobs are 0 to "],  # numbered from 0 in every run
    "services/nearness.py": [
        "an AllReduce of {ring_gb} GB over {ring_ranks} GPUs",
        "the chain of {allreduces} AllReduces of one loop",
        "the agreement of two hearables",  # one for each ear
    ],
}
"""The same of the instruments, the page's own sentences and what a track's jobs exchange."""
LAB_NAMES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for folder in ("app", "app/instruments", "services", "missions")
    for path in (PACKAGE / folder).glob("*.py")
    # coordinates of a drawing; refusals; the levels of sureness
    if path.name not in ("picture.py", "prices.py", "questions.py")
)
QUARTERS = {0.25: "quarter", 0.5: "half"}


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


@pytest.mark.parametrize("name", LAB_NAMES)
def test_every_number_in_the_lab_s_own_sentences_has_its_source(name: str) -> None:
    text = "\n".join(prose_check.sentences(PACKAGE / name))
    lab = {
        "burst": QUARTERS[BURST_SHARE],
        "ring_gb": whole(nearness.GRADIENT_BYTES / GB),
        "ring_ranks": whole(nearness.GRADIENT_RANKS),
    }
    absent, loose = unsourced(text, LAB.get(name, []), FACTS | lab)
    assert absent == [], f"{name} no longer says this, or the code has another number"
    assert loose == [], f"{name} has a number without a source"


@pytest.mark.parametrize(("choices", "unit_min"), [(sharing.PATIENCE, 1), (sharing.STARVATION, 60)])
def test_a_choice_of_a_time_says_the_time_that_it_chooses(
    choices: dict[str, int], unit_min: int
) -> None:
    spans = {"min": 1, "h": 60}
    said = {label: label.split() for label in choices if label[0].isdigit()}
    assert said
    for label, (number, unit) in said.items():
        assert int(number) * spans[unit] == choices[label] * unit_min


def test_no_source_is_kept_for_a_module_that_is_gone() -> None:
    assert set(SCRIPTS) <= set(NAMES)
    assert set(LAB) <= set(LAB_NAMES)
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
