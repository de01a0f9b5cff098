"""Per-instance sensitivity."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.s2 import INSTANCE, INSTANCE_CURRENT, count, eta, forgotten, k, kept, others
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.slope import CHAIN_RULE
from certaudit.lemmas.terms import positive, right

FACTS = ("slope", "slope_bound", "confined_slope")

AT = positive(count, eta, forgotten, k, kept, others)
gone, rest = sp.symbols("g_F g_rest", real=True)
WHOLE = AT[k] + AT[kept]

DELETION = Lemma(
    "gradient-difference",
    "The loss part of a step is eta/N times a sum over the rows, so deletion with N kept changes the "
    "step by -(eta/N) times the gradients of the removed rows F: at most (eta/N) S_F with S_F the sum "
    "of their norms.",
    (INSTANCE,),
    (
        Obligation(
            "step on all rows minus step on the rest",
            lambda: (
                AT[eta] * (gone + rest) / AT[count]
                - AT[eta] * rest / AT[count]
                - right(INSTANCE, {**AT, forgotten: gone})
            ),
        ),
    ),
)
DELETION_CURRENT = Lemma(
    "gradient-difference-current",
    "With N the current number of rows, N = k + n_kept, deletion also reweights the rest: the step "
    "changes by (eta/N)(g_F - (k/n_kept) g_rest), of norm at most (eta/N)(S_F + (k/n_kept) S_rest).",
    (INSTANCE_CURRENT,),
    (
        Obligation(
            "eta/N (g_F + g_rest) - eta/n_kept g_rest",
            lambda: (
                AT[eta] * (gone + rest) / WHOLE
                - AT[eta] * rest / AT[kept]
                - right(INSTANCE_CURRENT, {**AT, count: WHOLE, forgotten: gone, others: -rest})
            ),
        ),
        Obligation(
            "it grows with both sums of norms",
            lambda: (
                sp.diff(right(INSTANCE_CURRENT, AT), AT[forgotten])
                * sp.diff(right(INSTANCE_CURRENT, AT), AT[others])
                > 0
            ),
        ),
    ),
    option="current",
)

LEMMAS = (CHAIN_RULE, DELETION, DELETION_CURRENT)
