"""delta(epsilon) of N(nu, I + diag l) against N(0, I) by the trapezoid rule on a hyperbola (C7) or on a
vertical line (C6): M(s) e^(-s eps) / (s (s+1)) integrated, M(s) = E_P (p/q)^s."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from gmpy2 import mpq

from .document import binary64, count, number, numbers, record
from .interval import (
    HALF,
    INFINITY,
    ONE,
    TWO,
    ZERO,
    Interval,
    greater,
    hull,
    lesser,
    pi,
    precision,
    real,
    total,
)
from .rectangle import Rectangle
from .refusal import need
from .rules_pair import around_stand_in, carried_back
from .statement import HockeyStick, Pair, Statement
from .steps import Context, first_of

MOST_NODES = 20_000
MOST_CELLS = 10_000
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
        return [(real(scale), real(nu).square() * HALF) for scale, nu in found if scale]

    @cached_property
    def flat(self) -> Interval:
        """Gamma/2: half the sum of nu^2 where l is 0."""
        found = zip(self.pair.scales, self.pair.nu, strict=True)
        return total(real(nu).square() for scale, nu in found if not scale) * HALF

    @cached_property
    def kappa(self) -> Interval:
        """eps + log det / 2."""
        return self.epsilon + total(real(1 + scale).log() for scale in self.pair.scales) * HALF

    def at(self, s: Rectangle) -> Rectangle:
        """One value, on the plane cut beyond each 1/l, with the principal root of each factor."""
        x, y, roots = self.flat, ZERO, Rectangle(ONE)
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
        at = real(sigma)
        inside = all(ONE - scale * at > ZERO for scale, _ in self.terms)
        need(at > ZERO and inside, "a line outside the domain")
        return self.at(Rectangle(at)).x


def _kernel(gap: mpq, h: mpq) -> Interval:
    """e^(2 pi gap/h) - 1."""
    return (TWO * pi() * real(gap) / real(h)).exp() - ONE


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
            moments.bound(sigma) / (TWO * (real(sigma) * real(sigma + 1)).sqrt() * _kernel(width, h))
            for sigma in (line - width, line + width)
        )
        value = ZERO
        for j in range(n + 1):
            s = Rectangle(real(line), real(h) * real(j))
            moment = moments.at(s)
            node = (moment * (s * Rectangle(s.x + ONE, s.y)).inverse()).x
            value = value + (node if j else node * HALF)
        error = error + moment.squared_magnitude().sqrt() / (pi() * real(n) * real(h))
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
        ends = real(low), real(high)
        free = all(ONE - scale * focus > ZERO for scale, _ in self.moments.terms for focus in ends)
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
        parts = [(real(y - x) + real(step)) * self._cell(x, y, angle) for x, y in pairwise(cells)]
        return (total(parts) + self._beyond(real(cells[-1]), angle, step)).top()

    def _cell(self, start: mpq, end: mpq, angle: Angle) -> Interval:
        """|g| in the middle times e^(half the length sup |d log|g| / dx|), or where that grows, |g| by
        values over the whole cell."""
        middle, half = real((start + end) / 2), real((end - start) / 2)
        growth = half * self._rise(hull(real(start), real(end)), angle).magnitude()
        found = (self.value(middle, angle).squared_magnitude().sqrt() * growth.exp()).top()
        return found if growth < ONE else lesser(found, self._halved(start, end, angle, 5))

    def _halved(self, start: mpq, end: mpq, angle: Angle, times: int) -> Interval:
        """The values over a cell, halved as long as a bound above 1 comes out."""
        found = self._level(hull(real(start), real(end)), angle).top()
        if found < ONE or not times:
            return found
        middle = (start + end) / 2
        halves = (start, middle), (middle, end)
        return greater(*(self._halved(x, y, angle, times - 1) for x, y in halves))

    def _level(self, x: Interval, angle: Angle) -> Interval:
        """|g| by t = cosh x - 1, z = s - c from the vertex c, q = 1 - l c, and f = s(s+1)/(1 - l s) near
        f(c) + f'(c) z + (1+l) z^2/(q^2 (1 - l s)), far f(c) - z/l + (1+l)/l^2 (1/(1 - l s) - 1/q)."""
        moments, m, b, t = self.moments, real(self.m), real(self.b), hyperbolic(x)[0] - ONE
        kk, push = angle.cosine.square(), b * angle.sine
        c, back, squared = m - push, push * t, b.square() * t * (t + TWO * kk)
        real_square = -(b.square() * t * ((kk - angle.sine.square()) * t + TWO * kk))
        flat, sides = moments.flat, c * (c + ONE)
        slope = flat * (c + c + ONE) - moments.kappa
        exponent, factors = flat * (sides + real_square) - moments.kappa * c, ONE
        for scale, half in moments.terms:
            q, size, swing = ONE - scale * c, self._distance(scale, t, angle), scale * back
            if (scale.magnitude() * b * t.middle()).lo > q.hi:
                slope = slope - half / scale
                rest = (ONE + scale) / scale.square() * ((q + swing) / size - ONE / q)
            else:
                slope = slope + half * ((c + c + ONE) * q + scale * sides) / q.square()
                rest = (ONE + scale) / q.square() * (q * real_square + swing * squared) / size
            exponent = exponent + half * (sides / q + rest)
            factors = (factors * size).bottom()
        poles = ONE
        for p in (0, 1):
            base = b * (ONE + t) - real(self.m + p) * angle.sine
            gap = real(self.m + p - self.b) * real(self.m + p + self.b) * kk
            poles = (poles * (base.square() + gap)).bottom()
        speed = b * (t * (t + TWO) + kk).top().sqrt()
        return speed * (exponent - slope * back).exp() / (factors.sqrt().sqrt() * poles.sqrt())

    def _distance(self, scale: Interval, t: Interval, angle: Angle) -> Interval:
        """|1 - l s|^2, as the square of |l| b (1 + t) + sign(l) (1 - l m) sin y and a rest."""
        turn = (ONE - scale * real(self.m)) * angle.sine
        base = scale.magnitude() * real(self.b) * (ONE + t)
        base = base + turn if scale > ZERO else base - turn
        low, high = (ONE - scale * real(focus) for focus in (self.m - self.b, self.m + self.b))
        return base.square() + low * high * angle.cosine.square()

    def _rise(self, x: Interval, angle: Angle) -> Interval:
        """Re g'/g = Re (tanh zeta + i b cosh zeta [sum (l W/2 + nu^2/2 f') - kappa - 1/s - 1/(s+1)]),
        W = 1/(1 - l s), f' near (1+s) W^2 + s W or, the same for l not 0, far ((1+l) W^2 - 1)/l."""
        moments, (s, speed, tanh) = self.moments, self.point(x, angle)
        after, size = Rectangle(s.x + ONE, s.y), s.squared_magnitude().lo
        slope = (s + after).scaled(moments.flat) + Rectangle(-moments.kappa)
        slope = slope + (s.inverse() + after.inverse()).scaled(-ONE)
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
        kk, flat = angle.cosine.square(), moments.flat * TWO
        double = kk - angle.sine.square()
        need(b * (sinh - cosh * HALF) >= m.magnitude() + ONE, "the cells stop too early")
        k = flat * HALF - moments.kappa - total(half / scale for scale, half in moments.terms)
        falls = -(k * push) - flat * (m * push + b.square() * double * cosh)
        need(flat.is_zero() or double > ZERO, "an edge beyond a quarter of pi")
        need(falls <= ZERO, "an edge that opens the wrong way")
        bend = m.square() + b.square() * (kk - double * cosh.square()) - TWO * m * push * cosh
        exponent, factors = k * (m - push * cosh) + flat * HALF * bend, ONE
        further = Interval(cosh.lo, INFINITY.hi) - ONE
        for scale, half in moments.terms:
            size = self._distance(scale, further, angle).bottom()
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
    """C7: |delta - R - (h/pi)(g(i theta)/2 + sum Re g(j h + i theta))| is at most 1/pi times the nodes
    left out and the integrals over two edges, each divided by e^(2 pi gap/h) - 1."""
    names = (
        *("epsilon", "gamma", "m", "b", "theta", "lo", "hi", "h", "n"),
        *("lo_cells", "hi_cells", "tail_cells", "bits"),
    )
    parts = dict(zip(names, record(witness, *names), strict=True))
    pair, n = first_of(found, Pair), count(parts["n"], MOST_NODES)
    epsilon, gamma, m, b, theta, lo, hi, h = (number(parts[name]) for name in names[:8])
    cells = {name: numbers(parts[name], None, binary64) for name in names[9:12]}
    need(all(2 <= len(edges) <= MOST_CELLS for edges in cells.values()), "the number of cells")
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
            value = value + contour.value(real(h) * real(j), middle).x
        above, below = (Angle(*real(y).cos_sin()) for y in (hi, lo))
        error = (
            contour.along(above, cells["hi_cells"], mpq(0)) / _kernel(hi - theta, h)
            + contour.along(below, cells["lo_cells"], mpq(0)) / _kernel(theta - lo, h)
            + contour.along(middle, cells["tail_cells"], h)
        ) / pi()
        delta = residue + value * real(h) / pi() + Interval((-error).lo, error.hi)
        return _stick(pair, epsilon, gamma, delta)
