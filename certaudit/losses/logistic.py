"""The logistic loss log(1 + exp(-y u)), y = -1 or +1.

l' = -y s(-y u) with s the sigmoid; |l''| <= 1/4; |l'''| <= 1/(6 sqrt 3), where s = 1/2 +- 1/(2 sqrt 3).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from certaudit.core.term import exp, sqrt, term
from certaudit.losses.loss import Loss, Settings, Slopes, length, radius, u, y

if TYPE_CHECKING:
    from torch import Tensor

    from certaudit.losses.loss import Floats


def value(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """log(1 + exp(-y u)), without overflow."""
    import numpy as np

    return np.asarray(np.logaddexp(0, -labels * margins))


def logit(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """y u, the logit of the own label's probability."""
    return labels * margins


def slope_size(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """The probability of the other label."""
    import numpy as np
    from scipy.special import expit

    return np.asarray(expit(-labels * margins))


def slopes(labels: Tensor, settings: Settings) -> Slopes:
    """-y times the probability of the other label."""
    import torch

    return lambda margins: -labels * torch.sigmoid(-labels * margins)


def _sign(label: Fraction, classes: int) -> bool:
    return label in (-1, 1)


LOSS = Loss(
    name="logistic",
    curvature=Fraction(1, 4),
    quadratic=False,
    margin=True,
    slope=-y / (1 + exp(y * u)),
    slope_bound=term(1),
    confined_slope=1 / (1 + exp(-(radius * length))),
    third=1 / (6 * sqrt(3)),
    label_allowed=_sign,
    labels="-1 and +1",
    needs=None,
    formula="log(1 + exp(-y*u))",
    value=value,
    confidence=logit,
    slope_size=slope_size,
    slopes=slopes,
)
