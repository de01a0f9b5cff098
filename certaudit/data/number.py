"""Numbers read exactly from their text."""

from __future__ import annotations

import re
from fractions import Fraction

MAX_DIGITS = 1000
MAX_EXPONENT = 3000

_DECIMAL = re.compile(r"([-+]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?)([0-9]+))?")
_RATIONAL = re.compile(r"([-+]?)([0-9]+)/([0-9]+)")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF|nan|NaN|NAN)")


class NumberError(ValueError):
    """The text is meant as a number, but not one that can be taken."""


def parse_number(text: str) -> Fraction | None:
    """Return the number ``text`` writes, exactly; None if it does not write a number.

    Decimal numbers with an optional sign and exponent, and rationals such as ``1/3``.

    Raises:
        NumberError: for ``.inf`` and ``.nan``, a zero denominator, more than ``MAX_DIGITS``
            digits or an exponent beyond ``MAX_EXPONENT``.
    """
    if match := _RATIONAL.fullmatch(text):
        sign, over, under = match.groups()
        _limit_digits(len(over) + len(under))
        if not int(under):
            raise NumberError("a number with denominator zero")
        return Fraction(int(sign + over), int(under))
    if match := _DECIMAL.fullmatch(text):
        sign, whole, part, exponent_sign, exponent = (group or "" for group in match.groups())
        if not whole and not part:
            return None
        _limit_digits(len(whole) + len(part))
        exponent = exponent.lstrip("0") or "0"
        if len(exponent) > len(str(MAX_EXPONENT)) or int(exponent) > MAX_EXPONENT:
            raise NumberError(f"an exponent beyond {MAX_EXPONENT} is not allowed")
        power = int(exponent_sign + exponent) - len(part)
        mantissa = int(sign + whole + part)
        return Fraction(mantissa * 10**power) if power >= 0 else Fraction(mantissa, 10**-power)
    if _SPECIAL.fullmatch(text):
        raise NumberError("infinity and not-a-number are not allowed")
    return None


def write_number(number: Fraction) -> int | str:
    """Return ``number`` in a form that ``parse_number`` reads back: int, decimal or ``p/q``."""
    under, power = number.denominator, 0
    for prime in (2, 5):
        count = 0
        while under % prime == 0:
            under //= prime
            count += 1
        power = max(power, count)
    if under != 1:
        return f"{number.numerator}/{number.denominator}"
    mantissa: int = number.numerator * 10**power // number.denominator
    if not power and abs(mantissa) < 10**15:
        return mantissa
    while mantissa and mantissa % 10 == 0:
        mantissa //= 10
        power -= 1
    if not 0 < power <= 15:
        return f"{mantissa}e{-power}"
    digits = str(abs(mantissa)).rjust(power + 1, "0")
    return f"{'-' if mantissa < 0 else ''}{digits[:-power]}.{digits[-power:]}"


def _limit_digits(count: int) -> None:
    if count > MAX_DIGITS:
        raise NumberError(f"a number of {count} digits: at most {MAX_DIGITS} are allowed")
