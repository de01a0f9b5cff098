"""A Rényi bound of one order to (epsilon, delta)."""

from __future__ import annotations

import sympy as sp

from certaudit.core.renyi import alpha, r
from certaudit.core.rules.c3 import (
    INTERCEPT,
    OPTIMAL,
    RATIO_INSIDE,
    RATIO_OUTSIDE,
    SLOPE,
    A,
    B,
    eps,
    intercept,
    slope,
    u,
    v,
)
from certaudit.core.term import Formula, symbol
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(alpha, A, B, eps, intercept, slope) | {r: sp.Symbol("r", nonnegative=True)}
ORDER, RATIO = AT[alpha], AT[A]
p, q, dp, dq, t, x = sp.symbols("p q dp dq t x", positive=True)
G = p**ORDER * q ** (1 - ORDER)
PEAK = (ORDER - 1) / ORDER


def _tangent(ratio: sp.Expr) -> sp.Expr:
    """The tangent plane of G at (ratio, 1)."""
    return ORDER * ratio ** (ORDER - 1) * p - (ORDER - 1) * ratio**ORDER * q


def _convex() -> sp.Expr:
    form = sp.diff(G, p, 2) * dp**2 + 2 * sp.diff(G, p, q) * dp * dq + sp.diff(G, q, 2) * dq**2
    return sp.simplify(form / G - ORDER * (ORDER - 1) * (q * dp - p * dq) ** 2 / (p * q) ** 2)


def _slopes() -> sp.Matrix:
    plane = _tangent(RATIO)
    return sp.Matrix(
        [
            sp.simplify((sp.diff(G, w).subs({p: RATIO, q: 1}) - sp.diff(plane, w)) / RATIO**ORDER)
            for w in (p, q)
        ]
    )


def _line() -> sp.Expr:
    """The two tangent planes added are e^{(alpha-1) r} on the line p = c + s q."""
    inside = _tangent(RATIO)
    outside = _tangent(AT[B]).subs({p: 1 - p, q: 1 - q}, simultaneous=True)
    on_line = right(INTERCEPT, AT) + right(SLOPE, AT) * q
    return (inside + outside).subs(p, on_line) - sp.exp((ORDER - 1) * AT[r])


def _only_inside(formula: Formula) -> sp.Expr:
    """A formula as B falls to 0, alpha = 1 + t, at A = e^eps alpha/(alpha-1)."""
    return right(formula, {**AT, alpha: 1 + t, B: 0, A: sp.exp(AT[eps]) * (1 + t) / t})


def _becomes_improved() -> sp.Expr:
    best = PEAK ** (ORDER - 1) / ORDER * sp.exp((ORDER - 1) * (AT[r] - AT[eps]))
    return sp.simplify(_only_inside(INTERCEPT) / best.subs(ORDER, 1 + t)) - 1


def _corner() -> sp.Expr:
    c, s, e = AT[intercept], AT[slope], sp.exp(AT[eps])
    return 1 - e * (1 - c) / s - (c + (1 - c) * (1 - e / s))


def _optimal_corner() -> sp.Expr:
    """OPTIMAL minus the value at the corner, c = 1/(1 + x) and s = e^eps + t."""
    c, s, e = 1 / (1 + x), sp.exp(AT[eps]) + t, sp.exp(AT[eps])
    return right(OPTIMAL, {**AT, intercept: c, slope: s}) - sp.Min(1, c + (1 - c) * (1 - e / s))


def _optimal_flat() -> sp.Expr:
    """OPTIMAL minus c, c = 1/(1 + x), at a slope e^eps/(1 + t) below e^eps."""
    c, s = 1 / (1 + x), sp.exp(AT[eps]) / (1 + t)
    return right(OPTIMAL, {**AT, intercept: c, slope: s}) - c


LEMMAS = (
    Lemma(
        "perspective",
        "g(p, q) = p^alpha q^(1-alpha) is homogeneous of degree 1 and convex, so it lies above its "
        "tangent plane alpha A^(alpha-1) p - (alpha-1) A^alpha q at ratio A = p/q.",
        (
            Formula(
                symbol("g(p,q)"),
                alpha * A ** (alpha - 1) * symbol("p") - (alpha - 1) * A**alpha * symbol("q"),
                ">=",
            ),
        ),
        (
            Obligation(
                "degree 1 (Euler)",
                lambda: sp.simplify((p * sp.diff(G, p) + q * sp.diff(G, q) - G) / G),
            ),
            Obligation("second form over g: alpha (alpha-1) (q dp - p dq)^2/(p q)^2 >= 0", _convex),
            Obligation("slopes of the plane", _slopes),
        ),
    ),
    Lemma(
        "two-tangents",
        "Data processing gives g(p, q) + g(1-p, 1-q) <= e^((alpha-1) r); the planes of ratios A and B "
        "below it give p <= c + s q.",
        (RATIO_INSIDE, RATIO_OUTSIDE, INTERCEPT, SLOPE),
        (
            Obligation("both planes added, on the line", _line),
            Obligation(
                "A is given by its logarithm u",
                lambda: sp.log(right(RATIO_INSIDE)) - sp.Symbol(u.name, real=True),
            ),
            Obligation(
                "B is given by its logarithm v",
                lambda: sp.log(right(RATIO_OUTSIDE)) - sp.Symbol(v.name, real=True),
            ),
        ),
    ),
    Lemma(
        "best-event",
        "Over 0 <= q and p <= min(1, c + s q), p - e^eps q is linear on both pieces, so it is at most "
        "its value c at q = 0 or its value at the corner q = (1-c)/s.",
        (OPTIMAL,),
        (
            Obligation("value at the corner", _corner),
            Obligation("OPTIMAL is that corner for c < 1, s > e^eps", _optimal_corner),
            Obligation("and c for s < e^eps", _optimal_flat),
        ),
    ),
    Lemma(
        "one-tangent-is-improved",
        "As B falls to 0 with A = e^eps alpha/(alpha-1), s = e^eps and c is the delta of the "
        "conversion C2: C3 is never worse.",
        (Formula(slope, symbol("e^epsilon")),),
        (
            Obligation("slope", lambda: _only_inside(SLOPE) - sp.exp(AT[eps])),
            Obligation("intercept over C2's delta", _becomes_improved),
        ),
    ),
)
