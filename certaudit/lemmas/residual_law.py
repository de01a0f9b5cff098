"""Residuals along a ridge run."""

from __future__ import annotations

import sympy as sp

from certaudit.core.affine import A, b
from certaudit.core.rules.residual_law import (
    COVARIANCE,
    MEAN,
    RESIDUAL,
    VARIANCE,
    S,
    form,
    m_t,
    margin,
    past,
    power,
    sigma2,
    squares,
    y,
)
from certaudit.lemmas.affine import RIDGE_STEP
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import right

FACTS = ("slope",)

c, z, v0, s2, e, r, t = sp.symbols("c z v_0 sigma^2 e r t", positive=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
SYMMETRIC, LAW = (sp.Matrix([[a, o], [o, d]]) for a, o, d in (sp.symbols("a_1:4"), sp.symbols("s_1:4")))
ROW, CENTRE, NOISE = (sp.Matrix(sp.symbols(names, real=True)) for names in ("x_1:3", "m_1:3", "z_1:3"))


def _past(steps: sp.Expr) -> sp.Expr:
    return (1 - c ** (2 * steps)) / (1 - c**2)


def _covariance(steps: sp.Expr) -> sp.Expr:
    """COVARIANCE along an eigenvector of A with eigenvalue c."""
    return right(COVARIANCE, {power: c**steps, S: v0, sigma2: s2, squares: _past(steps)})


def _moved() -> sp.Matrix:
    """A (m + z) + b, z of mean 0, minus MEAN minus A z."""
    shift = sp.Matrix(sp.symbols("b_1:3"))
    moved = SYMMETRIC * (CENTRE + NOISE) + shift
    return (moved - right(MEAN, {A: SYMMETRIC, m_t: CENTRE, b: shift}) - SYMMETRIC * NOISE).expand()


def _residual() -> sp.Expr:
    target = sp.Symbol("y")
    values = {margin: ROW.dot(CENTRE), y: target}
    return ROW.dot(CENTRE + NOISE) - target - right(RESIDUAL, values) - ROW.dot(NOISE)


def _pull_back() -> sp.Expr:
    """x.(A S A + sigma^2 I) x - ((A x).S (A x) + sigma^2 |x|^2) for symmetric A and S."""
    image = SYMMETRIC * ROW
    one = right(COVARIANCE, {power: SYMMETRIC, S: LAW, sigma2: s2, squares: sp.eye(2)})
    return sp.expand(ROW.dot(one * ROW) - (image.dot(LAW * image) + s2 * ROW.dot(ROW)))


def _three_steps() -> sp.Expr:
    """VARIANCE against three steps of the covariance, along one eigen-direction."""
    images = [c**k * z for k in range(4)]
    values = {form: images[3] ** 2 * v0, sigma2: s2, past: sum(image**2 for image in images[:3])}
    law = v0
    for _ in range(3):
        law = c**2 * law + s2
    return right(VARIANCE, values) - z**2 * law


LEMMAS = (
    RIDGE_STEP,
    Lemma(
        "residual-mean",
        "The mean follows the step without noise, and the residual's mean is that of the margin less "
        "the target.",
        (MEAN, RESIDUAL),
        (
            Obligation("one step of a mean, in 2 dimensions", _moved),
            Obligation("the residual", _residual),
        ),
    ),
    Lemma(
        "covariance-of-equal-steps",
        "n steps w <- A w + N(0, sigma^2 I), A symmetric: S_n = A^n S A^n + sigma^2 G_n with G_n the "
        "sum of A^(2k) over k < n, which doubles as G_(2n) = G_n + A^n G_n A^n.",
        (COVARIANCE,),
        (
            Obligation(
                "along an eigenvector: closed form minus recurrence",
                lambda: _covariance(n + 1) - (c**2 * _covariance(n) + s2),
            ),
            Obligation("start", lambda: _covariance(sp.Integer(0)) - v0),
            Obligation("doubling", lambda: _past(2 * n) - (_past(n) + c**n * _past(n) * c**n)),
            Obligation("one more", lambda: _past(n + 1) - (1 + c * _past(n) * c)),
        ),
    ),
    Lemma(
        "residual-variance",
        "Var(x.w_t) is read off x alone: v_t(x) = v_{t-1}(A x) + sigma^2 |x|^2, hence v_t = V_t + "
        "sigma^2 Z_t with V_t = (A^t x).S (A^t x) and Z_t = sum over k < t of |A^k x|^2.",
        (VARIANCE,),
        (
            Obligation("one step pulled back to x (A and S symmetric, 2 x 2)", _pull_back),
            Obligation("three steps of the recurrence along an eigenvector", _three_steps),
        ),
    ),
    Lemma(
        "form-of-midpoints",
        "x.S x differs from x'.S' x' by at most |S'|(2|x'| e + e^2) + e_S (|x'| + e)^2, e and e_S the "
        "errors of the midpoints.",
        (),
        (
            Obligation(
                "sizes multiplied out",
                lambda: (
                    (t + e) * (v0 + r) * (t + e)
                    - t * v0 * t
                    - (v0 * (2 * t * e + e**2) + r * (t + e) ** 2)
                ),
            ),
        ),
    ),
)
