"""The squared loss."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy as sp

from certaudit.core.term import Formula, symbol, term
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import to_sympy
from certaudit.losses.loss import length, radius, u, y
from certaudit.losses.ridge import LOSS

U, Y = sp.symbols("u y", real=True)
X, t, a, b = sp.symbols("X t a b", positive=True)
VALUE = (U - Y) ** 2 / 2


def _on_a_ball(u_sign: int, y_sign: int) -> Any:
    """The bound for R X = |u| + t, squared, against the slope's square."""
    bound = to_sympy(LOSS.confined_slope, {radius: (a + t) / X, length: X, y: y_sign * b})
    return bound**2 >= (u_sign * a - y_sign * b) ** 2


LEMMAS = (
    Lemma(
        "ridge-slope",
        "The loss (u - y)^2/2 has loss'(u) = u - y, the residual; on |u| <= R X, |loss'| <= R X + |y|.",
        (Formula(symbol("loss'(u)"), LOSS.slope or term(0)),),
        (
            Obligation(
                "loss' is the derivative of the loss",
                lambda: sp.diff(VALUE, U) - to_sympy(LOSS.slope, {u: U, y: Y}),
            ),
            *(
                Obligation(
                    f"(R X + |y|)^2 >= (u - y)^2 for R X = |u| + t, u = {i} a, y = {j} b",
                    partial(_on_a_ball, i, j),
                )
                for i in (1, -1)
                for j in (1, -1)
            ),
            Obligation(
                "it is reached at u = R X, y = -b",
                lambda: (
                    to_sympy(LOSS.confined_slope, {radius: t, length: X, y: -b})
                    - to_sympy(LOSS.slope, {u: t * X, y: -b})
                ),
            ),
        ),
        ("slope", "slope_bound", "confined_slope"),
    ),
    Lemma(
        "ridge-curvature",
        "loss'' = 1 = beta everywhere.",
        (Formula(symbol("beta"), term(LOSS.curvature or 0)),),
        (
            Obligation(
                "second derivative", lambda: sp.diff(VALUE, U, 2) - to_sympy(term(LOSS.curvature or 0))
            ),
        ),
        ("curvature",),
    ),
)
