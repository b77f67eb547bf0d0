"""The ledger says each choice that a knob offers in words, and not by its name in the address."""

import pytest

from fleetlab.app.instruments import controls, sharing, spot_controls
from tests.javascript import evaluate

OFFERED = {
    "placement": [*sharing.PLACEMENTS.values(), "random"],
    "backfill": list(controls.BACKFILLS),
    "order": list(sharing.ORDERS.values()),
    "gang": list(sharing.GANGS.values()),
    "quota": list(sharing.QUOTAS.values()),
    "patience": list(sharing.PATIENCE.values()),
    "starvation": list(sharing.STARVATION.values()),
    "reclaim": list(spot_controls.PROCESSES),
    "elastic": [0, 1],
}


@pytest.mark.parametrize("name", OFFERED)
def test_every_choice_that_a_knob_offers_is_said_in_words(name: str) -> None:
    queries = [f"?track=titan&part=2&{name}={choice}" for choice in OFFERED[name]]
    said = evaluate("settings.js", "v[0].map(m.scenarioWords)", queries)
    assert set(said).isdisjoint(f"{name} {choice}" for choice in OFFERED[name])
