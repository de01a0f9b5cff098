"""Real matrices: an exact centre of integers times one power of 2, and a bound on the Euclidean
(Frobenius) distance to it.

Centres are multiplied without rounding, a row of the right factor packed into one integer; what is
then dropped to keep the working precision is added to the distance.  The power of 2 follows the
largest entry, so that nothing underflows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isqrt
from operator import mul
from typing import Any

from gmpy2 import mpq, mpz, pack, unpack

from .interval import ONE, ZERO, Exact, Interval, bits, dyadic, dyadics, hull, lesser, real, widths
from .refusal import spend

Row = tuple[mpz, ...]


@dataclass(frozen=True)
class Matrix:
    """All M with |M - rows 2^exponent| <= error; ``bound`` bounds their spectral norm, if known."""

    rows: tuple[Row, ...]
    exponent: int
    error: Interval = ZERO
    bound: Interval | None = None
    packed: dict[int, list[mpz]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        spend(5 + 0.2 * self.height * self.width)

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0])

    @cached_property
    def length(self) -> int:
        """Bits of the largest entry of the centre."""
        return max((entry.bit_length() for row in self.rows for entry in row), default=0)

    @cached_property
    def norm(self) -> Interval:
        """A bound on the Euclidean norm."""
        squares = sum((sum(map(mul, row, row), mpz(0)) for row in self.rows), mpz(0))
        return (dyadic(squares, 2 * self.exponent).sqrt() + self.error).top()

    @cached_property
    def size(self) -> Interval:
        """A bound on the spectral norm."""
        spend(20 + 0.2 * self.height * self.width)
        across = max(sum(map(abs, row), mpz(0)) for row in self.rows)
        down = max(sum(map(abs, column), mpz(0)) for column in zip(*self.rows, strict=True))
        found = lesser(self.norm, (dyadic(across * down, 2 * self.exponent).sqrt() + self.error).top())
        return found if self.bound is None else lesser(found, self.bound.top())

    @cached_property
    def transposed(self) -> Matrix:
        """The transpose."""
        return replace(self, rows=tuple(zip(*self.rows, strict=True)), packed={})

    def entry(self, row: int, column: int) -> Interval:
        """One entry."""
        return around(dyadic(self.rows[row][column], self.exponent), self.error)

    def entries(self, row: int = 0) -> list[Interval]:
        """One row, entry by entry."""
        found = dyadics(self.rows[row], self.exponent)
        return found if self.error.is_zero() else [around(x, self.error) for x in found]

    def centre(self) -> Matrix:
        """The centre alone."""
        return Matrix(self.rows, self.exponent, packed=self.packed)

    def bounded(self, bound: Interval) -> Matrix:
        """The same with a bound on the spectral norm from elsewhere."""
        return replace(self, bound=bound)

    def at(self, exponent: int) -> Matrix:
        """The same with another power of 2; what a larger one drops goes into the distance."""
        shift = exponent - self.exponent
        if shift <= 0:
            rows = tuple(tuple(entry << -shift for entry in row) for row in self.rows)
            return replace(self, rows=rows, exponent=exponent, packed={})
        rows = tuple(tuple(entry >> shift for entry in row) for row in self.rows)
        lost = dyadic(mpz(isqrt(self.height * self.width) + 1), exponent)
        return replace(self, rows=rows, exponent=exponent, error=(self.error + lost).top(), packed={})

    def rounded(self) -> Matrix:
        """With entries of no more than the working precision."""
        excess = self.length - bits()
        return self.at(self.exponent + excess) if excess > 0 else self

    def __add__(self, other: Matrix) -> Matrix:
        top = max((m.length + m.exponent for m in (self, other) if m.length), default=0)
        exponent = max(min(self.exponent, other.exponent), top - bits() - 1)
        a, b = self.at(exponent), other.at(exponent)
        rows = tuple(
            tuple(x + y for x, y in zip(first, second, strict=True))
            for first, second in zip(a.rows, b.rows, strict=True)
        )
        return Matrix(rows, exponent, (a.error + b.error).top()).rounded()

    def __sub__(self, other: Matrix) -> Matrix:
        return self + other.scaled(-ONE)

    def __matmul__(self, other: Matrix) -> Matrix:
        if self.width != other.height:
            raise ValueError("sizes of a product")
        width = -(-(self.length + other.length + self.width.bit_length() + 2) // 64) * 64
        across = other.width * width * self.length / 8e6
        spend(20 + self.height * (self.width * (0.5 + across) + other.width))
        half = mpz(1) << (width - 1)
        shift = pack([half] * other.width, width)
        if width not in other.packed:
            spend(other.height * other.width / 2)
            other.packed[width] = [pack([x + half for x in row], width) - shift for row in other.rows]
        right = other.packed[width]
        rows = tuple(
            tuple(x - half for x in unpack(sum(map(mul, row, right), shift), width)) for row in self.rows
        )
        error = self.error * other.size + (self.size + self.error) * other.error
        return Matrix(rows, self.exponent + other.exponent, error.top()).rounded()

    def scaled(self, factor: Interval) -> Matrix:
        """Times a number."""
        mantissa, exponent = factor.mantissa()
        rows = tuple(tuple(entry * mantissa for entry in row) for row in self.rows)
        width, least = factor - factor.bottom(), factor.bottom().magnitude()
        error = width * self.norm + least * self.error
        return Matrix(rows, self.exponent + exponent, error.top()).rounded()

    def times_diagonal(self, diagonal: Matrix) -> Matrix:
        """Times diag of a matrix of one row."""
        rows = tuple(tuple(map(mul, row, diagonal.rows[0])) for row in self.rows)
        error = self.norm * diagonal.error + self.error * (diagonal.norm + diagonal.error)
        return Matrix(rows, self.exponent + diagonal.exponent, error.top()).rounded()

    def loosened(self, error: Interval) -> Matrix:
        """With so much more distance."""
        return replace(self, error=(self.error + error).top())


def around(centre: Interval, distance: Interval) -> Interval:
    """All numbers within that distance."""
    return hull(centre - distance, centre + distance)


def matrix(table: Sequence[Sequence[mpq]]) -> Matrix:
    """Around exact numbers; exactly them where the working precision holds them."""
    found = [x for row in table for x in row if x]
    lengths = sum(x.numerator.bit_length() + x.denominator.bit_length() for x in found)
    spend(lengths / 300 + len(table) * len(table[0]))
    tops = [x.numerator.bit_length() - x.denominator.bit_length() for x in found]
    least = min((_last_bit(x) for x in found), default=0)
    exponent = max(least, max(tops, default=0) + 1 - bits())
    rows, exact = [], True
    for row in table:
        parts = [_split(x, -exponent) for x in row]
        exact = exact and not any(rest for _, rest in parts)
        rows.append(tuple(whole for whole, _ in parts))
    lost = ZERO if exact else dyadic(mpz(isqrt(len(found)) + 1), exponent)
    return Matrix(tuple(rows), exponent, lost.top())


def _last_bit(x: mpq) -> Any:
    if x.denominator & (x.denominator - 1):
        return -(1 << 62)
    return x.numerator.bit_scan1(0) - x.denominator.bit_length() + 1


def _split(x: mpq, places: int) -> tuple[mpz, mpz]:
    """x 2^places as a whole number and a rest."""
    up, down = x.numerator << max(places, 0), x.denominator << max(-places, 0)
    return up // down, up % down


def row_of(numbers: Iterable[Interval]) -> Matrix:
    """A matrix of one row around intervals."""
    listed = list(numbers)
    pairs = [x.mantissa() for x in listed]
    top = max((m.bit_length() + e for m, e in pairs if m), default=0)
    exponent = max(min((e for m, e in pairs if m), default=0), top - bits())
    entries = tuple(m << (e - exponent) if e >= exponent else m >> (exponent - e) for m, e in pairs)
    exact = all(e >= exponent for m, e in pairs if m)
    lost = ZERO if exact else dyadic(mpz(isqrt(len(pairs)) + 1), exponent)
    return Matrix((entries,), exponent, (lost + widths(listed)).top())


def diagonal(size: int, value: Interval) -> Matrix:
    """value times the identity."""
    spend(size * size / 5)
    mantissa, exponent = value.mantissa()
    zero = mpz(0)
    rows = tuple(tuple(mantissa if i == j else zero for j in range(size)) for i in range(size))
    error = (value - value.bottom()) * real(size).sqrt()
    return Matrix(rows, exponent, error.top())


def zeros(height: int, width: int) -> Matrix:
    """All zero."""
    return Matrix(((mpz(0),) * width,) * height, 0)


def quadratic(row: Matrix, form: Matrix) -> Interval:
    """v S v^T."""
    return (row @ form @ row.transposed).entry(0, 0)


def dot(first: Matrix, second: Matrix) -> Interval:
    """The product of two rows."""
    return (first @ second.transposed).entry(0, 0)


def deviation(found: Matrix, aim: Exact = 1) -> Interval:
    """|M - aim I|."""
    return (found - diagonal(found.width, real(aim))).norm
