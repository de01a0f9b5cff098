"""delta(epsilon) of a mu-GDP pair, exactly (section 6, C5), and what a result's precision needs."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from flint import arb, ctx

from certaudit.core.balls import ball, precision
from certaudit.core.term import Formula, erfc, exp, sqrt, symbols

MOST_BITS = 1 << 15

delta, mu, eps = symbols("delta mu epsilon")
GAUSSIAN = Formula(
    delta,
    erfc((eps / mu - mu / 2) / sqrt(2)) / 2 - exp(eps) * erfc((eps / mu + mu / 2) / sqrt(2)) / 2,
)


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


def gaussian_delta(shift: Fraction | arb, level: Fraction | arb) -> arb:
    """C5: delta(``level``) of a ``shift``-GDP pair; a shift of 0 gives 0.

    Raises ValueError on a shift or level that is negative or no finite number.
    """
    for name, value in (("mu", ball(shift)), ("epsilon", ball(level))):
        if not value.is_finite() or value < 0:
            raise ValueError(f"{name} must be a finite number, not negative")
    if ball(shift).is_zero():
        return arb(0)
    exact = all(not isinstance(x, arb) or x.is_exact() for x in (shift, level))
    return refined(lambda: GAUSSIAN.at({mu: ball(shift), eps: ball(level)}), exact)
