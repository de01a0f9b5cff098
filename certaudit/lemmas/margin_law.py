"""Margins by concentration."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.margin_law import (
    BIAS,
    CRUDE_BIAS,
    NOISELESS,
    SPREAD,
    X,
    bias,
    c,
    count,
    cubes,
    dim,
    eta,
    lam,
    later,
    sigma2,
    slopes,
    tau2,
    third,
    w,
)
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right

FACTS = ("slope", "third")

AT = positive(c, tau2, sigma2, bias, cubes, third, dim, later, eta, count, lam)
t, h, v0, s2 = sp.symbols("t h v_0 s^2", positive=True)
n = sp.Symbol("n", integer=True, nonnegative=True)


def _gradient_step() -> sp.Matrix:
    """w - eta grad F(w) for F = (1/N) sum loss(x_j.w) + lambda |w|^2/2, minus the formula."""
    rows, point = sp.Matrix(2, 2, sp.symbols("x_1:5")), sp.Matrix(sp.symbols("w_1:3"))
    loss = sp.Function("loss")
    margins = rows * point
    objective = sum(loss(m) for m in margins) / AT[count] + AT[lam] * point.dot(point) / 2
    gradient = sp.Matrix([sp.diff(objective, entry) for entry in point]).doit()
    slope = sp.Matrix([sp.Subs(sp.diff(loss(h), h), h, m).doit() for m in margins])
    formula = right(NOISELESS, {**AT, w: point, X: rows, slopes: slope})
    return (point - AT[eta] * gradient - formula).applyfunc(lambda e: sp.expand(e.doit()))


def _spread(steps: sp.Expr) -> sp.Expr:
    return AT[c] ** (2 * steps) * v0 + s2 * (1 - AT[c] ** (2 * steps)) / (1 - AT[c] ** 2)


LEMMAS = (
    Lemma(
        "noiseless-step",
        "The noiseless run follows w <- w - eta grad F(w), grad F(w) = X^T g/N + lambda w with g the "
        "slopes of the rows.",
        (NOISELESS,),
        (Obligation("differentiated in 2 dimensions with 2 rows", _gradient_step),),
    ),
    Lemma(
        "spread",
        "w_t is a function of the noise with squared Lipschitz constant sum of c^(2k) sigma^2: tau_t^2"
        " = c^(2t) tau_0^2 + sigma^2 (1 - c^(2t))/(1 - c^2) bounds the variance in every direction.",
        (SPREAD,),
        (
            Obligation(
                "closed form minus recurrence",
                lambda: _spread(n + 1) - right(SPREAD, {**AT, tau2: _spread(n), sigma2: s2}),
            ),
        ),
    ),
    Lemma(
        "bias",
        "|loss'(a + h) - loss'(a) - loss''(a) h| <= B_3 h^2/2 (Taylor), and E h^2 <= |x_j|^2 tau^2 for"
        " the deviation h of x_j.w_t from its mean, so one step adds at most (eta/N) sum |x_j|^3 B_3 "
        "tau^2/2 to the distance of the mean from the noiseless run.",
        (BIAS,),
        (
            Obligation(
                "integral form of the remainder: int_0^h (h - r) dr = h^2/2",
                lambda: sp.integrate(h - t, (t, 0, h)) - h**2 / 2,
            ),
            Obligation(
                "|x| B_3 E h^2/2 with E h^2 = |x|^2 tau^2, one row",
                lambda: (
                    AT[c] * AT[bias]
                    + AT[eta] / AT[count] * t * AT[third] * (t**2 * AT[tau2]) / 2
                    - right(BIAS, {**AT, cubes: t**3})
                ),
            ),
        ),
    ),
    Lemma(
        "bias-crude",
        "E |w_t - noiseless|^2 <= d tau_t^2, and the mean is no farther than that (Jensen).",
        (CRUDE_BIAS,),
        (Obligation("b^2 = d tau^2", lambda: right(CRUDE_BIAS, AT) ** 2 - AT[dim] * AT[later]),),
    ),
)
