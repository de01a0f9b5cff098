"""The quadratic discriminant of the parameters."""

from __future__ import annotations

import numpy as np

from certaudit.audit.scores.base import Floats, Score
from certaudit.audit.scores.linear_discriminant import MOST_CORRELATED, pooled_covariance


class QuadraticDiscriminant(Score):
    """Log-ratio of Gaussians fitted to the two worlds, each covariance shrunk to the pooled one.

    The pooled covariance counts as much as 4 (d + 1) further shadows of each world.  Not fitted to more
    than MOST_CORRELATED parameters.
    """

    name = "quadratic discriminant"
    parameters_only = True
    log_ratio = True

    def fit(self, p: Floats, q: Floats) -> None:
        """Mean and regularized covariance of each sample."""
        if p.shape[1] > MOST_CORRELATED:
            raise np.linalg.LinAlgError("too many parameters for their covariance")
        pooled = pooled_covariance(p, q)
        extra = 4 * (p.shape[1] + 1)
        self._fits = []
        for sample in (p, q):
            mean = sample.mean(axis=0)
            scatter = (sample - mean).T @ (sample - mean)
            covariance = (scatter + extra * pooled) / (len(sample) + extra)
            self._fits.append((mean, np.linalg.cholesky(covariance)))

    def score(self, models: Floats) -> Floats:
        """Log p/q of the fitted Gaussians."""
        logs = []
        for mean, factor in self._fits:
            white = np.linalg.solve(factor, (models - mean).T)
            logs.append(-(white**2).sum(axis=0) / 2 - np.log(np.diag(factor)).sum())
        return np.asarray(logs[0] - logs[1])
