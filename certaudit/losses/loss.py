"""What the rules may know about a loss: exact facts, each with its reason in the loss's module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from certaudit.core.term import Term, symbol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float64]

u, y = symbol("u"), symbol("y")
kink = symbol("k")
radius, length = symbol("R"), symbol("X")


@dataclass(frozen=True)
class Settings:
    """What a spec says beside a loss's name: the Huber threshold, the number of classes."""

    threshold: float
    classes: int


Evaluator = Callable[["Floats", "Floats", Settings], "Floats"]
Slopes = Callable[["Tensor"], "Tensor"]


@dataclass(frozen=True)
class Loss:
    """Exact facts about a loss l(u; y) of margins u, and how to evaluate it in floats.

    curvature: the largest second derivative (of the Hessian in the margins); None if unknown.
    quadratic: l is (u - y)^2/2, so that X^T X/N bounds the curvature of the sum from below too.
    margin: the loss has one margin u = x.w, so that clipping its gradient keeps it convex.
    slope: l'(u; y); None for vector margins.  In each of the following, None means no bound.
    slope_bound: sup |l'| (the gradient's norm in the margins) over every u.
    confined_slope: sup |l'| over |u| <= R X.
    third: sup |l'''|.
    label_allowed, labels: which targets the facts hold for, and the words for it.
    needs: the key of the spec's model that this loss alone has.
    formula: l(u), for reading.

    The evaluators take margins (m, rows), or (m, rows, classes) for a loss of one margin a class, and
    labels (rows,), and give (m, rows): value, the loss; confidence, what is nearly Gaussian over models
    (the logit of the own label's probability, or the signed residual); slope_size, |l'|.  slopes takes
    labels as a tensor and gives a function from margins (m, classes, rows) to the derivatives in them.
    """

    name: str
    curvature: Fraction | None
    quadratic: bool
    margin: bool
    slope: Term | None
    slope_bound: Term | None
    confined_slope: Term | None
    third: Term | None
    label_allowed: Callable[[Fraction, int], bool]
    labels: str
    needs: str | None
    formula: str
    value: Evaluator
    confidence: Evaluator
    slope_size: Evaluator
    slopes: Callable[[Tensor, Settings], Slopes]


def any_number(label: Fraction, classes: int) -> bool:
    """Every target will do."""
    return True
