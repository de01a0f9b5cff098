"""Scores of released models that tell the worlds apart, fitted on models of their own."""

from collections.abc import Callable

import numpy as np
from oracles.simulation import Drawn, transition
from oracles.worlds import steps
from scipy.special import logsumexp

from certaudit.run import Run

Score = Callable[[Drawn, slice], np.ndarray]
"""One number, larger for P, for each of some drawn models."""


def scores(run: Run, p: Drawn, q: Drawn, fit: slice) -> list[Score]:
    """The scores that suit the run."""
    found = [linear(p, q, fit), quadratic(p, q, fit)]
    if p.deviation > 0 and q.deviation > 0:
        found.append(mixture(p, q, fit))
    if run.release == "every-step" and len(p.path) == len(q.path):
        found.append(lambda some, part: path_ratio(run, some, part))
    return found


def linear(p: Drawn, q: Drawn, fit: slice) -> Score:
    """Fisher's discriminant."""
    a, b = p.models[fit], q.models[fit]
    pooled = _covariance(a) + _covariance(b)
    weights = np.linalg.solve(pooled, a.mean(axis=0) - b.mean(axis=0))
    return lambda some, part: some.models[part] @ weights


def quadratic(p: Drawn, q: Drawn, fit: slice) -> Score:
    """The log ratio of two normal fits."""
    fits = [(d.models[fit].mean(axis=0), _covariance(d.models[fit])) for d in (p, q)]

    def score(some: Drawn, part: slice) -> np.ndarray:
        logs = []
        for mean, covariance in fits:
            gap = some.models[part] - mean
            squares = (gap * np.linalg.solve(covariance, gap.T).T).sum(axis=1)
            logs.append(-0.5 * squares - 0.5 * np.linalg.slogdet(covariance)[1])
        return logs[0] - logs[1]

    return score


def mixture(p: Drawn, q: Drawn, fit: slice) -> Score:
    """The log ratio of the laws, each as the bumps of its last noise about fitted centres."""

    def log_density(of: Drawn, models: np.ndarray) -> np.ndarray:
        centers = of.centers[fit]
        squares = (models**2).sum(axis=1)[:, None] + (centers**2).sum(axis=1)
        squares = np.maximum(squares - 2 * models @ centers.T, 0)
        spread = models.shape[1] * np.log(of.deviation)
        return logsumexp(-squares / (2 * of.deviation**2), axis=1) - spread

    return lambda some, part: log_density(p, some.models[part]) - log_density(q, some.models[part])


def path_ratio(run: Run, some: Drawn, part: slice) -> np.ndarray:
    """The log ratio of the laws of all iterates (of those off the ball's surface)."""
    total = np.zeros(len(some.path[0][part]))
    for k, (a, b) in enumerate(zip(steps(run, "P"), steps(run, "Q"), strict=True)):
        before, after = some.path[k][part], some.path[k + 1][part]
        total += transition(run, a, before, after) - transition(run, b, before, after)
    return total


def _covariance(models: np.ndarray) -> np.ndarray:
    found = np.atleast_2d(np.cov(models.T))
    tiny = 1e-9 * np.trace(found) / len(found) + 1e-12
    return found + tiny * np.eye(len(found))
