"""The softmax loss."""

from __future__ import annotations

import sympy as sp

from certaudit.core.term import Formula, symbol, term
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import to_sympy
from certaudit.losses.softmax import LOSS

t, a, b, p = sp.symbols("t a b p", positive=True)
LOGITS = sp.symbols("u_1:4", real=True)
PROBABILITIES = [sp.exp(logit) / sp.Add(*map(sp.exp, LOGITS)) for logit in LOGITS]
VALUE = sp.log(sp.Add(*map(sp.exp, LOGITS))) - LOGITS[0]


def _bound() -> sp.Expr:
    return to_sympy(LOSS.slope_bound)


def _beta() -> sp.Expr:
    return to_sympy(term(LOSS.curvature or 0))


def _gradient() -> sp.Matrix:
    return sp.Matrix(
        [
            sp.diff(VALUE, v) - (w - int(k == 0))
            for k, (v, w) in enumerate(zip(LOGITS, PROBABILITIES, strict=True))
        ]
    )


def _hessian() -> sp.Matrix:
    column = sp.Matrix(PROBABILITIES)
    return sp.hessian(VALUE, LOGITS) - (sp.diag(*PROBABILITIES) - column * column.T)


def _three() -> tuple[list[sp.Expr], list[sp.Symbol], sp.Expr, sp.Expr]:
    """Probabilities of three classes, a vector, its mean and its variance."""
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    weights, vector = [p1, p2, 1 - p1 - p2], list(sp.symbols("v_1:4", real=True))
    mean = sp.Add(*(w * v for w, v in zip(weights, vector, strict=True)))
    quadratic = sp.Add(*(w * v**2 for w, v in zip(weights, vector, strict=True))) - mean**2
    return weights, vector, mean, quadratic


def _pairs() -> sp.Expr:
    weights, vector, _, variance = _three()
    summed = [weights[i] * weights[j] * (vector[i] - vector[j]) ** 2 for i in range(3) for j in range(i)]
    return variance - sp.Add(*summed)


def _popoviciu() -> sp.Expr:
    weights, vector, mean, variance = _three()
    high, low = sp.symbols("M m", real=True)
    inside = sp.Add(*(w * (high - v) * (v - low) for w, v in zip(weights, vector, strict=True)))
    return (high - mean) * (mean - low) - variance - inside


LEMMAS = (
    Lemma(
        "softmax-gradient",
        "The loss log sum exp(u_j) - u_y has gradient p - e_y in the logits u = W^T x, and |p - e_y|^2"
        " <= 2 (1 - p_y)^2 < 2; the gradient in W is x (p - e_y)^T, of norm |x| |p - e_y|.",
        (Formula(symbol("G"), LOSS.slope_bound or term(0)),),
        (
            Obligation("the gradient is p - e_y (three classes)", _gradient),
            Obligation(
                "the other probabilities: their squares sum to at most (1 - p_y)^2",
                lambda: (a + b) ** 2 >= a**2 + b**2,
            ),
            Obligation(
                "G^2 - 2 (1 - p_y)^2 = 2 p_y (2 - p_y)",
                lambda: _bound() ** 2 - 2 * (1 - p) ** 2 - 2 * p * (2 - p),
            ),
            Obligation(
                "which is positive for p_y = 1/(1 + t)",
                lambda: (2 * p * (2 - p)).subs(p, 1 / (1 + t)) > 0,
            ),
        ),
        ("slope_bound",),
    ),
    Lemma(
        "softmax-curvature",
        "The Hessian in the logits is diag(p) - p p^T.  v.(diag(p) - p p^T)v is the variance of v "
        "under p, at most (max v - min v)^2/4 <= |v|^2/2 (Popoviciu), so beta = 1/2.",
        (Formula(symbol("beta"), term(LOSS.curvature or 0)),),
        (
            Obligation("the Hessian is diag(p) - p p^T (three classes)", _hessian),
            Obligation(
                "two classes: beta - 2 p (1 - p) is a square",
                lambda: _beta() - 2 * p * (1 - p) - 2 * (p - sp.Rational(1, 2)) ** 2,
            ),
            Obligation("the form is nonnegative: sum over pairs of p_i p_j (v_i - v_j)^2", _pairs),
            Obligation("(M - E v)(E v - m) - Var v = E (M - v)(v - m) >= 0 for m <= v <= M", _popoviciu),
            Obligation(
                "(M - m)^2/4 - (M - e)(e - m) is a square",
                lambda: (a - b) ** 2 / 4 - (a - t) * (t - b) - (t - (a + b) / 2) ** 2,
            ),
            Obligation(
                "(M - m)^2/4 <= (M^2 + m^2)/2 = beta (M^2 + m^2)",
                lambda: _beta() * (a**2 + b**2) - (a - b) ** 2 / 4 - (a + b) ** 2 / 4,
            ),
        ),
        ("curvature",),
    ),
)
