"""Numbers as a reader reads them: durations, clock times, money, counts."""

from __future__ import annotations

_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float) -> str:
    """Return a duration in its natural unit with two or three figures: ``2.6 h``, ``17 min``."""
    if seconds < 0:
        return "−" + duration(-seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.0005 else "0 s"
    for size, unit in _STEPS:
        if seconds >= size * (2 if unit == "d" else 1):
            value = seconds / size
            return f"{value:.0f} {unit}" if value >= 9.95 else f"{value:.1f} {unit}"
    return f"{seconds:.1f} s"


def clock(time_ms: int) -> str:
    """Return a simulated time as a day and an hour: ``day 2, 14:20``; the first day is 1."""
    minutes = time_ms // 60_000
    return f"day {minutes // 1440 + 1}, {minutes // 60 % 24:02d}:{minutes % 60:02d}"


def elapsed(time_ms: int) -> str:
    """Return a simulated time as passed since the start: ``2 d 14 h 20 min``."""
    minutes = time_ms // 60_000
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if not days and not hours:
        return f"{rest} min {time_ms // 1000 % 60:02d} s"
    return (f"{days} d " if days else "") + f"{hours} h {rest:02d} min"


def dollars(amount: float) -> str:
    """Return an amount of money with the figures that matter: ``$92``, ``$149 k``, ``$1.2 M``."""
    for size, unit in ((1e9, " bn"), (1e6, " M"), (1e4, " k")):
        if abs(amount) >= size:
            return f"${amount / (1e3 if size == 1e4 else size):.3g}{unit}"
    return f"${amount:,.0f}" if abs(amount) >= 10 or amount == 0 else f"${amount:,.2f}"


def count(number: float) -> str:
    """Return a count with thousands apart, or one decimal below ten."""
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def percent(share: float, digits: int = 0) -> str:
    """Return a share of 1 as a reader reads it: ``76 %``, or ``76.4 %`` with one digit."""
    return f"{100 * share:.{digits}f} %"


def times(ratio: float) -> str:
    """Return a ratio as "so many times": two figures, none invented beyond them."""
    if ratio >= 1000:
        return f"{ratio:,.0f}×"
    return f"{ratio:.0f}×" if ratio >= 9.95 else f"{ratio:.1f}×"


def plural(number: int, noun: str) -> str:
    """Return ``1 GPU`` or ``2 GPUs``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``11th``."""
    suffix = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{suffix}"
