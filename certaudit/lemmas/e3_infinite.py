"""An infinite Rényi divergence."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.e3_infinite import FORM, first_covariance, order, second_covariance, x
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import right

alpha, p, q, t = sp.symbols("alpha p q t", positive=True)


def _form() -> sp.Expr:
    """FORM for variances p under P and q under Q."""
    values = {first_covariance: p, second_covariance: q}
    one = {symbol: sp.Matrix([[value]]) for symbol, value in values.items()}
    return right(FORM, {**one, x: sp.Matrix([[1]]), order: alpha})[0, 0]


LEMMAS = (
    Lemma(
        "divergent-integral",
        "Along one direction p^alpha q^(1-alpha) of N(m, p) and N(0, q) has -(alpha q + (1 - alpha) "
        "p)/(2 p q) before x^2: where the form is negative the integral diverges.",
        (FORM,),
        (
            Obligation(
                "the coefficient of x^2",
                lambda: -alpha / (2 * p) - (1 - alpha) / (2 * q) + _form() / (2 * p * q),
            ),
            Obligation(
                "it is positive where the form is -t",
                lambda: -(_form().subs(q, ((alpha - 1) * p - t) / alpha)) - t,
            ),
        ),
    ),
)
