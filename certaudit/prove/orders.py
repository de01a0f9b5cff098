"""C4 and its relatives: search for orders and for the epsilon that a delta allows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from flint import arb, ctx

from certaudit.kernel.balls import ball, fraction, precision
from certaudit.kernel.conversion import gaussian_delta


def best_order(objective: Callable[[Fraction], arb], digits: int = 12) -> Fraction:
    """A real order alpha > 1 near the minimum of ``objective`` (unimodal in log(alpha - 1)).

    Golden-section search; ``digits`` of relative accuracy in alpha - 1.  Any order is sound, so
    nothing rests on the search being good.
    """
    golden = Fraction(6180339887498948482, 10**19)
    with precision(max(ctx.prec, 7 * digits)):

        def cost(power: Fraction) -> arb:
            value = objective(_order(power)).mid()
            return value if value.is_finite() else arb("inf")

        grid = [Fraction(k, 2) for k in range(-40, 121)]
        costs = [cost(power) for power in grid]
        k = min(range(len(grid)), key=lambda i: (float(costs[i]), grid[i]))
        low, high = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
        left, right = high - golden * (high - low), low + golden * (high - low)
        left_cost, right_cost = cost(left), cost(right)
        for _ in range(int(4.8 * digits) + 4):
            if left_cost < right_cost:
                high, right, right_cost = right, left, left_cost
                left = _short(high - golden * (high - low))
                left_cost = cost(left)
            else:
                low, left, left_cost = left, right, right_cost
                right = _short(low + golden * (high - low))
                right_cost = cost(right)
        return _order((low + high) / 2)


def epsilon_range(mu: arb, delta: Fraction, bits: int = 60) -> tuple[Fraction, Fraction]:
    """(low, high) with delta_mu(high) <= delta certainly, and delta_mu(low) > delta or low = high = 0.

    ``mu`` is an exact ball; the bracket is about 2^-bits of its size wide.
    """
    if mu.is_zero() or gaussian_delta(mu, Fraction(0)) <= ball(delta):
        return Fraction(0), Fraction(0)
    with precision(max(ctx.prec, bits + 64)):
        square = mu * mu
        far = square / 2 + mu * (2 * (arb(2) / ball(delta)).log()).sqrt()
        low, high = Fraction(0), fraction(far.upper())
        for _ in range(bits + 8):
            middle = _short((low + high) / 2, bits + 32)
            if gaussian_delta(mu, middle) <= ball(delta):
                high = middle
            else:
                low = middle
        return low, high


def _order(power: Fraction) -> Fraction:
    return 1 + fraction((ball(power) * arb(2).log()).exp().mid())


def _short(x: Fraction, bits: int = 200) -> Fraction:
    with precision(bits):
        return fraction(ball(x).mid())
