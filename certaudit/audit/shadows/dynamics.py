"""One gradient step for many models at once, as section 1 states it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from certaudit.audit.shadows import network
from certaudit.audit.shadows.slices import models_at_once
from certaudit.losses import LOSSES, settings
from certaudit.run import Batch, Clip, Run

Gradient = Callable[[Tensor], Tensor]
"""From (m, parameters) models to the (m, parameters) gradients of the objective there."""

Shrink = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From slopes and margins (m, classes, rows) and models to the clip's factors (m, rows)."""

TABLE_BYTES = 1 << 21
"""Size of one table of margins or of parameters: models are taken so few at a time that it stays in
the cache."""


def gradient(run: Run, batch: Batch, dtype: torch.dtype) -> Gradient:
    """Gradient of the objective on ``batch``."""
    rows, count, l2 = run.rows(batch), run.count(batch), float(run.l2)
    x = torch.as_tensor(np.asarray(run.X[list(rows)], dtype=np.float64), dtype=dtype)
    y = torch.as_tensor(np.asarray(run.y[list(rows)], dtype=np.float64), dtype=dtype)
    if run.network is not None:
        return network.gradient(run, x, y, count)
    if LOSSES[run.loss].quadratic and run.clip is None and len(rows) >= run.d:
        return _quadratic(x, y, count, l2)
    of_margins = LOSSES[run.loss].slopes(y, settings(run))
    shrink = None if run.clip is None else _shrink(run.clip, l2, x)
    inside = run.clip is not None and run.clip.regularizer

    def few(models: Tensor) -> Tensor:
        m, classes = len(models), run.classes
        # (m, d, classes) with the classes first: every model's margins are one product.
        matrices = models.reshape(m, run.d, classes).transpose(1, 2).reshape(m * classes, run.d)
        margins = (matrices @ x.T).reshape(m, classes, len(rows))
        weights = of_margins(margins)
        decay: Tensor | float = l2
        if shrink is not None:
            factors = shrink(weights, margins, models)
            weights = weights * factors[:, None]
            if inside:
                decay = l2 * factors.sum(dim=1, keepdim=True) / count
        total = (weights.reshape(m * classes, len(rows)) @ x).reshape(m, classes, run.d)
        return total.transpose(1, 2).reshape(models.shape) / count + decay * models

    size = models_at_once(len(rows) * run.classes, TABLE_BYTES)
    return lambda models: torch.cat([few(some) for some in torch.split(models, size)])


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


def _shrink(clip: Clip, l2: float, x: Tensor) -> Shrink:
    """min(1, C / norm of the row's gradient), of the loss alone or with the regularizer.

    The gradient of row x is x s^T with slopes s, so its norm is |x| |s|, its product with the
    model W is s.(W^T x).
    """
    limit, squares = float(clip.norm), (x * x).sum(dim=1)

    def factors(weights: Tensor, margins: Tensor, models: Tensor) -> Tensor:
        sizes = (weights * weights).sum(dim=1) * squares
        if clip.regularizer:
            own = (models * models).sum(dim=1, keepdim=True)
            sizes = sizes + 2 * l2 * (weights * margins).sum(dim=1) + l2**2 * own
        return limit / sizes.clamp_min(limit**2).sqrt()

    return factors
