"""S3: quantiles whose tail probabilities spend a given delta, in floats."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from flint import arb
from numpy.typing import NDArray
from scipy.special import log_ndtr

from certaudit.core.balls import ball
from certaudit.core.rules.s3 import Witness
from certaudit.core.statement import ResidualLaw

GRID = 1 << 16
HAIR = 1e-9
FAR = 50.0
HALVINGS = 60


def witness(law: ResidualLaw, delta: Fraction) -> Witness:
    """z for every step and removed row, each spending an equal share of ``delta`` or a hair less.

    z is the quantile of |r| less |mu|, in units of sqrt(v), rounded up to a multiple of 2^-16.
    """
    entries = [
        (mean, variance)
        for row in zip(law.means, law.variances, strict=True)
        for mean, variance in zip(*row, strict=True)
    ]
    random = [_ratio(mean, variance) for mean, variance in entries if not variance.is_zero()]
    found = iter(_quantiles(np.array(random), delta))
    return Witness(
        tuple(
            tuple(Fraction(0) if variance.is_zero() else next(found) for variance in row)
            for row in law.variances
        )
    )


def _ratio(mean: arb, variance: arb) -> float:
    ratio = (abs(mean) / variance.sqrt()).mid()
    return float(ratio) if ratio < FAR else FAR


def _quantiles(ratios: NDArray[np.float64], delta: Fraction) -> list[Fraction]:
    """z with log P(|N(ratio, 1)| > ratio + z) about log(delta / how many), from above."""
    if not len(ratios):
        return []
    goal = float((ball(delta) / len(ratios)).log())
    low, high = np.zeros_like(ratios), np.full_like(ratios, np.sqrt(2 * max(np.log(2) - goal, 0)) + 1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        beyond = np.logaddexp(log_ndtr(-middle), log_ndtr(-middle - 2 * ratios)) > goal
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return [Fraction(int(n), GRID) for n in np.ceil((high + HAIR) * GRID)]
