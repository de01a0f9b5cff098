"""Exact numbers as text: the three spellings of the format, read and written."""

from __future__ import annotations

import re
from fractions import Fraction

from flint import fmpz

LONGEST = 20_000
MOST_EXPONENT = 100_000
PATTERN = "-?[0-9]+(/[0-9]+|p-?[0-9]+)?"

_NUMBER = re.compile(r"(-?[0-9]+)(?:/([0-9]+)|p(-?[0-9]+))?")


class NotExact(ValueError):
    """Text that spells no number, or a number with no spelling."""


def parse(text: str) -> Fraction:
    """The number that ``text`` spells: ``-?DIGITS``, ``-?DIGITS/DIGITS`` or ``-?DIGITSp-?DIGITS``.

    Raises NotExact for anything else, and beyond the limits of the format.
    """
    found = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise NotExact("no exact number")
    numerator, denominator, exponent = found.groups()
    if denominator is not None:
        below = _whole(denominator)
        if below == 0:
            raise NotExact("a denominator of 0")
        return Fraction(_whole(numerator), below)
    if exponent is None:
        return Fraction(_whole(numerator))
    power = _whole(exponent)
    if abs(power) > MOST_EXPONENT:
        raise NotExact(f"an exponent beyond {MOST_EXPONENT}")
    mantissa = _whole(numerator)
    return Fraction(mantissa << power) if power >= 0 else Fraction(mantissa, 1 << -power)


def spell(x: Fraction | float | int) -> str:
    """The one spelling ``x`` is written in: an integer, else an odd mantissa and a power of two, else a
    reduced fraction.  Raises NotExact if ``x`` is not finite or too long for the format."""
    try:
        exact = Fraction(x)
    except (ValueError, OverflowError):
        raise NotExact("not a finite number") from None
    above, below = exact.numerator, exact.denominator
    power = below.bit_length() - 1
    text = str(fmpz(above))
    if below == 1 << power:
        text += f"p{-power}" if power else ""
    else:
        power = 0
        text += f"/{fmpz(below)}"
    if len(text) > LONGEST or power > MOST_EXPONENT:
        raise NotExact("a number too long to be written out")
    return text


def _whole(digits: str) -> int:
    # int() refuses more than 4,300 digits
    return int(fmpz(digits))
