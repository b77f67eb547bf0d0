"""The colours that the instruments draw with; canvases cannot read the page's style sheet."""

from __future__ import annotations

from dataclasses import dataclass

TONES = ("#5b7f9f", "#84a2bb", "#41678a", "#a3bacb", "#6d8f8c", "#93aeab", "#4f7f86")

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Palette:
    """One theme's colours, by what they mean; the names are those of ``style.css``."""

    card: str
    ink: str
    muted: str
    line: str
    action: str
    warm: str
    warm_wash: str
    warm_mark: str
    tones: tuple[str, ...] = TONES


LIGHT = Palette(
    "#ffffff", "#1d2430", "#5f6979", "#e3e0d8", "#006395", "#b84a18", "#fdefe6", "#ffd2b3"
)
DARK = Palette(
    "#1a2029", "#e8eaee", "#98a2b1", "#2a313c", "#6db7e3", "#f2a36b", "#4a2f1c", "#f7b98b"
)


def palette(look: str) -> Palette:
    """Return the colours of a look: dark if it says so, light otherwise."""
    return DARK if "dark" in look.split() else LIGHT
