"""One gradient step for a batch of models at once, full batch, as section 1 states it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from certaudit.run import Run

DataWorld = Literal["D", "D'"]
Gradient = Callable[[Tensor], Tensor]

LOSS_SLOPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "ridge": lambda u, y: u - y,
    "logistic": lambda u, y: -y * torch.sigmoid(-y * u),
}


def gradient(run: Run, world: DataWorld, dtype: torch.dtype) -> Gradient:
    """Gradient of the world's objective: a function from (m, d) models to (m, d) gradients.

    The normalizer N is n (``fixed``), the number of rows summed (``current``) or 1 (``sum``).
    """
    rows = list(range(run.n)) if world == "D" else list(run.kept)
    x = torch.as_tensor(np.asarray(run.X[rows], dtype=np.float64), dtype=dtype)
    y = torch.as_tensor(np.asarray(run.y[rows], dtype=np.float64), dtype=dtype)
    count = {"fixed": run.n, "current": len(rows), "sum": 1}[run.normalizer]
    if run.loss == "ridge" and run.clip is None:
        return _quadratic(x, y, count, float(run.l2))
    if run.clip is not None and run.clip.regularizer:
        return _clipped_whole(run, x, y, count)
    return _by_margin(run, x, y, count)


def project(models: Tensor, radius: float | None) -> Tensor:
    """Euclidean projection of each model onto the ball of ``radius`` about 0 (None: no projection)."""
    if radius is None:
        return models
    norms = models.norm(dim=1, keepdim=True)
    return torch.where(norms > radius, models * (radius / norms), models)


def _quadratic(x: Tensor, y: Tensor, count: int, l2: float) -> Gradient:
    hessian = x.T @ x / count + l2 * torch.eye(x.shape[1], dtype=x.dtype)
    drift = x.T @ y / count
    return lambda models: models @ hessian - drift


def _by_margin(run: Run, x: Tensor, y: Tensor, count: int) -> Gradient:
    slope, l2 = LOSS_SLOPES[run.loss], float(run.l2)
    norms = x.norm(dim=1)
    limit = None if run.clip is None else float(run.clip.norm)

    def evaluate(models: Tensor) -> Tensor:
        weights = slope(models @ x.T, y)
        if limit is not None:
            sizes = weights.abs() * norms
            weights = weights * torch.clamp(limit / sizes.clamp_min(1e-300), max=1.0)
        return weights @ x / count + l2 * models

    return evaluate


def _clipped_whole(run: Run, x: Tensor, y: Tensor, count: int) -> Gradient:
    assert run.clip is not None
    slope, l2, limit = LOSS_SLOPES[run.loss], float(run.l2), float(run.clip.norm)
    squares = (x * x).sum(dim=1)

    def evaluate(models: Tensor) -> Tensor:
        margins = models @ x.T
        weights = slope(margins, y)
        own = (models * models).sum(dim=1, keepdim=True)
        sizes = weights**2 * squares + 2 * l2 * weights * margins + l2**2 * own
        factors = torch.clamp(limit / sizes.clamp_min(1e-300).sqrt(), max=1.0)
        total = (factors * weights) @ x + l2 * factors.sum(dim=1, keepdim=True) * models
        return total / count

    return evaluate
