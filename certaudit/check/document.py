"""Derivation files: reading them without trust, and their seal."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from certaudit.errors import Diagnostic, InputError

FORMAT = "certaudit derivation 1"
MOST_BYTES = 200 * 10**6
LONGEST_NUMBER = 100_000
MOST_EXPONENT = 100_000

_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6}))?")
_RATIO = re.compile(r"(-?\d+)/(\d+)")


class Rejected(Exception):
    """The derivation is wrong at ``place``."""

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(f"{place}: {reason}" if place else reason)


def read(path: Path) -> dict[str, Any]:
    """The derivation in a file.

    Raises InputError, in one line, for what cannot be read or is no derivation: a missing or too large
    file, broken or too deeply nested JSON, a repeated key, NaN or an infinite number, another format.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unusable(path, error.strerror or "cannot be read") from None
    if len(raw) > MOST_BYTES:
        raise _unusable(path, f"larger than {MOST_BYTES // 10**6} MB")
    try:
        content = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise _unusable(path, "nested too deeply") from None
    except ValueError as error:
        raise _unusable(path, f"not a derivation: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _unusable(path, f"not a derivation: its format is not {FORMAT!r}")
    return content


def seal(content: dict[str, Any]) -> str:
    """SHA-256 of the content without its seal, as canonical JSON (keys sorted, no spaces, ASCII)."""
    bare = {key: value for key, value in content.items() if key != "sha256"}
    text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def exact(value: Any, place: str) -> Fraction:
    """An exact number given as text: a decimal or p/q."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        if (ratio := _RATIO.fullmatch(value)) and int(ratio[2]) > 0:
            return Fraction(int(ratio[1]), int(ratio[2]))
        if (number := _NUMBER.fullmatch(value)) and abs(int(number[4] or 0)) <= MOST_EXPONENT:
            sign, whole, rest, exponent = number.groups()
            power = int(exponent or 0) - len(rest or "")
            return Fraction(int(sign + whole + (rest or ""))) * Fraction(10) ** power
    raise Rejected(place, f"{show(value)} is no exact number")


def natural(value: Any, place: str, least: int = 0) -> int:
    """A whole number, ``least`` or above."""
    if type(value) is not int or not least <= value < 2**62:
        raise Rejected(place, f"{show(value)} is no whole number from {least} on")
    return value


def choice(value: Any, place: str, among: Sequence[Any]) -> Any:
    """One of the values listed."""
    if not any(value == one and type(value) is type(one) for one in among):
        raise Rejected(place, f"{show(value)} is none of {', '.join(map(show, among))}")
    return value


def table(value: Any, place: str, keys: Sequence[str]) -> dict[str, Any]:
    """A table with exactly these keys."""
    if not isinstance(value, dict):
        raise Rejected(place, f"{show(value)} is no table")
    for key in keys:
        if key not in value:
            raise Rejected(f"{place}.{key}", "missing")
    for key in value:
        if key not in keys:
            raise Rejected(f"{place}.{show(key)}", "unknown key")
    return value


def listed(value: Any, place: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise Rejected(place, f"{show(value)} is no list")
    return value


def show(value: Any) -> str:
    """A value on one short line."""
    plain = isinstance(value, str | Fraction | Exception)
    text = " ".join(str(value).split()) if plain else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unusable(path: Path, message: str) -> InputError:
    return InputError([Diagnostic(str(path), message)])


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is repeated")
    return content


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is out of range")
    return value
