"""A diagonal stand-in for two laws."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.c7b import CLOSENESS, EXCHANGED, e_p, e_q, phi0, tau, tiny
from certaudit.lemmas.diagonal import CLOSE_LAWS, DEVIATES
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(e_q, e_p, tau, tiny, phi0)
e = sp.Symbol("e", real=True)
t = sp.Symbol("t", positive=True)

LEMMAS = (
    DEVIATES,
    Lemma(
        "closeness",
        "Whitened by its stand-in each law is N(u, I + E) with |u| and |E| (Frobenius) at most phi_0."
        "  The other way round E' = -(I + E)^{-1} E and u' are at most phi = phi_0/(1 - phi_0), below "
        "1/8 for phi_0 < 1/10.",
        (CLOSENESS, EXCHANGED),
        (
            Obligation(
                "phi_0 is the largest of them",
                lambda: right(CLOSENESS, AT) - sp.Max(AT[e_q], AT[e_p], AT[tau], AT[tiny]),
            ),
            Obligation("(1 + e)(1 + e') = 1", lambda: (1 + e) * (1 - e / (1 + e)) - 1),
            Obligation(
                "e' at its largest, e = -phi_0",
                lambda: (-e / (1 + e)).subs(e, -AT[phi0]) - right(EXCHANGED, AT),
            ),
            Obligation("it falls with e", lambda: sp.diff((-e / (1 + e)), e) + 1 / (1 + e) ** 2),
            Obligation(
                "1/8 at phi_0 = 1/(10 (1 + t))",
                lambda: sp.Rational(1, 8) - right(EXCHANGED, {phi0: 1 / (10 * (1 + t))}) > 0,
            ),
        ),
    ),
    CLOSE_LAWS,
)
