"""Ridge regression by scikit-learn, a Newton step to remove rows (Guo et al. 2020), output noise.

Written as somebody's own package might be, knowing nothing of certaudit; ``newton-removal.yaml`` is the
spec of its certificate.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

Floats = NDArray[np.float64]

L2, STD = 0.05, 0.01


def learn(X: Floats, y: Floats, seed: int) -> Floats:
    """Minimize the mean of (x.w - y)^2/2 plus L2 |w|^2/2; release the minimizer plus noise."""
    w = Ridge(alpha=L2 * len(X), fit_intercept=False, solver="cholesky").fit(X, y).coef_
    return w + _noise(seed, w.size)


def unlearn(parameters: Floats, X: Floats, y: Floats, forget: list[int], seed: int) -> Floats:
    """One Newton step on the rows that stay, then fresh noise."""
    kept = np.setdiff1d(np.arange(len(X)), forget)
    A, b = X[kept], y[kept]
    gradient = A.T @ (A @ parameters - b) / len(A) + L2 * parameters
    hessian = A.T @ A / len(A) + L2 * np.eye(parameters.size)
    w = parameters - np.linalg.solve(hessian, gradient)
    return w + _noise(seed, w.size)


def unlearn_all_rows(parameters: Floats, X: Floats, y: Floats, forget: list[int], seed: int) -> Floats:
    """A fault to try: the step is taken on all rows, those to be forgotten as well."""
    return unlearn(parameters, X, y, [], seed)


def unlearn_with_half_the_noise(
    parameters: Floats, X: Floats, y: Floats, forget: list[int], seed: int
) -> Floats:
    """A fault to try: the noise has half the standard deviation that the certificate counts on."""
    w = unlearn(parameters, X, y, forget, seed)
    return w - _noise(seed, w.size) / 2


def _noise(seed: int, d: int) -> Floats:
    return STD * np.random.default_rng(seed).normal(size=d)
