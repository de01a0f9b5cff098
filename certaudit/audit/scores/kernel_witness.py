"""The kernel witness of the hockey-stick."""

from __future__ import annotations

import numpy as np

from certaudit.audit.scores.base import Floats, StandardizedScore

FEATURES, NEAR, RIDGE = 128, 128, 30.0


class KernelWitness(StandardizedScore):
    """f = (C + r I / m)^-1 (mean_P - mean_Q) in the space of a Gaussian kernel, C the pooled covariance.

    The hockey-stick is the supremum of E_P f - e^eps E_Q f over functions into [0, 1], and thresholds of
    the log-ratio attain it for every eps at once; f is the regularized witness that tells the mean
    embeddings apart (arXiv 2601.19755 has one for each eps; Harchaoui et al. 2007 have this one).  The
    kernel is taken by random Fourier features, half as wide as the median distance of standardized
    models, on at most the 1024 latest shadows of each world.
    """

    name = "kernel witness"
    least = 32

    def fit(self, p: Floats, q: Floats) -> None:
        """Width, covariance and witness."""
        p, q = self._latest(p, q)
        rng = np.random.default_rng((self._seed, p.shape[1]))
        some = self._standard(np.concatenate([p[-NEAR:], q[-NEAR:]]))
        squares = (some**2).sum(axis=1)
        apart = squares[:, None] + squares - 2 * some @ some.T
        width = max(float(np.median(apart[np.triu_indices(len(some), 1)])), 1e-12)
        self._frequencies = rng.normal(size=(p.shape[1], FEATURES)) * 2 / np.sqrt(width)
        first, second = self._features(p), self._features(q)
        gap = first.mean(axis=0) - second.mean(axis=0)
        centred = np.concatenate([first - first.mean(axis=0), second - second.mean(axis=0)])
        covariance = centred.T @ centred / len(centred)
        self._witness = np.linalg.solve(covariance + RIDGE / len(centred) * np.eye(len(gap)), gap)

    def score(self, models: Floats) -> Floats:
        """The witness."""
        return np.asarray(self._features(models) @ self._witness)

    def _features(self, models: Floats) -> Floats:
        phases = self._standard(models) @ self._frequencies
        return np.asarray(np.concatenate([np.cos(phases), np.sin(phases)], axis=1))
