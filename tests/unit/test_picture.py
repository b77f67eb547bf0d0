"""The picture of a case: what its bars say can be read."""

from __future__ import annotations

import re

from fleetlab.app.palette import LIGHT
from fleetlab.app.picture import WIDEST, Bar, Panel, picture


def test_a_limit_strikes_through_no_value() -> None:
    bars = (Bar("short", 6.0, "6.0 ms"), Bar("over", 20.0, "20 ms"), Bar("long", 100.0, "100 ms"))
    panels = [Panel("Three loops", bars, limit=(10.0, "10 ms"))]
    for narrow in (False, True):
        drawn = picture("A case", "", panels, LIGHT, narrow)
        (limit,) = {float(x) for x in re.findall(r"M([\d.]+) [\d.]+v18", drawn)}
        said = {
            text: float(x)
            for x, text in re.findall(r'<text x="([\d.]+)"[^>]*>([^<|]+ ms)</text>', drawn)
        }
        assert set(said) == {"6.0 ms", "20 ms", "100 ms"}
        assert said["6.0 ms"] > limit, "it begins behind the limit, which its bar does not reach"
        for text, start in said.items():
            assert not start < limit < start + len(text) * WIDEST
