"""Bounds of the mean of bounded variables from independent samples, none of them asymptotic."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bound = Callable[[Floats, float], float]
"""From values in [0, 1] and a level to a lower bound of their mean."""

ROUNDING = 1e-9
MOST_BET = 0.75


def mean_interval(
    values: Floats, low: float, high: float, level: float, bound: Bound | None = None
) -> tuple[float, float]:
    """One-sided bounds of the mean of values in [low, high], each wrong with probability <= level.

    By ``bound``, or by the best of all three.
    """
    width, bound = high - low, lower_mean if bound is None else bound
    unit = np.clip((values - low) / width, 0.0, 1.0)
    down, up = bound(unit, level), 1 - bound(1 - unit, level)
    return max(low + width * down - ROUNDING * width, low), min(
        low + width * up + ROUNDING * width, high
    )


def lower_mean(unit: Floats, level: float) -> float:
    """Lower bound of the mean of values in [0, 1], wrong with probability at most ``level``.

    The best of Hoeffding's, the empirical Bernstein and the betting bound, each at a third of the level.
    """
    bounds = (hoeffding, empirical_bernstein, betting)
    return max(bound(unit, level / len(bounds)) for bound in bounds)


def hoeffding(unit: Floats, level: float) -> float:
    """Hoeffding 1963."""
    return float(unit.mean()) - math.sqrt(math.log(1 / level) / (2 * len(unit)))


def empirical_bernstein(unit: Floats, level: float) -> float:
    """Maurer and Pontil 2009, Theorem 4."""
    n, noise = len(unit), math.log(2 / level)
    if n < 2:
        return 0.0
    return float(unit.mean() - math.sqrt(2 * unit.var(ddof=1) * noise / n) - 7 * noise / (3 * (n - 1)))


def betting(unit: Floats, level: float) -> float:
    """Waudby-Smith and Ramdas 2023, the one-sided capital process with predictable plug-in bets.

    Capital against mean m is the product of 1 + min(lambda_t, 3/(4m)) (x_t - m), with lambda_t from
    earlier values.  It falls in m, so the means not refuted are those above a point found by bisection.
    """
    n = len(unit)
    count = np.arange(1, n + 1)
    means = (0.5 + np.cumsum(unit)) / (count + 1)
    spread = (0.25 + np.cumsum((unit - means) ** 2)) / (count + 1)
    before = np.concatenate([[0.25], spread[:-1]])
    bets = np.sqrt(2 * math.log(1 / level) / (n * before))

    def refuted(mean: float) -> bool:
        capped = np.minimum(bets, MOST_BET / mean)
        return float(np.cumsum(np.log1p(capped * (unit - mean))).max()) >= math.log(1 / level)

    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low
