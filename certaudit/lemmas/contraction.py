"""Lipschitz constant of a step."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.contraction import CLIPPED_STEP, STEP, eta
from certaudit.core.rules.curvature import L, m
from certaudit.core.term import Formula, symbol
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(eta, m, L)
t, e, f, theta = sp.symbols("t e f theta", positive=True)


def _convex_combination() -> sp.Expr:
    end = theta * (1 - AT[eta] * AT[m]) + (1 - theta) * (1 - AT[eta] * AT[L])
    return 1 - AT[eta] * (theta * AT[m] + (1 - theta) * AT[L]) - end


def _nonexpansive() -> sp.Expr:
    """|v|^2 - |p|^2 = |v - p|^2 + 2 p.(v - p), in two coordinates."""
    v, p = sp.Matrix(sp.symbols("v_1 v_2", real=True)), sp.Matrix(sp.symbols("p_1 p_2", real=True))
    return v.dot(v) - p.dot(p) - ((v - p).dot(v - p) + 2 * p.dot(v - p))


PROJECTION = Lemma(
    "projection-nonexpansive",
    "A projection onto a ball (any closed convex set) does not expand: with v = u - u' and p the "
    "difference of the projections, p.(v - p) >= 0, hence |p| <= |v|.",
    (Formula(symbol("|p|"), symbol("|v|"), "<="),),
    (Obligation("|v|^2 - |p|^2 = |v - p|^2 + 2 p.(v - p)", _nonexpansive),),
    option="projection",
)

LEMMAS = (
    Lemma(
        "contraction-at-an-end",
        "A gradient step multiplies each direction by 1 - eta h with m <= h <= L (mean value theorem),"
        " and |1 - eta h| is convex in h, so it is largest at h = m or h = L.",
        (STEP,),
        (
            Obligation("1 - eta h is affine in h = theta m + (1 - theta) L", _convex_combination),
            Obligation(
                "a weighted mean of two sizes e, e + t is at most the larger (theta = 1/(1 + f))",
                lambda: sp.Ge(
                    (e + t) - (theta * e + (1 - theta) * (e + t)).subs(theta, 1 / (1 + f)),
                    0,
                    evaluate=False,
                ),
            ),
            Obligation(
                "the formula is the larger end",
                lambda: (
                    right(STEP, AT) - sp.Max(sp.Abs(1 - AT[eta] * AT[m]), sp.Abs(1 - AT[eta] * AT[L]))
                ),
            ),
            Obligation(
                "1 - (1 - x)^2 = x (2 - x): below 1 for 0 < x < 2",
                lambda: 1 - (1 - e) ** 2 - e * (2 - e),
            ),
        ),
    ),
    Lemma(
        "expansion-bound",
        "phi(w) = (1 - eta m) w - eta g(w), m w the part of the regularizer that no clip changes: if "
        "the clipped gradients g are L-Lipschitz, |phi(a) - phi(b)| <= (|1 - eta m| + eta L) |a - b|.",
        (CLIPPED_STEP,),
        (
            Obligation(
                "the two parts added",
                lambda: (
                    sp.Abs(1 - AT[eta] * AT[m]) * t + AT[eta] * AT[L] * t - right(CLIPPED_STEP, AT) * t
                ),
            ),
        ),
        option="clip",
    ),
    PROJECTION,
)
