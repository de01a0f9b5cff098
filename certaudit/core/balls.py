"""Numbers as balls (midpoint and radius) that are certain to hold the true value.

A comparison of balls is True only when it is certain; ``not (a <= b)`` therefore proves nothing
and never appears in this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction

from flint import arb, arb_mat, ctx, fmpq

MOST_EXPONENT = 1 << 17
TINY = arb(2) ** -(1 << 16)

Exact = int | float | Fraction


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with ``bits`` of precision inside the block; restores the former precision."""
    former = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = former


def ball(x: Exact | arb) -> arb:
    """Ball around an exact number; a float stands for the binary number it is."""
    if isinstance(x, Fraction):
        return arb(fmpq(x.numerator, x.denominator))
    return arb(x)


def matrix(rows: Sequence[Sequence[Exact]]) -> arb_mat:
    """Matrix of balls around exact entries, shape (len(rows), len(rows[0])), or 0 x 0."""
    return arb_mat(len(rows), len(rows[0]) if rows else 0, [ball(x) for row in rows for x in row])


def column(entries: Iterable[Exact]) -> arb_mat:
    """Column of balls around exact entries."""
    listed = [ball(x) for x in entries]
    return arb_mat(len(listed), 1, listed)


def identity(d: int) -> arb_mat:
    """The d by d identity."""
    return arb_mat([[int(i == j) for j in range(d)] for i in range(d)])


def fraction(x: arb) -> Fraction:
    """The exact value of an exact ball (radius 0).

    Raises ValueError if it is not finite, or too large or small to be written out.
    """
    mantissa, exponent = x.man_exp()
    if abs(int(exponent)) > MOST_EXPONENT:
        raise ValueError("a number too large or too small to be written out")
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def upper(x: arb) -> Fraction:
    """A number certainly at or above ``x``; raises ValueError if ``x`` is not finite or is huge."""
    end = x.upper()
    if abs(end) < TINY:
        return fraction(TINY) if end > 0 else Fraction(0)
    return fraction(end)


def lower(x: arb) -> Fraction:
    """A number certainly at or below ``x``; raises ValueError if ``x`` is not finite or is huge."""
    return -upper(-x)


def largest(values: Iterable[arb]) -> arb:
    """Ball holding the maximum of the values; raises ValueError if there is none."""
    result: arb | None = None
    for value in values:
        result = value if result is None else result.max(value)
    if result is None:
        raise ValueError("maximum of nothing")
    return result


def smallest(values: Iterable[arb]) -> arb:
    """Ball holding the minimum of the values; raises ValueError if there is none."""
    return -largest(-value for value in values)


def norm_squared(entries: Iterable[arb]) -> arb:
    """Sum of squares."""
    return sum((x * x for x in entries), arb(0))


def norm_bound(entries: Iterable[arb]) -> arb:
    """An exact number at or above the Euclidean (for a matrix: Frobenius) norm."""
    return norm_squared(x.abs_upper() for x in entries).sqrt().upper()


def widened(x: arb, error: arb) -> arb:
    """The ball of everything within ``error`` of ``x``."""
    return x + error * arb(0, 1)
