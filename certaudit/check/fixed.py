"""Matrices of integers in units of 2^-BITS, each with a bound on its error.

A :class:`Fixed` stands for a real array within ``error`` units of ``units`` in the Frobenius norm.
Every operation adds the errors of its arguments, enlarged by the norms it multiplies them with, and one
unit for each entry it rounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from mpmath import mpf
from numpy.typing import NDArray

from certaudit.check.document import Rejected

BITS = 448
ONE = 1 << BITS
Units = NDArray[Any]


@dataclass(frozen=True)
class Fixed:
    """An array of integers in units of 2^-BITS, and a bound on the norm of its error, in units."""

    units: Units
    error: int = 0

    @property
    def T(self) -> Fixed:
        """The transpose."""
        return Fixed(self.units.T, self.error)

    @property
    def norm(self) -> int:
        """A bound on the Frobenius norm of the true array, in units."""
        return size(self.units) + self.error

    def __add__(self, other: Fixed) -> Fixed:
        return Fixed(self.units + other.units, self.error + other.error)

    def __sub__(self, other: Fixed) -> Fixed:
        return Fixed(self.units - other.units, self.error + other.error)

    def __matmul__(self, other: Fixed) -> Fixed:
        units = np.dot(self.units, other.units) >> BITS
        carried = self.norm * other.error + self.error * size(other.units)
        return Fixed(units, (carried >> BITS) + 1 + rounding(units))

    def times(self, factor: Fraction) -> Fixed:
        """The array times an exact number."""
        units = self.units * factor.numerator // factor.denominator
        return Fixed(units, int(abs(factor) * self.error) + 1 + rounding(units))


def size(units: Units) -> int:
    """The Frobenius norm, rounded up."""
    return isqrt(sum(x * x for x in units.flat)) + 1


def rounding(units: Units) -> int:
    """The error of rounding every entry by one unit."""
    return isqrt(units.size) + 1


def unit(x: Fraction) -> tuple[int, bool]:
    """``x`` in units, rounded down, and whether it is exact."""
    quotient, rest = divmod(x.numerator << BITS, x.denominator)
    return quotient, not rest


def array(entries: Iterable[Fraction], shape: tuple[int, ...]) -> Fixed:
    """An array of exact numbers."""
    pairs = [unit(x) for x in entries]
    units = np.array([x for x, _ in pairs] or [0], dtype=object)[: len(pairs)].reshape(shape)
    return Fixed(units, 0 if all(known for _, known in pairs) else rounding(units))


def identity(d: int, scale: Fraction = Fraction(1)) -> Fixed:
    """``scale`` times the identity."""
    return array((scale if i == j else Fraction(0) for i in range(d) for j in range(d)), (d, d))


def real(units: int) -> mpf:
    """The number of that many units."""
    return mpf(units) / ONE


def pivots(matrix: Units) -> tuple[list[int], int]:
    """Pivots of symmetric elimination without exchanges, and a bound on the norm of the change of the
    matrix that would make them exact, both in units.

    Entry (i, j) is a_ij - sum_k l_ik p_k l_jk with l_ik = m_ik/p_k rounded to units: m_ik is rounded
    once and the product with the rounded l_ik is off by at most |m_jk| units, and as much for the
    floor, so the change of an entry is at most the sum over k of (|m_jk|/ONE + 2).
    """
    rest = matrix.copy()
    d = len(rest)
    found: list[int] = []
    change = 0
    for k in range(d):
        pivot = rest[k, k]
        found.append(pivot)
        if k + 1 == d:
            break
        if pivot == 0:
            raise Rejected("", "an elimination met a zero pivot")
        column = rest[k + 1 :, k]
        factors = (column << BITS) // pivot
        rest[k + 1 :, k + 1 :] -= np.outer(factors, column) >> BITS
        change += d * ((max(abs(x) for x in column) >> BITS) + 3)
    return found, change


def cholesky(matrix: Fixed) -> Fixed:
    """The lower factor of a positive definite matrix.

    ``error`` bounds the change of the matrix (its own error included) that makes the factor exact:
    an entry is rounded by one unit for the shift and by at most 2 l_jj for the division or the root.
    Raises Rejected unless it is certainly positive definite.
    """
    d = len(matrix.units)
    factor = np.zeros((d, d), dtype=object)
    largest = 0
    for j in range(d):
        column = matrix.units[j:, j] - (np.dot(factor[j:, :j], factor[j, :j]) >> BITS)
        if column[0] <= 0:
            raise Rejected("", "a covariance is not positive definite")
        root = isqrt(int(column[0]) << BITS)
        factor[j:, j] = (column << BITS) // root
        largest = max(largest, root)
    change = matrix.error + d * (3 + (2 * largest >> BITS))
    return Fixed(factor, change)


def inverse(factor: Units) -> Fixed:
    """The inverse of an exact lower triangle: W with |W - L^-1| <= |W||WL - I|/(1 - |WL - I|)."""
    d = len(factor)
    result = np.zeros((d, d), dtype=object)
    for i in range(d):
        row = -np.dot(factor[i, :i], result[:i])
        row[i] += ONE * ONE
        result[i] = row // factor[i, i]
    residual = (Fixed(result) @ Fixed(factor)) - identity(d)
    gap = residual.norm
    if 2 * gap >= ONE:
        raise Rejected("", "a covariance is too ill-conditioned to be checked")
    return Fixed(result, (2 * size(result) * gap >> BITS) + 1)
