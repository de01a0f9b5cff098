"""The hockey-stick divergence in one dimension."""

from __future__ import annotations

import sympy as sp

from certaudit.core.diagonal import eps
from certaudit.core.rules.c6_1d import (
    EXCESS,
    NARROWER,
    RADICAND,
    SHIFT,
    WIDER,
    excess,
    gap,
    p,
    q,
    radicand,
    shift,
)
from certaudit.core.term import Formula
from certaudit.lemmas.gaussian import HOCKEY_STICK, density
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import right

wide, root, t, own, other = sp.symbols("l rho t v_P v_Q", positive=True)
move, level, x, difference = sp.symbols("nu epsilon x Delta", real=True)


def _log_ratio(spread: sp.Expr) -> sp.Expr:
    """log p/q of N(nu, 1 + l) against N(0, 1)."""
    return -((x - move) ** 2) / (2 * (1 + spread)) - sp.log(1 + spread) / 2 + x**2 / 2


def _at_root(spread: sp.Expr, sign: int) -> sp.Expr:
    values = {excess: spread, shift: move, eps: level}
    end = -move / spread + sign * sp.sqrt(right(RADICAND, values))
    return sp.simplify(_log_ratio(spread).subs(x, end) - level)


def _tail(threshold: sp.Expr, mean: sp.Expr, variance: sp.Expr) -> sp.Expr:
    """P(x > threshold)."""
    return sp.erfc((threshold - mean) / sp.sqrt(2 * variance)) / 2


def _delta(formula: Formula, spread: sp.Expr) -> sp.Expr:
    """P(A) - e^eps Q(A) from normal tails, A beyond or between the roots, minus the formula."""
    low, high = (-move / spread + sign * root for sign in (-1, 1))
    laws = ((move, 1 + spread), (sp.Integer(0), sp.Integer(1)))
    between = [_tail(low, *law) - _tail(high, *law) for law in laws]
    inside, outside = (between, [1 - one for one in between])
    chosen = outside if formula is WIDER else inside
    value = chosen[0] - sp.exp(level) * chosen[1]
    found = right(formula, {excess: spread, shift: move, radicand: root**2, eps: level})
    return sp.expand((value - found).rewrite(sp.erf))


NARROW = -wide / (1 + wide)

LEMMAS = (
    Lemma(
        "whitened-line",
        "Shifted and scaled by Q the laws are N(nu, 1 + l) and N(0, 1), nu = |Delta|/sqrt(v_Q) after a"
        " reflection.",
        (EXCESS, SHIFT),
        (
            Obligation(
                "1 + l is the ratio of the variances",
                lambda: 1 + right(EXCESS, {p: own, q: other}) - own / other,
            ),
            Obligation(
                "nu^2 = Delta^2/v_Q",
                lambda: right(SHIFT, {gap: difference, q: other}) ** 2 - difference**2 / other,
            ),
            Obligation(
                "and is not negative",
                lambda: sp.Ge(right(SHIFT, {gap: difference, q: other}), 0, evaluate=False),
            ),
        ),
    ),
    Lemma(
        "log-ratio-quadratic",
        "log p/q - eps is a quadratic with roots -nu/l -+ sqrt(R); by Neyman-Pearson the best event is"
        " where it is positive: outside its roots if l > 0, between them if l < 0.",
        (RADICAND, WIDER, NARROWER),
        (
            Obligation("the upper root, l > 0", lambda: _at_root(wide, 1)),
            Obligation("the lower root, l > 0", lambda: _at_root(wide, -1)),
            Obligation("the upper root, l = -t/(1 + t)", lambda: _at_root(NARROW, 1)),
            Obligation(
                "the coefficient of x^2 is l/(2 (1 + l))",
                lambda: sp.diff(_log_ratio(wide), x, 2) / 2 - wide / (2 * (1 + wide)),
            ),
            Obligation(
                "a normal tail is the integral of the density",
                lambda: -sp.diff(_tail(x, move, own), x) - density(x, move, own),
            ),
            Obligation("outside", lambda: _delta(WIDER, wide)),
            Obligation("between", lambda: _delta(NARROWER, NARROW)),
        ),
    ),
    HOCKEY_STICK,
)
