"""The Rényi divergence of all the iterates."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.o2_renyi import RENYI, D, c, order
from certaudit.lemmas.affine import RIDGE_STEP
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.path import JOINED, STEP
from certaudit.lemmas.terms import positive, right

AT = positive(D, c)
s, shift = sp.symbols("s m", positive=True)

LEMMAS = (
    RIDGE_STEP,
    STEP,
    JOINED,
    Lemma(
        "path-renyi",
        "(alpha - 1) D_alpha = log M(alpha - 1), M = e^c / sqrt(D).",
        (RENYI,),
        (
            Obligation(
                "s D_(1+s) is log M",
                lambda: s * right(RENYI, {**AT, order: 1 + s}) - sp.log(sp.exp(AT[c]) / sp.sqrt(AT[D])),
            ),
            Obligation(
                "two points a shift m apart: c = s (s+1) m^2/2, D = 1, D_alpha = alpha m^2/2",
                lambda: (
                    right(RENYI, {c: s * (s + 1) * shift**2 / 2, D: sp.Integer(1), order: 1 + s})
                    - (1 + s) * shift**2 / 2
                ),
            ),
        ),
    ),
)
