"""Rényi divergence from samples: a lower bound with confidence (A5), and a plain estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLIPS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
SCALES = (0.5, 1.0)


@dataclass(frozen=True)
class Witness:
    """g = clip(scale * score, -limit, limit), a bounded function of the model."""

    scale: float
    limit: float

    def __call__(self, scores: Floats) -> Floats:
        """Values of g."""
        return np.asarray(np.clip(self.scale * scores, -self.limit, self.limit))


def mean_interval(values: Floats, low: float, high: float, level: float) -> tuple[float, float]:
    """One-sided bounds of the mean of values in [low, high], each wrong with probability <= level.

    The better of Hoeffding's and the empirical Bernstein bound (Maurer, Pontil 2009, Theorem 4),
    each at half the level.
    """
    n, width = len(values), high - low
    noise = math.log(4 / level)
    hoeffding = width * math.sqrt(math.log(2 / level) / (2 * n))
    spread = float(values.var(ddof=1))
    bernstein = math.sqrt(2 * spread * noise / n) + 7 * width * noise / (3 * (n - 1))
    radius = min(hoeffding, bernstein) * (1 + 1e-9)
    mean = float(values.mean())
    return max(mean - radius, low), min(mean + radius, high)


def renyi_lower_bound(
    witness: Witness, first: Floats, second: Floats, order: float, level: float
) -> float:
    """A5 (BIR21): D_a >= a/(a-1) log E_P e^{(a-1)g} - log E_Q e^{a g}, both means with confidence.

    ``first`` and ``second`` are held-out scores of the two worlds; wrong with probability at most
    ``level``.
    """
    up, down = order - 1, order
    if down * witness.limit > 600:
        return -math.inf
    p_values, q_values = np.exp(up * witness(first)), np.exp(down * witness(second))
    p_edge, q_edge = up * witness.limit, down * witness.limit
    p_low, _ = mean_interval(p_values, math.exp(-p_edge), math.exp(p_edge), level / 2)
    _, q_high = mean_interval(q_values, math.exp(-q_edge), math.exp(q_edge), level / 2)
    return order / (order - 1) * math.log(p_low) - math.log(q_high) - 1e-12


def choose_witness(first: Floats, second: Floats, order: float, level: float) -> Witness:
    """The witness with the largest lower bound on these scores (the training half)."""
    candidates = [
        Witness(scale / order, limit / order) if limit * order > 4 else Witness(scale, limit)
        for scale in (*SCALES, order / 2, order)
        for limit in CLIPS
    ]
    return max(candidates, key=lambda w: renyi_lower_bound(w, first, second, order, level))


def gaussian_plug_in(p: Floats, q: Floats, order: float) -> float:
    """D_order of the Gaussians with the samples' means and covariances: an estimate, no bound.

    p, q: (m, d).  Infinite where the mixed covariance is not positive definite.
    """
    gap = p.mean(axis=0) - q.mean(axis=0)
    cov_p, cov_q = np.atleast_2d(np.cov(p.T)), np.atleast_2d(np.cov(q.T))
    mixed = order * cov_q + (1 - order) * cov_p
    try:
        np.linalg.cholesky(mixed)
        quadratic = order / 2 * float(gap @ np.linalg.solve(mixed, gap))
    except np.linalg.LinAlgError:
        return math.inf
    dets = [np.linalg.slogdet(m)[1] for m in (mixed, cov_p, cov_q)]
    logs = dets[0] - (1 - order) * dets[1] - order * dets[2]
    return float(quadratic - logs / (2 * (order - 1)))
