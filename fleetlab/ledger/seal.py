"""The seal of a ledger: a chain of SHA-256 over its entries, in order of time.

The page makes it when a ledger is exported (``site/seal.js``), and here it is
computed again. ``docs/ledger.md`` says what a seal shows and what it cannot.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINK = re.compile("[0-9a-f]{64}")
_LISTS = ("predictions", "runs")


def canonical(value: Any) -> str:
    """Return the canonical JSON of ``value`` as RFC 8785 has it.

    No white space, keys in order of their UTF-16 code units, numbers and texts as
    JavaScript writes them. Raises ValueError for a number that is not finite.
    """
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return _number(value)


def _text(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _SURROGATE.sub(lambda half: f"\\u{ord(half.group()):04x}", quoted)


def _number(value: float) -> str:
    """Return ``value`` as JavaScript writes a double: ECMA-262, Number::toString."""
    value = float(value)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} is not a number that JSON can hold")
    if value == 0:
        return "0"
    sign, rest = ("-", repr(-value)) if value < 0 else ("", repr(value))
    mantissa, _, power = rest.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(power or 0)  # the value is 0.digits times 10^point
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    exponent = f"e{point - 1:+d}"
    return sign + digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + exponent


def chain(ledger: Mapping[str, Any]) -> Iterator[tuple[str, int, Entry]]:
    """Yield (list, place in it, entry) of all predictions and runs in order of time.

    At the same instant predictions come before runs, and each keeps its place.
    """
    entries = [(name, place, entry) for name in _LISTS for place, entry in enumerate(ledger[name])]
    yield from sorted(entries, key=lambda found: str(found[2]["at"]))


def first_link(ledger: Mapping[str, Any]) -> str:
    """Return the link that the chain of ``ledger`` begins with."""
    return _sha256(canonical({"schema": ledger["schema"], "track": ledger["track"]}))


def next_link(link: str, entry: Entry, without: tuple[str, ...] = ("seal",)) -> str:
    """Return the link that follows ``link`` when ``entry`` is chained to it."""
    rest = {key: value for key, value in entry.items() if key not in without}
    return _sha256(f"{link}\n{canonical(rest)}")


def whole_seal(link: str, ledger: Mapping[str, Any]) -> str:
    """Return the seal of ``ledger`` when ``link`` is the last of its chain."""
    return next_link(link, ledger, ("seal", *_LISTS))


def sealed(ledger: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``ledger`` in order of time, with seals that replace any it had."""
    copies = {
        name: sorted(map(dict, ledger[name]), key=lambda entry: str(entry["at"])) for name in _LISTS
    }
    whole = {**ledger, **copies}
    link = first_link(whole)
    for name, place, entry in chain(whole):
        link = next_link(link, entry)
        copies[name][place]["seal"] = link
    return {**whole, "seal": whole_seal(link, whole)}


def breaks(ledger: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return (list, place in it) of every entry whose seal does not fit, in order of time.

    ``("", 0)``, always last, stands for the rest of the ledger. An entry that was
    changed breaks its own link; one that was taken out, put in or moved breaks the
    link behind it.
    """
    found: list[tuple[str, int]] = []
    link = first_link(ledger)
    for name, place, entry in chain(ledger):
        expected = next_link(link, entry)
        written = entry.get("seal")
        if written != expected:
            found.append((name, place))
        is_link = isinstance(written, str) and _LINK.fullmatch(written)
        link = str(written) if is_link else expected
    if ledger.get("seal") != whole_seal(link, ledger):
        found.append(("", 0))
    return found


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
