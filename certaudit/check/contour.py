"""delta(epsilon) of N(nu, I + diag l) against N(0, I) by the trapezoid rule on a hyperbola (C7) or on a
vertical line (C6): M(s) e^(-s eps) / (s (s+1)) integrated, M(s) = E_P (p/q)^s."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from gmpy2 import mpq

from .document import count, number, numbers, record
from .interval import (
    HALF,
    ONE,
    TWO,
    ZERO,
    Interval,
    bits,
    hull,
    pi,
    precision,
    real,
    total,
)
from .rectangle import Rectangle
from .refusal import need, spend
from .rules_pair import around_stand_in, carried_back
from .statement import HockeyStick, Pair, Statement
from .steps import Context, first_of

MOST_NODES = 20_000
MOST_CELLS = 2_000
EIGHT = real(8)


@dataclass(frozen=True)
class Moments:
    """M(s) e^(-s eps) of the stand-in, at the epsilons of an interval."""

    pair: Pair
    epsilon: Interval

    @cached_property
    def terms(self) -> list[tuple[Interval, Interval]]:
        """(l, nu^2/2) where l is not 0."""
        found = zip(self.pair.scales, self.pair.nu, strict=True)
        return [(real(scale), real(nu * nu / 2)) for scale, nu in found if scale]

    @cached_property
    def flat(self) -> mpq:
        """Gamma: the sum of nu^2 where l is 0."""
        return sum(
            (nu * nu for scale, nu in zip(self.pair.scales, self.pair.nu, strict=True) if not scale),
            mpq(0),
        )

    @cached_property
    def kappa(self) -> Interval:
        """eps + log det / 2."""
        return self.epsilon + total(real(1 + scale).log() for scale in self.pair.scales) * HALF

    def at(self, s: Rectangle) -> Rectangle:
        """One value, on the plane cut beyond each 1/l, with the principal root of each factor."""
        spend((len(self.terms) + 2) * (25 + bits() / 20))
        x, y, roots = real(self.flat / 2), ZERO, Rectangle(ONE)
        for scale, half in self.terms:
            factor = Rectangle(ONE - scale * s.x, -(scale * s.y))
            square = factor.squared_magnitude()
            pull = half / square
            x, y = x + factor.x * pull, y - factor.y * pull
            roots = roots * factor.wide_root(square.sqrt())
        exponent = s * Rectangle(s.x + ONE, s.y) * Rectangle(x, y) + s.scaled(-self.kappa)
        return exponent.exp() * roots.inverse().scaled(TWO.power(len(self.terms)).sqrt())

    def bound(self, sigma: mpq) -> Interval:
        """Its value at a real number of the domain, the largest on the vertical line through it."""
        need(
            sigma > 0 and all(1 - scale * sigma > 0 for scale in self.pair.scales),
            "a line outside the domain",
        )
        return self.at(Rectangle(real(sigma))).x


def _kernel(gap: mpq, h: mpq) -> Interval:
    """e^(2 pi gap/h) - 1."""
    return (TWO * pi() * real(gap / h)).exp() - ONE


def _working(value: Any) -> int:
    return max(count(value, 4096, 2), 128)


def vertical(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C6: nodes line +- i j h.  On the strip's edges |M(s)| <= M(sigma), and the integral of 1/|s (s+1)|
    over a line is at most pi / sqrt(sigma (sigma+1)); past the last node |M| falls, sum 1/j^2 <= 1/n."""
    names = ("epsilon", "gamma", "line", "width", "h", "n", "bits")
    value, slack, at, half, distance, nodes, accuracy = record(witness, *names)
    pair, epsilon, gamma = first_of(found, Pair), number(value), number(slack)
    line, width, h, n = number(at), number(half), number(distance), count(nodes, MOST_NODES, 1)
    need(0 < width < line and h > 0, "the strip or the distance of the nodes")
    with precision(_working(accuracy)):
        moments = Moments(pair, around_stand_in(real(epsilon), gamma))
        error = total(
            moments.bound(sigma) / (TWO * real(sigma * (sigma + 1)).sqrt() * _kernel(width, h))
            for sigma in (line - width, line + width)
        )
        value = ZERO
        for j in range(n + 1):
            s = Rectangle(real(line), real(j * h))
            moment = moments.at(s)
            node = (moment * (s * Rectangle(s.x + ONE, s.y)).inverse()).x
            value = value + (node if j else node * HALF)
        error = error + moment.squared_magnitude().sqrt() / (pi() * real(n * h))
        delta = value * real(h) / pi() + Interval((-error).lo, error.hi)
        return _stick(pair, epsilon, gamma, delta)


def _stick(pair: Pair, epsilon: mpq, gamma: mpq, delta: Interval) -> HockeyStick:
    shown = carried_back(pair, real(epsilon), gamma, delta)
    return HockeyStick((pair.direction,), "final", "exact", epsilon, shown)


@dataclass(frozen=True)
class Contour:
    """s = m + i b sinh(zeta), zeta = x + iy: hyperbolas with foci m -+ b between two singularities."""

    moments: Moments
    m: mpq
    b: mpq

    @cached_property
    def residue(self) -> Interval:
        """What poles left of the contour add; refuses foci that do not lie in one gap."""
        low, high = self.m - self.b, self.m + self.b
        need(self.b > 0, "b is not above 0")
        free = all(1 - x * focus > 0 for x in self.moments.pair.scales for focus in (low, high))
        need(free, "a focus beyond a singularity")
        need(low >= 0 or (low >= -1 and high <= 0) or high <= -1, "a pole between the foci")
        if low >= 0:
            return ZERO
        return ONE if low >= -1 else ONE - self.moments.epsilon.exp()

    def point(self, x: Interval, angle: Angle) -> tuple[Rectangle, Rectangle, Rectangle]:
        """s, b cosh zeta and tanh zeta."""
        b, (cosh, sinh) = real(self.b), hyperbolic(x)
        along = Rectangle(cosh * angle.cosine, sinh * angle.sine)
        across = Rectangle(sinh * angle.cosine, cosh * angle.sine)
        s = Rectangle(real(self.m) - b * across.y, b * across.x)
        return s, along.scaled(b), across * along.inverse()

    def value(self, x: Interval, angle: Angle) -> Rectangle:
        """g = b cosh zeta M(s) e^(-s eps) / (s (s + 1))."""
        s, speed, _ = self.point(x, angle)
        return self.moments.at(s) * speed * (s * Rectangle(s.x + ONE, s.y)).inverse()

    def along(self, angle: Angle, cells: list[mpq], step: mpq) -> Interval:
        """The integral of |g| from the first cell on; with the nodes' distance as ``step``, h times the
        sum over the nodes there, of which a cell holds at most its length / h + 1."""
        need(all(x < y for x, y in pairwise(cells)), "the cells do not increase")
        parts = [real(y - x + step) * self._cell(x, y, angle) for x, y in pairwise(cells)]
        return (total(parts) + self._beyond(real(cells[-1]), angle, step)).top()

    def _cell(self, start: mpq, end: mpq, angle: Angle) -> Interval:
        """|g| in the middle, times e^(half the length sup |d log|g| / dx|)."""
        middle, half = real((start + end) / 2), real((end - start) / 2)
        rise = self._rise(hull(real(start), real(end)), angle).magnitude()
        return (self.value(middle, angle).squared_magnitude().sqrt() * (half * rise).exp()).top()

    def _rise(self, x: Interval, angle: Angle) -> Interval:
        """Re g'/g, g'/g = tanh zeta + i b cosh zeta [sum (l W/2 + nu^2/2 f') - kappa - 1/s - 1/(s+1)] with
        W = 1/(1 - l s) and f' near (1+s) W^2 + s W or, the same for l not 0, far ((1+l) W^2 - 1)/l."""
        moments, (s, speed, tanh) = self.moments, self.point(x, angle)
        spend((len(moments.terms) + 2) * (15 + bits() / 50))
        after, size = Rectangle(s.x + ONE, s.y), s.squared_magnitude().lo
        flat = real(moments.flat / 2)
        slope = (s + after).scaled(flat) + s.inverse().scaled(-ONE) + after.inverse().scaled(-ONE)
        slope = slope + Rectangle(-moments.kappa)
        for scale, half in moments.terms:
            w = Rectangle(ONE - scale * s.x, -(scale * s.y)).inverse()
            square = w * w
            if (scale.square() * Interval(size, size)).lo > 1:
                change = (square.scaled(ONE + scale) + Rectangle(-ONE)).scaled(half / scale)
            else:
                change = (after * square + s * w).scaled(half)
            slope = slope + change + w.scaled(scale * HALF)
        return tanh.x - (speed.x * slope.y + speed.y * slope.x)

    def _beyond(self, x: Interval, angle: Angle, step: mpq) -> Interval:
        """The tail from x on, where |s| and |s + 1| are at least b cosh(x)/2 (C7, beyond the cells)."""
        moments, m, b = self.moments, real(self.m), real(self.b)
        (cosh, sinh), push = hyperbolic(x), b * angle.sine
        kk, flat = angle.cosine.square(), real(moments.flat)
        double = kk - angle.sine.square()
        need(b * (sinh - cosh * HALF) >= m.magnitude() + ONE, "the cells stop too early")
        k = flat * HALF - moments.kappa - total(half / scale for scale, half in moments.terms)
        falls = -(k * push) - flat * (m * push + b.square() * double * cosh)
        need(moments.flat == 0 or double > ZERO, "an edge beyond a quarter of pi")
        need(falls <= ZERO, "an edge that opens the wrong way")
        bend = m.square() + b.square() * (kk - double * cosh.square()) - TWO * m * push * cosh
        exponent, factors = k * (m - push * cosh) + flat * HALF * bend, ONE
        low, high = real(self.m - self.b), real(self.m + self.b)
        for scale, half in moments.terms:
            base = scale.magnitude() * b * cosh
            turn = (ONE - scale * m) * angle.sine
            base = base + turn if scale > ZERO else base - turn
            gap = (ONE - scale * low) * (ONE - scale * high) * kk
            size = ((base.square() if base > ZERO else ZERO) + gap).bottom()
            factors = (factors * size).bottom()
            exponent = exponent + half * (ONE + scale) / scale.square() * (ONE / size.sqrt() - ONE)
        outer = EIGHT / b * (-x).exp() * (ONE + real(step))
        return outer * exponent.exp() / factors.sqrt().sqrt()


@dataclass(frozen=True)
class Angle:
    """The imaginary part of zeta on one hyperbola."""

    cosine: Interval
    sine: Interval


def hyperbolic(x: Interval) -> tuple[Interval, Interval]:
    """cosh and sinh at x >= 0."""
    ends = []
    for end in (x.bottom(), x.top()):
        up = end.exp()
        down = ONE / up
        ends.append(((up + down) * HALF, (up - down) * HALF))
    return hull(ends[0][0], ends[1][0]), hull(ends[0][1], ends[1][1])


def hyperbola(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C7: |delta - R - (h/pi)(g(i theta)/2 + sum Re g(j h + i theta))| is at most (1/pi) times the integrals
    over two edges, each over e^(2 pi gap/h) - 1, and the nodes left out."""
    names = (
        *("epsilon", "gamma", "m", "b", "theta", "lo", "hi", "h", "n"),
        *("lo_cells", "hi_cells", "tail_cells", "bits"),
    )
    parts = dict(zip(names, record(witness, *names), strict=True))
    pair, n = first_of(found, Pair), count(parts["n"], MOST_NODES)
    epsilon, gamma, m, b, theta, lo, hi, h = (number(parts[name]) for name in names[:8])
    cells = {name: numbers(parts[name]) for name in names[9:12]}
    need(all(1 <= len(edges) <= MOST_CELLS for edges in cells.values()), "the number of cells")
    need(h > 0 and lo < theta < hi, "the distance of the nodes, or the order of the angles")
    need(cells["lo_cells"][0] == 0 == cells["hi_cells"][0], "the cells do not start at 0")
    need(0 <= cells["tail_cells"][0] <= (n + 1) * h, "the cells leave out a node")
    with precision(_working(parts["bits"])):
        need(real(-lo) < pi() * HALF and real(hi) < pi() * HALF, "an angle beyond half of pi")
        moments = Moments(pair, around_stand_in(real(epsilon), gamma))
        contour = Contour(moments, m, b)
        residue, middle = contour.residue, Angle(*real(theta).cos_sin())
        value = contour.value(ZERO, middle).x * HALF
        for j in range(1, n + 1):
            value = value + contour.value(real(j * h), middle).x
        above, below = (Angle(*real(y).cos_sin()) for y in (hi, lo))
        error = (
            contour.along(above, cells["hi_cells"], mpq(0)) / _kernel(hi - theta, h)
            + contour.along(below, cells["lo_cells"], mpq(0)) / _kernel(theta - lo, h)
            + contour.along(middle, cells["tail_cells"], h)
        ) / pi()
        delta = residue + value * real(h) / pi() + Interval((-error).lo, error.hi)
        return _stick(pair, epsilon, gamma, delta)
