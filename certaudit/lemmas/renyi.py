"""Rényi rules along a run: R2, R4, R5."""

from __future__ import annotations

import sympy as sp

from certaudit.kernel import conversion as cv
from certaudit.kernel import renyi as k
from certaudit.kernel.sensitivity import INSTANCE, count, eta, forgotten
from certaudit.lemmas.lemma import Lemma, Obligation

C, c, sigma2, t, order = sp.symbols("C c sigma^2 t alpha", positive=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
p = sp.Symbol("p", positive=True)
x = sp.Symbol("x", real=True)
width = sp.Symbol("1-2 kappa v", positive=True)
spread, rate = sp.symbols("v kappa", positive=True)
mean = sp.Symbol("mu", real=True)
D0, D1, D2 = sp.symbols("D D_1 D_2", positive=True)


def _constant(steps: sp.Expr) -> sp.Expr:
    """CONSTANT after some equal steps."""
    power = c ** (2 * steps)
    squares = k.SQUARES.rhs.subs({k.c_2n: power, k.c: c}, simultaneous=True)
    values = {k.c_2n: power, k.before: C, k.sigma2: sigma2, sp.Symbol("g_2"): squares}
    return k.CONSTANT.rhs.subs(values, simultaneous=True)


def _decay(power: sp.Expr, before: sp.Expr, after: sp.Expr) -> sp.Expr:
    """What DECAY multiplies by, to the power alpha."""
    values = {k.c_2n: power, k.before: before, k.after: after, k.rest: 1, k.alpha: 1}
    return k.DECAY.rhs.subs(values, simultaneous=True)


def _telescopes() -> sp.Expr:
    many = _decay(c ** (2 * n), C, _constant(n))
    one = _decay(c**2, _constant(n), _constant(n + 1))
    return _decay(c ** (2 * n + 2), C, _constant(n + 1)) - many * one


def _heat_flow() -> sp.Expr:
    solution = D0 * (C / (C + t)) ** (1 / order)
    return sp.simplify((sp.diff(solution, t) + solution / (order * (C + t))) / solution)


def _square_completed() -> sp.Expr:
    """kappa x^2 - (x - mu)^2/(2 v) minus a Gaussian exponent of variance v/(1 - 2 kappa v)."""
    ratio = 1 - 2 * rate * spread
    square = -((x - mean / ratio) ** 2) * ratio / (2 * spread)
    return rate * x**2 - (x - mean) ** 2 / (2 * spread) - square - rate * mean**2 / ratio


def _expectation() -> sp.Expr:
    """log E exp(kappa r^2) from the completed square, minus the kernel's formula."""
    formula = k.EXPECTED.rhs.subs(
        {k.kappa: (1 - width) / (2 * spread), k.v: spread, k.mu: mean}, simultaneous=True
    )
    claimed = (
        (1 - width) / (2 * spread) * mean**2 / width + sp.log(spread / width) / 2 - sp.log(spread) / 2
    )
    return sp.expand_log(sp.simplify(formula) - claimed, force=True)


def _step_cost() -> sp.Expr:
    """p (alpha-1) times D_alpha of one step with a residual of 1."""
    shift = INSTANCE.rhs.subs({forgotten: k.X, eta: k.eta, count: k.count}, simultaneous=True)
    divergence = cv.RENYI.rhs.subs(
        {cv.mu: shift / sp.sqrt(k.sigma2), cv.alpha: k.alpha}, simultaneous=True
    )
    return k.p * (k.alpha - 1) * divergence - k.COST.rhs


def _previous_order() -> sp.Expr:
    return k.NEXT_ORDER.rhs - 1 - (k.alpha - 1) * (k.p / (k.p - 1))


def _triangle_weights() -> sp.Expr:
    """Cauchy–Schwarz: half of each log-moment, over alpha - 1, minus the formula."""
    first, second = (2 * k.alpha - 1) * D1, (2 * k.alpha - 2) * D2
    formula = k.TRIANGLE.rhs.subs({k.rest: D1, sp.Symbol("r_2"): D2})
    return (first + second) / 2 / (k.alpha - 1) - formula


LEMMAS = (
    Lemma(
        "log-sobolev-constant",
        ("R2",),
        "A c-Lipschitz map multiplies a log-Sobolev constant by at most c^2, noise adds sigma^2: "
        "after n equal steps C_n = c^(2n) C_0 + sigma^2 g_2.",
        sp.Tuple(k.SQUARES, k.CONSTANT),
        (
            Obligation(
                "closed form minus recurrence", lambda: _constant(n + 1) - (c**2 * _constant(n) + sigma2)
            ),
            Obligation("start", lambda: _constant(sp.Integer(0)) - C),
        ),
    ),
    Lemma(
        "decay",
        ("R2",),
        "Along the noise of variance t, dD/dt <= -D/(alpha (C + t)) where the second law has constant"
        " C + t, so D shrinks by (C/(C + t))^(1/alpha); over n equal steps the product telescopes.",
        k.DECAY,
        (
            Obligation("the solution of the differential equation, over itself", _heat_flow),
            Obligation("its start", lambda: ((C / (C + t)) ** (1 / order)).subs(t, 0) - 1),
            Obligation("n + 1 steps are n steps and one", _telescopes),
        ),
    ),
    Lemma(
        "hoelder",
        ("R4",),
        "With 1/p + 1/p' = 1, p' = p/(p-1): E_P (ratio_1 ratio_2)^(alpha-1) <= (E ratio_1^((alpha-1) "
        "p'))^(1/p') (E e^(p (alpha-1) D_alpha(step)))^(1/p); the first factor is D of order alpha' ="
        " 1 + (alpha-1) p'.",
        sp.Tuple(k.NEXT_ORDER, k.PER_STEP),
        (
            Obligation("the exponents are conjugate", lambda: 1 / k.p + (k.p - 1) / k.p - 1),
            Obligation("the order of the earlier steps", _previous_order),
            Obligation(
                "their weight is 1: (alpha' - 1)/(p' (alpha-1))",
                lambda: (k.NEXT_ORDER.rhs - 1) / (k.p / (k.p - 1) * (k.alpha - 1)) - 1,
            ),
            Obligation(
                "the weight of the last step",
                lambda: k.PER_STEP.rhs - k.rest - sp.Symbol("log E") / (k.p * (k.alpha - 1)),
            ),
        ),
    ),
    Lemma(
        "step-cost",
        ("R4",),
        "Given the state one step shifts by (eta/N) |x| |r|, so D_alpha(step) = alpha (eta/N)^2 |x|^2"
        " r^2/(2 sigma^2) and kappa r^2 = p (alpha-1) D_alpha(step).",
        k.COST,
        (Obligation("R1 at mu = (eta/N) |x|/sigma", _step_cost),),
    ),
    Lemma(
        "gaussian-square",
        ("R4",),
        "E exp(kappa r^2) for r ~ N(mu, v): a Gaussian integral of variance v/(1 - 2 kappa v), "
        "infinite unless 2 kappa v < 1.",
        k.EXPECTED,
        (
            Obligation("the square completed", _square_completed),
            Obligation("the ratio of the normalizing constants, with 1 - 2 kappa v > 0", _expectation),
        ),
    ),
    Lemma(
        "triangle",
        ("R5",),
        "p^alpha q^(1-alpha) = p^alpha r^(1/2-alpha) times r^(alpha-1/2) q^(1-alpha); Cauchy–Schwarz "
        "gives the root of the moments of D_{2 alpha}(P|R) and D_{2 alpha-1}(R|Q).",
        k.TRIANGLE,
        (
            Obligation(
                "first factor squared over r is p^(2 alpha) r^(1 - 2 alpha)",
                lambda: 2 * (sp.Rational(1, 2) - k.alpha) - (1 - 2 * k.alpha),
            ),
            Obligation(
                "second factor squared is r^(2 alpha - 1) q^(1 - (2 alpha - 1))",
                lambda: 2 * (1 - k.alpha) - (1 - (2 * k.alpha - 1)),
            ),
            Obligation("weights", _triangle_weights),
        ),
    ),
)
