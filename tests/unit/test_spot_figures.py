"""Part 3's prose: its figures are computed, and its settings are those that it opens with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetlab.missions import TRACKS, mission
from fleetlab.prose import spot_figures
from fleetlab.scenario import Scenario
from fleetlab.services.loop import TAIL
from fleetlab.services.training import interruption_mean_s

CONTENT = Path(__file__).resolve().parents[2] / "site" / "content"


def test_every_figure_that_the_prose_asks_for_is_there() -> None:
    asked: set[str] = set()
    for path in CONTENT.glob("*/part3/*.md"):
        asked |= set(re.findall(r"\{\{ figures\.(\w+) \}\}", path.read_text("utf-8")))
    found = spot_figures.compute()
    assert asked and asked <= set(found)


def test_the_figures_are_those_of_the_cfo_s_case() -> None:
    found = spot_figures.compute()
    assert found["titan_spot_promise"] == "$4.99 M"
    assert found["titan_doubled_left"] == "$2.3 M"
    assert found["titan_break_even"] == "2.86"
    assert (found["nomad_half_fps"], found["nomad_half_pixels"]) == ("37", "62.5 %")
    assert found["guardian_fewest_nodes"] == "9"
    for regime in ("static", "rare", "unsaved"):
        assert float(found[f"titan_{regime}_stretch"]) == pytest.approx(2, abs=0.05)


def test_the_settings_that_the_words_name_are_those_that_part_3_opens_with() -> None:
    titan = Scenario.default("titan", 3)
    assert (titan.fleet_shape.nodes, titan.fleet_shape.gpus) == (128, 1024)
    assert (titan.spot, titan.tau, titan.checkpoint) == (20, 60, 300)
    assert titan.away * 60 + titan.restart == 30 * 60
    assert interruption_mean_s(titan.but(spot=100)) / 3600 == pytest.approx(1.7, abs=0.05)
    guardian = Scenario.default("guardian", 3)
    assert (guardian.fleet_shape.nodes, guardian.spot, guardian.rendezvous) == (16, 20, 30)
    assert pytest.approx(86.4) == TAIL * 86_400
    nomad = Scenario.default("nomad", 3)
    assert (nomad.fleet_shape.nodes, nomad.load, nomad.away) == (48, 80, 2)
    assert nomad.preemptions == 4 * nomad.fleet_shape.nodes  # a life of 6 hours
    assert mission("nomad").spot_hour_dollars / mission("nomad").gpu_hour_dollars == 0.2


@pytest.mark.parametrize("track", TRACKS)
def test_each_track_says_part_3_in_its_own_words(track: str) -> None:
    texts = {
        path.stem: path.read_text("utf-8") for path in (CONTENT / track / "part3").glob("*.md")
    }
    assert {"challenge", "after"} <= set(texts)
    others = [other for other in TRACKS if other != track]
    for name, text in texts.items():
        for other in others:
            path = CONTENT / other / "part3" / f"{name}.md"
            assert not path.is_file() or path.read_text("utf-8") != text
