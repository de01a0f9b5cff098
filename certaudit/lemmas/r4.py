"""Adaptive composition for ridge."""

from __future__ import annotations

import sympy as sp

from certaudit.core.renyi import alpha, rest
from certaudit.core.rules import r1, s2
from certaudit.core.rules.r4 import (
    COST,
    EXPECTED,
    NEXT_ORDER,
    PER_STEP,
    X,
    count,
    eta,
    expected,
    kappa,
    mu,
    p,
    sigma2,
    v,
)
from certaudit.core.rules.s2 import INSTANCE
from certaudit.lemmas.gaussian import RENYI_OF_SHIFT
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

FACTS = ("slope",)

AT = positive(alpha, p, eta, count, X, sigma2, kappa, v, rest, expected)
ORDER, P = AT[alpha], AT[p]
x, mean = sp.symbols("x mu", real=True)
width = sp.Symbol("1-2 kappa v", positive=True)


def _square_completed() -> sp.Expr:
    """kappa x^2 - (x - mu)^2/(2 v) minus a Gaussian exponent of variance v/(1 - 2 kappa v)."""
    rate, spread = AT[kappa], AT[v]
    ratio = 1 - 2 * rate * spread
    square = -((x - mean / ratio) ** 2) * ratio / (2 * spread)
    return rate * x**2 - (x - mean) ** 2 / (2 * spread) - square - rate * mean**2 / ratio


def _expectation() -> sp.Expr:
    """log E exp(kappa r^2) from the completed square, minus the formula."""
    spread = AT[v]
    rate = (1 - width) / (2 * spread)
    claimed = rate * mean**2 / width + sp.log(spread / width) / 2 - sp.log(spread) / 2
    formula = right(EXPECTED, {kappa: rate, v: spread, mu: mean})
    return sp.expand_log(sp.simplify(formula) - claimed, force=True)


def _step_cost() -> sp.Expr:
    """p (alpha-1) times D_alpha of one step with a residual of 1."""
    shift = right(INSTANCE, {s2.forgotten: AT[X], s2.eta: AT[eta], s2.count: AT[count]})
    divergence = right(r1.RENYI, {r1.mu: shift / sp.sqrt(AT[sigma2]), alpha: ORDER})
    return P * (ORDER - 1) * divergence - right(COST, AT)


LEMMAS = (
    Lemma(
        "hoelder",
        "With 1/p + 1/p' = 1, p' = p/(p-1): E_P (ratio_1 ratio_2)^(alpha-1) <= (E ratio_1^((alpha-1) "
        "p'))^(1/p') (E e^(p (alpha-1) D_alpha(step)))^(1/p); the first factor is D of order alpha' = "
        "1 + (alpha-1) p'.",
        (NEXT_ORDER, PER_STEP),
        (
            Obligation("the exponents are conjugate", lambda: 1 / P + (P - 1) / P - 1),
            Obligation(
                "the order of the earlier steps",
                lambda: right(NEXT_ORDER, AT) - 1 - (ORDER - 1) * (P / (P - 1)),
            ),
            Obligation(
                "their weight is 1: (alpha' - 1)/(p' (alpha-1))",
                lambda: (right(NEXT_ORDER, AT) - 1) / (P / (P - 1) * (ORDER - 1)) - 1,
            ),
            Obligation(
                "the weight of the last step",
                lambda: right(PER_STEP, AT) - AT[rest] - AT[expected] / (P * (ORDER - 1)),
            ),
        ),
    ),
    RENYI_OF_SHIFT,
    Lemma(
        "step-cost",
        "Given the state one step shifts by (eta/N) |x| |r|, so D_alpha(step) = alpha (eta/N)^2 |x|^2 "
        "r^2/(2 sigma^2) and kappa r^2 = p (alpha-1) D_alpha(step).",
        (COST,),
        (Obligation("R1 at mu = (eta/N) |x|/sigma", _step_cost),),
    ),
    Lemma(
        "gaussian-square",
        "E exp(kappa r^2) for r ~ N(mu, v): a Gaussian integral of variance v/(1 - 2 kappa v), "
        "infinite unless 2 kappa v < 1.",
        (EXPECTED,),
        (
            Obligation("the square completed", _square_completed),
            Obligation("the ratio of the normalizing constants, with 1 - 2 kappa v > 0", _expectation),
        ),
    ),
)
