"""The ledger says each choice that an address can make in words, and not by its name there."""

import pytest

from fleetlab.app.instruments import sharing
from fleetlab.engine.reclaim import PROCESSES
from fleetlab.policy.backfill import BACKFILLS
from fleetlab.policy.order import ORDERS
from fleetlab.policy.placement import PLACEMENTS
from fleetlab.policy.quota import RULES
from fleetlab.policy.settings import GANGS, PREEMPTIONS
from tests.javascript import evaluate

CHOICES = {
    "placement": PLACEMENTS,
    "backfill": BACKFILLS,
    "order": ORDERS,
    "gang": GANGS,
    "quota": RULES,
    "preemption": PREEMPTIONS,
    "patience": sharing.PATIENCE.values(),
    "starvation": sharing.STARVATION.values(),
    "reclaim": PROCESSES,
    "elastic": [0, 1],
}


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_is_said_in_words(name: str) -> None:
    queries = [f"?track=titan&part=2&{name}={choice}" for choice in CHOICES[name]]
    said = evaluate("settings.js", "v[0].map(m.scenarioWords)", queries)
    assert set(said).isdisjoint(f"{name} {choice}" for choice in CHOICES[name])
