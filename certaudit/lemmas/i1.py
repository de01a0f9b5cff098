"""Contractive noisy iteration."""

from __future__ import annotations

from typing import Any

import sympy as sp

from certaudit.core.rules.i1 import (
    AFTER,
    DIAMETER,
    DOUBLED,
    LAST,
    LEFT,
    LONGER,
    SHIFT,
    SPENT,
    R,
    a,
    before,
    c,
    energy,
    g,
    p,
    q,
    s,
    shifts,
    sigma2,
    squares,
    taken,
    z,
)
from certaudit.core.term import Formula, symbol
from certaudit.lemmas.contraction import PROJECTION
from certaudit.lemmas.gaussian import SQUARES_ADD
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(a, before, c, energy, s, sigma2, z, R)
rate, ratio, t, d = sp.symbols("c r t d", positive=True)
n = sp.Symbol("n", integer=True, positive=True)


def _sum(steps: sp.Expr, base: sp.Expr = rate, other: sp.Expr = ratio) -> sp.Expr:
    """g_n(c, r) in closed form."""
    return (base**steps - other**steps) / (base - other)


def _added(count: int, base: sp.Expr = rate, other: sp.Expr = ratio) -> sp.Expr:
    """g_n(c, r) term by term."""
    return sp.Add(*(base ** (count - 1 - k) * other**k for k in range(count)))


def _longer() -> sp.Expr:
    return right(LONGER, {c: rate, g: _sum(n), q: ratio**n}) - _sum(n + 1)


def _doubled() -> sp.Expr:
    values = {g: _sum(n), p: rate**n, q: ratio**n}
    return sp.simplify((right(DOUBLED, values) - _sum(2 * n)) * (rate - ratio))


def _block(count: int) -> dict[Any, Any]:
    return {
        **AT,
        p: rate**count,
        shifts: _added(count, rate, sp.Integer(1)),
        taken: _added(count),
        squares: _added(count, sp.Integer(1), ratio**2),
    }


def _after_three() -> sp.Expr:
    """Three steps z <- c z + s - a r^t, minus AFTER."""
    distance = AT[z]
    for k in range(3):
        distance = rate * distance + AT[s] - AT[a] * ratio**k
    return distance - right(AFTER, _block(3))


def _spent_three() -> sp.Expr:
    return sum((AT[a] * ratio**k) ** 2 / AT[sigma2] for k in range(3)) - right(SPENT, _block(3))


def _dip() -> sp.Expr:
    """D_{t+1} - (c D_t + a r^t (1 - r)) for D_t = z_{t+1} - z_t, t = 0."""
    first = rate * AT[z] + AT[s] - AT[a]
    second = rate * first + AT[s] - AT[a] * ratio
    return (second - first) - (rate * (first - AT[z]) + AT[a] * (1 - ratio))


LEMMAS = (
    Lemma(
        "shifted-iteration",
        "Move the coupled runs together by a_t at step t, which the noise hides at a cost of "
        "(a_t/sigma_t)^2 in mu^2: their distance bound follows z_{t+1} = c_t z_t + s_t - a_t >= 0, and"
        " z_N = 0 means that they meet.  What is left in the last step with noise is erased there.",
        (Formula(symbol("z_{t+1}"), c * z + s - symbol("a_t")), LEFT, LAST, SHIFT),
        (
            Obligation("what is left", lambda: right(LEFT, AT) - (AT[c] * AT[z] + AT[s])),
            Obligation(
                "erasing it meets",
                lambda: AT[c] * AT[z] + AT[s] - right(LEFT, AT),
            ),
            Obligation(
                "and costs (a/sigma)^2",
                lambda: right(LAST, AT) - AT[before] - (AT[a] / sp.sqrt(AT[sigma2])) ** 2,
            ),
            Obligation("mu^2 is the energy", lambda: right(SHIFT, AT) ** 2 - AT[energy]),
            Obligation("and mu >= 0", lambda: right(SHIFT, AT) > 0),
        ),
    ),
    SQUARES_ADD,
    Lemma(
        "block-of-equal-steps",
        "n equal steps that erase a, a r, a r^2, ...: z_n = c^n z + s g_n(c, 1) - a g_n(c, r) and "
        "(a/sigma)^2 g_n(1, r^2) of mu^2, with g_n(c, r) the sum of c^(n-1-k) r^k over k < n.",
        (AFTER, SPENT),
        (
            Obligation("three steps of the recursion", _after_three),
            Obligation("what three steps cost", _spent_three),
        ),
    ),
    Lemma(
        "geometric-by-doubling",
        "g_n(c, r) = (c^n - r^n)/(c - r) satisfies g_(n+1) = c g_n + r^n and g_(2n) = g_n (c^n + r^n);"
        " no term is negative, so nothing cancels.",
        (LONGER, DOUBLED),
        (
            Obligation("one more", _longer),
            Obligation("doubled", _doubled),
            Obligation("one step", lambda: _sum(sp.Integer(1)) - 1),
            Obligation("closed form of three terms", lambda: _added(3) - _sum(sp.Integer(3))),
            Obligation(
                "equal rates: three terms, one more",
                lambda: right(LONGER, {c: rate, g: 2 * rate, q: rate**2}) - 3 * rate**2,
            ),
            Obligation(
                "equal rates: one term doubled",
                lambda: right(DOUBLED, {g: 1, p: rate, q: rate}) - 2 * rate,
            ),
        ),
    ),
    Lemma(
        "ends-suffice",
        "D_t = z_{t+1} - z_t obeys D_{t+1} = c D_t + a r^t (1 - r): with r >= 1 it stays at or below 0"
        " once it is, so z rises, then falls, and is least at an end of the block.",
        (Formula(symbol("D_{t+1}"), c * symbol("D_t") + a * symbol("r^t") * (1 - symbol("r"))),),
        (
            Obligation("the recursion of D", _dip),
            Obligation(
                "D_t = -d and r = 1 + t: D_{t+1} is not above 0",
                lambda: sp.Ge(-(rate * -d + AT[a] * (1 - (1 + t))), 0, evaluate=False),
            ),
        ),
    ),
    Lemma(
        "splits-round-up",
        "The premises hold for larger c, s and z, and mu^2 grows with what is left, so rounding these "
        "up bounds mu from above.",
        (),
        (
            Obligation("what is left grows with c", lambda: sp.diff(right(LEFT, AT), AT[c]) > 0),
            Obligation("and with z", lambda: sp.diff(right(LEFT, AT), AT[z]) > 0),
            Obligation("mu^2 grows with it", lambda: sp.diff(right(LAST, AT), AT[a]) > 0),
        ),
    ),
    Lemma(
        "two-points-in-a-ball",
        "After a projection both iterates lie in the ball of radius R about 0, at most 2 R apart.",
        (DIAMETER,),
        (Obligation("the farthest, R and -R", lambda: AT[R] - (-AT[R]) - right(DIAMETER, AT)),),
        option="projection",
    ),
    PROJECTION,
)
