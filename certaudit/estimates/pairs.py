"""Pairs of Gaussians reduced to what their divergences depend on, many at once, in floats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDING = 2.0**-52


@dataclass(frozen=True)
class Pairs:
    """First laws N(nu, I + diag(eigenvalues)) against N(0, I): eigenvalues and nu^2, (points, d) each,
    and the relative error of the whole, an estimate, (points,)."""

    eigenvalues: Floats
    weights: Floats
    error: Floats

    def swapped(self) -> Pairs:
        """The pairs with the two laws exchanged."""
        scale = 1 / (1 + self.eigenvalues)
        return Pairs(-self.eigenvalues * scale, self.weights * scale, self.error)

    def some(self, points: NDArray[np.int64]) -> Pairs:
        """The pairs of some of the points."""
        return Pairs(self.eigenvalues[points], self.weights[points], self.error[points])

    def leading(self) -> Pairs:
        """The same without coordinates that no divergence shows at float accuracy."""
        size = np.abs(self.eigenvalues) + self.weights
        order = np.argsort(-size, axis=1)
        ranked = np.take_along_axis(size, order, axis=1)
        needed = ranked > 1e-15 * ranked[:, :1]
        keep = max(int(needed.sum(axis=1).max()), 1)
        first = order[:, :keep]
        return Pairs(
            np.take_along_axis(self.eigenvalues, first, axis=1),
            np.take_along_axis(self.weights, first, axis=1),
            self.error,
        )


def whitened(mean_p: Floats, cov_p: Floats, mean_q: Floats, cov_q: Floats) -> Pairs:
    """Pairs of N(mean_p, cov_p) against N(mean_q, cov_q); means (points, d), covariances (points, d, d).

    Raises numpy.linalg.LinAlgError if a covariance is not positive definite.
    """
    factor = np.linalg.cholesky(cov_q)
    half = np.linalg.solve(factor, cov_p - cov_q)
    excess = np.linalg.solve(factor, half.transpose(0, 2, 1))
    shift = np.linalg.solve(factor, (mean_p - mean_q)[:, :, None])[:, :, 0]
    eigenvalues, vectors = np.linalg.eigh((excess + excess.transpose(0, 2, 1)) / 2)
    weights = np.einsum("pij,pi->pj", vectors, shift) ** 2
    diagonal = np.einsum("pii->pi", factor)
    condition = (diagonal.max(axis=1) / diagonal.min(axis=1)) ** 2
    scale = np.abs(eigenvalues).max(axis=1) + np.sqrt(weights.sum(axis=1)) + 1e-300
    return Pairs(eigenvalues, weights, ROUNDING * cov_q.shape[1] * condition / scale)
