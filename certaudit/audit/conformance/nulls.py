"""P-values of the distributions that the checks need, two-sided where both tails matter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]

DRAWS = 40_000
"""Draws of the null distribution of the covariance's likelihood ratio; the least p-value is 1/40001."""


def chi_square(value: Floats | float, freedom: int) -> Floats:
    """P(X >= value) for X chi-square."""
    return np.asarray(special.gammaincc(freedom / 2, np.asarray(value) / 2))


def chi_square_both(value: Floats | float, freedom: int) -> Floats:
    """Two-sided: twice the smaller tail."""
    upper = chi_square(value, freedom)
    lower = special.gammainc(freedom / 2, np.asarray(value) / 2)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(upper, lower)))


def smallest(p_values: Floats) -> float:
    """Bonferroni's p-value of the least of several."""
    return float(min(1.0, np.min(p_values) * np.size(p_values)))


def kolmogorov(uniforms: Floats) -> tuple[Floats, Floats]:
    """Kolmogorov-Smirnov statistic and exact p-value of each column of (n, k) numbers in [0, 1]."""
    ordered = np.sort(uniforms, axis=0)
    n = len(ordered)
    ranks = np.arange(1, n + 1)[:, None] / n
    distance = np.maximum((ranks - ordered).max(axis=0), (ordered - ranks + 1 / n).max(axis=0))
    return distance, np.asarray(stats.kstwo.sf(distance, n))


def largest(z: Floats) -> tuple[float, float]:
    """The largest of n standard normals in absolute value and its exact two-sided p-value."""
    value = float(np.abs(z).max())
    log_below = z.size * np.log1p(-min(2 * special.ndtr(-value), 1 - 1e-16))
    return value, float(min(1.0, 2 * min(np.exp(log_below), -np.expm1(log_below))))


def correlation(a: Floats, b: Floats) -> tuple[float, float]:
    """Uncentred correlation of two arrays and its exact two-sided p-value, if the numbers of ``b`` are
    independent standard normals that do not depend on ``a``: then r sqrt((N-1)/(1-r^2)) is Student's
    t with N-1 degrees."""
    x, y = a.ravel(), b.ravel()
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    r = float(x @ y) / size if size > 0 else 0.0
    freedom = max(x.size - 1, 1)
    rest = max(1 - r * r, 1e-300)
    return r, float(2 * stats.t.sf(abs(r) * np.sqrt(freedom / rest), freedom))


def likelihood_ratio(scatter: Floats, freedom: int) -> float:
    """Minus twice the log-likelihood ratio of "covariance I", from a (d, d) scatter matrix."""
    sign, log_determinant = np.linalg.slogdet(scatter / freedom)
    if sign <= 0:
        return float("inf")
    return float(freedom * (np.trace(scatter) / freedom - log_determinant - len(scatter)))


def likelihood_ratio_p(value: float, d: int, freedom: int) -> float:
    """Monte-Carlo p-value (1 + number of draws at least ``value``) / (1 + draws)."""
    null = _likelihood_ratio_null(d, freedom)
    return float((1 + len(null) - np.searchsorted(null, value)) / (1 + len(null)))


@lru_cache(maxsize=32)
def _likelihood_ratio_null(d: int, freedom: int) -> Floats:
    """Sorted draws of the likelihood ratio under W(I, freedom), by Bartlett's decomposition: the squares
    on the factor's diagonal are chi-square with freedom, freedom-1, ..., the rest N(0, 1)."""
    generator = np.random.default_rng((d, freedom, 1933))
    trace = np.zeros(DRAWS)
    log_determinant = np.zeros(DRAWS)
    for i in range(d):
        square = generator.chisquare(freedom - i, DRAWS)
        trace += square
        log_determinant += np.log(square / freedom)
    if d > 1:
        trace += generator.chisquare(d * (d - 1) / 2, DRAWS)
    return np.sort(trace - freedom * log_determinant - freedom * d)
