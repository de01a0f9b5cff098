"""Coordinates of two samples taken together, blind to which model is of which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDING = 1e-6
"""Spread of a parameter, relative to its size, below which it is taken as a constant: honest code in
single precision differs by about that much."""

FAR = 30.0
"""Interquartile standard deviations from the median at which numbers are cut off."""

HUGE = 1e100
"""Multiples of a parameter's usual size at which numbers are cut off first, to stay in the floats."""

THIN = 1e-6
"""Variance of a direction, relative to the largest, below which rounding might show."""

NORMAL_QUARTILES = 1.349
"""Interquartile range of the standard normal law."""


@dataclass(frozen=True)
class Coordinates:
    """Principal coordinates of (N, d) models after scaling every parameter alike.

    scaled (N, c): the parameters that vary, in robust standard deviations; white (N, r): principal
    directions, of unit variance each, the widest first; shrunk (N, r): the same, thin directions made
    small as by ridge regularization, so that there may be more parameters than models.
    """

    scaled: Floats
    white: Floats
    shrunk: Floats


def coordinates(pooled: Floats) -> Coordinates:
    """Of (N, d) finite numbers, N >= 2."""
    scaled = standardized(pooled)
    left, values = _principal(scaled)
    white = left * np.sqrt(len(pooled))
    ridge = float((values**2).sum()) / len(pooled)
    shrunk = white * np.sqrt(values**2 / (values**2 + ridge)) if len(values) else white
    return Coordinates(scaled, white, shrunk)


def standardized(pooled: Floats) -> Floats:
    """The columns that vary beyond rounding, in robust standard deviations from the median, centred."""
    unit = varying(pooled)
    low, middle, high = np.quantile(unit, [0.25, 0.5, 0.75], axis=0)
    spread = (high - low) / NORMAL_QUARTILES
    spread = np.where(spread > ROUNDING, spread, unit.std(axis=0))
    scaled = np.clip((unit - middle) / spread, -FAR, FAR)
    return np.asarray(scaled - scaled.mean(axis=0))


def varying(pooled: Floats) -> Floats:
    """The columns that vary beyond rounding, in multiples of their usual size."""
    sizes = np.abs(pooled)
    typical, largest = np.quantile(sizes, 0.75, axis=0), sizes.max(axis=0)
    size = np.where(typical > 0, typical, largest)
    with np.errstate(over="ignore"):
        unit = np.clip(pooled / np.where(size > 0, size, 1.0), -HUGE, HUGE)
    return np.asarray(unit[:, np.ptp(unit, axis=0) > ROUNDING])


def _principal(centred: Floats) -> tuple[Floats, Floats]:
    """Left singular vectors (N, r) and singular values (r,), thin directions left out."""
    if not centred.shape[1]:
        return np.zeros((len(centred), 0)), np.zeros(0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    kept = values**2 > THIN * values[0] ** 2
    return np.asarray(left[:, kept]), np.asarray(values[kept])
