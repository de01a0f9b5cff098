"""The growth-rate limit: what the best bettor who knows both laws gains a shadow pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from certaudit.audit.scores import Law
from certaudit.audit.scores.log_ratio import LogRatio
from certaudit.audit.statistics.evalue import Null, Ratios, growth

Floats = NDArray[np.float64]

SAMPLES = 40_000
BINS = 512

RESOLUTION = 5e-5
"""Growth below which a sampled table cannot tell a broken claim from one that holds."""


def limit(nulls: Sequence[Null], truth: Ratios) -> float:
    """Largest mean log e-variable over bets of the forms in ``evalue``, against the easiest null.

    For (epsilon, delta) claims the form contains the optimum, so this is the least Kullback–Leibler
    divergence to the claim's pairs but for the grid of bets and the table of ``truth``.
    """
    return max(growth(null.bet(truth), truth) for null in nulls)


def of_law(law: Law, seed: int = 0) -> Ratios | None:
    """The true log-ratio's table for two Gaussians, by sampling; None where they have no density."""
    mean_p, cov_p, mean_q, cov_q = law
    try:
        ratio = LogRatio(*law)
        factors = np.linalg.cholesky(cov_p), np.linalg.cholesky(cov_q)
    except np.linalg.LinAlgError:
        return None
    rng = np.random.default_rng((seed, 8))
    p, q = (
        ratio.score(mean + rng.standard_normal((SAMPLES, len(mean))) @ factor.T)
        for mean, factor in zip((mean_p, mean_q), factors, strict=True)
    )
    return Ratios.of(p, q, BINS)


def of_gaussian_dp(mu: float) -> Ratios:
    """The log-ratio's table for N(mu, 1) against N(0, 1)."""
    edges = np.linspace(-5.0, 5.0 + mu, 161)
    middles = (edges[1:] + edges[:-1]) / 2
    p, q = np.diff(ndtr(edges - mu)), np.diff(ndtr(edges))
    return Ratios(mu * middles - mu**2 / 2, p / p.sum(), q / q.sum())
