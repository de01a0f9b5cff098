"""The shift of a step whose removed rows have bounded slopes."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.s2 import INSTANCE, forgotten
from certaudit.core.shifts import SHIFT, count, eta, lengths, slopes
from certaudit.core.term import Formula, exp, symbol
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(eta, count)
x1, x2, q1, q2, a, b, d = sp.symbols("x_1 x_2 q_1 q_2 a b d", positive=True)

SHIFT_OF_ROWS = Lemma(
    "shift-of-bounded-slopes",
    "Rows whose slopes are at most q_i shift the step by at most (eta/N) sum |x_i| q_i.",
    (SHIFT,),
    (
        Obligation(
            "two rows: gradients of norm |x_i| q_i that leave the step",
            lambda: (
                right(SHIFT, {**AT, lengths: [x1, x2], slopes: [q1, q2]})
                - right(INSTANCE, {**AT, forgotten: x1 * q1 + x2 * q2})
            ),
        ),
    ),
)
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

LEMMAS = (SHIFT_OF_ROWS, CLIPPING_REPAIR)
