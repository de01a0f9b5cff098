"""The file as bytes, and its values read strictly: known keys only, exact numbers, bounded sizes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Sequence
from typing import Any

from gmpy2 import mpq, mpz

from .refusal import Refused, need, shown, spend

FORMAT = "certaudit certificate 1"
MOST_BYTES = 64 << 20
MOST_VALUES = 1_500_000
MOST_COUNT = 10**18 - 1
MOST_TEXT = 10_000
MOST_LENGTH = 20_000
MOST_EXPONENT = 100_000
NUMBER = re.compile(r"(-?[0-9]+)(?:/([0-9]+)|p(-?[0-9]+))?", re.ASCII)
HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


def contents(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file of lawful size; never waits for a pipe or a device."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        found = os.fstat(handle)
        need(stat.S_ISREG(found.st_mode), "not a regular file")
        need(found.st_size <= MOST_BYTES, f"larger than {MOST_BYTES} bytes")
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(MOST_BYTES + 1)
    finally:
        os.close(handle)
    need(len(content) <= MOST_BYTES, f"larger than {MOST_BYTES} bytes")
    return content


def parsed(content: bytes) -> Any:
    """JSON without floats, without a key twice."""
    need(len(content) <= MOST_BYTES, f"larger than {MOST_BYTES} bytes")
    values = sum(map(content.count, (b",", b"[", b"{", b":")))
    need(values <= MOST_VALUES, f"more than {MOST_VALUES} values")
    spend(values * 0.5 + len(content) * 0.03)
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except RecursionError:
        raise Refused("nested too deep") from None
    except ValueError as fault:
        raise Refused(f"no JSON: {shown(str(fault))}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        need(key not in found, f"the key {shown(key)} twice")
        found[key] = value
    return found


def _no_float(text: str) -> Any:
    raise Refused(f"{shown(text)} is not a number of the format")


def canonical(value: Any) -> bytes:
    """The one spelling that digests are of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical spelling."""
    return hashlib.sha256(canonical(value)).hexdigest()


def record(value: Any, *names: str) -> list[Any]:
    """The values of an object with exactly these keys."""
    need(type(value) is dict, f"expected an object with {', '.join(names)}")
    unknown, missing = sorted(set(value) - set(names)), [name for name in names if name not in value]
    need(not unknown, f"unknown key {shown(unknown[0] if unknown else '')}")
    need(not missing, f"missing key {missing[0] if missing else ''}")
    return [value[name] for name in names]


def items(value: Any, most: int = MOST_VALUES) -> list[Any]:
    """A list."""
    need(type(value) is list, "expected a list")
    need(len(value) <= most, f"a list of more than {most}")
    return list(value)


def text(value: Any) -> str:
    """A string that UTF-8 can hold."""
    need(
        type(value) is str and len(value) <= MOST_TEXT,
        f"expected a text of at most {MOST_TEXT} characters",
    )
    need(not any("\ud800" <= c <= "\udfff" for c in value), "half of a surrogate pair")
    return str(value)


def choice(value: Any, *allowed: str) -> str:
    """One of these words."""
    need(
        type(value) is str and value in allowed,
        f"expected one of {', '.join(allowed)}, not {shown(value)}",
    )
    return str(value)


def hexadecimal(value: Any) -> str:
    """A SHA-256 digest."""
    need(type(value) is str and HEX.fullmatch(value) is not None, "expected a SHA-256 digest in hex")
    return str(value)


def truth(value: Any) -> bool:
    """true or false."""
    need(type(value) is bool, "expected true or false")
    return bool(value)


def count(value: Any, most: int = MOST_COUNT, least: int = 0) -> int:
    """A count; a bool is none."""
    need(type(value) is int and least <= value <= most, f"expected a count from {least} to {most}")
    return int(value)


def number(value: Any) -> mpq:
    """An exact number of the grammar."""
    found = NUMBER.fullmatch(value) if type(value) is str and len(value) <= MOST_LENGTH else None
    if found is None:
        raise Refused(f"{shown(value)} is not a number of the format")
    whole, below, power = found.groups()
    exponent = int(power) if power and len(power) <= 7 else 0
    need(not power or (len(power) <= 7 and abs(exponent) <= MOST_EXPONENT), "an exponent beyond 100,000")
    spend(3 + (len(value) / 200) ** 2 + abs(exponent) / 300)
    bottom = mpz(below) if below else mpz(1) << max(-exponent, 0)
    need(bottom > 0, "a denominator of 0")
    return mpq(mpz(whole) << max(exponent, 0), bottom)


def binary64(value: Any) -> mpq:
    """A number that a float64 holds."""
    found = number(value)
    held = abs(found) < mpz(1) << 1024 and mpq(float(found)) == found
    need(held, f"{shown(value)} is no binary64 number")
    return found


def numbers(value: Any, length: int | None = None, read: Callable[[Any], mpq] = number) -> list[mpq]:
    """A list of numbers, of that length."""
    found = items(value)
    need(length is None or len(found) == length, f"expected {length} numbers, not {len(found)}")
    return [read(x) for x in found]


def square(value: Any, size: int, read: Callable[[Any], mpq] = number) -> list[list[mpq]]:
    """A size x size table."""
    found = items(value)
    need(len(found) == size, f"expected {size} rows, not {len(found)}")
    return [numbers(row, size, read) for row in found]


def spelled(x: mpq) -> str:
    """The first of the format's three spellings that holds it."""
    places = x.denominator.bit_length() - 1
    top = x.numerator.digits()
    power = x.denominator == 1 << places
    found = (f"{top}p-{places}" if places else top) if power else f"{top}/{x.denominator.digits()}"
    spend((len(found) / 200) ** 2)
    need(len(found) <= MOST_LENGTH, "a number of the data is too long to be spelled")
    return str(found)


def data_digest(table: Sequence[Sequence[mpq]], targets: Sequence[mpq]) -> str:
    """SHA-256 of the data."""
    spend(sum(map(len, table)) * 2)
    return digest(
        {"X": [[spelled(x) for x in row] for row in table], "y": [spelled(x) for x in targets]}
    )
