"""Worst-case sensitivity."""

from __future__ import annotations

from certaudit.core.rules import s2
from certaudit.core.rules.s1 import WORST, WORST_CURRENT, count, eta, k
from certaudit.core.rules.s2 import INSTANCE, INSTANCE_CURRENT
from certaudit.core.slope import M
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.s2 import AT, DELETION, DELETION_CURRENT
from certaudit.lemmas.slope import CHAIN_RULE
from certaudit.lemmas.terms import positive, right

FACTS = ("slope", "slope_bound", "confined_slope")

OWN = {**AT, **positive(M, count, eta, k)}

LEMMAS = (
    CHAIN_RULE,
    DELETION,
    DELETION_CURRENT,
    Lemma(
        "all-gradients-alike",
        "k rows whose gradients are at most M: s = eta k M/N, and for the normalizer `current` twice "
        "that, as the others, at most M too, are reweighted.",
        (WORST, WORST_CURRENT),
        (
            Obligation(
                "S_F = k M",
                lambda: right(INSTANCE, {**OWN, s2.forgotten: OWN[k] * OWN[M]}) - right(WORST, OWN),
            ),
            Obligation(
                "S_F = k M and S_rest = n_kept M",
                lambda: (
                    right(
                        INSTANCE_CURRENT,
                        {**OWN, s2.forgotten: OWN[k] * OWN[M], s2.others: OWN[s2.kept] * OWN[M]},
                    )
                    - right(WORST_CURRENT, OWN)
                ),
            ),
        ),
    ),
)
