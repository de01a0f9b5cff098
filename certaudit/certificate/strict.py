"""Strict reading of JSON: what is :class:`Doubtful` is kept, to be refused where it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 64 << 20
MOST_VALUES = 1_500_000
MOST_DIGITS = 18
LONGEST_TEXT = 10_000


class Malformed(Exception):
    """The file is wrong at ``place``, a path like ``proofs[0].lines[2].witness``."""

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(f"{place}: {reason}" if place else reason)


@dataclass(frozen=True)
class Doubtful:
    """Something JSON allows and the format does not."""

    what: str


def shown(value: object) -> str:
    """A value on one short ASCII line, escaped, so that it can be printed."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def parse(raw: bytes) -> Any:
    """The JSON value of a UTF-8 text.

    An object with a repeated key, a number that is no integer of at most 18 digits and the words NaN and
    Infinity become :class:`Doubtful`.  Raises Malformed for what is no JSON, too large or too deep.
    """
    if len(raw) > MOST_BYTES:
        raise Malformed("", f"larger than {MOST_BYTES // 10**6} MB")
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > MOST_VALUES:
        raise Malformed("", f"holds more than {MOST_VALUES} values")
    try:
        return json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=lambda text: Doubtful(f"{shown(text)} is not an integer"),
            parse_constant=lambda text: Doubtful(f"{text} is not an integer"),
        )
    except RecursionError:
        raise Malformed("", "nested too deeply") from None
    except ValueError as error:
        raise Malformed("", f"no JSON: {shown(str(error))}") from None


def canonical(content: Any) -> bytes:
    """JSON with sorted keys, no spaces and ASCII escapes."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def table(
    value: Any, place: str, keys: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """An object with exactly these keys, the optional ones or not."""
    if not isinstance(value, dict):
        raise Malformed(place, "must be an object" + _reason(value))
    for key in keys:
        if key not in value:
            raise Malformed(under(place, key), "is missing")
    for key in value:
        if key not in keys and key not in optional:
            raise Malformed(under(place, key), "unknown key")
    return value


def listed(value: Any, place: str, most: int | None = None) -> list[Any]:
    """A list, of at most so many entries."""
    if not isinstance(value, list):
        raise Malformed(place, "must be a list" + _reason(value))
    if most is not None and len(value) > most:
        raise Malformed(place, f"has {len(value)} entries, at most {most} are allowed")
    return value


def text(value: Any, place: str) -> str:
    """Text that can be encoded."""
    if not isinstance(value, str):
        raise Malformed(place, "must be text" + _reason(value))
    if len(value) > LONGEST_TEXT or any("\ud800" <= c <= "\udfff" for c in value):
        raise Malformed(place, f"must be text of at most {LONGEST_TEXT} characters, no half of a pair")
    return value


def whole(value: Any, place: str, least: int = 0) -> int:
    """An integer, ``least`` or above."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(place, "must be an integer" + _reason(value))
    if value < least:
        raise Malformed(place, f"must be at least {least}, not {value}")
    return value


def under(place: str, key: str) -> str:
    """The place of a key; a strange key is escaped."""
    name = key if key.isascii() and key.isidentifier() else shown(key)
    return f"{place}.{name}" if place else name


def _reason(value: Any) -> str:
    return f": {value.what}" if isinstance(value, Doubtful) else f", not {shown(value)}"


def _integer(digits: str) -> int | Doubtful:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        return Doubtful(f"an integer of more than {MOST_DIGITS} digits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Doubtful:
    content = dict(pairs)
    if len(content) == len(pairs):
        return content
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return Doubtful(f"the key {shown(twice)} is repeated")
