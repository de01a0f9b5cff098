"""Models in the coordinates in which an honest implementation gives standard normal numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_LOST = 1e-4
"""Relative error of a whitened number, in standard deviations, beyond which nothing is tested."""

SPREAD = 10.0
"""Standard deviations from the mean beyond which models that follow the law do not lie."""

FAR = 1e60
"""Where whitened numbers are cut off, so that their squares stay in the floats."""


class IllConditioned(ValueError):
    """The law's covariance cannot be inverted in floats with the accuracy that the tests need."""


@dataclass(frozen=True)
class Whitened:
    """``numbers``: (m, d), independent N(0, 1) if the models follow the law.

    ``condition`` is the condition number of the covariance, after scaling to unit diagonal.
    """

    numbers: Floats
    condition: float


def whiten(models: Floats, mean: Floats, covariance: Floats) -> Whitened:
    """L^{-1}(theta - mean) with S = L L^T (Cholesky), S scaled to unit diagonal first.

    models (m, d), mean (d,), covariance (d, d).  Cholesky factors of two close covariances are close, so
    the numbers of two worlds can be compared coordinate by coordinate.  Whether they can be had depends
    on the law alone; models that lie far from it, or are not finite, get numbers far from 0.

    Raises:
        IllConditioned: if S is not positive definite, or so nearly singular that rounding would show.
    """
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise IllConditioned("the law left the floats")
    scale = np.sqrt(np.diag(covariance))
    if not (scale > 0).all():
        raise IllConditioned("the law has a coordinate without noise")
    correlation = covariance / np.outer(scale, scale)
    condition = float(np.linalg.cond(correlation))
    sizes = 2 * np.abs(mean) / scale + SPREAD
    lost = np.finfo(float).eps * np.sqrt(condition) * float(np.max(sizes))
    lost = max(lost, np.finfo(float).eps * condition)
    if not lost <= MOST_LOST:
        raise IllConditioned(f"condition number {condition:.3g}: rounding would show in the tests")
    factor = np.linalg.cholesky(correlation)
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = np.linalg.solve(factor, ((models - mean) / scale).T).T
    cut = np.clip(np.nan_to_num(numbers, nan=FAR, posinf=FAR, neginf=-FAR), -FAR, FAR)
    return Whitened(np.asarray(cut, dtype=np.float64), condition)


def along(vector: Floats, covariance: Floats) -> Floats:
    """The unit vector of the whitened coordinates along a (d,) vector of the models' space; 0 for 0."""
    scale = np.sqrt(np.diag(covariance))
    white = np.linalg.solve(np.linalg.cholesky(covariance / np.outer(scale, scale)), vector / scale)
    size = float(np.linalg.norm(white))
    return np.asarray(white / size if size > 0 else white)
