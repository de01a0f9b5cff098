"""High-probability sensitivity for losses of a margin."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.s4 import HALF_WIDTH, SUP, bias, high, length, low, p, tau2
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.s2 import DELETION
from certaudit.lemmas.shifts import CLIPPING_REPAIR, SHIFT_OF_ROWS
from certaudit.lemmas.slope import CHAIN_RULE
from certaudit.lemmas.terms import positive, right

FACTS = ("slope",)

AT = positive(length, tau2, p, bias)
a, b, t = sp.symbols("a b t", positive=True)


LEMMAS = (
    Lemma(
        "half-width",
        "A Lipschitz function of Gaussian noise with constant |x| tau deviates from its mean by more "
        "than h with probability at most 2 exp(-h^2/(2 |x|^2 tau^2)), which is p at h = |x| tau sqrt(2"
        " log(2/p)); the mean is within |x| b of the noiseless margin.",
        (HALF_WIDTH,),
        (
            Obligation(
                "2 exp(-h^2/(2 |x|^2 tau^2)) = p",
                lambda: (
                    2
                    * sp.exp(
                        -(right(HALF_WIDTH, {**AT, bias: 0}) ** 2) / (2 * AT[length] ** 2 * AT[tau2])
                    )
                    - AT[p]
                ),
            ),
            Obligation(
                "the bias adds |x| b",
                lambda: (
                    right(HALF_WIDTH, AT) - right(HALF_WIDTH, {**AT, bias: 0}) - AT[length] * AT[bias]
                ),
            ),
        ),
    ),
    Lemma(
        "end-of-interval",
        "The loss is convex, so loss' grows with u and |loss'| over an interval is largest at an end: "
        "if l <= g <= h then |g| <= max(|l|, |h|).",
        (SUP,),
        (
            Obligation(
                "ends a > 0 and a + t: the upper one",
                lambda: right(SUP, {low: a, high: a + t}) - (a + t),
            ),
            Obligation(
                "ends -a - t and -a: the lower one",
                lambda: right(SUP, {low: -a - t, high: -a}) - (a + t),
            ),
            Obligation(
                "ends -a and b: the value theta b - (1 - theta) a is no larger, theta = 1/(1 + t)",
                lambda: sp.Max(a, b) - right(SUP, {low: -a, high: b}),
            ),
            Obligation(
                "b - (b/(1 + t) - a t/(1 + t)) is positive, and likewise below",
                lambda: (b - (b - a * t) / (1 + t)) * ((b - a * t) / (1 + t) + a) > 0,
            ),
        ),
    ),
    CHAIN_RULE,
    DELETION,
    SHIFT_OF_ROWS,
    CLIPPING_REPAIR,
)
