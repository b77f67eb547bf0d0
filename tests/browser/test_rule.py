"""The reader's own placement rule: run, kept, cited; and hostile code, stopped and explained."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from fleetlab.scenario import Scenario
from tests.browser.reader import LONG_MS, Reader, run_of
from tests.rules import HOLDS_OUT

HOSTILE = {
    "    while True:\n        pass": "line 2: the rule was still going",
    "    return [0] * 10000000": "line 2: the rule was still going",
    "    big = [1]\n    while True:\n        big = big + big": "line 4: the rule was still going",
    "    import js": "line 2: a rule cannot use import",
    "    return job.__class__": "line 2: a rule cannot use .__class__",
    "    fetch('https://example.org')": "line 2: NameError: name 'fetch' is not defined",
    "    document.title = 'mine'": "line 2: a rule cannot use .title",
    "    return open('/etc/passwd')": "line 2: NameError: name 'open' is not defined",
    "    return place(job, free)": "functions call each other more than 40 deep",
}
"""Bodies of a rule that want time, memory, the page, the network or the disk, and what is said."""


def test_a_rule_that_is_cited_is_the_policy_s_placement_and_outlives_a_reload(lab: Any) -> None:
    query = "?" + Scenario.default("titan", 2).but(jobs=300).query()
    reader = Reader(lab(query), part=2)
    reader.await_run(query)
    reader.predict("It increases", "50")
    reader.unfold("Write the placement rule yourself")
    rule = reader.page.locator("#part2-rule")  # it is there before the lock too, out of sight
    worked = rule.input_value()
    rule.fill(HOLDS_OUT)
    reader.click("Run my rule")
    expect(reader.says("rule_title")).to_contain_text("wins back", timeout=LONG_MS)
    said = reader.says("rule_title").inner_text()
    reader.open_view("Ledger")
    choice = reader.page.get_by_role("combobox", name=re.compile("^Part 2, "))
    choice.select_option(label=choice.locator("option", has_text="your rule").inner_text())
    expect(reader.page.locator("[data-text=policy_words]")).to_contain_text("your own rule")
    reader.open_view("2")

    reader.page.reload()
    reader.await_run(query)
    expect(rule).to_have_value(HOLDS_OUT)
    expect(reader.says("rule_title")).to_have_text(said)
    reader.go("?track=guardian&part=2&jobs=300")
    reader.await_digest(run_of("?track=guardian&part=2&jobs=300").digest)
    expect(rule).to_have_value(worked)
    reader.go(query)
    expect(rule).to_have_value(HOLDS_OUT)
    reader.click("Back to the worked rule")
    expect(rule).to_have_value(worked)


def test_hostile_code_is_stopped_and_explained_and_nothing_is_lost(lab: Any) -> None:
    query = "?" + Scenario.default("titan", 2).but(jobs=150).query()
    reader = Reader(lab(query), part=2)
    run = reader.await_run(query)
    reader.predict("It increases", "50")
    expect(reader.says("reveal")).to_contain_text("At 85 %", timeout=LONG_MS)
    title = reader.page.title()
    reader.unfold("Write the placement rule yourself")
    rule = reader.part.get_by_role("textbox", name=re.compile("^A Python function"))
    for body, says in HOSTILE.items():
        rule.fill(f"def place(job, free):\n{body}\n")
        reader.click("Run my rule")
        expect(reader.says("rule_problem")).to_contain_text(says, timeout=LONG_MS)
    assert reader.page.title() == title
    assert reader.page.locator("html").get_attribute("data-fleetlab-state") == "live"
    assert run.digest in [kept["digest"] for kept in reader.ledger()["runs"]]
    reader.open_view("2")

    rule.fill("def place(job, free):\n    return None\n")
    reader.click("Run my rule")
    reader.click("Stop")
    expect(reader.says("rule_problem")).to_contain_text("Stopped.", timeout=LONG_MS)
    rule.fill(HOLDS_OUT)
    reader.click("Run my rule")
    expect(reader.says("rule_title")).to_contain_text("wins back 100 %", timeout=LONG_MS)
    expect(reader.says("rule_problem")).to_have_text("")
