"""The softmax loss log sum_k exp(u_k) - u_y, y = 0 .. classes - 1.

Its gradient in the margins is p - e_y, of norm at most sqrt 2; its Hessian diag(p) - p p^T has norm at
most 1/2.
"""

from fractions import Fraction

from certaudit.core.term import sqrt
from certaudit.losses.loss import Loss


def _class(label: Fraction, classes: int) -> bool:
    return label.denominator == 1 and 0 <= label < classes


LOSS = Loss(
    name="softmax",
    curvature=Fraction(1, 2),
    quadratic=False,
    margin=False,
    slope=None,
    slope_bound=sqrt(2),
    confined_slope=None,
    third=None,
    label_allowed=_class,
    labels="0 to classes - 1",
)
