"""Rényi bounds turned into (epsilon, delta): C1 to C4."""

from __future__ import annotations

import sympy as sp

from certaudit.kernel import conversion as cv
from certaudit.kernel import optimal as op
from certaudit.lemmas.lemma import Lemma, Obligation

alpha, r, delta, eps = cv.alpha, cv.r, cv.delta, cv.eps
t, p, q, dp, dq, rho, gain = sp.symbols("t p q dp dq rho g", positive=True)
x = sp.Symbol("x", positive=True)
over = sp.Symbol("1/delta", positive=True)
PEAK = (alpha - 1) / alpha
CONSTANT = PEAK ** (alpha - 1) / alpha
G = p**alpha * q ** (1 - alpha)
BEST_ORDER = 1 + sp.sqrt(gain / rho)


def _improved() -> sp.Expr:
    """C2's epsilon, the branch that is not 0."""
    return next(part for part in cv.IMPROVED.rhs.args if part != 0)


def _chernoff() -> sp.Expr:
    epsilon = cv.MIRONOV.rhs.subs(delta, 1 / over).doit()
    return sp.simplify((alpha - 1) * (r - epsilon)) + sp.log(over)


def _improved_solves() -> sp.Expr:
    """log of (CONSTANT e^{(alpha-1)(r - epsilon)}) minus log delta, alpha = 1 + t."""
    order = 1 + t
    log_constant = (alpha - 1) * (sp.log(alpha - 1) - sp.log(alpha)) - sp.log(alpha)
    value = log_constant + (alpha - 1) * (r - _improved()) - sp.log(delta)
    return sp.simplify(sp.expand_log(sp.expand(value.subs(alpha, order))))


def _weight(y: sp.Expr) -> sp.Expr:
    """(1 - y) y^(alpha-1): 1 - e^(eps-l) over e^((alpha-1)(l-eps)), with y = e^(eps-l)."""
    return (1 - y) * y ** (alpha - 1)


def _weight_slope() -> sp.Expr:
    return sp.diff(_weight(x), x) - x ** (alpha - 2) * (alpha - 1 - alpha * x)


def _advantage() -> sp.Expr:
    """C1 minus C2, alpha = 1 + t, minus the two logarithms it is made of."""
    mironov = cv.MIRONOV.rhs.subs(delta, sp.exp(-x)).doit()
    improved = _improved().subs(delta, sp.exp(-x))
    claimed = sp.log(alpha / (alpha - 1)) + sp.log(alpha) / (alpha - 1)
    return sp.simplify(
        sp.expand_log(sp.expand((mironov - improved - claimed).subs(alpha, 1 + t)), force=False)
    )


def _mironov_curve() -> sp.Expr:
    return rho * alpha + gain / (alpha - 1)


def _improved_slope() -> sp.Expr:
    """d/d alpha of C2 on the curve r = rho alpha, minus rho + log(alpha delta)/(alpha-1)^2."""
    slope = sp.diff(_improved().subs(r, rho * alpha), alpha)
    return slope - (rho + (sp.log(delta) + sp.log(alpha)) / (alpha - 1) ** 2)


def _tangent(ratio: sp.Expr) -> sp.Expr:
    """The tangent plane of G at (ratio, 1)."""
    return alpha * ratio ** (alpha - 1) * p - (alpha - 1) * ratio**alpha * q


def _convex() -> sp.Expr:
    form = sp.diff(G, p, 2) * dp**2 + 2 * sp.diff(G, p, q) * dp * dq + sp.diff(G, q, 2) * dq**2
    return sp.simplify(form / G - alpha * (alpha - 1) * (q * dp - p * dq) ** 2 / (p * q) ** 2)


def _line() -> sp.Expr:
    """The two tangent planes added are e^{(alpha-1) r} on the line p = c + s q."""
    inside = _tangent(op.A)
    outside = _tangent(op.B).subs({p: 1 - p, q: 1 - q}, simultaneous=True)
    on_line = op.INTERCEPT.rhs + op.SLOPE.rhs * q
    return (inside + outside).subs(p, on_line) - sp.exp((alpha - 1) * r)


def _only_inside(formula: sp.Eq) -> sp.Expr:
    """A formula of C3 as B falls to 0, alpha = 1 + t, at A = e^eps alpha/(alpha-1)."""
    return formula.rhs.subs(alpha, 1 + t).subs(op.B, 0).subs(op.A, sp.exp(eps) * (1 + t) / t)


def _becomes_improved() -> sp.Expr:
    improved_delta = (CONSTANT * sp.exp((alpha - 1) * (r - eps))).subs(alpha, 1 + t)
    return sp.simplify(_only_inside(op.INTERCEPT) / improved_delta) - 1


LEMMAS = (
    Lemma(
        "chernoff",
        ("C1",),
        "P(l > eps) <= e^((alpha-1)(r - eps)) for l = log p/q (Markov on e^((alpha-1) l) under P), "
        "and P(S) <= e^eps Q(S) + P(l > eps); the bound is delta at epsilon = r + log(1/delta)/(alpha"
        " - 1).",
        cv.MIRONOV,
        (Obligation("(alpha - 1)(r - epsilon) = -log(1/delta)", _chernoff),),
    ),
    Lemma(
        "best-multiple",
        ("C2",),
        "delta(eps) = E_P (1 - e^(eps-l))_+ <= K E_P e^((alpha-1)(l-eps)), K the largest (1 - y) "
        "y^(alpha-1) over 0 < y = e^(eps-l) < 1, at y = (alpha-1)/alpha; solved for eps this is C2.",
        cv.IMPROVED,
        (
            Obligation("derivative in y", _weight_slope),
            Obligation("it vanishes at (alpha-1)/alpha", lambda: (alpha - 1 - alpha * x).subs(x, PEAK)),
            Obligation("is positive before", lambda: (alpha - 1 - alpha * (PEAK - t)) > 0),
            Obligation("and negative after", lambda: (alpha - 1 - alpha * (PEAK + t)) < 0),
            Obligation(
                "K is the value there",
                lambda: sp.simplify((_weight(PEAK) - CONSTANT).subs(alpha, 1 + t)),
            ),
            Obligation("K e^((alpha-1)(r-eps)) = delta at C2's epsilon", _improved_solves),
        ),
    ),
    Lemma(
        "improved-is-better",
        ("C2",),
        "C1 minus C2 is log(alpha/(alpha-1)) + log(alpha)/(alpha-1) > 0.",
        sp.Ge(cv.MIRONOV.rhs, _improved()),
        (
            Obligation("the difference", _advantage),
            Obligation(
                "log(alpha/(alpha-1)) > 0: alpha/(alpha-1) - 1 at alpha = 1 + t",
                lambda: (1 + t) / t - 1 > 0,
            ),
            Obligation("log(alpha) > 0: alpha - 1 at alpha = 1 + t", lambda: (1 + t) - 1 > 0),
        ),
    ),
    Lemma(
        "best-order",
        ("C1", "C2"),
        "C4: on the curve r = rho alpha, C1 is least at alpha = 1 + sqrt(log(1/delta)/rho), with "
        "value rho + 2 sqrt(rho log(1/delta)); C2 where rho (alpha-1)^2 = -log(alpha delta).  Any "
        "order is sound, so a numerical search may choose it.",
        sp.Eq(sp.Symbol("epsilon_C1"), rho + 2 * sp.sqrt(rho * sp.log(1 / delta, evaluate=False))),
        (
            Obligation(
                "the curve is C1 at r = rho alpha, log(1/delta) = g",
                lambda: (
                    cv.MIRONOV.rhs.subs(r, rho * alpha).subs(delta, sp.exp(-gain)).doit()
                    - _mironov_curve()
                ),
            ),
            Obligation(
                "the derivative vanishes at the optimum",
                lambda: sp.diff(_mironov_curve(), alpha).subs(alpha, BEST_ORDER),
            ),
            Obligation(
                "the second derivative is positive, alpha = 1 + t",
                lambda: sp.diff(_mironov_curve(), alpha, 2).subs(alpha, 1 + t) > 0,
            ),
            Obligation(
                "the value",
                lambda: _mironov_curve().subs(alpha, BEST_ORDER) - (rho + 2 * sp.sqrt(rho * gain)),
            ),
            Obligation("derivative of C2 along the curve", _improved_slope),
        ),
    ),
    Lemma(
        "perspective",
        ("C3",),
        "g(p, q) = p^alpha q^(1-alpha) is homogeneous of degree 1 and convex, so it lies above its "
        "tangent plane alpha A^(alpha-1) p - (alpha-1) A^alpha q at ratio A = p/q.",
        sp.Ge(sp.Symbol("g(p,q)"), alpha * op.A ** (alpha - 1) * p - (alpha - 1) * op.A**alpha * q),
        (
            Obligation(
                "degree 1 (Euler)",
                lambda: sp.simplify((p * sp.diff(G, p) + q * sp.diff(G, q) - G) / G),
            ),
            Obligation("second form over g: alpha (alpha-1) (q dp - p dq)^2/(p q)^2 >= 0", _convex),
            Obligation(
                "slopes of the plane",
                lambda: sp.Matrix(
                    [
                        sp.simplify(
                            (sp.diff(G, v).subs({p: op.A, q: 1}) - sp.diff(_tangent(op.A), v))
                            / op.A**alpha
                        )
                        for v in (p, q)
                    ]
                ),
            ),
        ),
    ),
    Lemma(
        "two-tangents",
        ("C3",),
        "Data processing gives g(p, q) + g(1-p, 1-q) <= e^((alpha-1) r); the planes of ratios A and B"
        " below it give p <= c + s q.",
        sp.Tuple(op.INTERCEPT, op.SLOPE),
        (
            Obligation("both planes added, on the line", _line),
            Obligation("A is given by its logarithm u", lambda: sp.log(op.RATIO_INSIDE.rhs) - op.u),
            Obligation("B is given by its logarithm v", lambda: sp.log(op.RATIO_OUTSIDE.rhs) - op.v),
        ),
    ),
    Lemma(
        "best-event",
        ("C3",),
        "Over 0 <= q and p <= min(1, c + s q), p - e^eps q is linear on both pieces, so it is at most"
        " its value c at q = 0 or its value at the corner q = (1-c)/s.",
        op.OPTIMAL,
        (
            Obligation(
                "value at the corner",
                lambda: (
                    1
                    - sp.exp(eps) * (1 - op.intercept) / op.slope
                    - (op.intercept + (1 - op.intercept) * (1 - sp.exp(eps) / op.slope))
                ),
            ),
            Obligation(
                "OPTIMAL is that corner for c < 1, s > e^eps",
                lambda: (
                    op.OPTIMAL.rhs.subs(op.slope, sp.exp(eps) + t).subs(op.intercept, 1 / (1 + x))
                    - sp.Min(1, (1 + x * (1 - sp.exp(eps) / (sp.exp(eps) + t))) / (1 + x))
                ),
            ),
        ),
    ),
    Lemma(
        "one-tangent-is-improved",
        ("C3",),
        "As B falls to 0 with A = e^eps alpha/(alpha-1), s = e^eps and c is C2's delta: C3 is never "
        "worse.",
        sp.Eq(op.slope, sp.exp(eps)),
        (
            Obligation("slope", lambda: _only_inside(op.SLOPE) - sp.exp(eps)),
            Obligation("intercept over C2's delta", _becomes_improved),
        ),
    ),
)
