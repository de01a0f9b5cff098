"""High-probability sensitivity for ridge."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.exceedance import TAIL
from certaudit.core.rules.s3 import BOUND, SPENT, mu, q, v, z
from certaudit.lemmas.exceedance import RESIDUAL_TAIL
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.s2 import DELETION
from certaudit.lemmas.shifts import CLIPPING_REPAIR, SHIFT_OF_ROWS
from certaudit.lemmas.slope import CHAIN_RULE
from certaudit.lemmas.terms import positive, right

FACTS = ("slope",)

AT = positive(z, v)
size = sp.Symbol("m", positive=True)


def _spent(sign: int) -> sp.Expr:
    """The tail at q = |mu| + z sqrt(v), mu of either sign, minus what is spent."""
    at = {**AT, mu: sign * size}
    return sp.simplify(right(TAIL, {**at, q: right(BOUND, at)}) - right(SPENT, at))


LEMMAS = (
    RESIDUAL_TAIL,
    Lemma(
        "bounded-residuals",
        "The tail of r ~ N(mu, v) at q = |mu| + z sqrt(v) depends on z and |mu|/sqrt(v) alone.",
        (BOUND, SPENT),
        (
            Obligation("the tail at the bound, mu > 0", lambda: _spent(1)),
            Obligation("the tail at the bound, mu < 0", lambda: _spent(-1)),
        ),
    ),
    CHAIN_RULE,
    DELETION,
    SHIFT_OF_ROWS,
    CLIPPING_REPAIR,
)
