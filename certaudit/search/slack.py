"""What each conversion of a Rényi curve gives away: C1, C2 and C3 at their best real orders (C4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from certaudit.core.balls import ball, upper
from certaudit.core.renyi import alpha
from certaudit.core.rules.r1 import RENYI, mu
from certaudit.search.c3 import float_epsilon, optimal_epsilon
from certaudit.search.conversion import improved_epsilon, mironov_epsilon
from certaudit.search.orders import best_order, better_order, epsilon_range

Curve = Callable[[Fraction], arb]


@dataclass(frozen=True)
class Converted:
    """A proved upper end of epsilon: by ``rule``, at the order ``order`` > 1."""

    rule: str
    order: Fraction
    epsilon: Fraction


@dataclass(frozen=True)
class Slack:
    """The exact epsilon (enclosed by ``exact``) at ``delta``, and what each conversion gives instead."""

    delta: Fraction
    exact: tuple[Fraction, Fraction]
    ends: tuple[Converted, ...]

    def ratio(self, end: Converted) -> float:
        """How many times the exact epsilon the conversion gives; 1 if both are 0.

        Infinite if only the exact value may be 0.
        """
        low, high = self.exact
        if low > 0:
            return float(end.epsilon / low)
        return 1.0 if end.epsilon == high == 0 else float("inf")


def conversions(curve: Curve, delta: Fraction) -> tuple[Converted, ...]:
    """C1, C2 and C3 of a Rényi curve (a bound on D_alpha for each order alpha > 1), in this order.

    ``curve`` returns a ball, infinite where it has no bound.  Raises ValueError if ``delta`` is not
    above 0 and at most 1, or the curve is nowhere finite; Undecided as
    :func:`certaudit.search.c3.optimal_epsilon`.
    """
    if not 0 < delta <= 1:
        raise ValueError("delta must lie above 0 and be at most 1")
    first = _at_best_order("C1", lambda order: mironov_epsilon(order, curve(order), delta))
    second = _at_best_order("C2", lambda order: improved_epsilon(order, curve(order), delta))

    def estimate(order: Fraction) -> float:
        return float_epsilon(order, float(curve(order).mid()), delta)

    order = better_order(estimate, second.order)
    return first, second, Converted("C3", order, optimal_epsilon(order, curve(order), delta).epsilon)


def _at_best_order(rule: str, epsilon: Curve) -> Converted:
    order = best_order(epsilon, 8)
    return Converted(rule, order, upper(epsilon(order)))


def gaussian_slack(shift: Fraction, delta: Fraction) -> Slack:
    """The slack of C1-C3 on a mu-GDP pair, mu = ``shift``, where C5 is exact.

    Raises ValueError unless 0 <= mu < infinity and 0 < delta <= 1.
    """

    def curve(order: Fraction) -> arb:
        value: arb = RENYI.at({alpha: ball(order), mu: ball(shift)})
        return value

    exact = epsilon_range(ball(shift), delta)
    return Slack(delta, exact, conversions(curve, delta))
