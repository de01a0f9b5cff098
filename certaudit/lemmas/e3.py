"""The Rényi divergence of two Gaussians."""

from __future__ import annotations

import sympy as sp

from certaudit.core.diagonal import l, s
from certaudit.core.rules.e3 import (
    ERROR,
    LOG_DET_ERROR,
    LOG_M,
    RELATIVE,
    RENYI,
    d,
    e_first,
    e_p,
    e_q,
    e_s,
    e_second,
    floor,
    log_m,
    norm,
    order,
    r,
    u,
)
from certaudit.lemmas.diagonal import DEVIATES
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(s, e_q, e_p, floor, r, d, norm, e_s, e_first, e_second, order)
POINT, SMALL, LEAST = AT[s], AT[r], AT[floor]
t, excess, move = sp.symbols("t lambda nu", positive=True)
eq, ep = sp.symbols("e_q e_p", real=True)


def _closed_form() -> sp.Expr:
    """D_alpha of N(nu, 1 + lambda) against N(0, 1) from the variance alpha + (1 - alpha)(1 + lambda)."""
    alpha = AT[order]
    variance = alpha + (1 - alpha) * (1 + excess)
    logs = sp.log(variance) - (1 - alpha) * sp.log(1 + excess)
    closed = alpha * move**2 / (2 * variance) - logs / (2 * (alpha - 1))
    log_moment = right(LOG_M, {s: alpha - 1, l: [excess], u: [move]})
    formula = right(RENYI, {log_m: log_moment, order: alpha})
    return sp.expand(closed - formula).replace(sp.log, lambda argument: sp.log(sp.expand(argument)))


def _two_coordinates() -> sp.Expr:
    other, shift = sp.symbols("lambda_2 nu_2", positive=True)
    both = right(LOG_M, {s: POINT, l: [excess, other], u: [move, shift]})
    one = right(LOG_M, {s: POINT, l: [excess], u: [move]})
    return both - one - right(LOG_M, {s: POINT, l: [other], u: [shift]})


def _assembled() -> sp.Expr:
    """The bound minus its parts: the quadratic form, log det S + s log det S_P - (1+s) log det S_Q."""
    form = POINT * (POINT + 1) / 2 * AT[norm] ** 2 * (1 / (LEAST * (1 - SMALL)) - 1 / LEAST)
    dets = (AT[e_s] + POINT * AT[e_first] + (1 + POINT) * AT[e_second]) / 2
    return right(ERROR, AT) - form - dets


LEMMAS = (
    DEVIATES,
    Lemma(
        "renyi-of-gaussians",
        "D_alpha = log M(alpha - 1)/(alpha - 1); with S_alpha = alpha S_Q + (1 - alpha) S_P it is "
        "alpha Delta.S_alpha^-1 Delta/2 - log(det S_alpha/(det S_P^(1-alpha) det S_Q^alpha))/(2 (alpha"
        " - 1)).",
        (LOG_M, RENYI),
        (
            Obligation("closed form in one coordinate of the stand-in", _closed_form),
            Obligation("coordinates add up", _two_coordinates),
        ),
    ),
    Lemma(
        "dropped-off-diagonals",
        "In V's coordinates (1+s) S_Q - s S_P is diag(1 - s l) + (1+s) E_Q - s E_P, relatively within "
        "r: each log det changes by at most sqrt(d) r/(1-r), the quadratic form by at most |u|^2 "
        "r/((1-r) min|1 - s l|).",
        (RELATIVE, LOG_DET_ERROR, ERROR),
        (
            Obligation(
                "one entry",
                lambda: (
                    (1 + POINT) * (1 + eq)
                    - POINT * (1 + excess + ep)
                    - (1 - POINT * excess)
                    - ((1 + POINT) * eq - POINT * ep)
                ),
            ),
            Obligation(
                "its size over the least diagonal entry",
                lambda: right(RELATIVE, AT) * LEAST - (1 + POINT) * AT[e_q] - POINT * AT[e_p],
            ),
            Obligation(
                "-log(1 - y) <= y/(1 - y): derivative of the difference, y = 1/(1 + t)",
                lambda: sp.diff(move / (1 - move) + sp.log(1 - move), move).subs(move, 1 / (1 + t)) > 0,
            ),
            Obligation(
                "d eigenvalues of r/sqrt(d) each (Cauchy-Schwarz)",
                lambda: AT[d] * (SMALL / sp.sqrt(AT[d])) / (1 - SMALL) - right(LOG_DET_ERROR, AT),
            ),
            Obligation(
                "resolvents: 1/(f (1-r)) - 1/f = r/(f (1-r))",
                lambda: 1 / (LEAST * (1 - SMALL)) - 1 / LEAST - SMALL / (LEAST * (1 - SMALL)),
            ),
            Obligation("the parts together", _assembled),
        ),
    ),
)
