"""C4 and its relatives: search for orders and for the epsilon that a delta allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from flint import arb, ctx

from certaudit.core.balls import ball, fraction, precision
from certaudit.core.gaussian import gaussian_delta

GOLDEN = Fraction(6180339887498948482, 10**19)


def best_order(objective: Callable[[Fraction], arb], digits: int = 12) -> Fraction:
    """A real order alpha > 1 near the minimum of ``objective`` (unimodal in log(alpha - 1)).

    Golden-section search; ``digits`` of relative accuracy in alpha - 1.  Any order is sound, so
    nothing rests on the search being good; one ``objective`` refuses (ValueError) counts as infinite.
    """
    with precision(max(ctx.prec, 7 * digits)):

        def cost(power: Fraction) -> arb:
            try:
                value = objective(_order(power)).mid()
            except ValueError:
                return arb("inf")
            return value if value.is_finite() else arb("inf")

        grid = [Fraction(k, 2) for k in range(-80, 121)]
        costs = [cost(power) for power in grid]
        k = min(range(len(grid)), key=lambda i: (float(costs[i]), grid[i]))
        low, high = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        left_cost, right_cost = cost(left), cost(right)
        for _ in range(int(4.8 * digits) + 4):
            if left_cost < right_cost:
                high, right, right_cost = right, left, left_cost
                left = _short(high - GOLDEN * (high - low))
                left_cost = cost(left)
            else:
                low, left, left_cost = left, right, right_cost
                right = _short(low + GOLDEN * (high - low))
                right_cost = cost(right)
        return _order((low + high) / 2)


def better_order(objective: Callable[[Fraction], float], start: Fraction, digits: int = 6) -> Fraction:
    """An order near the minimum of a float ``objective`` (unimodal), downhill from ``start``.

    Steps in log2(alpha - 1) double until the objective rises, then golden-section search.
    """
    golden, stride = float(GOLDEN), 0.25
    middle = math.log2(start - 1)

    def cost(power: float) -> float:
        return objective(_order(Fraction(power)))

    low, high = middle - stride, middle + stride
    centre, left, right = cost(middle), cost(low), cost(high)
    while min(left, right) < centre and stride < 64:
        stride *= 2
        if left < right:
            low, middle, high, centre, right = low - stride, low, middle, left, centre
            left = cost(low)
        else:
            low, middle, high, centre, left = middle, high, high + stride, right, centre
            right = cost(high)
    left_point, right_point = high - golden * (high - low), low + golden * (high - low)
    left, right = cost(left_point), cost(right_point)
    for _ in range(int(2.4 * digits) + 4):
        if left < right:
            high, right_point, right = right_point, left_point, left
            left_point = high - golden * (high - low)
            left = cost(left_point)
        else:
            low, left_point, left = left_point, right_point, right
            right_point = low + golden * (high - low)
            right = cost(right_point)
    found = left_point if left < right else right_point
    return _order(Fraction(found)) if min(left, right) < centre else _order(Fraction(middle))


def epsilon_range(mu: arb, delta: Fraction, bits: int = 60) -> tuple[Fraction, Fraction]:
    """(low, high): delta_mu(high) <= delta certainly; delta_mu(low) > delta certainly, or low = 0.

    ``mu``: a ball, finite and not negative; ``delta`` above 0, at most 1.  For an exact ``mu`` the
    bracket is about 2^-bits of the largest epsilon worth asking for wide.  Raises ValueError on
    parameters out of range.
    """
    if not 0 < delta <= 1:
        raise ValueError("delta must lie above 0 and be at most 1")

    def within(epsilon: Fraction) -> bool:
        return bool(gaussian_delta(mu, epsilon) <= ball(delta))

    def beyond(epsilon: Fraction) -> bool:
        return bool(gaussian_delta(mu, epsilon) > ball(delta))

    if within(Fraction(0)):
        return Fraction(0), Fraction(0)
    with precision(max(ctx.prec, bits + 64)):
        far = fraction((mu * mu / 2 + mu * (2 * (arb(2) / ball(delta)).log()).sqrt()).upper())
        unsure, high = _threshold(within, Fraction(0), far, bits)
        if unsure == 0 or beyond(unsure):
            return unsure, high
        return _threshold(lambda epsilon: not beyond(epsilon), Fraction(0), unsure, bits)[0], high


def _threshold(
    holds: Callable[[Fraction], bool], low: Fraction, high: Fraction, bits: int
) -> tuple[Fraction, Fraction]:
    """Ends of a short interval where ``holds`` turns from False (or ``low``) to True (or ``high``)."""
    for _ in range(bits + 8):
        middle = _short((low + high) / 2, bits + 32)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return low, high


def _order(power: Fraction) -> Fraction:
    return 1 + fraction((ball(power) * arb(2).log()).exp().mid())


def _short(x: Fraction, bits: int = 200) -> Fraction:
    with precision(bits):
        return fraction(ball(x).mid())
