"""The exact tier: search for contours and for the exact epsilon; the kernel evaluates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import arb

from certaudit.kernel.balls import ball
from certaudit.kernel.conversion import epsilon_of_renyi
from certaudit.kernel.hockey_stick import hockey_stick, hockey_stick_line, marginal_hockey_stick
from certaudit.kernel.pair import exact_renyi, whitened
from certaudit.kernel.statement import Statement, Undecided
from certaudit.prove.contour import Contour, FloatPair
from certaudit.prove.orders import best_order


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
        """delta(epsilon) accurately enough to tell it from ``delta``, if at all possible; a marginal's
        value where that already exceeds ``delta``."""
        try:
            stick = self._decide(epsilon, delta)
        except Undecided:
            beaten = self.marginal(epsilon, delta)
            if beaten is None:
                raise
            return beaten
        if stick.ball("delta") <= ball(delta) or stick.ball("delta") > ball(delta):
            return stick
        return self.marginal(epsilon, delta) or stick

    def marginal(self, epsilon: Fraction, delta: Fraction) -> Statement | None:
        """A marginal's delta(epsilon) if it certainly exceeds ``delta``."""
        try:
            stick = marginal_hockey_stick(self.pair, epsilon)
        except Undecided:
            return None
        return stick if stick.ball("delta") > ball(delta) else None

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
        zero = self.decide(Fraction(0), delta)
        if zero.ball("delta") <= ball(delta):
            return ExactEpsilon(None, zero)
        guess = self.twin.epsilon(float(ball(delta).log()))
        if not math.isfinite(guess):
            raise Undecided("no epsilon found at which the delta is reached")
        sharp = 2.0 ** -self.twin.contour(Fraction(guess), 26).accuracy
        for spread in (4 * sharp, 64 * sharp, 2.0**-6, 0.25):
            high = self.decide(Fraction(guess * (1 + spread)), delta)
            low = self.decide(Fraction(guess * (1 - spread)), delta)
            if high.ball("delta") <= ball(delta) and low.ball("delta") > ball(delta):
                return ExactEpsilon(low, high)
        raise Undecided("the exact epsilon could not be bracketed")

    def renyi_epsilon(self, delta: Fraction) -> Statement:
        """An upper bound on epsilon by E3 and C2 at the best order found (C4)."""

        def cost(order: Fraction) -> arb:
            try:
                return epsilon_of_renyi(exact_renyi(self.pair, order), delta).ball("epsilon")
            except (Undecided, ValueError):
                return arb("inf")

        return epsilon_of_renyi(exact_renyi(self.pair, best_order(cost, 6)), delta)

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
