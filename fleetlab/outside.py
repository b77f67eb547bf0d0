"""What comes from outside: files of a limited size, JSON read strictly, text shown safely."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

LONGEST_WHOLE = 20
"""Digits of the longest whole number that is read."""


class OutsideError(ValueError):
    """One sentence that says what is wrong with a file, where, and what to do."""


def plain(text: object, longest: int = 60) -> str:
    """Return outside text as one short line that no terminal, table or page can mistake."""
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in str(text)[: longest + 1]
    )
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def read_bytes(path: Path, most: int) -> bytes:
    """Return what is in a file of at most ``most`` bytes; a larger one is not read.

    Raises OutsideError for a larger one, and OSError for one that cannot be read.
    """
    size = path.stat().st_size
    if not path.is_file():
        raise OutsideError(f"{plain(path.name)} is not a file")
    if size <= most:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
        size = len(data)
    if size > most:
        raise OutsideError(
            f"{plain(path.name)} has {size / 1e6:,.0f} MB; a ledger has at most "
            f"{most / 1e6:.0f} MB, so this is another file"
        )
    return data


def load_json(data: bytes, name: str, deepest: int) -> Any:
    """Return the JSON value in ``data``, nested at most ``deepest`` deep.

    Refuses, by OutsideError naming ``name``, what two readers might understand
    differently: a field twice, NaN, Infinity, and numbers that no float can hold.
    """
    name = plain(name)

    def refuse(reason: str) -> NoReturn:
        raise OutsideError(f"{name} {reason}")

    def whole(digits: str) -> int:
        if len(digits) > LONGEST_WHOLE:
            refuse(f"holds the number {plain(digits, 24)}, which is too large")
        return int(digits)

    def broken(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            refuse(f"holds the number {plain(text, 24)}, which is too large")
        return value

    def constant(word: str) -> NoReturn:
        refuse(f"holds {word}, which is no number")

    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            for twice, _ in pairs:
                if twice in seen:
                    break
                seen.add(twice)
            refuse(f"has the field {plain(twice)!r} twice in one object")
        return found

    if not data.strip():
        refuse("is empty; export the ledger again")
    try:
        value = json.loads(
            data.decode("utf-8-sig"), parse_int=whole, parse_float=broken,
            parse_constant=constant, object_pairs_hook=fields,
        )  # fmt: skip
    except UnicodeDecodeError as error:
        refuse(f"is not UTF-8 text (byte {error.start}), so it is no ledger")
    except json.JSONDecodeError as error:
        refuse(
            f"is not complete JSON (line {error.lineno}, column {error.colno}); "
            "export the ledger again"
        )
    except RecursionError:
        deep = True
    else:
        deep = _is_deeper(value, deepest)
    if deep:
        refuse(f"is nested more than {deepest} deep, so it is no ledger")
    return value


def _is_deeper(value: Any, deepest: int) -> bool:
    level = [value]
    for _ in range(deepest + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner
    return bool(level)
