"""C3: the least delta that a Rényi bound of one order allows at an epsilon (section 6; ALC20)."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from flint import arb

from certaudit.kernel.balls import ball
from certaudit.kernel.conversion import alpha, delta, eps, r, refined, require_renyi, scope
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.statement import Rule, Statement, expect

LogRatios = tuple[Fraction, Fraction]

C3 = Rule("C3", "Rényi to (epsilon, delta), optimal for one order", "section 6; ALC20, Theorem 2")

A, B, intercept, slope = sp.symbols("A B c s", positive=True)
u, v = sp.symbols("u v", real=True)

RATIO_INSIDE = equation(A, sp.exp(u))
RATIO_OUTSIDE = equation(B, sp.exp(v))
INTERCEPT = equation(
    intercept,
    (sp.exp((alpha - 1) * r) - alpha * B ** (alpha - 1) + (alpha - 1) * B**alpha)
    / (alpha * (A ** (alpha - 1) - B ** (alpha - 1))),
)
SLOPE = equation(
    slope, (alpha - 1) * (A**alpha - B**alpha) / (alpha * (A ** (alpha - 1) - B ** (alpha - 1)))
)
OPTIMAL = equation(
    delta,
    sp.Min(1, intercept + sp.Max(0, 1 - intercept) * sp.Max(0, 1 - sp.exp(eps) / slope)),
)
FORMULAS = (RATIO_INSIDE, RATIO_OUTSIDE, INTERCEPT, SLOPE, OPTIMAL)


def optimal_delta(order: Fraction, renyi: Fraction | arb, epsilon: Fraction, hint: LogRatios) -> arb:
    """C3: an upper bound on delta(epsilon) of every pair with D_alpha(P|Q) <= ``renyi``.

    For an event S let p = P(S), q = Q(S).  By data processing g(p, q) + g(1-p, 1-q) <= e^{(alpha-1) r}
    with g(p, q) = p^alpha q^{1-alpha}.  As g is convex and homogeneous of degree 1, its tangent plane at
    any (p_0, q_0) of ratio A = p_0/q_0 lies below it:
    g(p, q) >= alpha A^{alpha-1} p - (alpha-1) A^alpha q.  Adding the plane of ratio B for (1-p, 1-q)
    and solving for p (A > B) gives the line p <= c + s q.  With p <= 1 and q >= 0, p - e^epsilon q is at
    most c if s <= e^epsilon, and at most 1 - e^epsilon (1-c)/s otherwise (where the line meets p = 1).
    B -> 0 with A = e^epsilon alpha/(alpha-1) is C2; the best A, B give the least delta possible.

    ``hint``: (u, v) = (log A, log B), u > v; every such pair is sound.
    Raises ValueError on an order not above 1, a bound that is nan or negative, and u <= v.
    """
    require_renyi(order, renyi)
    inside, outside = hint
    if not inside > outside:
        raise ValueError("the ratio inside the event must exceed the ratio outside")
    ceiling = renyi.upper() if isinstance(renyi, arb) else renyi
    if isinstance(ceiling, arb) and not ceiling.is_finite():
        return arb(1)

    def compute() -> arb:
        bound = ceiling if isinstance(ceiling, arb) else ball(ceiling)
        values = {alpha: ball(order), r: bound, eps: ball(epsilon), u: ball(inside), v: ball(outside)}
        for formula in FORMULAS[:-1]:
            values[formula.lhs] = evaluate(formula, values)
        result: arb = evaluate(OPTIMAL, values)
        return result

    value = refined(compute, exact=True)
    return value if value <= 1 else arb(1)


def hockey_stick_of_renyi(renyi: Statement, epsilon: Fraction, hint: LogRatios) -> Statement:
    """C3 at ``epsilon`` and the order of ``renyi``: an upper bound on delta in the same directions."""
    expect(renyi, "renyi")
    return C3.conclude(
        "hockey-stick",
        formulas=FORMULAS,
        values={"delta": optimal_delta(renyi.exact["order"], renyi.ball("r"), epsilon, hint)},
        exact={"epsilon": epsilon, "exactness": "upper", "log_ratios": tuple(hint), **scope(renyi)},
        uses=(renyi,),
        subject=renyi.subject,
    )
