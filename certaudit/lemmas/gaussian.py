"""Two Gaussians of one covariance."""

from __future__ import annotations

import sympy as sp

from certaudit.core.gaussian import GAUSSIAN, eps, mu
from certaudit.core.renyi import alpha
from certaudit.core.rules.r1 import RENYI
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

x = sp.Symbol("x", real=True)
s, mu1, mu2 = sp.symbols("s mu_1 mu_2", positive=True)
AT = positive(mu, eps, alpha)
M, E, ORDER = AT[mu], AT[eps], AT[alpha]


def density(at: sp.Expr, mean: sp.Expr, variance: sp.Expr) -> sp.Expr:
    """The Gaussian density at a point."""
    return sp.exp(-((at - mean) ** 2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)


def above(threshold: sp.Expr, mean: sp.Expr, variance: sp.Expr) -> sp.Expr:
    """P(x > threshold), by integration."""
    return sp.integrate(density(x, mean, variance), (x, threshold, sp.oo)).rewrite(sp.erf)


def _by_integration() -> sp.Expr:
    integrand = sp.exp(-ORDER * (x - M) ** 2 / 2 - (1 - ORDER) * x**2 / 2) / sp.sqrt(2 * sp.pi)
    whole = sp.integrate(sp.expand(integrand), (x, -sp.oo, sp.oo))
    return sp.log(sp.simplify(whole)) / (ORDER - 1) - right(RENYI, AT)


def _threshold_event() -> sp.Expr:
    """P(S) - e^eps Q(S), S = {x > eps/mu + mu/2}, P = N(mu, 1), Q = N(0, 1), minus the formula."""
    edge = E / M + M / 2
    value = above(edge, M, sp.Integer(1)) - sp.exp(E) * above(edge, sp.Integer(0), sp.Integer(1))
    return sp.simplify(value - right(GAUSSIAN, AT).rewrite(sp.erf))


def _slope_in_epsilon() -> sp.Expr:
    claimed = -sp.exp(E) * sp.erfc((E / M + M / 2) / sp.sqrt(2)) / 2
    return sp.diff(right(GAUSSIAN, AT), E) - claimed


def _slope_in_mu() -> sp.Expr:
    return sp.diff(right(GAUSSIAN, AT), M) - density(E / M - M / 2, sp.Integer(0), sp.Integer(1))


RENYI_OF_SHIFT = Lemma(
    "renyi-of-shift",
    "D_alpha(N(mu, 1) | N(0, 1)) = alpha mu^2/2, by completing the square: alpha (x - mu)^2 + (1 - "
    "alpha) x^2 = (x - alpha mu)^2 + alpha (1 - alpha) mu^2.",
    (RENYI,),
    (
        Obligation(
            "the square completed",
            lambda: (
                ORDER * (x - M) ** 2
                + (1 - ORDER) * x**2
                - (x - ORDER * M) ** 2
                - ORDER * (1 - ORDER) * M**2
            ),
        ),
        Obligation(
            "the exponent left, over alpha - 1",
            lambda: -ORDER * (1 - ORDER) * M**2 / 2 / (ORDER - 1) - right(RENYI, AT),
        ),
        Obligation("by integration", _by_integration),
    ),
)
SQUARES_ADD = Lemma(
    "gaussian-dp-adds-in-squares",
    "Pairs N(mu_i, 1) against N(0, 1), observed together, have log-ratio sum of Gaussians: M(s) "
    "multiplies, exp(s (s+1) mu^2/2) with mu^2 = sum mu_i^2.",
    (),
    (
        Obligation(
            "M(s) of one pair: the square completed",
            lambda: (1 + s) * (x - M) ** 2 - s * x**2 - (x - (1 + s) * M) ** 2 + s * (s + 1) * M**2,
        ),
        Obligation(
            "exponents add",
            lambda: (
                s * (s + 1) * mu1**2 / 2 + s * (s + 1) * mu2**2 / 2 - s * (s + 1) * (mu1**2 + mu2**2) / 2
            ),
        ),
    ),
)
HOCKEY_STICK = Lemma(
    "gaussian-hockey-stick",
    "For N(mu, 1) against N(0, 1) log p/q = mu x - mu^2/2 exceeds eps for x > eps/mu + mu/2 (Neyman-"
    "Pearson), so delta = Phi(mu/2 - eps/mu) - e^eps Phi(-mu/2 - eps/mu).",
    (GAUSSIAN,),
    (
        Obligation(
            "log-ratio of the densities", lambda: -((x - M) ** 2) / 2 + x**2 / 2 - (M * x - M**2 / 2)
        ),
        Obligation("it is eps at the threshold", lambda: M * (E / M + M / 2) - M**2 / 2 - E),
        Obligation("P(S) - e^eps Q(S) by integration", _threshold_event),
    ),
)
MONOTONE = Lemma(
    "gaussian-hockey-stick-monotone",
    "delta_mu(eps) falls with eps, d delta/d eps = -e^eps Phi(-eps/mu - mu/2) < 0, and grows with mu, "
    "d delta/d mu = phi(eps/mu - mu/2) > 0: rounding mu up bounds delta from above, and the values at "
    "finitely many eps bound those between.",
    (GAUSSIAN,),
    (
        Obligation("derivative in eps", _slope_in_epsilon),
        Obligation("derivative in mu", _slope_in_mu),
        Obligation(
            "Phi(-y) = erfc(y/sqrt 2)/2 is the integral of a positive density",
            lambda: -sp.diff(sp.erfc(x / sp.sqrt(2)) / 2, x) > 0,
        ),
        Obligation("phi is positive", lambda: density(E / M - M / 2, sp.Integer(0), sp.Integer(1)) > 0),
    ),
)

LEMMAS = (RENYI_OF_SHIFT, SQUARES_ADD, HOCKEY_STICK, MONOTONE)
