"""Bounded gradients in both worlds."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.s1_drift import (
    NO_SHRINKAGE,
    SHRINKAGE,
    TWO_GRADIENTS,
    count_p,
    count_q,
    eta,
    lam,
    total_p,
    total_q,
)
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.slope import CHAIN_RULE
from certaudit.lemmas.terms import positive, right

FACTS = ("slope", "slope_bound", "confined_slope")

AT = positive(eta, lam, total_p, total_q, count_p, count_q)
a, b, g_p, g_q = sp.symbols("a b g_P g_Q", real=True)


def _difference(shrink: sp.Expr) -> sp.Expr:
    """phi(a) - phi'(b) minus its two parts: what is left of a - b, and eta times the gradients."""
    moved = (shrink * a - AT[eta] * g_p) - (shrink * b - AT[eta] * g_q)
    return moved - (shrink * (a - b) + AT[eta] * (g_q - g_p))


LEMMAS = (
    CHAIN_RULE,
    Lemma(
        "drift",
        "phi(w) = (1 - eta lambda) w - eta g(w) with |g| <= S_P/N_P, and phi' likewise with S_Q/N_Q, "
        "whatever the loss: |phi(u) - phi'(v)| <= |1 - eta lambda| |u - v| + eta (S_P/N_P + S_Q/N_Q)."
        "  Where the regularizer is inside the clip, it is part of g and the factor is 1.",
        (SHRINKAGE, NO_SHRINKAGE, TWO_GRADIENTS),
        (
            Obligation("split of the difference", lambda: _difference(1 - AT[eta] * AT[lam])),
            Obligation("the factor", lambda: right(SHRINKAGE, AT) - sp.Abs(1 - AT[eta] * AT[lam])),
            Obligation(
                "without the regularizer outside: the same at lambda = 0",
                lambda: right(NO_SHRINKAGE) - right(SHRINKAGE, {**AT, lam: 0}),
            ),
            Obligation(
                "the shift",
                lambda: (
                    right(TWO_GRADIENTS, AT)
                    - AT[eta] * AT[total_p] / AT[count_p]
                    - AT[eta] * AT[total_q] / AT[count_q]
                ),
            ),
        ),
    ),
)
