"""What is heard when the reader lets go of a slider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn


def on_release(slider: pn.widgets.IntSlider, heard: Callable[[Any], object]) -> None:
    """Call ``heard`` with the event whenever the reader lets go of the slider.

    Also where it was let go before: what the page itself set in between (Undo,
    a point that was clicked, a link) is no release to Panel, and the same value
    would be taken for no change.
    """
    slider.param.watch(heard, "value_throttled", onlychanged=False)
