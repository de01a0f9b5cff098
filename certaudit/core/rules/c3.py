"""C3: the least delta that a Rényi bound of one order allows, from a tangent plane."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from flint import arb

from certaudit.core.balls import ball
from certaudit.core.gaussian import refined
from certaudit.core.renyi import alpha, r, require_order, require_upper
from certaudit.core.rule import Conclusion, Rule, Undecided, one
from certaudit.core.statement import HockeyStick, Renyi, Statement
from certaudit.core.term import Environment, Formula, Term, exp, maximum, minimum, symbols
from certaudit.run import Run

delta, eps, A, B, intercept, slope, u, v = symbols("delta epsilon A B c s u v")

RATIO_INSIDE = Formula(A, exp(u))
RATIO_OUTSIDE = Formula(B, exp(v))
INTERCEPT = Formula(
    intercept,
    (exp((alpha - 1) * r) - alpha * B ** (alpha - 1) + (alpha - 1) * B**alpha)
    / (alpha * (A ** (alpha - 1) - B ** (alpha - 1))),
)
SLOPE = Formula(
    slope, (alpha - 1) * (A**alpha - B**alpha) / (alpha * (A ** (alpha - 1) - B ** (alpha - 1)))
)
OPTIMAL = Formula(
    delta, minimum(1, intercept + maximum(0, 1 - intercept) * maximum(0, 1 - exp(eps) / slope))
)
FORMULAS = (RATIO_INSIDE, RATIO_OUTSIDE, INTERCEPT, SLOPE, OPTIMAL)


@dataclass(frozen=True)
class Witness:
    """``log_inside`` u > ``log_outside`` v: logs of the tangent point's likelihood ratios in and outside
    the event; every such pair is sound."""

    epsilon: Fraction
    log_inside: Fraction
    log_outside: Fraction


def hockey_stick_of_renyi(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """delta(epsilon) <= the largest p - e^epsilon q that a tangent plane leaves, in the same directions.

    For an event S let p = P(S), q = Q(S).  By data processing g(p, q) + g(1-p, 1-q) <= e^{(alpha-1) r}
    with g(p, q) = p^alpha q^{1-alpha}.  As g is convex and homogeneous of degree 1, its tangent plane
    at any point of ratio A = p_0/q_0 > 0 lies below it:
    g(p, q) >= alpha A^{alpha-1} p - (alpha-1) A^alpha q.
    Adding the plane of ratio B for (1-p, 1-q) and solving for p (A > B > 0) gives p <= c + s q.  With
    p <= 1 and q >= 0, p - e^epsilon q is at most c if s <= e^epsilon, and at most
    1 - e^epsilon (1-c)/s otherwise (where the line meets p = 1).
    """
    renyi = one(RULE.id, uses, Renyi)
    require_upper(RULE.id, renyi)
    require_order(RULE.id, renyi.order)
    if not 0 <= witness.epsilon < inf:
        raise Undecided(RULE.id, "epsilon is a finite number, not negative")
    if not -inf < witness.log_outside < witness.log_inside < inf:
        raise Undecided(RULE.id, "the ratio inside the event must exceed the ratio outside")
    bound, values = optimal_delta(renyi.order, renyi.r.upper(), witness)
    return Conclusion(
        HockeyStick(witness.epsilon, bound, renyi.directions, renyi.observer, "upper"),
        (),
        tuple((formula, values) for formula in FORMULAS if values),
    )


def optimal_delta(order: Fraction, ceiling: arb, plane: Witness) -> tuple[arb, Environment]:
    """delta at the divergence ``ceiling``, exact, and the numbers put in; 1 if that is not finite."""
    values: dict[Term, arb] = {}

    def compute() -> arb:
        values.update({alpha: ball(order), r: ceiling, eps: ball(plane.epsilon)})
        values.update({u: ball(plane.log_inside), v: ball(plane.log_outside)})
        for formula in FORMULAS:
            values[formula.left] = formula.at(values)
        return values[delta]

    if not ceiling.is_finite():
        return arb(1), values
    found = refined(compute, exact=True)
    return (found if found <= 1 else arb(1)), values


RULE = Rule(
    "C3",
    "Rényi to (epsilon, delta), optimal for one order",
    "theory.md#c3; ALC20, Theorem 2",
    Witness,
    hockey_stick_of_renyi,
)
