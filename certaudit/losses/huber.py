"""The Huber loss: (u - y)^2/2 up to |u - y| = k, linear beyond.  Its third derivative is a measure."""

from fractions import Fraction

from certaudit.core.term import magnitude, maximum, minimum
from certaudit.losses.loss import Loss, any_number, kink, length, radius, u, y

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
)
