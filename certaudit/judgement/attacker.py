"""What a claim leaves to an attacker: the best true-positive rate at a false-positive rate.

The attacker sees one released model and says which world it is of: a test that flags world P
(unlearned) has true-positive rate P(S) and false-positive rate Q(S), one that flags Q the other way
round; the better of the two counts.  All numbers are rational and at or above the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb

from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.core.balls import ball, precision, upper

RATES = (Fraction(1, 1000), Fraction(1, 100), Fraction(1, 10))
BITS = 128
HALVINGS = 50
WIDEST = 60
"""Standard deviations beyond which nothing is looked for."""

HUGE = 1000
"""An epsilon, mu or Rényi exponent beyond which an attacker is taken to be perfect."""

Test = Callable[[Fraction], Fraction]


@dataclass(frozen=True)
class Attacker:
    """Upper bounds: ``rates`` at the false-positive rates RATES, and the best advantage (true-positive
    rate less false-positive rate)."""

    rates: tuple[Fraction, ...]
    advantage: Fraction


PERFECT = Attacker((Fraction(1),) * len(RATES), Fraction(1))


def attacker(claim: Claim, value: Fraction) -> Attacker | None:
    """The best attacker if ``claim`` holds with ``value`` in place of what it bounds; None for claims
    that are not about what is released."""
    kind = KINDS.get(claim.kind)
    if kind is None:
        return None
    with precision(BITS):
        return kind(claim, value)


def _epsilon_delta(claim: EpsilonDelta, value: Fraction) -> Attacker:
    """The trade-off of (epsilon, delta): Kairouz, Oh, Viswanath 2015; Dong, Roth, Su 2022, (5)."""
    if value > HUGE:
        return PERFECT
    growth, delta = ball(value).exp(), ball(claim.delta)

    def flags_first(rate: Fraction) -> Fraction:
        return _capped(delta + growth * ball(rate))

    def flags_second(rate: Fraction) -> Fraction:
        return _capped(1 - (1 - delta - ball(rate)) / growth)

    if len(claim.directions) == 2:
        advantage = _capped((growth - 1 + 2 * delta) / (growth + 1))
    else:
        advantage = _capped(1 - (1 - delta) / growth)
    return Attacker(_rates(claim, flags_first, flags_second), advantage)


def _gaussian(claim: GaussianClaim, value: Fraction) -> Attacker:
    """The Gaussian trade-off, up to the slack: Dong, Roth, Su 2022, (6)."""
    if value > HUGE:
        return PERFECT
    slack = claim.delta

    def gaussian(rate: Fraction) -> Fraction:
        return _capped(_phi(ball(_quantile(rate)) + ball(value))) if rate < 1 else Fraction(1)

    def flags_first(rate: Fraction) -> Fraction:
        return min(gaussian(rate) + slack, Fraction(1))

    def flags_second(rate: Fraction) -> Fraction:
        return gaussian(rate + slack)

    if len(claim.directions) == 2:
        low, high = Fraction(0), Fraction(1, 2)  # where the two curves meet, rate + best rate = 1
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            met = middle > 0 and gaussian(middle) + slack + middle <= 1
            low, high = (middle, high) if met else (low, middle)
        advantage = 1 - 2 * low
    else:
        # Largest where the slope is 1, at a rate of Phi(-mu/2) less the slack, or at no false positive.
        beyond = bool(_phi(ball(-value / 2)) < ball(slack))
        advantage = gaussian(slack) if beyond else _capped(2 * _phi(ball(value / 2)) - 1 + ball(slack))
    return Attacker(_rates(claim, flags_first, flags_second), advantage)


def _renyi(claim: RenyiClaim, value: Fraction) -> Attacker:
    """The largest rate whose two-point laws keep the divergence (data processing): Balle et al. 2020."""
    order = claim.order
    if (order - 1) * value > HUGE or order > HUGE:
        return PERFECT
    most = ball((order - 1) * value).exp()

    def breaks(p: Fraction, q: Fraction) -> bool:
        pairs = {"P|Q": (p, q), "Q|P": (q, p)}
        return any(_moment(order, *pairs[one]) > most for one in claim.directions)

    def largest(broken: Callable[[Fraction], bool], start: Fraction) -> Fraction:
        low, high = start, Fraction(1)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if broken(middle) else (middle, high)
        return high

    def flags_first(rate: Fraction) -> Fraction:
        return largest(lambda x: breaks(x, rate), rate)

    def flags_second(rate: Fraction) -> Fraction:
        return largest(lambda x: breaks(rate, x), rate)

    if len(claim.directions) == 2:
        # Convex, and symmetric about rate + best rate = 1: the largest difference lies there.
        x = largest(lambda x: breaks(x, 1 - x), Fraction(1, 2))
        advantage = 2 * x - 1
    else:
        # Pinsker; Bretagnolle and Huber 1979: an order above 1 bounds the Kullback-Leibler divergence.
        d = ball(value)
        advantage = min(_capped((d / 2).sqrt()), _capped((1 - (-d).exp()).sqrt()))
    return Attacker(_rates(claim, flags_first, flags_second), advantage)


def _moment(order: Fraction, p: Fraction, q: Fraction) -> arb:
    """E_q (p/q)^order of laws on two points, 0 < p, q < 1."""
    a = ball(order)
    inside = ball(p) ** a * ball(q) ** (1 - a)
    return inside + ball(1 - p) ** a * ball(1 - q) ** (1 - a)


def _rates(claim: Any, flags_first: Test, flags_second: Test) -> tuple[Fraction, ...]:
    """With both directions named each test obeys both curves; with one, each has its own."""
    choose = min if len(claim.directions) == 2 else max
    return tuple(choose(flags_first(rate), flags_second(rate)) for rate in RATES)


def _capped(x: arb) -> Fraction:
    return min(upper(x), Fraction(1)) if x.is_finite() else Fraction(1)


def _phi(x: arb) -> arb:
    """The normal distribution function."""
    return (-x / arb(2).sqrt()).erfc() / 2


def _quantile(p: Fraction) -> Fraction:
    """A number at or above the normal quantile of ``p`` < 1."""
    low, high = Fraction(-WIDEST), Fraction(WIDEST)
    for _ in range(2 * HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _phi(ball(middle)) >= ball(p) else (middle, high)
    return high


KINDS: Mapping[str, Callable[[Any, Fraction], Attacker]] = {
    EpsilonDelta.kind: _epsilon_delta,
    GaussianClaim.kind: _gaussian,
    RenyiClaim.kind: _renyi,
}
