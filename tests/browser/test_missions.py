"""All twelve missions: each track from the link to its ledger by clicks and keys, then verified."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from fleetlab.cli import main
from fleetlab.missions import TRACKS, mission
from fleetlab.missions.goals import unseen_seeds
from fleetlab.scenario import Scenario
from tests.browser.reader import LONG_MS, Reader, default_query
from tests.ledgers import write
from tests.rules import HOLDS_OUT

ELASTIC = {
    "titan": ("Enable Elastic-Horovod", "Elastic ring"),
    "guardian": ("Enable Elastic-Horovod", "Elastic ring"),
    "nomad": ("Enable elastic rendering", "Rescaled"),
    "pioneer": ("Enable elastic models", "Heavy or slim"),
}
FREQUENCY = {"pioneer": "Devices that leave, a day"}


@dataclass
class Mission:
    """One track under way; `strict` and `loose` are Part 2's runs, as the ledger words them."""

    track: str
    reader: Reader
    digests: dict[str, str] = field(default_factory=dict)

    def expect_run(self, name: str, **changes: Any) -> None:
        """Wait for the run that CPython makes of the part as it opens with some changes."""
        part = 3 if name.startswith("spot") else 2 if "loose" in name or "strict" in name else 1
        scenario = Scenario.default(self.track, part).but(**changes)
        self.digests[name] = self.reader.await_run("?" + scenario.query()).digest


def play_part_1(mission: Mission) -> None:
    """Predict, look at both placements and at another load."""
    reader = mission.reader
    opening = default_query(mission.track)
    reader.await_run(opening + ("&workload=titan-crisis" if mission.track == "titan" else ""))
    expect(reader.part.get_by_text("Predict first.")).to_be_visible()
    reader.predict("Much longer")
    mission.expect_run("as it opens")
    expect(reader.says("reveal")).to_contain_text("much longer")
    expect(reader.says("reveal")).to_contain_text("That is what you said.")
    reader.choose("Placement", "Random")
    mission.expect_run("random", placement="random")
    expect(reader.says("reveal")).to_contain_text("these are others")
    reader.part.get_by_role("slider", name="Cluster load").press("ArrowLeft")
    mission.expect_run("random and less", placement="random", load=89)
    reader.reflect("Free GPUs in pieces are rent for nothing.", "Go on to part 2")


def play_part_2(mission: Mission) -> None:
    """Predict, move the locality by keys, score the policy, and run a rule."""
    reader = mission.reader
    reader.turn_to(2)
    mission.expect_run("loose")
    for later in ("across", "seesaw", "MFU"):
        assert later not in reader.part.inner_text(), later
    reader.predict("It decreases once the fleet is busy", "50")
    expect(reader.says("reveal")).to_contain_text("That is what you said.", timeout=LONG_MS)
    expect(reader.says("seesaw_title")).to_contain_text("Loose placement", timeout=LONG_MS)
    locality = reader.part.get_by_role("slider", name=re.compile("^Locality"))
    locality.press("Home")
    expect(locality).to_have_attribute("aria-valuenow", re.compile(r"^0(\.0)?$"))
    mission.expect_run("strict", patience=-1)
    expect(reader.says("title")).to_contain_text("No gang lies across")
    reader.click("Score this policy")
    expect(reader.says("scored")).to_contain_text("9 of 10", timeout=LONG_MS)
    reader.unfold("Write the placement rule yourself")
    rule = reader.part.get_by_role("textbox", name=re.compile("^A Python function"))
    rule.fill(HOLDS_OUT)
    reader.click("Run my rule")
    expect(reader.says("rule_title")).to_contain_text("wins back", timeout=LONG_MS)
    reader.reflect("Hold out for one block.", "Go on to part 3")


def play_part_3(mission: Mission) -> None:
    """Predict, play the clock, turn elastic on, and more frequent by keys; take the picture."""
    reader, track = mission.reader, mission.track
    reader.turn_to(3)
    mission.expect_run("spot")
    for later in ("main", "case_title", "reveal"):
        assert not reader.says(later).is_visible()
    reader.predict("Elastic by whole nodes|Elastic: ", "20")
    expect(reader.says("reveal")).to_contain_text("That is what you said.", timeout=LONG_MS)
    expect(reader.says("main")).not_to_have_text("–")
    title = reader.title
    reader.click("Step")
    reader.click("Play")
    reader.click("Pause")
    reader.part.get_by_role("slider", name="Simulated time").press("End")
    expect(reader.part.get_by_role("heading", level=1)).not_to_have_text(title)

    found = reader.says("main").inner_text()
    reader.choose(*ELASTIC[track])
    mission.expect_run("spot, elastic", elastic=1)
    # where elastic changes what a frame costs and no start, the events are the same ones
    expect(reader.says("main")).not_to_have_text(found)
    frequency = FREQUENCY.get(track, "Preemptions a day, all spot")
    reader.part.get_by_role("slider", name=frequency).press("ArrowRight")
    more = Scenario.default(track, 3).preemptions + 1
    mission.expect_run("spot, elastic, more often", elastic=1, preemptions=more)
    svg = ElementTree.fromstring(reader.download("Save as SVG"))
    assert svg.tag.endswith("svg")
    assert reader.part.locator("img.picture").evaluate("image => image.naturalWidth") > 300
    reader.reflect("Elastic by whole nodes.", "Go on to your ledger")


def conclude(mission: Mission) -> dict[str, Any]:
    """Cite own runs, write what the ledger asks for, and return it as it is exported."""
    page = mission.reader.page
    cited = mission.digests
    for part, name in ((1, "as it opens"), (2, "strict"), (3, "spot, elastic")):
        page.get_by_role("combobox", name=re.compile(f"^Part {part}, ")).select_option(cited[name])
    page.get_by_role("radio", name=re.compile("^Job locality")).check()
    page.get_by_label("The alternative you rejected").fill("Loose placement: busy, and slower.")
    page.get_by_label("One run", exact=True).select_option(cited["loose"])
    page.get_by_label("The other", exact=True).select_option(cited["strict"])
    expect(page.get_by_text("These two diverge:")).to_be_visible()
    page.get_by_label("How you got round it").fill("Gangs that lie close let go sooner.")
    page.get_by_label("The residual risk").fill("A burst takes a whole block.")
    expect(page.get_by_role("heading", name="Complete", exact=True)).to_be_visible()
    return mission.reader.ledger()


@pytest.mark.parametrize("track", TRACKS)
def test_a_reader_plays_all_three_parts_to_a_ledger_that_holds(
    lab: Any, track: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = lab("")
    reader = Reader(page)
    page.get_by_role("link").filter(
        has=page.get_by_role("heading", name=mission(track).name)
    ).click()
    page.get_by_role("link", name="Start part 1").click()
    played = Mission(track, reader)
    play_part_1(played)
    play_part_2(played)
    play_part_3(played)
    ledger = conclude(played)

    runs = [(run["part"], Scenario.parse(run["scenario"])) for run in ledger["runs"]]
    assert {part for part, _ in runs} == {1, 2, 3}
    assert set(unseen_seeds(1)) <= {scenario.seed for part, scenario in runs if part == 2}
    assert (
        [run["rule"] for run in ledger["runs"] if "rule" in run] == [HOLDS_OUT] == [ledger["rule"]]
    )
    assert ledger["policy"]["patience"] == -1 and ledger["policy"]["elastic"] == 1

    assert main(["verify", str(write(tmp_path, ledger))]) == 0
    said = capsys.readouterr().out
    assert f"seal: all {3 + len(runs)} entries and the answers are as sealed" in said
    assert " 0 do not, 0 could not be checked." in said

    # a figure that is touched up shows, in the seal and in the run itself
    place = next(n for n, run in enumerate(ledger["runs"]) if run["part"] == 3)
    kept = {**ledger, "runs": json.loads(json.dumps(ledger["runs"][place : place + 1]))}
    kept["runs"][0]["figures"]["allocated"] += 0.0001
    assert main(["verify", str(write(tmp_path, kept))]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if "DOES NOT HOLD" in line]
    assert any("allocated is" in line for line in failed)
    assert any("after it was sealed" in line for line in failed)
