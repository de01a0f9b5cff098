"""The squared loss (u - y)^2/2."""

from fractions import Fraction

from certaudit.core.term import magnitude
from certaudit.losses.loss import Loss, any_number, length, radius, u, y

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
)
