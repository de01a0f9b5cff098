"""Guess residual bounds for S3 so that their tail probabilities spend a given delta."""

from __future__ import annotations

import math
from fractions import Fraction

from flint import arb

from certaudit.kernel.balls import ball
from certaudit.kernel.statement import Statement


def residual_bounds(law: Statement, delta: Fraction) -> list[list[Fraction]]:
    """A bound q_{t,j} for every learning step and removed point, sharing ``delta`` evenly.

    Each random residual gets the (1 - delta_t) quantile of its absolute value, a hair more; a
    constant one gets its own absolute value.
    """
    means, variances = law.values["mean"], law.values["variance"]
    random = sum(1 for row in variances for value in row if not value.is_zero())
    share = float(arb(1) if not random else (ball(delta) / random).log())
    bounds: list[list[Fraction]] = []
    for mean_row, variance_row in zip(means, variances, strict=True):
        row: list[Fraction] = []
        for mean, variance in zip(mean_row, variance_row, strict=True):
            center = float(abs(mean).abs_upper())
            spread = float(variance.abs_upper()) ** 0.5
            wide = center if spread == 0 else _quantile(center, spread, share)
            row.append(Fraction(math.nextafter(wide * (1 + 1e-12), math.inf)))
        bounds.append(row)
    return bounds


def _quantile(center: float, spread: float, log_probability: float) -> float:
    """q with P(|N(center, spread^2)| > q) close to exp(log_probability), from above."""
    ratio = center / spread
    low, high = 0.0, ratio + math.sqrt(2 * (math.log(2) - log_probability)) + 1
    if log_probability < -650:
        return spread * high
    goal = math.exp(log_probability)
    for _ in range(64):
        middle = (low + high) / 2
        tail = (
            math.erfc((middle - ratio) / math.sqrt(2)) + math.erfc((middle + ratio) / math.sqrt(2))
        ) / 2
        low, high = (middle, high) if tail > goal else (low, middle)
    return spread * high


def margin_share(law: Statement, delta: Fraction) -> Fraction:
    """The probability for each random margin of S4 when ``delta`` is shared evenly."""
    random = sum(1 for row in law.values["tau_squared"] for value in row if not value.is_zero())
    return delta / max(random, 1)
