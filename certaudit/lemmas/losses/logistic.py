"""The logistic loss."""

from __future__ import annotations

import sympy as sp

from certaudit.core.term import Formula, symbol, term
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import to_sympy
from certaudit.losses.logistic import LOSS
from certaudit.losses.loss import length, radius, u, y

U, Y = sp.symbols("u y", real=True)
R, X, p, q = sp.symbols("R X p q", positive=True)
VALUE = sp.log(1 + sp.exp(-Y * U))
SIGMOID = 1 / (1 + sp.exp(-U))
SKEW = p * (1 - p) * (1 - 2 * p)


def _slope(label: sp.Expr = Y, margin: sp.Expr = U) -> sp.Expr:
    return to_sympy(LOSS.slope, {u: margin, y: label})


def _beta() -> sp.Expr:
    return to_sympy(term(LOSS.curvature or 0))


def _third() -> sp.Expr:
    return to_sympy(LOSS.third)


def _derivative(order: int) -> sp.Expr:
    return sp.diff(VALUE.subs(Y, 1), U, order)


def _largest_skew() -> sp.Expr:
    """The largest |p(1-p)(1-2p)| on [0, 1]: over the stationary points sympy finds and both ends."""
    stationary = sp.solve(sp.diff(SKEW, p), p)
    points = [*stationary, sp.Integer(0), sp.Integer(1)]
    return sp.Max(*(sp.Abs(sp.simplify(SKEW.subs(p, point))) for point in points))


LEMMAS = (
    Lemma(
        "logistic-slope",
        "The loss log(1 + exp(-y u)), y = -1 or 1, has loss'(u) = -y/(1 + exp(y u)).  Its size is "
        "below 1, falls as y u grows, and on |u| <= R X is at most its value at y u = -R X; loss' "
        "itself grows.",
        (Formula(symbol("loss'(u)"), LOSS.slope or term(0)),),
        (
            Obligation("loss' is the derivative of the loss", lambda: sp.diff(VALUE, U) - _slope()),
            Obligation(
                "the labels mirror each other",
                lambda: _slope(sp.Integer(-1)) + _slope(sp.Integer(1), -U),
            ),
            Obligation("|loss'| falls with u for y = 1", lambda: sp.diff(-_slope(sp.Integer(1)), U) < 0),
            Obligation("loss' grows for y = -1, too", lambda: sp.diff(_slope(sp.Integer(-1)), U) > 0),
            Obligation(
                "|loss'| is below the bound for y = 1",
                lambda: to_sympy(LOSS.slope_bound) + _slope(sp.Integer(1)) > 0,
            ),
            Obligation(
                "which it tends to",
                lambda: sp.limit(_slope(sp.Integer(1)), U, -sp.oo) + to_sympy(LOSS.slope_bound),
            ),
            Obligation(
                "its value at u = -R X for y = 1 is the bound on the ball",
                lambda: (
                    _slope(sp.Integer(1), -R * X) + to_sympy(LOSS.confined_slope, {radius: R, length: X})
                ),
            ),
        ),
        ("slope", "slope_bound", "confined_slope"),
    ),
    Lemma(
        "logistic-curvature",
        "0 < loss''(u) = p (1 - p) <= beta = 1/4, p = 1/(1 + exp(-u)).",
        (Formula(symbol("beta"), term(LOSS.curvature or 0)),),
        (
            Obligation("loss'' = p (1 - p)", lambda: _derivative(2) - SIGMOID * (1 - SIGMOID)),
            Obligation(
                "which is positive",
                lambda: sp.exp(U) / (1 + sp.exp(U)) ** 2 > 0,
            ),
            Obligation("that is loss''", lambda: _derivative(2) - sp.exp(U) / (1 + sp.exp(U)) ** 2),
            Obligation(
                "beta - loss'' is a square",
                lambda: _beta() - _derivative(2) - ((1 - sp.exp(U)) / (2 * (1 + sp.exp(U)))) ** 2,
            ),
        ),
        ("curvature",),
    ),
    Lemma(
        "logistic-third-derivative",
        "|loss'''(u)| = |p (1 - p) (1 - 2 p)| is at most 1/(6 sqrt 3), taken where 6 p (1 - p) = 1.",
        (Formula(symbol("B_3"), LOSS.third or term(0)),),
        (
            Obligation("loss''' = p (1 - p) (1 - 2 p)", lambda: _derivative(3) - SKEW.subs(p, SIGMOID)),
            Obligation("largest over stationary points and ends", lambda: _largest_skew() - _third()),
            Obligation(
                "B_3^2 - loss'''^2 = 4 (q - 1/6)^2 (q + 1/12) for q = p (1 - p)",
                lambda: (
                    (_third() ** 2 - SKEW**2)
                    - (4 * (q - sp.Rational(1, 6)) ** 2 * (q + sp.Rational(1, 12))).subs(q, p * (1 - p))
                ),
            ),
        ),
        ("third",),
    ),
)
