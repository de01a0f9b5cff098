"""Frozen dataclasses to JSON and back, by the type hints of their fields.

Hints: bool, int (a JSON integer), Fraction and float (text, see ``numbers``; a float is the binary64
number it is), str, Literal of texts, ``X | None``, ``tuple[X, ...]``, ``tuple[X, Y]``, and frozen
dataclasses of such.  Every field must be there, and no other key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from certaudit.certificate import numbers
from certaudit.certificate.strict import Malformed, listed, shown, table, text, under, whole

MOST_ENTRIES = 10**6
MOST_ROWS = 10**4
MOST_BITS = 10**9

T = TypeVar("T")


def hints(kind: type) -> dict[str, Any]:
    """The fields of a dataclass with their types, in order."""
    return dict(_hints(kind))


@cache
def _hints(kind: type) -> tuple[tuple[str, Any], ...]:
    found = get_type_hints(kind)
    return tuple((field.name, found[field.name]) for field in fields(kind))


def option(hint: Any) -> Any:
    """X of ``X | None``, or None if the hint is not of that kind."""
    if get_origin(hint) not in (Union, UnionType):
        return None
    kinds = [arg for arg in get_args(hint) if arg is not NoneType]
    if len(kinds) != 1 or len(get_args(hint)) != 2:
        raise TypeError(f"no JSON for {hint}")
    return kinds[0]


def entry(hint: Any) -> Any:
    """X of ``tuple[X, ...]``, or None if the hint is not of that kind."""
    args = get_args(hint)
    return args[0] if get_origin(hint) is tuple and len(args) == 2 and args[1] is Ellipsis else None


def encode(value: Any, hint: Any) -> Any:
    """JSON of a value; raises NotExact for a number that has no spelling."""
    inner = option(hint)
    if inner is not None:
        return None if value is None else encode(value, inner)
    if hint in (Fraction, float):
        return numbers.spell(value)
    if get_origin(hint) is tuple:
        each = entry(hint)
        kinds = [each] * len(value) if each is not None else get_args(hint)
        return [encode(one, kind) for one, kind in zip(value, kinds, strict=True)]
    if is_dataclass(hint):
        return {name: encode(getattr(value, name), kind) for name, kind in _hints(hint)}  # type: ignore[arg-type]
    if hint in (bool, str) or get_origin(hint) is Literal:
        return value
    if hint is int:
        return int(value)
    raise TypeError(f"no JSON for {hint}")


class Decoder:
    """Reads values of one file; all numbers together may take MOST_BITS.

    ``limited``: whether lists are those of a witness, which the format limits.
    """

    def __init__(self) -> None:
        self._bits = 0

    def record(self, kind: type[T], value: Any, place: str, *, limited: bool = False) -> T:
        """An instance of a frozen dataclass."""
        return kind(**self.parts(hints(kind), value, place, limited=limited))

    def parts(
        self, kinds: dict[str, Any], value: Any, place: str, *, limited: bool = False
    ) -> dict[str, Any]:
        """The values of an object with exactly these keys."""
        content = table(value, place, tuple(kinds))
        return {
            name: self.value(kind, content[name], under(place, name), limited=limited)
            for name, kind in kinds.items()
        }

    def value(self, hint: Any, value: Any, place: str, *, limited: bool = False) -> Any:
        """The value of a hint's type; raises Malformed if it is not one."""
        if value is None and option(hint) is not None:
            return None
        hint = option(hint) or hint
        if get_origin(hint) is tuple:
            return self._tuple(hint, value, place, limited)
        if is_dataclass(hint):
            return self.record(hint, value, place, limited=limited)  # type: ignore[arg-type]
        if get_origin(hint) is Literal:
            if not isinstance(value, str) or value not in get_args(hint):
                raise Malformed(place, f"must be one of {', '.join(get_args(hint))}, not {shown(value)}")
            return value
        if hint is bool:
            if not isinstance(value, bool):
                raise Malformed(place, f"must be true or false, not {shown(value)}")
            return value
        readers: dict[Any, Callable[[Any, str], Any]] = {
            Fraction: self.number,
            float: self._binary64,
            int: _count,
            str: text,
        }
        if hint not in readers:
            raise TypeError(f"no JSON for {hint}")
        return readers[hint](value, place)

    def number(self, value: Any, place: str) -> Fraction:
        """An exact number."""
        if not isinstance(value, str):
            raise Malformed(place, f"must be an exact number as text, not {shown(value)}")
        try:
            found = numbers.parse(value)
        except numbers.NotExact as error:
            raise Malformed(place, f"{shown(value)}: {error}") from None
        self._bits += found.numerator.bit_length() + found.denominator.bit_length()
        if self._bits > MOST_BITS:
            raise Malformed(place, "the numbers of the file are too long together")
        return found

    def _binary64(self, value: Any, place: str) -> float:
        exact = self.number(value, place)
        try:
            found = float(exact)
        except OverflowError:
            raise Malformed(place, f"{shown(value)} is no binary64 number") from None
        if Fraction(found) != exact:
            raise Malformed(place, f"{shown(value)} is no binary64 number")
        return found

    def _tuple(self, hint: Any, value: Any, place: str, limited: bool) -> tuple[Any, ...]:
        each = entry(hint)
        if each is None:
            kinds = get_args(hint)
            entries = listed(value, place)
            if len(entries) != len(kinds):
                raise Malformed(place, f"must have {len(kinds)} entries, not {len(entries)}")
        else:
            rows = get_origin(each) is tuple
            entries = listed(value, place, (MOST_ROWS if rows else MOST_ENTRIES) if limited else None)
            kinds = (each,) * len(entries)
        return tuple(
            self.value(kind, one, f"{place}[{k}]", limited=limited)
            for k, (kind, one) in enumerate(zip(kinds, entries, strict=True))
        )


def _count(value: Any, place: str) -> int:
    return whole(value, place)
