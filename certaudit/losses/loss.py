"""What the rules may know about a loss: exact facts, each with its reason in the loss's module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from certaudit.core.term import Term, symbol

u, y = symbol("u"), symbol("y")
kink = symbol("k")
radius, length = symbol("R"), symbol("X")


@dataclass(frozen=True)
class Loss:
    """Exact facts about a loss l(u; y) of margins u.

    curvature: the largest second derivative (of the Hessian in the margins); None if unknown.
    quadratic: l is (u - y)^2/2, so that X^T X/N bounds the curvature of the sum from below too.
    margin: the loss has one margin u = x.w, so that clipping its gradient keeps it convex.
    slope: l'(u; y); None for vector margins.  In each of the following, None means no bound.
    slope_bound: sup |l'| (the gradient's norm in the margins) over every u.
    confined_slope: sup |l'| over |u| <= R X.
    third: sup |l'''|.
    label_allowed, labels: which targets the facts hold for, and the words for it.
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


def any_number(label: Fraction, classes: int) -> bool:
    """Every target will do."""
    return True
