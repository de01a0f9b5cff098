"""The Huber loss."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy as sp

from certaudit.core.term import Formula, symbol, term
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import to_sympy
from certaudit.losses.huber import LOSS
from certaudit.losses.loss import kink, length, radius, u, y
from certaudit.losses.ridge import LOSS as RIDGE

U, Y = sp.symbols("u y", real=True)
K, R, X, t, a, b, q = sp.symbols("k R X t a b q", positive=True)
MIDDLE, RIGHT, LEFT = (U - Y) ** 2 / 2, K * (U - Y) - K**2 / 2, -K * (U - Y) - K**2 / 2


def _slope(margin: sp.Expr, threshold: sp.Expr = K) -> sp.Expr:
    return to_sympy(LOSS.slope, {u: margin, y: Y, kink: threshold})


def _beta() -> sp.Expr:
    return to_sympy(term(LOSS.curvature or 0))


def _grows(at: dict[sp.Symbol, sp.Expr]) -> Any:
    """min(k, a + t) >= min(k, a)."""
    return sp.Ge((sp.Min(K, a + t) - sp.Min(K, a)).subs(at), 0, evaluate=False)


LEMMAS = (
    Lemma(
        "huber-slope",
        "The Huber loss is (u - y)^2/2 for |u - y| <= k and k |u - y| - k^2/2 beyond; loss' is u - y "
        "cut off at -k and k, so that |loss'| = min(k, |u - y|) is at most k, and at most min(k, R X +"
        " |y|) on |u| <= R X.",
        (Formula(symbol("loss'(u)"), LOSS.slope or term(0)),),
        (
            Obligation("right piece, u - y = k + t", lambda: sp.diff(RIGHT, U) - _slope(Y + K + t)),
            Obligation("left piece, u - y = -k - t", lambda: sp.diff(LEFT, U) - _slope(Y - K - t)),
            Obligation(
                "middle piece, u - y = (a - b)/2 and k = (a + b)/2",
                lambda: (
                    sp.diff(MIDDLE, U).subs(U, Y + (a - b) / 2) - _slope(Y + (a - b) / 2, (a + b) / 2)
                ),
            ),
            Obligation("the pieces join on the right", lambda: (MIDDLE - RIGHT).subs(U, Y + K)),
            Obligation("the pieces join on the left", lambda: (MIDDLE - LEFT).subs(U, Y - K)),
            *(
                Obligation(
                    f"min(k, t) grows with t: min(k, a + t) >= min(k, a), k {case}", partial(_grows, at)
                )
                for case, at in (
                    ("below a", {a: K + b}),
                    ("between", {K: a + b, t: b + q}),
                    ("above a + t", {K: a + t + b}),
                )
            ),
            Obligation(
                "the bound is the slope beyond k",
                lambda: to_sympy(LOSS.slope_bound, {kink: K}) - _slope(Y + K + t),
            ),
            Obligation(
                "on the ball it is the ridge bound cut off at k",
                lambda: (
                    to_sympy(LOSS.confined_slope, {kink: K, radius: R, length: X, y: Y})
                    - sp.Min(K, to_sympy(RIDGE.confined_slope, {radius: R, length: X, y: Y}))
                ),
            ),
        ),
        ("slope", "slope_bound", "confined_slope"),
    ),
    Lemma(
        "huber-curvature",
        "loss'' is 1 = beta inside and 0 outside.",
        (Formula(symbol("beta"), term(LOSS.curvature or 0)),),
        (
            Obligation("inside", lambda: sp.diff(MIDDLE, U, 2) - _beta()),
            Obligation("outside", lambda: sp.diff(RIGHT, U, 2)),
        ),
        ("curvature",),
    ),
)
