"""Rényi and Gaussian-DP bounds turned into (epsilon, delta) (sections 5 and 6).

Every public function raises ValueError, in one line, on a parameter outside its range (nan included).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb, ctx

from certaudit.kernel.balls import ball, precision
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.statement import Rule, Statement, expect

R1 = Rule("R1", "Gaussian DP gives every Rényi order", "section 5; Dong, Roth, Su 2022")
C1 = Rule("C1", "Rényi to (epsilon, delta)", "section 6; MIR17, Proposition 3")
C2 = Rule("C2", "Rényi to (epsilon, delta), improved", "section 6; CKS20, Proposition 12")
C5 = Rule("C5", "Gaussian DP to (epsilon, delta), exact", "section 6; Dong, Roth, Su 2022")

alpha, r, delta, mu, eps = sp.symbols("alpha r delta mu epsilon", positive=True)

RENYI = equation(r, alpha * mu**2 / 2)
MIRONOV = equation(eps, r + sp.log(1 / delta, evaluate=False) / (alpha - 1))
IMPROVED = equation(
    eps,
    sp.Max(0, r + sp.log((alpha - 1) / alpha) - (sp.log(delta) + sp.log(alpha)) / (alpha - 1)),
)
GAUSSIAN = equation(
    delta,
    sp.erfc((eps / mu - mu / 2) / sp.sqrt(2)) / 2
    - sp.exp(eps) * sp.erfc((eps / mu + mu / 2) / sp.sqrt(2)) / 2,
)

MOST_BITS = 1 << 15


def refined(compute: Callable[[], arb], exact: bool) -> arb:
    """``compute()`` at the least precision tried that gives about ``ctx.prec / 2`` good bits.

    ``exact``: whether what it computes from is exact, so that more precision can help.
    """
    goal = ctx.prec // 2
    bits = ctx.prec + 32
    while True:
        with precision(bits):
            value = compute()
        if not exact or bits >= MOST_BITS or value.rel_accuracy_bits() >= goal:
            return value
        bits *= 2


def gaussian_delta(mu_value: Fraction | arb, epsilon: Fraction | arb) -> arb:
    """C5: delta(epsilon) of a mu-GDP pair; mu = 0 gives 0 for epsilon >= 0.

    Precision is raised until the result has about ``ctx.prec / 2`` good bits.
    """
    for name, value in (("mu", mu_value), ("epsilon", epsilon)):
        _require(_b(value).is_finite(), f"{name} is not a finite number")
    _require(not _b(mu_value) < 0, "mu is negative")
    _require(not _b(epsilon) < 0, "epsilon is negative")
    if _b(mu_value).is_zero():
        return arb(0)
    exact = all(not isinstance(x, arb) or x.is_exact() for x in (mu_value, epsilon))
    return refined(lambda: evaluate(GAUSSIAN, {mu: _b(mu_value), eps: _b(epsilon)}), exact)


def renyi_of_gaussian(gaussian: Statement, order: Fraction) -> Statement:
    """R1: mu-GDP gives D_alpha <= alpha mu^2/2 for all alpha.  Needs a bound without delta."""
    expect(gaussian, "gaussian-dp")
    if not gaussian.ball("delta").is_zero():
        raise TypeError("R1 needs Gaussian DP without slack")
    if not order > 1:
        raise TypeError("R1: an order above 1")
    value = evaluate(RENYI, {alpha: ball(order), mu: gaussian.ball("mu")})
    return R1.conclude(
        "renyi",
        formulas=(RENYI,),
        values={"r": value},
        exact={"order": order, "exactness": "upper", **scope(gaussian)},
        uses=(gaussian,),
        subject=gaussian.subject,
    )


def mironov_epsilon(order: Any, renyi: Any, slack: Any) -> arb:
    """C1: epsilon = r + log(1/delta)/(alpha-1), for alpha > 1 and 0 < delta <= 1."""
    _in_range(order, renyi, slack)
    value: arb = evaluate(MIRONOV, {alpha: _b(order), r: _b(renyi), delta: _b(slack)})
    return value


def improved_epsilon(order: Any, renyi: Any, slack: Any) -> arb:
    """C2: epsilon = r + log((alpha-1)/alpha) - (log delta + log alpha)/(alpha-1), at least 0."""
    _in_range(order, renyi, slack)
    value: arb = evaluate(IMPROVED, {alpha: _b(order), r: _b(renyi), delta: _b(slack)})
    return value


def epsilon_of_renyi(renyi: Statement, slack: Fraction, *, improved: bool = True) -> Statement:
    """C1 or C2 at the order of ``renyi``: any order alpha > 1 is sound (C4 is the search)."""
    expect(renyi, "renyi")
    rule, formula = (C2, IMPROVED) if improved else (C1, MIRONOV)
    convert = improved_epsilon if improved else mironov_epsilon
    return rule.conclude(
        "epsilon",
        formulas=(formula,),
        values={"epsilon": convert(renyi.exact["order"], renyi.ball("r"), slack)},
        exact={"delta": slack, **scope(renyi)},
        uses=(renyi,),
        subject=renyi.subject,
    )


def hockey_stick_of_gaussian(gaussian: Statement, epsilon: Fraction) -> Statement:
    """C5 at ``epsilon``, plus the slack of the Gaussian-DP bound: an upper bound on delta."""
    expect(gaussian, "gaussian-dp")
    ceiling = gaussian.ball("mu").upper()
    value = gaussian_delta(ceiling, epsilon) if ceiling.is_finite() else arb(1)
    return C5.conclude(
        "hockey-stick",
        formulas=(GAUSSIAN,),
        values={"delta": value + gaussian.ball("delta")},
        exact={"epsilon": epsilon, "exactness": "upper", **scope(gaussian)},
        uses=(gaussian,),
        subject=gaussian.subject,
    )


def _b(x: Any) -> arb:
    return x if isinstance(x, arb) else ball(x)


def _in_range(order: Any, renyi: Any, slack: Any) -> None:
    require_renyi(order, renyi)
    _require(bool(_b(slack) > 0 and _b(slack) <= 1), "delta must lie above 0 and be at most 1")


def require_renyi(order: Any, renyi: Any) -> None:
    """ValueError unless 1 < order < infinity and ``renyi`` is a number that may bound a divergence."""
    _require(bool(_b(order) > 1 and _b(order).is_finite()), "the order must be finite and above 1")
    _require(not _b(renyi).is_nan() and not _b(renyi) < 0, "a Rényi bound is a number, not negative")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def scope(statement: Statement) -> dict[str, Any]:
    """Directions and observer, carried on to what is derived from the statement."""
    return {key: statement.exact[key] for key in ("directions", "observer")}
