"""Curvature of the objective."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.curvature import (
    CLIPPED_INSIDE,
    CLIPPED_OUTSIDE,
    FLAT,
    SMOOTH,
    STRONG,
    beta,
    count,
    lam,
    least,
    most,
    size,
    trace,
)
from certaudit.core.term import Formula, maximum, minimum, symbol
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

FACTS = ("curvature",)

AT = positive(beta, count, lam, least, most, size, trace)
t, e, f, h, v, w = sp.symbols("t e f h v w", positive=True)
X = sp.Symbol("X", positive=True)


def _clipped(slope: sp.Expr) -> sp.Expr:
    """The slope left when the gradient slope * x, of norm |slope| X, is cut to norm e."""
    norm = sp.Abs(slope) * X
    return slope * sp.Min(norm, e) / norm


LEMMAS = (
    Lemma(
        "gershgorin-in-other-coordinates",
        "With x = V y and |V^T V - I| <= v < 1, (1 - v)|y|^2 <= |x|^2 <= (1 + v)|y|^2 and x.G x = "
        "y.(V^T G V) y lies between low |y|^2 and high |y|^2 by Gershgorin, so low/(1 + v) <= x.G "
        "x/|x|^2 <= high/(1 - v) for low >= 0.",
        (
            Formula(symbol("kappa_min"), symbol("low") / (1 + symbol("v")), ">="),
            Formula(symbol("kappa_max"), symbol("high") / (1 - symbol("v")), "<="),
        ),
        (
            Obligation(
                "below, |x|^2 = (1 + v)|y|^2/(1 + t)",
                lambda: e / ((1 + v) / (1 + t)) - e / (1 + v) > 0,
            ),
            Obligation(
                "above, 1 - v = w and |x|^2 = w |y|^2 (1 + t)",
                lambda: e / w - e / (w * (1 + t)) > 0,
            ),
            Obligation(
                "a disc holds its row: |a y_1^2 + 2 b y_1 y_2| <= ... in 2 dimensions",
                lambda: (
                    (h + e) * f**2
                    + (t + e) * v**2
                    - (h * f**2 + t * v**2 + 2 * e * f * v)
                    - e * (f - v) ** 2
                ),
            ),
        ),
    ),
    Lemma(
        "eigenvalues",
        "Along a unit vector on which X^T X takes the value kappa the Hessian is between lambda and "
        "beta kappa/N + lambda (ridge: exactly kappa/N + lambda), and kappa_min <= kappa <= kappa_max.",
        (STRONG, SMOOTH),
        (
            Obligation(
                "the gap to L is beta (kappa_max - kappa)/N",
                lambda: (
                    right(SMOOTH, {**AT, most: h + t})
                    - (AT[beta] * h / AT[count] + AT[lam])
                    - AT[beta] * t / AT[count]
                ),
            ),
            Obligation(
                "the gap to m is (kappa - kappa_min)/N",
                lambda: ((AT[least] + t) / AT[count] + AT[lam]) - right(STRONG, AT) - t / AT[count],
            ),
            Obligation(
                "L grows with kappa_max (rounding up)",
                lambda: sp.diff(right(SMOOTH, AT), AT[most]) > 0,
            ),
            Obligation(
                "m grows with kappa_min (rounding down)",
                lambda: sp.diff(right(STRONG, AT), AT[least]) > 0,
            ),
        ),
    ),
    Lemma(
        "clipped-gradients",
        "A clip is a projection, so each example's clipped gradient keeps its Lipschitz constant, beta"
        " |x_j|^2, and lambda more where the regularizer is inside the clip; outside, the regularizer "
        "is not part of what is clipped, whatever rows are left.  Nothing is known of a clipped "
        "gradient's slope from below.",
        (FLAT, CLIPPED_OUTSIDE, CLIPPED_INSIDE),
        (
            Obligation(
                "outside: two rows over N",
                lambda: (
                    (AT[beta] * e + AT[beta] * f) / AT[count]
                    - right(CLIPPED_OUTSIDE, {**AT, trace: e + f})
                ),
            ),
            Obligation(
                "inside: two rows over N, each with the regularizer",
                lambda: (
                    ((AT[beta] * e + AT[lam]) + (AT[beta] * f + AT[lam])) / AT[count]
                    - right(CLIPPED_INSIDE, {**AT, trace: e + f, size: 2})
                ),
            ),
            Obligation("a constant gradient has curvature 0", lambda: sp.diff(e, h) - right(FLAT)),
        ),
        option="clip",
    ),
    Lemma(
        "clip-keeps-convexity",
        "Clipping the loss part of a margin loss to norm C cuts loss' off at -C/|x| and C/|x|: still a"
        " growing function of u with slope at most beta, the derivative of a convex (Huberized) loss.",
        (
            Formula(
                symbol("clipped loss'"),
                maximum(
                    -symbol("C") / symbol("X"), minimum(symbol("C") / symbol("X"), symbol("loss'(u)"))
                ),
            ),
        ),
        (
            Obligation("beyond: loss' X = C + t", lambda: _clipped((e + t) / X) - e / X),
            Obligation("beyond, negative", lambda: _clipped(-(e + t) / X) + e / X),
            Obligation("inside: C = loss' X + t", lambda: _clipped(f / X).subs(e, f + t) - f / X),
        ),
        option="clip",
    ),
)
