"""Slopes of the losses in their margins, for many models and rows at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from certaudit.run import Run

Slope = Callable[[Tensor], Tensor]
"""From margins (m, classes, rows) to the derivatives of each row's loss in its own margins.

The margins of model W (d, classes) at row x are W^T x; a loss of one margin has one class.
"""


def slope(run: Run, y: Tensor) -> Slope:
    """The slope of ``run``'s loss at rows with targets ``y``."""
    if run.loss == "ridge":
        return lambda u: u - y
    if run.loss == "huber":
        assert run.threshold is not None
        threshold = float(run.threshold)
        return lambda u: (u - y).clamp(-threshold, threshold)
    if run.loss == "logistic":
        return lambda u: -y * torch.sigmoid(-y * u)
    return _softmax(y.long(), run.classes, y.dtype)


def _softmax(labels: Tensor, classes: int, dtype: torch.dtype) -> Slope:
    own = torch.nn.functional.one_hot(labels, classes).T.to(dtype)
    return lambda u: torch.softmax(u, dim=1).sub_(own)
