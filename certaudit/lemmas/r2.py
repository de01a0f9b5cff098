"""Decay of a Rényi divergence."""

from __future__ import annotations

import sympy as sp

from certaudit.core.renyi import alpha, rest
from certaudit.core.rules.r2 import (
    CONSTANT,
    DECAY,
    SHRUNK,
    SQUARES,
    after,
    before,
    c,
    c_2n,
    factor,
    sigma2,
    squares,
)
from certaudit.lemmas.contraction import PROJECTION
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

rate, start, noise, t, order, d0, f1, f2 = sp.symbols("c C sigma^2 t alpha D f_1 f_2", positive=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
AT = positive(c, before, after, factor)


def _constant(steps: sp.Expr) -> sp.Expr:
    """CONSTANT after some equal steps."""
    power = rate ** (2 * steps)
    sums = right(SQUARES, {c_2n: power, c: rate})
    return right(CONSTANT, {c_2n: power, before: start, sigma2: noise, squares: sums})


def _shrunk(power: sp.Expr, first: sp.Expr, last: sp.Expr) -> sp.Expr:
    return right(SHRUNK, {c_2n: power, before: first, after: last})


def _telescopes() -> sp.Expr:
    many = _shrunk(rate ** (2 * n), start, _constant(n))
    one = _shrunk(rate**2, _constant(n), _constant(n + 1))
    return _shrunk(rate ** (2 * n + 2), start, _constant(n + 1)) - many * one


def _heat_flow() -> sp.Expr:
    solution = d0 * (start / (start + t)) ** (1 / order)
    return sp.simplify((sp.diff(solution, t) + solution / (order * (start + t))) / solution)


def _one_noise() -> sp.Expr:
    """A step with c = 1 and variance t: the factor of the differential equation, minus the formula's."""
    after_noise = _constant(sp.Integer(1)).subs({rate: sp.Rational(1, 2), start: 4 * start, noise: t})
    return _shrunk(sp.Rational(1, 4), 4 * start, after_noise) - start / (start + t)


def _composed() -> sp.Expr:
    """Two stretches one after the other, minus one with the product of the factors."""
    once = right(DECAY, {rest: d0, factor: f1, alpha: order})
    twice = right(DECAY, {rest: once, factor: f2, alpha: order})
    return twice - right(DECAY, {rest: d0, factor: f1 * f2, alpha: order})


LEMMAS = (
    Lemma(
        "log-sobolev-constant",
        "A c-Lipschitz map multiplies a log-Sobolev constant by at most c^2, noise adds sigma^2: after"
        " n equal steps C_n = c^(2n) C_0 + sigma^2 g_2, g_2 = 1 + c^2 + ... + c^(2n-2).",
        (SQUARES, CONSTANT),
        (
            Obligation(
                "closed form minus recurrence",
                lambda: _constant(n + 1) - (rate**2 * _constant(n) + noise),
            ),
            Obligation("start", lambda: _constant(sp.Integer(0)) - start),
        ),
    ),
    Lemma(
        "decay",
        "Along the noise of variance t, dD/dt <= -D/(alpha (C + t)) where the second law has constant "
        "C + t, so D shrinks by (C/(C + t))^(1/alpha), C the constant after the map; over n equal "
        "steps the product telescopes to f = c^(2n) C_0/C_n.",
        (SHRUNK, DECAY),
        (
            Obligation("the solution of the differential equation, over itself", _heat_flow),
            Obligation("its start", lambda: ((start / (start + t)) ** (1 / order)).subs(t, 0) - 1),
            Obligation("one step: C/(C + t)", _one_noise),
            Obligation("n + 1 steps are n steps and one", _telescopes),
            Obligation(
                "D shrinks by f^(1/alpha)",
                lambda: (
                    right(DECAY, {rest: d0, factor: start / (start + t), alpha: order})
                    - d0 * (start / (start + t)) ** (1 / order)
                ),
            ),
            Obligation("factors of stretches multiply", _composed),
        ),
    ),
    PROJECTION,
)
