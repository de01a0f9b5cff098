"""The exact tier: search for contours and for the exact epsilon; the kernel evaluates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import arb

from certaudit.kernel.balls import ball
from certaudit.kernel.conversion import improved_epsilon
from certaudit.kernel.hockey_stick import half_space, hockey_stick, hockey_stick_line
from certaudit.kernel.pair import exact_renyi, whitened
from certaudit.kernel.statement import Statement, Undecided
from certaudit.prove.contour import Contour, FloatPair
from certaudit.prove.orders import best_order
from certaudit.prove.tangent import epsilon_by_tangent


@dataclass(frozen=True)
class ExactEpsilon:
    """The epsilon at which delta is reached: above ``low`` (None if 0), at most ``high``."""

    low: Statement | None
    high: Statement

    @property
    def upper(self) -> Fraction:
        """A proved upper end."""
        value: Fraction = self.high.exact["epsilon"]
        return value


class ExactPair:
    """One direction of an exact pair, with its float twin for the search."""

    def __init__(self, pair: Statement) -> None:
        self.pair = pair
        self._sticks: dict[tuple[Fraction, int], Statement] = {}
        self._epsilons: dict[Fraction, ExactEpsilon] = {}

    @cached_property
    def twin(self) -> FloatPair:
        """The float twin."""
        return FloatPair(self.pair)

    def hockey_stick(self, epsilon: Fraction, bits: int = 72) -> Statement:
        """delta(epsilon), exactly, to about ``bits``/2 bits.  Raises Undecided."""
        key = epsilon, bits
        if key not in self._sticks:
            self._sticks[key] = self._hockey_stick(epsilon, bits)
        return self._sticks[key]

    def _hockey_stick(self, epsilon: Fraction, bits: int) -> Statement:
        if len(whitened(self.pair).diagonal) == 1:
            try:
                return hockey_stick_line(self.pair, epsilon)
            except Undecided:
                pass
        for most in (1e80, 1e20, 1e6):
            try:
                return self._along(self.twin.contour(epsilon, bits // 2, most), epsilon, bits)
            except Undecided:
                continue
        return self._along(self.twin.contour(epsilon, bits // 2, 10.0), epsilon, bits)

    def _along(self, hint: Contour, epsilon: Fraction, bits: int) -> Statement:
        keep = self._kept(2.0**-bits / float(hint.height))
        return hockey_stick(
            self.pair,
            epsilon,
            hint.line,
            hint.width,
            hint.height,
            hint.accuracy + 40,
            hint.accuracy,
            keep,
        )

    def _kept(self, size: float) -> int:
        """Leading rows of T outside of which no entry matters at ``size``."""
        form = whitened(self.pair)
        diagonal, off = form.diagonal, (*form.off_diagonal_squared, arb(0))
        for k in reversed(range(1, len(diagonal))):
            if abs(diagonal[k]) > size or abs(off[k - 1]) > size**2:
                return k + 1
        return 1

    def decide(self, epsilon: Fraction, delta: Fraction) -> Statement:
        """delta(epsilon) accurately enough to tell it from ``delta``, if at all possible; an
        event's value where that already exceeds ``delta``."""
        try:
            stick = self._decide(epsilon, delta)
        except Undecided:
            beaten = self.event(epsilon, delta)
            if beaten is None:
                raise
            return beaten
        if stick.ball("delta") <= ball(delta) or stick.ball("delta") > ball(delta):
            return stick
        return self.event(epsilon, delta) or stick

    def event(self, epsilon: Fraction, delta: Fraction) -> Statement | None:
        """One half-space's value at ``epsilon`` if it certainly exceeds ``delta``."""
        far = float(abs(whitened(self.pair).nu).mid())
        level = float(epsilon)
        for threshold in (far / 2, *(math.sqrt(2 * (level + k)) for k in (0, 2, 20, 100))):
            if math.isfinite(threshold):
                stick = half_space(self.pair, epsilon, Fraction(threshold))
                if stick.ball("delta") > ball(delta):
                    return stick
        return None

    def _decide(self, epsilon: Fraction, delta: Fraction) -> Statement:
        reached = 0
        for bits in (72, 144, 288):
            affordable = self.twin.contour(epsilon, bits // 2).accuracy
            if affordable <= reached:
                break
            reached = affordable
            stick = self.hockey_stick(epsilon, bits)
            if stick.ball("delta") <= ball(delta) or stick.ball("delta") > ball(delta):
                break
        return stick

    def epsilon(self, delta: Fraction) -> ExactEpsilon:
        """The exact epsilon at ``delta`` > 0, bracketed to about six digits.

        Raises Undecided if no bracket could be proved.
        """
        if delta not in self._epsilons:
            self._epsilons[delta] = self._bracket(delta)
        return self._epsilons[delta]

    def _bracket(self, delta: Fraction) -> ExactEpsilon:
        try:
            return self._by_contour(delta)
        except Undecided:
            return self._by_orders(delta)

    def _by_contour(self, delta: Fraction) -> ExactEpsilon:
        zero = self.decide(Fraction(0), delta)
        if zero.ball("delta") <= ball(delta):
            return ExactEpsilon(None, zero)
        guess = self.twin.epsilon(float(ball(delta).log()))
        if not math.isfinite(guess):
            raise Undecided("no epsilon found at which the delta is reached")
        sharp = 2.0 ** -self.twin.contour(Fraction(guess), 26).accuracy
        for spread in (4 * sharp, 64 * sharp, 2.0**-6, 0.25):
            high = self.decide(Fraction(guess * (1 + spread)), delta)
            low = self.decide(Fraction(max(guess * (1 - spread), 0.0)), delta)
            if high.ball("delta") <= ball(delta) and low.ball("delta") > ball(delta):
                return ExactEpsilon(low, high)
        raise Undecided("the exact epsilon could not be bracketed")

    def _by_orders(self, delta: Fraction) -> ExactEpsilon:
        """A wider bracket where the integral is out of reach: from above by one Rényi order (C3), from
        below by one event."""
        high = self.renyi_epsilon(delta)
        epsilon: Fraction = high.exact["epsilon"]
        for k in range(60):
            low = self.event(epsilon * (1 - Fraction(1, 2**10) - Fraction(k, 60)), delta)
            if low is not None:
                return ExactEpsilon(low, high)
        return ExactEpsilon(None, high)

    def renyi_epsilon(self, delta: Fraction) -> Statement:
        """An upper bound on epsilon by E3 and C3 at the best order found (C4).

        Raises Undecided if no order gives one.
        """

        def cost(order: Fraction) -> arb:
            try:
                renyi = exact_renyi(self.pair, order).ball("r")
                return improved_epsilon(order, renyi, delta)
            except (Undecided, ValueError):
                return arb("inf")

        try:
            return epsilon_by_tangent(exact_renyi(self.pair, best_order(cost, 6)), delta)
        except ValueError as error:
            raise Undecided(f"no order gives an epsilon ({error})") from None

    def infinite_order(self, below: Fraction | None = None) -> Statement | None:
        """An order at which D_alpha is certainly infinite (at most ``below``), if one is found."""
        top = float(self.twin.eigenvalues.max())
        if top <= 0:
            return None
        order = 1 + Fraction(1 / top) * Fraction(1001, 1000)
        if below is not None and order > below:
            return None
        try:
            statement = exact_renyi(self.pair, order)
        except Undecided:
            return None
        return statement if statement.ball("r") == arb("inf") else None
