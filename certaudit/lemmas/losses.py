"""Slopes and curvatures of the losses, as functions of the margin u = x.w."""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy as sp

from certaudit.kernel.margin import SLOPES, THIRD, u, y
from certaudit.kernel.slope import HUBER_SLOPE, LOGISTIC_SLOPE, RIDGE_SLOPE, SOFTMAX_SLOPE, R, X, kink
from certaudit.kernel.spectrum import LOSS_CURVATURE
from certaudit.lemmas.lemma import Lemma, Obligation

SLOPED = ("S1", "S2", "S1-drift")
t, a, b, q, k = sp.symbols("t a b q k", positive=True)
p = sp.Symbol("p", positive=True)
slope, curvature, third = sp.Symbol("loss'(u)"), sp.Symbol("loss''(u)"), sp.Symbol("loss'''(u)")

LOGISTIC = sp.log(1 + sp.exp(-y * u))
RIDGE = (u - y) ** 2 / 2
HUBER_MIDDLE, HUBER_RIGHT = (u - y) ** 2 / 2, kink * (u - y) - kink**2 / 2
HUBER_LEFT = -kink * (u - y) - kink**2 / 2
HUBER = sp.Piecewise((HUBER_LEFT, u - y < -kink), (HUBER_MIDDLE, u - y <= kink), (HUBER_RIGHT, True))
_class, _label = sp.Symbol("j", integer=True), sp.Symbol("y", integer=True)
SOFTMAX = sp.log(sp.Sum(sp.exp(sp.Indexed("u", _class)), (_class, 0, sp.Symbol("K") - 1))) - sp.Indexed(
    "u", _label
)
LOSSES = {"ridge": RIDGE, "logistic": LOGISTIC, "huber": HUBER, "softmax": SOFTMAX}
SIGMOID = 1 / (1 + sp.exp(-u))
SKEW = p * (1 - p) * (1 - 2 * p)


def _beta(loss: str) -> sp.Rational:
    bound = LOSS_CURVATURE[loss]
    return sp.Rational(bound.numerator, bound.denominator)


def _logistic(order: int) -> sp.Expr:
    return sp.diff(LOGISTIC.subs(y, 1), u, order)


def _largest_skew() -> sp.Expr:
    """The largest |p(1-p)(1-2p)| on [0, 1]: over the stationary points sympy finds and both ends."""
    stationary = sp.solve(sp.diff(SKEW, p), p)
    points = [*stationary, sp.Integer(0), sp.Integer(1)]
    return sp.Max(*(sp.Abs(sp.simplify(SKEW.subs(p, point))) for point in points))


def _softmax(classes: int) -> tuple[list[sp.Symbol], list[sp.Expr]]:
    logits = list(sp.symbols(f"u_1:{classes + 1}", real=True))
    total = sp.Add(*map(sp.exp, logits))
    return logits, [sp.exp(logit) / total for logit in logits]


def _softmax_loss(logits: list[sp.Symbol]) -> sp.Expr:
    """SOFTMAX for the label 0."""
    whole = SOFTMAX.subs({_label: 0, sp.Symbol("K"): len(logits)}).doit()
    return whole.subs({sp.Indexed("u", j): logit for j, logit in enumerate(logits)})


def _softmax_gradient() -> sp.Matrix:
    logits, probabilities = _softmax(3)
    loss = _softmax_loss(logits)
    return sp.Matrix(
        [
            sp.diff(loss, v) - (w - int(i == 0))
            for i, (v, w) in enumerate(zip(logits, probabilities, strict=True))
        ]
    )


def _softmax_hessian() -> sp.Matrix:
    logits, probabilities = _softmax(3)
    loss = _softmax_loss(logits)
    column = sp.Matrix(probabilities)
    return sp.hessian(loss, logits) - (sp.diag(*probabilities) - column * column.T)


def _three() -> tuple[list[sp.Expr], list[sp.Symbol], sp.Expr, sp.Expr]:
    """Probabilities of three classes, a vector, its mean and its variance."""
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    weights, vector = [p1, p2, 1 - p1 - p2], list(sp.symbols("v_1:4", real=True))
    mean = sp.Add(*(w * v for w, v in zip(weights, vector, strict=True)))
    quadratic = sp.Add(*(w * v**2 for w, v in zip(weights, vector, strict=True))) - mean**2
    return weights, vector, mean, quadratic


def _popoviciu() -> sp.Expr:
    weights, vector, mean, variance = _three()
    high, low = sp.symbols("M m", real=True)
    inside = sp.Add(*(w * (high - v) * (v - low) for w, v in zip(weights, vector, strict=True)))
    return (high - mean) * (mean - low) - variance - inside


def _two_classes() -> sp.Expr:
    hessian = sp.Matrix([[p * (1 - p), -p * (1 - p)], [-p * (1 - p), p * (1 - p)]])
    largest = sp.Max(*(e.subs(p, sp.Rational(1, 2)) for e in hessian.eigenvals()))
    return largest - _beta("softmax")


def _ridge_on_a_ball(u_sign: int, y_sign: int) -> Any:
    bound = RIDGE_SLOPE.subs(y, y_sign * b).subs(R, (a + t) / X)
    return bound**2 >= (u_sign * a - y_sign * b) ** 2


def _piece(at: sp.Expr, piece: sp.Expr) -> sp.Expr:
    return (HUBER - piece).subs(u, at)


def _huber_grows(at: dict[sp.Symbol, sp.Expr]) -> Any:
    return sp.Ge((sp.Min(kink, a + t) - sp.Min(kink, a)).subs(at), 0, evaluate=False)


LEMMAS = (
    Lemma(
        "logistic-slope",
        (*SLOPED, "margin-law", "S4"),
        "The loss log(1 + exp(-y u)), y = -1 or 1, has loss'(u) = -y/(1 + exp(y u)).  Its size is "
        "below 1, falls as y u grows, and on |u| <= R X is at most its value at y u = -R X.",
        sp.Eq(slope, SLOPES["logistic"]),
        (
            Obligation(
                "loss' is the derivative of the loss", lambda: sp.diff(LOGISTIC, u) - SLOPES["logistic"]
            ),
            Obligation(
                "the labels mirror each other",
                lambda: (
                    SLOPES["logistic"].subs(y, -1)
                    + SLOPES["logistic"].subs({y: 1, u: -u}, simultaneous=True)
                ),
            ),
            Obligation(
                "|loss'| falls with u for y = 1", lambda: sp.diff(-SLOPES["logistic"].subs(y, 1), u) < 0
            ),
            Obligation("|loss'| < 1 for y = 1", lambda: 1 + SLOPES["logistic"].subs(y, 1) > 0),
            Obligation(
                "its value at u = -R X for y = 1 is the slope used",
                lambda: SLOPES["logistic"].subs({y: 1, u: -R * X}) + LOGISTIC_SLOPE,
            ),
        ),
        ("logistic",),
    ),
    Lemma(
        "logistic-curvature",
        ("curvature", "contraction"),
        "0 < loss''(u) <= beta = 1/4.",
        sp.Eq(curvature, SIGMOID * (1 - SIGMOID)),
        (
            Obligation(
                "loss'' = p (1 - p), p = 1/(1 + exp(-u))", lambda: _logistic(2) - SIGMOID * (1 - SIGMOID)
            ),
            Obligation("loss'' is positive", lambda: sp.exp(u) / (1 + sp.exp(u)) ** 2 > 0),
            Obligation("that is loss''", lambda: _logistic(2) - sp.exp(u) / (1 + sp.exp(u)) ** 2),
            Obligation(
                "beta - loss'' is a square",
                lambda: (
                    _beta("logistic") - _logistic(2) - ((1 - sp.exp(u)) / (2 * (1 + sp.exp(u)))) ** 2
                ),
            ),
        ),
        ("logistic",),
    ),
    Lemma(
        "logistic-third-derivative",
        ("margin-law", "S4"),
        "|loss'''(u)| = |p (1 - p) (1 - 2 p)| is at most 1/(6 sqrt 3), taken where 6 p (1 - p) = 1.",
        sp.Eq(sp.Symbol("B_3"), THIRD["logistic"]),
        (
            Obligation("loss''' = p (1 - p) (1 - 2 p)", lambda: _logistic(3) - SKEW.subs(p, SIGMOID)),
            Obligation(
                "largest over stationary points and ends", lambda: _largest_skew() - THIRD["logistic"]
            ),
            Obligation(
                "B_3^2 - loss'''^2 = 4 (q - 1/6)^2 (q + 1/12) for q = p (1 - p)",
                lambda: (
                    (THIRD["logistic"] ** 2 - SKEW**2)
                    - (4 * (q - sp.Rational(1, 6)) ** 2 * (q + sp.Rational(1, 12))).subs(q, p * (1 - p))
                ),
            ),
        ),
        ("logistic",),
    ),
    Lemma(
        "ridge-slope",
        (*SLOPED, "S3", "residual-law"),
        "The loss (u - y)^2/2 has loss'(u) = u - y, the residual, and loss'' = 1; on |u| <= R X, "
        "|loss'| <= R X + |y|.",
        sp.Eq(slope, u - y),
        (
            Obligation("loss' is the residual", lambda: sp.diff(RIDGE, u) - (u - y)),
            Obligation("loss'' = beta", lambda: sp.diff(RIDGE, u, 2) - _beta("ridge")),
            *(
                Obligation(
                    f"(R X + |y|)^2 >= (u - y)^2 for R X = |u| + t, u = {i} a, y = {j} b",
                    partial(_ridge_on_a_ball, i, j),
                )
                for i in (1, -1)
                for j in (1, -1)
            ),
        ),
        ("ridge",),
    ),
    Lemma(
        "ridge-curvature",
        ("curvature", "contraction"),
        "loss'' = 1 = beta everywhere.",
        sp.Eq(curvature, 1),
        (Obligation("second derivative", lambda: sp.diff(RIDGE, u, 2) - _beta("ridge")),),
        ("ridge",),
    ),
    Lemma(
        "huber-slope",
        (*SLOPED, "margin-law", "S4", "curvature", "contraction"),
        "The Huber loss is (u - y)^2/2 for |u - y| <= k and k |u - y| - k^2/2 beyond; loss' is u - y "
        "cut off at -k and k, loss'' is 1 or 0, and |loss'| grows with |u - y|, so it is at most k, "
        "and at most min(k, R X + |y|) on |u| <= R X.",
        sp.Eq(slope, SLOPES["huber"]),
        (
            Obligation(
                "right piece, u - y = k + t",
                lambda: sp.diff(HUBER_RIGHT, u) - SLOPES["huber"].subs(u, y + kink + t),
            ),
            Obligation(
                "left piece, u - y = -k - t",
                lambda: sp.diff(HUBER_LEFT, u) - SLOPES["huber"].subs(u, y - kink - t),
            ),
            Obligation(
                "middle piece, u - y = (a - b)/2 and k = (a + b)/2",
                lambda: (sp.diff(HUBER_MIDDLE, u) - SLOPES["huber"]).subs(
                    {u: y + (a - b) / 2, kink: (a + b) / 2}
                ),
            ),
            *(
                Obligation(f"{side} is that piece of the loss", partial(_piece, at, piece))
                for side, at, piece in (
                    ("u - y = -k - t", y - kink - t, HUBER_LEFT),
                    ("u = y", y, HUBER_MIDDLE),
                    ("u - y = k + t", y + kink + t, HUBER_RIGHT),
                )
            ),
            Obligation(
                "the pieces join on the right", lambda: (HUBER_MIDDLE - HUBER_RIGHT).subs(u, y + kink)
            ),
            Obligation(
                "the pieces join on the left", lambda: (HUBER_MIDDLE - HUBER_LEFT).subs(u, y - kink)
            ),
            Obligation("loss'' = 1 inside", lambda: sp.diff(HUBER_MIDDLE, u, 2) - _beta("huber")),
            Obligation("loss'' = 0 outside", lambda: sp.diff(HUBER_RIGHT, u, 2)),
            Obligation(
                "the slope used is the ridge slope cut off at k",
                lambda: HUBER_SLOPE - sp.Min(kink, RIDGE_SLOPE),
            ),
        ),
        ("huber",),
    ),
    Lemma(
        "softmax-gradient",
        SLOPED,
        "The loss log sum exp(u_j) - u_y has gradient p - e_y in the logits u = W^T x, and |p - "
        "e_y|^2 <= 2 (1 - p_y)^2 <= 2; the gradient in W is x (p - e_y)^T, of norm |x| |p - e_y|.",
        sp.Eq(sp.Symbol("G"), SOFTMAX_SLOPE),
        (
            Obligation("the gradient is p - e_y (three classes)", _softmax_gradient),
            Obligation(
                "the other probabilities: their squares sum to at most (1 - p_y)^2",
                lambda: (a + b) ** 2 >= a**2 + b**2,
            ),
            Obligation(
                "2 - 2 (1 - p_y)^2 = 2 p_y (2 - p_y)",
                lambda: SOFTMAX_SLOPE**2 - 2 * (1 - p) ** 2 - 2 * p * (2 - p),
            ),
            Obligation(
                "which is positive for p_y = 1/(1 + t)",
                lambda: (2 * p * (2 - p)).subs(p, 1 / (1 + t)) > 0,
            ),
        ),
        ("softmax",),
    ),
    Lemma(
        "softmax-curvature",
        ("curvature", "contraction"),
        "The Hessian in the logits is diag(p) - p p^T.  v.(diag(p) - p p^T)v is the variance of v "
        "under p, at most (max v - min v)^2/4 <= |v|^2/2 (Popoviciu), so beta = 1/2.",
        sp.Eq(sp.Symbol("beta"), _beta("softmax")),
        (
            Obligation("the Hessian is diag(p) - p p^T (three classes)", _softmax_hessian),
            Obligation("two classes: its largest eigenvalue is at most 1/2", _two_classes),
            Obligation(
                "two classes: 1/2 - 2 p (1 - p) is a square",
                lambda: _beta("softmax") - 2 * p * (1 - p) - 2 * (p - sp.Rational(1, 2)) ** 2,
            ),
            Obligation(
                "the form is nonnegative: sum over pairs of p_i p_j (v_i - v_j)^2",
                lambda: (
                    _three()[3]
                    - sp.Add(
                        *(
                            _three()[0][i] * _three()[0][j] * (_three()[1][i] - _three()[1][j]) ** 2
                            for i in range(3)
                            for j in range(i)
                        )
                    )
                ),
            ),
            Obligation("(M - E v)(E v - m) - Var v = E (M - v)(v - m) >= 0 for m <= v <= M", _popoviciu),
            Obligation(
                "(M - m)^2/4 - (M - e)(e - m) is a square",
                lambda: (a - b) ** 2 / 4 - (a - t) * (t - b) - (t - (a + b) / 2) ** 2,
            ),
            Obligation(
                "(M - m)^2/4 <= (M^2 + m^2)/2 = beta (M^2 + m^2)",
                lambda: _beta("softmax") * (a**2 + b**2) - (a - b) ** 2 / 4 - (a + b) ** 2 / 4,
            ),
        ),
        ("softmax",),
    ),
    Lemma(
        "end-of-interval",
        ("S4",),
        "|loss'| over an interval of u is largest at an end: for the logistic loss it is monotone in "
        "u, for the Huber loss it grows with |u - y|, which is convex.",
        sp.Le(sp.Abs(slope), sp.Max(sp.Symbol("|loss'(u_-)|"), sp.Symbol("|loss'(u_+)|"))),
        (
            Obligation(
                "logistic, y = 1: loss' keeps its sign and grows",
                lambda: sp.diff(SLOPES["logistic"].subs(y, 1), u) > 0,
            ),
            Obligation(
                "logistic, y = -1: loss' keeps its sign and grows",
                lambda: sp.diff(SLOPES["logistic"].subs(y, -1), u) > 0,
            ),
            *(
                Obligation(
                    f"huber: min(k, t) grows with t: min(k, a + t) >= min(k, a), case k {case}",
                    partial(_huber_grows, at),
                )
                for case, at in (
                    ("below a", {a: kink + b}),
                    ("between", {kink: a + b, t: b + q}),
                    ("above a + t", {kink: a + t + b}),
                )
            ),
        ),
        ("logistic", "huber"),
    ),
)
