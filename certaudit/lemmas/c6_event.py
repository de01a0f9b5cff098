"""The hockey-stick divergence of one half-space."""

from __future__ import annotations

import sympy as sp

from certaudit.core.diagonal import eps
from certaudit.core.rules.c6_event import ABOVE, EVENT, VARIANCE, S, in_p, in_q, level, mean, variance, x
from certaudit.lemmas.gaussian import above
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(variance, in_p, in_q) | {one: sp.Symbol(one.name, real=True) for one in (level, mean, eps)}


def _variance() -> sp.Expr:
    """x.S x for S = L L^T, minus |L^T x|^2."""
    factor, normal = sp.Matrix(2, 2, sp.symbols("L_1:5")), sp.Matrix(sp.symbols("x_1:3"))
    image = factor.T * normal
    return right(VARIANCE, {x: normal, S: factor * factor.T})[0, 0] - image.dot(image)


LEMMAS = (
    Lemma(
        "one-event",
        "delta(eps) is the supremum of P(A) - e^eps Q(A), so any event bounds it from below; for a "
        "half-space both probabilities are normal tails.",
        (VARIANCE, ABOVE, EVENT),
        (
            Obligation("the variance of x.w", _variance),
            Obligation(
                "the tail by integration",
                lambda: sp.simplify(
                    above(AT[level], AT[mean], AT[variance]) - right(ABOVE, AT).rewrite(sp.erf)
                ),
            ),
            Obligation(
                "the difference", lambda: right(EVENT, AT) - AT[in_p] + sp.exp(AT[eps]) * AT[in_q]
            ),
        ),
    ),
)
