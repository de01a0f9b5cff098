"""Scores: functions of a model that should tell world P from world Q.

Each is fitted on the first half of the shadows and judged on the second; a poor score weakens an
audit and cannot make it wrong.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from certaudit.run import Run

Floats = NDArray[np.float64]


class Score(Protocol):
    """A score of models; larger speaks for world P."""

    name: str

    def fit(self, p: Floats, q: Floats) -> None:
        """Learn from the training shadows, (m, d) each."""
        ...

    def score(self, models: Floats) -> Floats:
        """Scores of (m, d) models, (m,)."""
        ...


class RemovedPointLoss:
    """Mean loss at the removed points (Yeom et al. 2018), the simplest membership score."""

    name = "loss of the removed point"

    def __init__(self, run: Run) -> None:
        self._x = np.asarray(run.X[list(run.forget)], dtype=np.float64)
        self._y = np.asarray(run.y[list(run.forget)], dtype=np.float64)
        self._logistic = run.loss == "logistic"

    def fit(self, p: Floats, q: Floats) -> None:
        """Nothing to learn."""

    def score(self, models: Floats) -> Floats:
        """Minus the mean loss at the removed points."""
        margins = models @ self._x.T
        losses = self._losses(margins)
        return np.asarray(-losses.mean(axis=1))

    def _losses(self, margins: Floats) -> Floats:
        if self._logistic:
            return np.asarray(np.logaddexp(0, -self._y * margins))
        return np.asarray((margins - self._y) ** 2 / 2)


class LinearDiscriminant:
    """Fisher's linear discriminant of the parameters, scaled to a log-ratio.

    Directions in which the pooled covariance vanishes are given a relative floor, so that worlds
    without noise are told apart as well.
    """

    name = "linear discriminant"

    def fit(self, p: Floats, q: Floats) -> None:
        """Pooled covariance and means of the two samples."""
        gap = p.mean(axis=0) - q.mean(axis=0)
        centred = np.concatenate([p - p.mean(axis=0), q - q.mean(axis=0)])
        covariance = centred.T @ centred / max(len(centred) - 2, 1)
        floor = 1e-12 * np.trace(covariance) / len(gap) + 1e-24 * float(gap @ gap) + 1e-300
        self._normal = np.linalg.solve(covariance + floor * np.eye(len(gap)), gap)
        self._middle = (p.mean(axis=0) + q.mean(axis=0)) / 2

    def score(self, models: Floats) -> Floats:
        """The discriminant, an estimate of log p/q for Gaussians of one covariance."""
        return np.asarray((models - self._middle) @ self._normal)


class LogRatio:
    """The true log p/q of two Gaussians, which no score beats (Neyman–Pearson).

    Takes the exact tier's means (d,) and covariances (d, d) in floats.
    """

    name = "true log-ratio"

    def __init__(self, mean_p: Floats, cov_p: Floats, mean_q: Floats, cov_q: Floats) -> None:
        if not all(np.isfinite(array).all() for array in (mean_p, cov_p, mean_q, cov_q)):
            raise np.linalg.LinAlgError("the laws left the floats")
        self._means = mean_p, mean_q
        self._factors = np.linalg.cholesky(cov_p), np.linalg.cholesky(cov_q)

    def fit(self, p: Floats, q: Floats) -> None:
        """Nothing to learn."""

    def score(self, models: Floats) -> Floats:
        """Log p/q."""
        logs = []
        for mean, factor in zip(self._means, self._factors, strict=True):
            white = np.linalg.solve(factor, (models - mean).T)
            logs.append(-(white**2).sum(axis=0) / 2 - np.log(np.diag(factor)).sum())
        return np.asarray(logs[0] - logs[1])
