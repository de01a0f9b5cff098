"""From a raw score to an estimate of log dP/dQ, learned from labelled past shadows.

A Bayesian average of models of the world given the score: no information, logistic in the score,
logistic in the score and its square, a histogram; and, for a score that is itself a log-ratio, the
score as it stands and halved.  The average bets little until the past speaks, and a score that says
nothing is not bet on.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, log_expit, logit

Floats = NDArray[np.float64]

PRIOR_VARIANCE = 4.0
CLIP = 6.0
MOST_BINS = 16
SMALLEST = 1e-12


class _Model(Protocol):
    evidence: float

    def chance(self, score: Floats) -> Floats:
        """Probability of world P given the score, worlds equally likely."""
        ...


class _Ignorance:
    def __init__(self, trials: int) -> None:
        self.evidence = -trials * math.log(2)

    def chance(self, score: Floats) -> Floats:
        return np.full(len(score), 0.5)


class _AsItStands:
    """The score times ``factor`` is the log-ratio; ``prior`` is its weight against the others' 1."""

    def __init__(self, score: Floats, sign: Floats, factor: float, prior: float) -> None:
        self._factor = factor
        self.evidence = float(log_expit(factor * sign * score).sum()) + math.log(prior)

    def chance(self, score: Floats) -> Floats:
        return np.asarray(expit(self._factor * score))


class _Logistic:
    """Ridge-regularized logistic regression; Laplace's evidence and averaged prediction."""

    def __init__(self, score: Floats, sign: Floats, degree: int) -> None:
        self._degree = degree
        low, self._middle, high = np.quantile(score, [0.25, 0.5, 0.75])
        self._scale = (high - low) / 1.35 or float(score.std()) or 1.0
        x = self._features(score)
        w, precision = np.zeros(degree + 1), np.eye(degree + 1) / PRIOR_VARIANCE
        hessian = precision
        for _ in range(12):
            miss = expit(-sign * (x @ w))
            hessian = (x * (miss * (1 - miss))[:, None]).T @ x + precision
            step = np.linalg.solve(hessian, x.T @ (sign * miss) - precision @ w)
            size = float(np.abs(step).max())
            w = w + step * min(1.0, 2.0 / max(size, 1e-300))
            if size < 1e-6:
                break
        self._w, self._covariance = w, np.linalg.inv(hessian)
        self.evidence = float(
            log_expit(sign * (x @ w)).sum()
            - (w @ w) / (2 * PRIOR_VARIANCE)
            - np.linalg.slogdet(hessian * PRIOR_VARIANCE)[1] / 2
        )

    def _features(self, score: Floats) -> Floats:
        z = np.clip((score - self._middle) / self._scale, -CLIP, CLIP)
        return np.asarray(np.stack([z**k for k in range(self._degree + 1)], axis=1))

    def chance(self, score: Floats) -> Floats:
        x = self._features(score)
        spread = ((x @ self._covariance) * x).sum(axis=1)
        return np.asarray(expit((x @ self._w) / np.sqrt(1 + math.pi * spread / 8)))


class _Histogram:
    """Quantile bins of the pooled scores, a Beta(1/2, 1/2) prior in each."""

    def __init__(self, score: Floats, sign: Floats) -> None:
        bins = int(min(MOST_BINS, max(2, len(score) // 16)))
        self._edges = np.unique(np.quantile(score, np.arange(1, bins) / bins, method="inverted_cdf"))
        where = np.searchsorted(self._edges, score, side="left")
        p = np.bincount(where[sign > 0], minlength=len(self._edges) + 1)
        q = np.bincount(where[sign < 0], minlength=len(self._edges) + 1)
        self.evidence = float((betaln(p + 0.5, q + 0.5) - betaln(0.5, 0.5)).sum())
        self._chance = (p + 0.5) / (p + q + 1)

    def chance(self, score: Floats) -> Floats:
        return np.asarray(self._chance[np.searchsorted(self._edges, score, side="left")])


class Calibration:
    """The average of the models, fitted on past scores p (m,) and q (m,) of the two worlds."""

    def __init__(self, p: Floats, q: Floats, log_ratio: bool = False) -> None:
        score, sign = _finite(np.concatenate([p, q])), np.repeat([1.0, -1.0], [len(p), len(q)])
        self._models: list[_Model] = [_Ignorance(len(score))]
        if log_ratio:
            self._models += [_AsItStands(score, sign, 1.0, 4.0), _AsItStands(score, sign, 0.5, 1.0)]
        if len(score) >= 8:
            self._models += [_Logistic(score, sign, 1), _Logistic(score, sign, 2)]
            self._models.append(_Histogram(score, sign))
        evidence = np.array([model.evidence for model in self._models])
        weights = np.exp(evidence - evidence.max())
        self._weights = weights / weights.sum()

    def log_ratio(self, score: Floats) -> Floats:
        """Estimates of log dP/dQ at models with these scores."""
        score = _finite(score)
        chance = sum(
            w * model.chance(score) for w, model in zip(self._weights, self._models, strict=True)
        )
        return np.asarray(logit(np.clip(chance, SMALLEST, 1 - SMALLEST)))


def _finite(score: Floats) -> Floats:
    return np.nan_to_num(score, nan=0.0, posinf=1e300, neginf=-1e300)
