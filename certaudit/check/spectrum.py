"""Extreme eigenvalues of a Gram matrix, by inverse iteration and by counting negative pivots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from certaudit.check.document import Rejected
from certaudit.check.fixed import BITS, Fixed, Units, pivots, real
from certaudit.check.known import Approx

CLOSENESS = 230
"""Eigenvalues are enclosed within 2^-CLOSENESS times the largest."""


def extremes(gram: Fixed) -> tuple[Approx, Approx]:
    """Least and largest eigenvalue of a Gram matrix (0 and no error where a column is 0).

    Sylvester: x lies at or below the least eigenvalue if and only if A - xI has no negative pivot.
    """
    units = gram.units
    trace = int(np.trace(units)) if len(units) else 0
    if trace <= 0:
        return Approx(real(0), real(gram.error)), Approx(real(0), real(gram.error))
    exact_zero = not gram.error and any(not row.any() for row in units)
    margin = max(trace >> CLOSENESS, 4)
    scaled = np.array([[float(real(x)) for x in row] for row in units])
    _, vectors = np.linalg.eigh(scaled)
    low = 0 if exact_zero else _closest(units, vectors[:, 0])
    high = _closest(units, vectors[:, -1])
    checks = (
        (_negative(units, low - margin, gram.error, margin) == 0),
        (_negative(units, low + margin, gram.error, margin) >= 1),
        (_negative(units, high - margin, gram.error, margin) < len(units)),
        (_negative(units, high + margin, gram.error, margin) == len(units)),
    )
    if not all(checks):
        raise Rejected("", "the extreme eigenvalues could not be found again")
    return Approx(real(low), real(0 if exact_zero else 2 * margin)), Approx(real(high), real(2 * margin))


def _closest(units: Units, vector: NDArray[np.float64]) -> int:
    """Rayleigh quotient of the eigenvector near ``vector``, improved by inverse iteration."""
    d = len(units)
    x = np.array([int(v * 2.0**60) << (BITS - 60) for v in vector], dtype=object)
    value = 0
    for _ in range(4):
        value = int(np.dot(x, np.dot(units, x))) // int(np.dot(x, x))
        x = _solve(units - _shift(d, value + 1), x)
        top = max(abs(int(y)) for y in x).bit_length() - BITS
        x = x >> top if top > 0 else x << -top
    return int(np.dot(x, np.dot(units, x))) // int(np.dot(x, x))


def _shift(d: int, value: int) -> Units:
    result = np.zeros((d, d), dtype=object)
    np.fill_diagonal(result, value)
    return result


def _negative(units: Units, point: int, error: int, margin: int) -> int:
    """Number of eigenvalues below ``point``, whose uncertainty must stay below ``margin``."""
    found, change = pivots(units - _shift(len(units), point))
    if change + error >= margin:
        raise Rejected("", "an elimination lost too many digits")
    return sum(pivot < 0 for pivot in found)


def _solve(matrix: Units, right: Units) -> Units:
    """A solution by elimination without exchanges; its accuracy does not matter to what is proved."""
    rest, x = matrix.copy(), right.copy()
    d = len(x)
    for k in range(d):
        rest[k, k] = rest[k, k] or 1
        factors = (rest[k + 1 :, k] << BITS) // rest[k, k]
        rest[k + 1 :, k:] -= np.outer(factors, rest[k, k:]) >> BITS
        x[k + 1 :] -= factors * x[k] >> BITS
    for k in reversed(range(d)):
        x[k] = ((x[k] << BITS) - np.dot(rest[k, k + 1 :], x[k + 1 :])) // rest[k, k]
    return x
