"""Scores: functions of a model that should tell world P from world Q.

Each is fitted on the first half of the shadows and judged on the second; a poor score weakens an
audit and cannot make it wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

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
        self._losses = _losses(run)

    def fit(self, p: Floats, q: Floats) -> None:
        """Nothing to learn."""

    def score(self, models: Floats) -> Floats:
        """Minus the mean loss at the removed points."""
        total = np.zeros(len(models))
        for x, y in zip(self._x, self._y, strict=True):
            total -= self._losses(models, x, float(y))
        return total / len(self._x)


def _losses(run: Run) -> Callable[[Floats, Floats, float], Floats]:
    """The loss of (m, parameters) models at one row, (m,)."""
    if run.loss == "softmax":
        return partial(_softmax_loss, run.classes)
    if run.loss == "huber":
        assert run.threshold is not None
        return partial(_huber_loss, float(run.threshold))
    return _logistic_loss if run.loss == "logistic" else _squared_loss


def _squared_loss(models: Floats, x: Floats, y: float) -> Floats:
    return np.asarray((models @ x - y) ** 2 / 2)


def _logistic_loss(models: Floats, x: Floats, y: float) -> Floats:
    return np.asarray(np.logaddexp(0, -y * (models @ x)))


def _huber_loss(threshold: float, models: Floats, x: Floats, y: float) -> Floats:
    size = np.abs(models @ x - y)
    near = np.minimum(size, threshold)
    return np.asarray(near * (size - near / 2))


def _softmax_loss(classes: int, models: Floats, x: Floats, y: float) -> Floats:
    margins = np.einsum("mdk,d->mk", models.reshape(len(models), len(x), classes), x)
    return np.asarray(logsumexp(margins, axis=1) - margins[:, int(y)])


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
