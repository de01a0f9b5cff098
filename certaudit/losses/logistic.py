"""The logistic loss log(1 + exp(-y u)), y = -1 or +1.

l' = -y s(-y u) with s the sigmoid; |l''| <= 1/4; |l'''| <= 1/(6 sqrt 3), where s = 1/2 +- 1/(2 sqrt 3).
"""

from fractions import Fraction

from certaudit.core.term import exp, sqrt, term
from certaudit.losses.loss import Loss, length, radius, u, y


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
    labels="-1 or +1",
)
