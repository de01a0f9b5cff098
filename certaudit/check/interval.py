"""Real intervals with directed rounding.

MPFR rounds each operation used here correctly: downwards to the largest number of the format at or below
the exact result, upwards to the smallest at or above.  What is undefined raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import gmpy2
from gmpy2 import mpfr, mpq, mpz

from .refusal import spend

Exact = Any
BITS = 320


class _Rounding:
    """The two directions at one precision; what an operation and a function take, in microseconds."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.price = 0.7 + bits / 2000
        self.steep = 4 + bits * bits / 60_000
        self.down = _context(bits, gmpy2.RoundDown)
        self.up = _context(bits, gmpy2.RoundUp)


def _context(bits: int, mode: int) -> gmpy2.context:
    return gmpy2.context(
        precision=bits,
        round=mode,
        emin=gmpy2.get_emin_min(),
        emax=gmpy2.get_emax_max(),
        trap_invalid=True,
        trap_divzero=True,
    )


_rounding = cache(_Rounding)
_at = _rounding(BITS)


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with so many bits within this block."""
    global _at
    before, _at = _at, _rounding(bits)
    try:
        yield
    finally:
        _at = before


def bits() -> int:
    """Bits worked with at present."""
    return _at.bits


class Interval:
    """All x with lo <= x <= hi."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo: mpfr, hi: mpfr) -> None:
        spend(_at.price)
        self.lo = lo
        self.hi = hi

    def __repr__(self) -> str:
        return f"[{self.lo:.17g}, {self.hi:.17g}]"

    def __add__(self, other: Interval) -> Interval:
        return Interval(_at.down.add(self.lo, other.lo), _at.up.add(self.hi, other.hi))

    def __sub__(self, other: Interval) -> Interval:
        return Interval(_at.down.sub(self.lo, other.hi), _at.up.sub(self.hi, other.lo))

    def __neg__(self) -> Interval:
        return Interval(_at.down.minus(self.hi), _at.up.minus(self.lo))

    def __mul__(self, other: Interval) -> Interval:
        a, b, c, d = self.lo, self.hi, other.lo, other.hi
        down, up = _at.down.mul, _at.up.mul
        if a >= 0:
            return Interval(down(a if c >= 0 else b, c), up(b if d >= 0 else a, d))
        if b <= 0:
            return Interval(down(a if d >= 0 else b, d), up(b if c >= 0 else a, c))
        if c >= 0:
            return Interval(down(a, d), up(b, d))
        if d <= 0:
            return Interval(down(b, c), up(a, c))
        return Interval(min(down(a, d), down(b, c)), max(up(a, c), up(b, d)))

    def __truediv__(self, other: Interval) -> Interval:
        c, d = other.lo, other.hi
        if d < 0:
            return -self / -other
        if not c > 0:
            raise ZeroDivisionError("division by an interval that holds 0")
        a, b = self.lo, self.hi
        return Interval(_at.down.div(a, d if a >= 0 else c), _at.up.div(b, c if b >= 0 else d))

    def __lt__(self, other: Interval) -> bool:
        return bool(self.hi < other.lo)

    def __le__(self, other: Interval) -> bool:
        return bool(self.hi <= other.lo)

    def __gt__(self, other: Interval) -> bool:
        return bool(self.lo > other.hi)

    def __ge__(self, other: Interval) -> bool:
        return bool(self.lo >= other.hi)

    def same(self, other: Interval) -> bool:
        """Whether the ends are equal."""
        return bool(self.lo == other.lo and self.hi == other.hi)

    def is_zero(self) -> bool:
        """Whether this is exactly 0."""
        return bool(self.lo == 0 and self.hi == 0)

    def magnitude(self) -> Interval:
        """|x|."""
        if self.lo >= 0:
            return self
        return -self if self.hi <= 0 else Interval(ZERO.lo, max(self.hi, _at.up.minus(self.lo)))

    def square(self) -> Interval:
        """x^2."""
        size = self.magnitude()
        return size * size

    def power(self, exponent: int) -> Interval:
        """x^exponent for an integer exponent >= 0."""
        result, base = ONE, self
        while exponent:
            if exponent & 1:
                result = result * base
            exponent >>= 1
            if exponent:
                base = base.square()
        return result

    def sqrt(self) -> Interval:
        """The root; refuses an interval that reaches below 0."""
        return Interval(_at.down.sqrt(self.lo), _at.up.sqrt(self.hi))

    def exp(self) -> Interval:
        """e^x."""
        spend(_at.steep)
        return Interval(_at.down.exp(self.lo), _at.up.exp(self.hi))

    def logistic(self) -> Interval:
        """1 / (1 + e^x).  At a point, e^x lies below the number next to e^x rounded down."""
        down, up = _at.down, _at.up
        spend(_at.steep)
        low = down.exp(self.lo)
        high = up.next_above(low) if self.lo == self.hi else up.exp(self.hi)
        return Interval(down.div(1, up.add(1, high)), up.div(1, down.add(1, low)))

    def log(self) -> Interval:
        """The logarithm of an interval above 0."""
        if not self.lo > 0:
            raise ValueError("logarithm of an interval that reaches 0")
        spend(_at.steep)
        return Interval(_at.down.log(self.lo), _at.up.log(self.hi))

    def cos_sin(self) -> tuple[Interval, Interval]:
        """Both lie within the width of their values at the lower end."""
        spend(2 * _at.steep)
        width = _at.up.sub(self.hi, self.lo)
        if not (width < 1 and -HUGE < self.lo < HUGE):
            return Interval(-ONE.hi, ONE.hi), Interval(-ONE.hi, ONE.hi)
        down, up, x = _at.down, _at.up, self.lo
        return (
            Interval(down.sub(down.cos(x), width), up.add(up.cos(x), width)),
            Interval(down.sub(down.sin(x), width), up.add(up.sin(x), width)),
        )

    def bottom(self) -> Interval:
        """The lower end alone."""
        return Interval(self.lo, self.lo)

    def top(self) -> Interval:
        """The upper end alone."""
        return Interval(self.hi, self.hi)

    def middle(self) -> Interval:
        """One number of it."""
        centre = _at.down.div(_at.down.add(self.lo, self.hi), 2)
        return Interval(centre, centre)

    def mantissa(self) -> tuple[mpz, int]:
        """The lower end as m 2^e."""
        found, exponent = self.lo.as_mantissa_exp()
        return mpz(found), int(exponent)


HUGE = mpfr(2) ** 60


def real(x: Exact) -> Interval:
    """The narrowest interval around an exact number."""
    spend(1 + (x.numerator.bit_length() + x.denominator.bit_length()) / 500)
    return Interval(mpfr(x, 0, _at.down), mpfr(x, 0, _at.up))


def dyadics(mantissas: Iterable[mpz], exponent: int) -> list[Interval]:
    """Around each mantissa 2^exponent."""
    down, up = _at.down, _at.up
    low, high = down.exp2(exponent), up.exp2(exponent)
    return [Interval(down.mul(mpfr(x, 0, down), low), up.mul(mpfr(x, 0, up), high)) for x in mantissas]


def dyadic(mantissa: mpz, exponent: int) -> Interval:
    """Around mantissa 2^exponent."""
    return dyadics([mantissa], exponent)[0]


ZERO, ONE, TWO, HALF = real(0), real(1), real(2), real(mpq(1, 2))
INFINITY = Interval(gmpy2.inf(), gmpy2.inf())


def pi() -> Interval:
    """Around pi."""
    return Interval(_at.down.const_pi(), _at.up.const_pi())


def hull(*found: Interval) -> Interval:
    """The narrowest interval around all of them."""
    return Interval(min(x.lo for x in found), max(x.hi for x in found))


def greater(first: Interval, second: Interval) -> Interval:
    """max(x, y)."""
    return Interval(max(first.lo, second.lo), max(first.hi, second.hi))


def lesser(first: Interval, second: Interval) -> Interval:
    """min(x, y)."""
    return Interval(min(first.lo, second.lo), min(first.hi, second.hi))


def widths(found: Iterable[Interval]) -> Interval:
    """At least the sum of the distances between the ends."""
    spread, up = ZERO.hi, _at.up
    for x in found:
        spread = up.add(spread, up.sub(x.hi, x.lo))
    return Interval(spread, spread)


def total(found: Iterable[Interval]) -> Interval:
    """The sum."""
    return sum(found, ZERO)


def tail(x: Interval) -> Interval:
    """P(Z > x), Z standard normal: erfc(x / sqrt 2) / 2."""
    scaled, size = x / TWO.sqrt(), x.square().hi
    spend(60 + ((1 + bits() / 50) * float(size) if size < 8 * bits() else 0))
    return Interval(_at.down.erfc(scaled.hi), _at.up.erfc(scaled.lo)) * HALF


def gaussian_delta(mu: Interval, epsilon: Interval) -> Interval:
    """delta(epsilon) of N(mu, 1) against N(0, 1), mu >= 0 (C5)."""
    if mu.is_zero():
        return greater(ZERO, ONE - epsilon.exp())
    half, ratio = mu * HALF, epsilon / mu
    return greater(ZERO, tail(ratio - half) - epsilon.exp() * tail(ratio + half))
