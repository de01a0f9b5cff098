"""The softmax loss log sum_k exp(u_k) - u_y, y = 0 .. classes - 1.

Its gradient in the margins is p - e_y, of norm at most sqrt 2; its Hessian diag(p) - p p^T has norm at
most 1/2.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from certaudit.core.term import sqrt
from certaudit.losses.loss import Loss, Settings, Slopes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from certaudit.losses.loss import Floats


def value(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """-log of the own label's probability."""
    import numpy as np
    from scipy.special import logsumexp

    return np.asarray(logsumexp(margins, axis=2) - _own(margins, labels))


def logit(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """The logit of the own label's probability."""
    import numpy as np
    from scipy.special import logsumexp

    rest = margins.copy()
    np.put_along_axis(rest, _places(margins, labels), -np.inf, axis=2)
    return np.asarray(_own(margins, labels) - logsumexp(rest, axis=2))


def slope_size(margins: Floats, labels: Floats, settings: Settings) -> Floats:
    """|p - e_y|."""
    import numpy as np
    from scipy.special import logsumexp

    probabilities = np.exp(margins - logsumexp(margins, axis=2, keepdims=True))
    misses = np.asarray(-np.expm1(-value(margins, labels, settings)))[:, :, None]
    np.put_along_axis(probabilities, _places(margins, labels), misses, axis=2)
    return np.asarray(np.linalg.norm(probabilities, axis=2))


def slopes(labels: Tensor, settings: Settings) -> Slopes:
    """p - e_y."""
    import torch

    own = torch.nn.functional.one_hot(labels.long(), settings.classes).T.to(labels.dtype)
    return lambda margins: torch.softmax(margins, dim=1).sub_(own)


def _places(margins: Floats, labels: Floats) -> NDArray[np.int64]:
    import numpy as np

    return np.broadcast_to(labels.astype(np.int64)[None, :, None], (len(margins), len(labels), 1))


def _own(margins: Floats, labels: Floats) -> Floats:
    import numpy as np

    return np.asarray(np.take_along_axis(margins, _places(margins, labels), axis=2)[:, :, 0])


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
    needs="classes",
    formula="log(sum of exp(u)) - u_y",
    value=value,
    confidence=logit,
    slope_size=slope_size,
    slopes=slopes,
)
