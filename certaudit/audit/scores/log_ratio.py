"""The true log-ratio of two Gaussians."""

from __future__ import annotations

from typing import Self

import numpy as np

from certaudit.audit.scores.base import Floats, Score, Setting


class LogRatio(Score):
    """The true log p/q of two Gaussians, which no score beats (Neyman–Pearson).

    Takes the exact tier's means (d,) and covariances (d, d) in floats; of a learned model with the final
    one beside it, the learned model's (O1).
    """

    name = "true log-ratio"
    learns = False
    log_ratio = True

    def __init__(self, mean_p: Floats, cov_p: Floats, mean_q: Floats, cov_q: Floats) -> None:
        if not all(np.isfinite(array).all() for array in (mean_p, cov_p, mean_q, cov_q)):
            raise np.linalg.LinAlgError("the laws left the floats")
        self._means = mean_p, mean_q
        self._factors = np.linalg.cholesky(cov_p), np.linalg.cholesky(cov_q)

    @classmethod
    def of(cls, setting: Setting) -> Self | None:
        """Where the law is known and has a density."""
        if setting.law is None:
            return None
        try:
            return cls(*setting.law)
        except np.linalg.LinAlgError:
            return None

    def score(self, models: Floats) -> Floats:
        """Log p/q."""
        logs = []
        for mean, factor in zip(self._means, self._factors, strict=True):
            white = np.linalg.solve(factor, (models[:, : len(mean)] - mean).T)
            logs.append(-(white**2).sum(axis=0) / 2 - np.log(np.diag(factor)).sum())
        return np.asarray(logs[0] - logs[1])
