"""Conversions of a Rényi bound to (epsilon, delta) as the published certificates use them (section 6).

Each raises ValueError, in one line, on a parameter outside its range (nan included).
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from certaudit.core.balls import ball
from certaudit.core.term import Formula, log, maximum, symbols

Number = int | Fraction | arb

alpha, r, delta, eps = symbols("alpha r delta epsilon")

MIRONOV = Formula(eps, r + log(1 / delta) / (alpha - 1))
IMPROVED = Formula(
    eps, maximum(0, r + log((alpha - 1) / alpha) - (log(delta) + log(alpha)) / (alpha - 1))
)


def mironov_epsilon(order: Number, renyi: Number, slack: Number) -> arb:
    """C1: epsilon = r + log(1/delta)/(alpha-1), for alpha > 1 and 0 < delta <= 1."""
    return _converted(MIRONOV, order, renyi, slack)


def improved_epsilon(order: Number, renyi: Number, slack: Number) -> arb:
    """C2: epsilon = r + log((alpha-1)/alpha) - (log delta + log alpha)/(alpha-1), at least 0."""
    return _converted(IMPROVED, order, renyi, slack)


def require_renyi(order: Number, renyi: Number) -> None:
    """ValueError unless 1 < order < infinity and ``renyi`` is a number that may bound a divergence."""
    if not (ball(order) > 1 and ball(order).is_finite()):
        raise ValueError("the order must be finite and above 1")
    if ball(renyi).is_nan() or ball(renyi) < 0:
        raise ValueError("a Rényi bound is a number, not negative")


def _converted(formula: Formula, order: Number, renyi: Number, slack: Number) -> arb:
    require_renyi(order, renyi)
    if not (ball(slack) > 0 and ball(slack) <= 1):
        raise ValueError("delta must lie above 0 and be at most 1")
    value: arb = formula.at({alpha: ball(order), r: ball(renyi), delta: ball(slack)})
    return value
