"""One direction of the exact laws: decides delta(epsilon), brackets the exact epsilon, finds events."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from weakref import WeakKeyDictionary

import numpy as np
from flint import arb, ctx
from scipy.special import log_ndtr

from certaudit.core.balls import ball, precision
from certaudit.core.proof import BITS, Line, Proof
from certaudit.core.rule import Refusal, Undecided
from certaudit.core.rules.c6_1d import Witness as LineWitness
from certaudit.core.rules.c6_event import Witness as EventWitness
from certaudit.core.rules.e3 import Witness as RenyiWitness
from certaudit.core.rules.e3_infinite import Witness as InfiniteWitness
from certaudit.core.statement import Direction, HockeyStick, Law, Pair, Renyi
from certaudit.search import c3, c6, c7, c7b
from certaudit.search.c3 import epsilon_by_tangent
from certaudit.search.c7b import Diagonal
from certaudit.search.conversion import improved_epsilon
from certaudit.search.lines import of
from certaudit.search.orders import best_order
from certaudit.search.twin import FloatPair

DIGITS = 16
LEAST = (1e-30, 1e-55)
EFFORTS = ((DIGITS, 0), (32, 0), (32, 1), (64, 1))
FEW_NODES = 200
FEWER_DIGITS = (16, 12, 9, 6, 4, 2)
SPREADS = (1e-10, 1e-8, 1e-6, 1e-4, 2.0**-6, 0.25)
BEYOND = Fraction(1001, 1000)
EQUAL_ORDER = Fraction(1000)

_diagonals: WeakKeyDictionary[Proof, dict[int, Diagonal]] = WeakKeyDictionary()


@dataclass(frozen=True)
class ExactEpsilon:
    """The epsilon at which delta is reached: above ``low`` (None if 0), at most ``high``."""

    low: Line | None
    high: Line

    @property
    def upper(self) -> Fraction:
        """A proved upper end."""
        return of(self.high, HockeyStick).epsilon


class ExactPair:
    """The laws of one direction, with their float twin for the search; every line joins ``proof``."""

    def __init__(self, proof: Proof, law: Line, direction: Direction) -> None:
        self.proof, self.law, self.direction = proof, law, direction
        self.dimension = len(of(law, Law).mean_p)
        self._pairs: dict[int, Line] = {}
        self._sticks: dict[tuple[Fraction, int, int], Line] = {}
        self._epsilons: dict[Fraction, ExactEpsilon] = {}

    @cached_property
    def diagonal(self) -> Diagonal:
        """V, l and nu of this direction.  Raises Undecided where a covariance is singular."""
        known = _diagonals.setdefault(self.proof, {})
        if self.law.number not in known:
            known[self.law.number] = c7b.diagonal(of(self.law, Law), self.direction)
        found = known[self.law.number]
        if found.direction == self.direction:
            return found
        with precision(BITS):
            return found.mirrored()

    def pair(self, effort: int = 0) -> Line:
        """The stand-in: the higher the effort, the smaller the numbers that are kept."""
        if effort not in self._pairs:
            with precision(max(ctx.prec, BITS)):
                witness = self.diagonal.witness(LEAST[effort])
                self._pairs[effort] = self.proof.apply("C7b", (self.law,), witness)
        return self._pairs[effort]

    @cached_property
    def twin(self) -> FloatPair:
        """The float twin."""
        pair = of(self.pair(), Pair)
        return FloatPair(pair.l, pair.nu)

    def hockey_stick(self, epsilon: Fraction, digits: int = DIGITS, effort: int = 0) -> Line:
        """delta(epsilon), exactly, to about ``digits`` digits.  Raises Undecided."""
        key = epsilon, digits, effort
        if key not in self._sticks:
            self._sticks[key] = self._hockey_stick(epsilon, digits, effort)
        return self._sticks[key]

    def _hockey_stick(self, epsilon: Fraction, digits: int, effort: int) -> Line:
        if self.dimension == 1:
            try:
                return self.proof.apply("C6-1d", (self.law,), LineWitness(self.direction, epsilon))
            except Refusal:
                pass
        line = self.pair(effort)
        pair = of(line, Pair)
        if all(abs(x) <= pair.phi for x in (*pair.l, *pair.nu)):
            return self._of_equal_laws(epsilon)
        twin = self.twin if effort == 0 else FloatPair(pair.l, pair.nu)
        ways: list[tuple[str, Callable[[], object]]] = [
            ("C6", partial(c6.witness, pair, twin, epsilon, digits, FEW_NODES)),
            ("C7", partial(c7.witness, pair, twin, epsilon, digits)),
            *(("C6", partial(c6.witness, pair, twin, epsilon, fewer)) for fewer in FEWER_DIGITS),
        ]
        for rule, found in ways:
            try:
                return self.proof.apply(rule, (line,), found())
            except Undecided as refusal:
                reason = refusal
        raise reason

    def _of_equal_laws(self, epsilon: Fraction) -> Line:
        """One Rényi order, where the laws are equal up to the closeness of the stand-in."""
        line = self.renyi(EQUAL_ORDER)
        witness = c3.witness(EQUAL_ORDER, float(of(line, Renyi).r.upper()), epsilon)
        return self.proof.apply("C3", (line,), witness)

    def decide(self, epsilon: Fraction, delta: Fraction) -> Line:
        """delta(epsilon) accurately enough to tell it from ``delta``, if at all possible; an event's
        value where that already exceeds ``delta``.  Raises Undecided."""
        found: Line | None = None
        reason = Undecided("C7", "no effort gave delta(epsilon)")
        for digits, effort in EFFORTS:
            try:
                found = self.hockey_stick(epsilon, digits, effort)
            except Undecided as refusal:
                reason = refusal
                continue
            if _decided(found, delta):
                return found
        found = self.event(epsilon, delta) or found
        if found is None:
            raise reason
        return found

    def event(self, epsilon: Fraction, delta: Fraction) -> Line | None:
        """One half-space's value at ``epsilon`` if it certainly exceeds ``delta``."""
        try:
            normal, centre, mean, scale = self._axis
        except Refusal:
            return None
        for threshold in _thresholds(float(epsilon), mean, scale):
            witness = EventWitness(self.direction, epsilon, normal, Fraction(threshold) + centre)
            line = self.proof.apply("C6-event", (self.law,), witness)
            if of(line, HockeyStick).delta > ball(delta):
                return line
        return None

    @cached_property
    def _axis(self) -> tuple[tuple[Fraction, ...], Fraction, float, float]:
        """A normal along which the second law has variance 1, its mean there, and mean and deviation of
        the first law from there: along nu, or where the variances differ most if nu is 0."""
        nu = np.array([float(x) for x in self.diagonal.nu])
        excess = np.array([float(x) for x in self.diagonal.l])
        size = float(np.linalg.norm(nu))
        along = nu / size if size > 0 else np.eye(len(nu))[int(np.argmax(excess))]
        law = of(self.law, Law)
        with precision(64):
            rows = self.diagonal.vectors.tolist()
            weights = [arb(x) for x in along.tolist()]
            normal = [
                Fraction(float(sum((x * y for x, y in zip(r, weights, strict=True)), arb(0))))
                for r in rows
            ]
            second = law.mean_q if self.direction == "P|Q" else law.mean_p
            centre = sum((ball(x) * y for x, y in zip(normal, second, strict=True)), arb(0))
        return (
            tuple(normal),
            Fraction(float(centre)),
            size,
            math.sqrt(1 + float((along**2 * excess).sum())),
        )

    def epsilon(self, delta: Fraction) -> ExactEpsilon:
        """The exact epsilon at ``delta`` > 0, bracketed.  Raises Undecided if no bracket was proved."""
        if delta not in self._epsilons:
            self._epsilons[delta] = self._bracket(delta)
        return self._epsilons[delta]

    def _bracket(self, delta: Fraction) -> ExactEpsilon:
        try:
            return self._by_contour(delta)
        except Undecided:
            return self._by_orders(delta)

    def _by_contour(self, delta: Fraction) -> ExactEpsilon:
        """A float guess and two checks."""
        guess = self.twin.epsilon(float(ball(delta).log()))
        for spread in SPREADS:
            low = Fraction(guess * (1 - spread)) if guess > 0 else Fraction(0)
            below = self.decide(low, delta)
            if low == 0 and _proves(below, delta):
                return ExactEpsilon(None, below)
            if not math.isfinite(guess):
                break
            above = self.decide(Fraction(guess * (1 + spread)) if guess > 0 else Fraction(spread), delta)
            if _proves(above, delta) and of(below, HockeyStick).delta > ball(delta):
                return ExactEpsilon(below, above)
        raise Undecided("C7", "the exact epsilon could not be bracketed")

    def _by_orders(self, delta: Fraction) -> ExactEpsilon:
        """A wider bracket where the contours are out of reach: from above by one Rényi order (C3), from
        below by one event."""
        high = self.renyi_epsilon(delta)
        top = of(high, HockeyStick).epsilon
        for k in range(60):
            low = self.event(top * (1 - Fraction(1, 2**10) - Fraction(k, 61)), delta)
            if low is not None:
                return ExactEpsilon(low, high)
        return ExactEpsilon(None, high)

    def renyi_epsilon(self, delta: Fraction) -> Line:
        """An upper bound on epsilon by E3 and C3 at the best order found (C4).

        Raises Undecided if no order gives one.
        """

        def cost(order: Fraction) -> arb:
            value = self.twin.renyi(float(order - 1))
            return (
                improved_epsilon(order, arb(max(value, 0.0)), delta)
                if math.isfinite(value)
                else arb("inf")
            )

        try:
            return epsilon_by_tangent(self.proof, self.renyi(best_order(cost, 6)), delta)
        except ValueError as error:
            raise Undecided("C3", f"no order gives an epsilon ({error})") from None

    def renyi(self, order: Fraction) -> Line:
        """D_order, exactly, infinite included.  Raises Undecided."""
        infinite = self._infinite(order)
        if infinite is not None:
            return infinite
        with precision(max(ctx.prec, BITS)):
            shape = self.diagonal.witness(0.0)
            witness = RenyiWitness(self.direction, order, shape.vectors, shape.l)
            return self.proof.apply("E3", (self.law,), witness)

    def infinite_order(self, below: Fraction | None = None) -> Line | None:
        """An order at which D_alpha is certainly infinite (at most ``below``), if one is found."""
        top = max(map(float, self.diagonal.l))
        if top <= 0:
            return None
        order = 1 + Fraction(1 / top) * BEYOND
        return None if below is not None and order > below else self._infinite(order)

    def _infinite(self, order: Fraction) -> Line | None:
        k = max(range(self.dimension), key=lambda j: float(self.diagonal.l[j]))
        if float(order - 1) * float(self.diagonal.l[k]) < 1 - 1e-9:
            return None
        vector = tuple(row[k] for row in self.diagonal.witness(0.0).vectors)
        try:
            with precision(max(ctx.prec, BITS)):
                witness = InfiniteWitness(self.direction, order, vector)
                return self.proof.apply("E3-infinite", (self.law,), witness)
        except Undecided:
            return None


def _decided(line: Line, delta: Fraction) -> bool:
    value, level = of(line, HockeyStick).delta, ball(delta)
    return bool(value <= level or value > level)


def _proves(line: Line, delta: Fraction) -> bool:
    stick = of(line, HockeyStick)
    return stick.exactness == "exact" and bool(stick.delta <= ball(delta))


def _thresholds(epsilon: float, mean: float, scale: float) -> Iterator[float]:
    """Where the half-space beyond may exceed delta most, N(mean, scale^2) against N(0, 1)."""
    reach = math.sqrt(2 * epsilon + 2 * mean * mean + 4)
    t = np.concatenate([np.linspace(-6, 3 * reach + 6, 600), mean + scale * np.linspace(-6, 6, 200)])
    inside, outside = log_ndtr((mean - t) / scale), log_ndtr(-t) + epsilon
    with np.errstate(all="ignore"):
        gain = np.where(inside > outside, inside + np.log(-np.expm1(outside - inside)), -np.inf)
    best = int(np.argmax(gain))
    if math.isfinite(gain[best]):
        yield float(t[best])
    yield mean / 2
