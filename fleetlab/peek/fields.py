"""What a reader's fields hold: numbers in the limits of a page, or one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from fleetlab.peek import FieldError

DECIMALS = 3


def number(value: Any, field: str, name: str, low: int, high: int) -> Fraction:
    """Return what a field holds, exactly.

    Raises FieldError unless it is a number from ``low`` to ``high`` of at most 3 decimals.
    """
    text = str(value).strip().replace(",", ".")
    try:
        found = Decimal(text[:40])
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not low <= found <= high or found != round(found, DECIMALS):
        said = f"is “{text[:20]}”" if text else "is empty"
        raise FieldError(
            field,
            f"{name} {said}: give a number from {low:,} to {high:,}, "
            f"with at most {DECIMALS} decimals.",
        )
    return Fraction(found)


def whole(question: Mapping[str, Any], field: str, name: str, low: int, high: int) -> int:
    """Return the whole number that a field of a question holds.

    Raises FieldError unless it is one from ``low`` to ``high``.
    """
    value = str(question.get(field, "")).strip()
    found = int(value) if value.isascii() and value.isdigit() and len(value) < 12 else low - 1
    if not low <= found <= high:
        said = f"is “{value[:20]}”" if value else "is empty"
        raise FieldError(field, f"{name} {said}: give a whole number from {low:,} to {high:,}.")
    return found


def decimal(amount: Fraction | float) -> str:
    """Return an amount with at most two decimals, none of them a trailing 0."""
    text = f"{float(amount):,.2f}"
    return text.rstrip("0").rstrip(".")


def share(part: Fraction) -> str:
    """Return a share as a short fraction where it is one, in per cent otherwise."""
    if part.denominator <= 60:
        return f"{part.numerator}/{part.denominator}" if part.denominator > 1 else str(part)
    return f"{float(part) * 100:.1f} %"
