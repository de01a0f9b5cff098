"""The Huber loss: (u - y)^2/2 up to |u - y| = k, linear beyond.  Its third derivative is a measure."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from certaudit.core.term import magnitude, maximum, minimum
from certaudit.losses.loss import Loss, Settings, Slopes, any_number, kink, length, radius, u, y
from certaudit.losses.ridge import residual

if TYPE_CHECKING:
    from torch import Tensor

    from certaudit.losses.loss import Floats


def value(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """k' (|u - y| - k'/2) with k' = min(k, |u - y|)."""
    import numpy as np

    size = abs(margins - labels)
    near = np.minimum(size, settings.threshold)
    return np.asarray(near * (size - near / 2))


def slope_size(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """min(k, |u - y|)."""
    import numpy as np

    return np.minimum(abs(margins - labels), settings.threshold)


def slopes(labels: Tensor, settings: Settings) -> Slopes:
    """u - y, cut at -k and k."""
    return lambda margins: (margins - labels).clamp(-settings.threshold, settings.threshold)


LOSS = Loss(
    name="huber",
    curvature=Fraction(1),
    quadratic=False,
    margin=True,
    slope=maximum(-kink, minimum(kink, u - y)),
    slope_bound=kink,
    confined_slope=minimum(kink, radius * length + magnitude(y)),
    third=None,
    label_allowed=any_number,
    labels="any number",
    needs="threshold",
    formula="(u - y)^2/2 up to |u - y| = k, k*|u - y| - k^2/2 beyond",
    value=value,
    confidence=residual,
    slope_size=slope_size,
    slopes=slopes,
)
