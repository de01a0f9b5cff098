"""Fisher's linear discriminant of the parameters."""

from __future__ import annotations

import numpy as np

from certaudit.audit.scores.base import Floats, Score

MOST_CORRELATED = 300


class LinearDiscriminant(Score):
    """Fisher's linear discriminant, an estimate of log p/q for Gaussians of one covariance.

    The pooled covariance is shrunk a little towards its diagonal and has a relative floor, so that few
    shadows and worlds without noise are told apart as well.  Of more than MOST_CORRELATED parameters
    only the variances are used (the independence rule, Bickel and Levina 2004).
    """

    name = "linear discriminant"
    parameters_only = True
    log_ratio = True

    def fit(self, p: Floats, q: Floats) -> None:
        """Pooled covariance and means of the two samples."""
        gap = p.mean(axis=0) - q.mean(axis=0)
        if len(gap) > MOST_CORRELATED:
            self._normal = gap / _pooled_variances(p, q)
        else:
            self._normal = np.linalg.solve(pooled_covariance(p, q), gap)
        self._middle = (p.mean(axis=0) + q.mean(axis=0)) / 2

    def score(self, models: Floats) -> Floats:
        """The discriminant."""
        return np.asarray((models - self._middle) @ self._normal)


def _pooled_variances(p: Floats, q: Floats) -> Floats:
    gap = p.mean(axis=0) - q.mean(axis=0)
    variances = (p.var(axis=0) * len(p) + q.var(axis=0) * len(q)) / max(len(p) + len(q) - 2, 1)
    return np.asarray(variances + 1e-6 * variances.mean() + 1e-24 * float(gap @ gap) + 1e-300)


def pooled_covariance(p: Floats, q: Floats) -> Floats:
    """Covariance about each sample's own mean, shrunk as d / (d + 2 samples) to its diagonal."""
    gap = p.mean(axis=0) - q.mean(axis=0)
    centred = np.concatenate([p - p.mean(axis=0), q - q.mean(axis=0)])
    covariance = centred.T @ centred / max(len(centred) - 2, 1)
    share = len(gap) / (len(gap) + 2 * len(centred))
    diagonal = np.diag(np.diag(covariance))
    floor = 1e-12 * np.trace(covariance) / len(gap) + 1e-24 * float(gap @ gap) + 1e-300
    return np.asarray((1 - share) * covariance + share * diagonal + floor * np.eye(len(gap)))
