"""What the build shows before Python is here is what Python then has."""

import json

import pytest

from fleetlab.app import host, openings
from fleetlab.app.parts import PARTS


def fingerprint(part: int, look: str = "light", run: bytes = b"") -> str:
    """Return the fingerprint of a part's page built from nothing."""
    host._desks.clear()
    openings.prepare()
    return str(json.loads(openings.shown("titan", part, "open", look, run))["fingerprint"])


@pytest.mark.parametrize("part", PARTS)
def test_a_page_that_is_built_again_has_the_same_fingerprint(part: int) -> None:
    assert fingerprint(part) == fingerprint(part)


def test_a_page_in_another_look_with_a_run_or_of_another_part_has_another_fingerprint() -> None:
    run = openings.first_run("titan", 1, "open")
    found = [fingerprint(1), fingerprint(1, "dark"), fingerprint(1, "light", run), fingerprint(2)]
    assert len(set(found)) == 4


def test_a_fingerprint_follows_every_value_that_is_set() -> None:
    link = host.Desk(1, host.ManualClock()).link
    first = link.fingerprint()
    model = next(model for model in link.document.models if "height" in model.properties())
    model.height = 321
    assert link.fingerprint() != first
