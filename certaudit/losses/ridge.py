"""The squared loss (u - y)^2/2."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from certaudit.core.term import magnitude
from certaudit.losses.loss import Loss, Settings, Slopes, any_number, length, radius, u, y

if TYPE_CHECKING:
    from torch import Tensor

    from certaudit.losses.loss import Floats


def value(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """Half the square of the residual."""
    return (margins - labels) ** 2 / 2


def residual(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """u - y."""
    return margins - labels


def slope_size(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """|u - y|."""
    return abs(margins - labels)


def slopes(labels: Tensor, settings: Settings) -> Slopes:
    """u - y."""
    return lambda margins: margins - labels


LOSS = Loss(
    name="ridge",
    curvature=Fraction(1),
    quadratic=True,
    margin=True,
    slope=u - y,
    slope_bound=None,
    confined_slope=radius * length + magnitude(y),
    third=None,
    label_allowed=any_number,
    labels="any number",
    needs=None,
    formula="(u - y)^2/2",
    value=value,
    confidence=residual,
    slope_size=slope_size,
    slopes=slopes,
)
