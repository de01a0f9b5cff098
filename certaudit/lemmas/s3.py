"""High-probability sensitivity for ridge."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.exceedance import TAIL
from certaudit.core.rules.s3 import BOUND, SHIFT, SPENT, bounds, count, eta, lengths, mu, q, v, z
from certaudit.core.term import Formula, exp, symbol
from certaudit.lemmas.exceedance import RESIDUAL_TAIL
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

FACTS = ("slope",)

AT = positive(z, v, eta, count)
size, x1, x2, r1, r2, a, b, d = sp.symbols("m x_1 x_2 r_1 r_2 a b d", positive=True)


def _spent(sign: int) -> sp.Expr:
    """The tail at q = |mu| + z sqrt(v), mu of either sign, minus what is spent."""
    at = {**AT, mu: sign * size}
    return sp.simplify(right(TAIL, {**at, q: right(BOUND, at)}) - right(SPENT, at))


CLIPPING_REPAIR = Lemma(
    "clipping-repair",
    "Clip the removed points' gradients of one world at their bounds: the clipped run differs from the"
    " run with probability at most delta_s, and phi^c = phi' minus a vector of norm at most s_t, so "
    "|phi^c(u) - phi'(v)| <= c' |u - v| + s_t surely.  P(S) <= e^eps Q(S) + delta + delta_s, and the "
    "other direction from the other world's law.",
    (
        Formula(
            symbol("P(S)"),
            exp(symbol("epsilon")) * symbol("Q(S)") + symbol("delta") + symbol("delta_s"),
            "<=",
        ),
    ),
    (
        Obligation(
            "phi^c(u) - phi'(v) = (phi'(u) - phi'(v)) - clipped part",
            lambda: (a - b) - d - ((a - d) - b),
        ),
    ),
)

LEMMAS = (
    RESIDUAL_TAIL,
    Lemma(
        "bounded-residuals",
        "The tail of r ~ N(mu, v) at q = |mu| + z sqrt(v) depends on z and |mu|/sqrt(v) alone; rows "
        "whose residuals are at most q_i shift the step by at most (eta/N) sum |x_i| q_i.",
        (BOUND, SPENT, SHIFT),
        (
            Obligation("the tail at the bound, mu > 0", lambda: _spent(1)),
            Obligation("the tail at the bound, mu < 0", lambda: _spent(-1)),
            Obligation(
                "the shift of two rows",
                lambda: (
                    right(SHIFT, {**AT, lengths: [x1, x2], bounds: [r1, r2]})
                    - AT[eta] / AT[count] * (x1 * r1 + x2 * r2)
                ),
            ),
        ),
    ),
    CLIPPING_REPAIR,
)
