"""The softmax loss of a network's outputs: nothing is known of its gradient in the parameters."""

from certaudit.losses.loss import Loss
from certaudit.losses.softmax import LOSS as SOFTMAX

LOSS = Loss(
    name="network",
    curvature=None,
    quadratic=False,
    margin=False,
    slope=None,
    slope_bound=None,
    confined_slope=None,
    third=None,
    label_allowed=SOFTMAX.label_allowed,
    labels=SOFTMAX.labels,
)
