"""Composition."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.i2 import SHIFT, SPENT, n, s, sigma2
from certaudit.core.term import indexed
from certaudit.lemmas.gaussian import SQUARES_ADD
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(n, s, sigma2)
first, second = sp.symbols("E_1 E_2", positive=True)

LEMMAS = (
    SQUARES_ADD,
    Lemma(
        "composed-steps",
        "Given the past, one step of shift s and noise sigma is a pair of mu^2 = s^2/sigma^2; n equal "
        "steps and any steps after one another add up.",
        (SPENT, SHIFT),
        (
            Obligation(
                "n steps of shift s",
                lambda: right(SPENT, AT) - AT[n] * (AT[s] / sp.sqrt(AT[sigma2])) ** 2,
            ),
            Obligation(
                "mu^2 of two stretches",
                lambda: right(SHIFT, {indexed("E"): [first, second]}) ** 2 - first - second,
            ),
            Obligation("and mu >= 0", lambda: right(SHIFT, {indexed("E"): [first, second]}) > 0),
        ),
    ),
)
