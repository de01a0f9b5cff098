"""Exact laws of an affine run."""

from __future__ import annotations

from typing import Any

import sympy as sp

from certaudit.core.rules.e1 import (
    A1,
    A2,
    BASED,
    GEOMETRIC,
    LINEAR,
    NOISE,
    NORM,
    POWER_ERROR,
    S1,
    S2,
    SHIFT,
    SUM_ERROR,
    V,
    W,
    a,
    c,
    g,
    k,
    m1,
    m2,
    r,
    top,
    v,
)
from certaudit.core.term import Formula
from certaudit.lemmas.affine import RIDGE_STEP
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

AT = positive(a, c, r, v, top)
APART = {**AT, v: sp.Symbol("t", positive=True) / (1 + sp.Symbol("t", positive=True))}
n = sp.Symbol("k", integer=True, nonnegative=True)

Law = tuple[sp.Matrix, sp.Matrix, sp.Matrix]


def _square(name: str) -> sp.Matrix:
    return sp.Matrix(2, 2, sp.symbols(f"{name}_1:5"))


def _law(name: str) -> Law:
    """A linear part, a mean and a covariance."""
    s1, s2, s3 = sp.symbols(f"{name}s_1:4")
    mean = sp.Matrix(sp.symbols(f"{name}m_1:3"))
    return _square(f"{name}a"), mean, sp.Matrix([[s1, s2], [s2, s3]])


def _composed(formula: Formula, later: Law, earlier: Law) -> sp.Matrix:
    names = dict(zip((A2, m2, S2), later, strict=True)) | dict(zip((A1, m1, S1), earlier, strict=True))
    return right(formula, names)


def _whole(later: Law, earlier: Law) -> Law:
    linear, shift, noise = (_composed(one, later, earlier) for one in (LINEAR, SHIFT, NOISE))
    return linear, shift, noise


def _associative(formula: Formula) -> sp.Matrix:
    first, second, third = (_law(name) for name in "xyz")
    early = _composed(formula, third, _whole(second, first))
    return (early - _composed(formula, _whole(third, second), first)).expand()


def _applied() -> sp.Matrix:
    """The maps without their noise, one after the other."""
    first, second = _law("x"), _law("y")
    point = sp.Matrix(sp.symbols("w_1:3"))
    twice = second[0] * (first[0] * point + first[1]) + second[1]
    linear, shift, _ = _whole(second, first)
    return (twice - linear * point - shift).expand()


def _covariance() -> sp.Matrix:
    """Noise F z with covariance F F^T, moved by A_2, has covariance A_2 S A_2^T; noises add."""
    factor, (linear, mean, noise) = _square("f"), _law("y")
    law = (_square("a"), mean, factor * factor.T)
    image = linear * factor
    return (_composed(NOISE, (linear, mean, noise), law) - image * image.T - noise).expand()


def _next_power() -> sp.Matrix:
    """A^{k+1} - V a^{k+1} V^T - (A (A^k - V a^k V^T) + (A V - V a) a^k V^T), B for A^k."""
    step, power, basis = _square("a"), _square("b"), _square("v")
    rates, raised = sp.diag(*sp.symbols("r_1:3")), sp.diag(*sp.symbols("q_1:3"))
    own = step * power - basis * rates * raised * basis.T
    parts = step * (power - basis * raised * basis.T)
    return (own - parts - (step * basis - basis * rates) * raised * basis.T).expand()


def _squared_base() -> sp.Matrix:
    step, basis, rates = _square("a"), _square("v"), sp.diag(*sp.symbols("r_1:3"))
    left = step * basis - basis * rates
    return (step * step * basis - basis * rates * rates - (step * left + left * rates)).expand()


def _power_error(steps: Any) -> sp.Expr:
    return right(POWER_ERROR, {**AT, k: steps})


def _three_errors() -> Any:
    """SUM_ERROR at k = 3 against the errors of the powers 0, 1, 2."""
    total = right(SUM_ERROR, {**AT, k: 3, g: 1 + AT[c] + AT[c] ** 2})
    return sp.expand(total - sum(_power_error(j) for j in range(3))) > 0


def _norm() -> sp.Expr:
    """c = |A V V^T| + c |I - V V^T| with |A V V^T| <= max|a| (1 + v) + |AV - Va| sqrt(1 + v)."""
    bound = right(NORM, AT)
    turned = AT[top] * (1 + AT[v]) + AT[r] * sp.sqrt(1 + AT[v])
    return bound - (turned + bound * AT[v])


COMPOSITION = Lemma(
    "composition",
    "w -> A_1 w + N(m_1, S_1) followed by w -> A_2 w + N(m_2, S_2) is w -> A_2 A_1 w + N(A_2 m_1 + "
    "m_2, A_2 S_1 A_2^T + S_2); composition is associative, so repeated squaring gives the powers.",
    (LINEAR, SHIFT, NOISE),
    (
        Obligation("the maps applied one after the other", _applied),
        Obligation("covariances (2 x 2)", _covariance),
        Obligation("linear parts are associative", lambda: _associative(LINEAR)),
        Obligation("shifts are associative", lambda: _associative(SHIFT)),
        Obligation("noises are associative", lambda: _associative(NOISE)),
    ),
)

LEMMAS = (
    RIDGE_STEP,
    COMPOSITION,
    Lemma(
        "nearly-diagonal-step",
        "With |I - V V^T| <= v < 1 and A V = V a + R: A = A V V^T + A (I - V V^T), so |A| <= (max|a| "
        "(1 + v) + |R| sqrt(1 + v))/(1 - v), which max|a| is no larger than.",
        (NORM,),
        (
            Obligation("solved for |A|", _norm),
            Obligation(
                "above max|a|, v = t/(1 + t)",
                lambda: right(NORM, APART) - APART[top] > 0,
            ),
        ),
    ),
    Lemma(
        "powers-in-a-base",
        "A^{k+1} - V a^{k+1} V^T = A (A^k - V a^k V^T) + (A V - V a) a^k V^T, so the error of the k-th"
        " power is at most c^k v + k |A V - V a| sqrt(1 + v) c^(k-1).  A^2 has the same base, with "
        "a^2, c^2 and 2 c |A V - V a|.",
        (BASED, POWER_ERROR),
        (
            Obligation("one more power (2 x 2)", _next_power),
            Obligation(
                "closed form minus recurrence",
                lambda: (
                    _power_error(n + 1)
                    - AT[c] * _power_error(n)
                    - AT[r] * AT[c] ** n * sp.sqrt(1 + AT[v])
                ),
            ),
            Obligation("no power: I - V V^T", lambda: _power_error(0) - AT[v]),
            Obligation("the square's residual (2 x 2)", _squared_base),
            Obligation(
                "the stand-in is V D V^T (2 x 2)",
                lambda: (
                    right(BASED, {W: _square("v") * sp.diag(*sp.symbols("d_1:3")), V: _square("v")})
                    - _square("v") * sp.diag(*sp.symbols("d_1:3")) * _square("v").T
                ),
            ),
        ),
    ),
    Lemma(
        "sums-of-powers-in-a-base",
        "Shift and noise of k equal steps are the sums of A^j and A^(2j) over j < k: along an "
        "eigenvector (1 - a^k)/(1 - a), and the errors of the powers add up to at most (v + k |A V - V"
        " a| sqrt(1 + v)) g, g the sum of c^j.",
        (GEOMETRIC, SUM_ERROR),
        (
            Obligation(
                "closed form minus recurrence",
                lambda: (
                    right(GEOMETRIC, {**AT, k: n + 1}) - (1 + AT[a] * right(GEOMETRIC, {**AT, k: n}))
                ),
            ),
            Obligation("no step", lambda: right(GEOMETRIC, {**AT, k: 0})),
            Obligation("three powers", _three_errors),
            Obligation(
                "one power",
                lambda: (
                    right(SUM_ERROR, {**AT, k: 1, g: 1}) - _power_error(0) - AT[r] * sp.sqrt(1 + AT[v])
                ),
            ),
        ),
    ),
)
