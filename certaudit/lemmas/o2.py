"""delta(epsilon) of all the iterates on a vertical line, and which root of D is meant."""

from __future__ import annotations

import sympy as sp

from certaudit.core.diagonal import eps
from certaudit.core.rules.o2 import (
    EDGE,
    MOMENT,
    NODE,
    REACH,
    TURN,
    above,
    below,
    constant,
    moment,
    root,
    s,
    w,
    y,
)
from certaudit.lemmas.affine import RIDGE_STEP
from certaudit.lemmas.c6 import LEMMAS as OF_C6
from certaudit.lemmas.c6 import LINE
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.path import JOINED, STEP
from certaudit.lemmas.terms import positive, right

AT = positive(moment, root, constant, s, eps, w, y, below, above)
u, t, x = sp.symbols("u t x", positive=True)


def _reach() -> sp.Expr:
    """Half the width of -y times [u, v]/w, and y^2/4 times (v - u)/w^2, minus the formula."""
    spread = AT[above] - AT[below]
    return right(REACH, AT) - AT[y] * spread / AT[w] / 2 - AT[y] ** 2 * spread / AT[w] ** 2 / 4


LEMMAS = (
    RIDGE_STEP,
    STEP,
    JOINED,
    LINE,
    *(one for one in OF_C6 if one.id == "vertical-line-error"),
    Lemma(
        "path-line",
        "M e^(-s eps) = e^(c - s eps)/sqrt(D) on the line and, at real points, on the strip's edges.",
        (MOMENT, NODE, EDGE),
        (
            Obligation(
                "M e^(-s eps)",
                lambda: right(MOMENT, AT) - sp.exp(AT[constant]) * sp.exp(-AT[s] * AT[eps]) / AT[root],
            ),
            Obligation("the integrand", lambda: right(NODE, AT) * AT[s] * (AT[s] + 1) - AT[moment]),
            Obligation(
                "an edge: M/(2 pi) times pi/sqrt(s (s+1))",
                lambda: (
                    right(EDGE, AT) - AT[moment] / (2 * sp.pi) * sp.pi / sp.sqrt(AT[s] * (AT[s] + 1))
                ),
            ),
        ),
    ),
    Lemma(
        "root-of-D",
        "D(s) = prod (1 - s l_k), l_k real.  With x_k = l_k/(1 - c l_k): D(c-w)/D(c) = prod (1 + w "
        "x_k), "
        "D(c)/D(c+w) = prod 1/(1 - w x_k), so u <= w sum x_k <= v and v - u >= w^2 sum x_k^2; the "
        "argument of D(c + iy)/D(c) is -sum atan(y x_k), within y^2 sum x_k^2 / 4 of -y sum x_k.",
        (TURN, REACH),
        (
            Obligation(
                "t - log(1 + t) rises from 0 for t > 0 (and falls to it for -1 < t < 0)",
                lambda: sp.factor(sp.diff(t - sp.log(1 + t), t)) > 0,
            ),
            Obligation(
                "-log(1 - t) - t rises from 0 for 0 < t < 1",
                lambda: sp.factor(sp.diff(-sp.log(1 - t) - t, t)).subs(t, 1 / (1 + u)) > 0,
            ),
            Obligation(
                "t^2/4 - (t - atan t) rises from 0: t/2 - t^2/(1 + t^2) = t (1-t)^2/(2 (1 + t^2))",
                lambda: sp.diff(t**2 / 4 - t + sp.atan(t), t) - t * (1 - t) ** 2 / (2 * (1 + t**2)),
            ),
            Obligation(
                "in the middle", lambda: right(TURN, AT) + AT[y] * (AT[below] + AT[above]) / AT[w] / 2
            ),
            Obligation("how far off", _reach),
        ),
    ),
)
