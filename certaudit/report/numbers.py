"""Numbers as text: exact ones as written, bounds rounded away from the claim they make."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Any

from flint import arb, arb_mat

from certaudit.run import Batch

DIGITS = 25


def exact(x: Fraction | int) -> str:
    """A rational as a decimal if it is a short one, else as p/q."""
    x = Fraction(x)
    rest = x.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{x.numerator}/{x.denominator}"
    value = Decimal(x.numerator) / 1 if x.denominator == 1 else _divide(x, 60, ROUND_FLOOR)
    text = f"{value.normalize():f}"
    if len(text.lstrip("-0.")) > 25:
        return f"{x.numerator}/{x.denominator}"
    return text if len(text) <= 8 else _tidy(f"{value.normalize():E}")


def up(x: Fraction, digits: int = 5) -> str:
    """Decimal text at or above ``x``."""
    return _short(_divide(x, digits, ROUND_CEILING))


def down(x: Fraction, digits: int = 5) -> str:
    """Decimal text at or below ``x``."""
    return _short(_divide(x, digits, ROUND_FLOOR))


def enclosure(x: Any, digits: int = DIGITS) -> Any:
    """Balls as text ``[m +/- r]`` that encloses them; tuples and matrices entry by entry."""
    if isinstance(x, arb):
        return x.str(digits)
    if isinstance(x, arb_mat):
        return [[entry.str(digits) for entry in row] for row in x.tolist()]
    if isinstance(x, tuple | list):
        return [enclosure(entry, digits) for entry in x]
    if isinstance(x, Fraction):
        return exact(x)
    if isinstance(x, Batch):
        return {"members": "all" if x.members is None else list(x.members), "removed": list(x.removed)}
    return x


def _divide(x: Fraction, digits: int, rounding: str) -> Decimal:
    context = Context(prec=digits, rounding=rounding, Emin=-(10**9), Emax=10**9)
    return context.divide(Decimal(x.numerator), Decimal(x.denominator))


def _short(value: Decimal) -> str:
    value = value.normalize(Context(prec=60, Emin=-(10**9), Emax=10**9))
    if value == 0 or -5 <= value.adjusted() < 7:
        return f"{value:f}"
    return _tidy(f"{value:E}")


def _tidy(text: str) -> str:
    return text.replace("E+", "e").replace("E", "e")
