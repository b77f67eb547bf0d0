"""The document of a part that was left: the page has thrown it away."""

from __future__ import annotations

import json
from typing import Any

from fleetlab.app import host


def test_a_part_that_was_left_says_no_more_of_its_document() -> None:
    posted: list[tuple[str, str, Any]] = []
    host.start(lambda *message: posted.append(message), "track=titan&part=2", "light", "")
    desk = host._live["desk"]
    page, left = desk.page, desk.link.document
    scrub = page.part.transport.scrub
    scrub.value = scrub.value + 1
    assert posted.pop()[0] == "patch", "while it is open, a change of it is posted"
    page.hear("scenario", "track=titan&part=3")
    assert desk.link.document is not left
    posted.clear()
    scrub.value = scrub.value + 1
    assert posted == []
    page.part.transport.scrub.value += 1
    (kind, patch, _) = posted.pop()
    assert kind == "patch"
    assert json.loads(patch)["events"]
