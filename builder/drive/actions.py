"""A person's hand, as WebDriver and WebDriver BiDi word it alike: sequences of actions."""

from typing import Any


def click(element: dict[str, Any]) -> dict[str, Any]:
    """Return a click of the mouse on an element, which is given as the protocol refers to it."""
    actions = [
        {"type": "pointerMove", "x": 0, "y": 0, "origin": element},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerUp", "button": 0},
    ]
    return {"type": "pointer", "id": "pointer", "actions": actions}


def keys(text: str) -> dict[str, Any]:
    """Return a text typed on the keyboard."""
    actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
    return {"type": "key", "id": "key", "actions": actions}
