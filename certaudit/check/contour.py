"""delta(epsilon) of N(nu, I + diag l) against N(0, I) by the trapezoid rule on a hyperbola (C7) or on a
vertical line (C6): M(s) e^(-s eps) / (s (s+1)) integrated, M(s) = E_P (p/q)^s."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
        found = zip(self.pair.l, self.pair.nu, strict=True)
        return [(real(l), real(nu * nu / 2)) for scale, nu in found if l]

    @cached_property
    def flat(self) -> mpq:
        """Gamma: the sum of nu^2 where l is 0."""
        return sum((nu * nu for scale, nu in zip(self.pair.l, self.pair.nu, strict=True) if not l), mpq(0))

    @cached_property
    def kappa(self) -> Interval:
        """eps + log det / 2."""
        return self.epsilon + total(real(1 + l).log() for scale in self.pair.l) * HALF

    def at(self, s: Rectangle) -> Rectangle:
        """One value, on the plane cut beyond each 1/l, with the principal root of each factor."""
        spend((len(self.terms) + 2) * (12 + bits() / 50))
        pulls, root = Rectangle(real(self.flat / 2)), Rectangle(ONE)
        for scale, half in self.terms:
            factor = Rectangle(ONE - l * s.x, -(l * s.y))
            pulls, root = pulls + factor.inverse().scaled(half), root * factor.sqrt()
        exponent = s * Rectangle(s.x + ONE, s.y) * pulls + s.scaled(-self.kappa)
        return exponent.exp() * root.inverse()

    def bound(self, sigma: mpq) -> Interval:
        """Its value at a real number of the domain, the largest on the vertical line through it."""
        need(sigma > 0 and all(1 - l * sigma > 0 for scale in self.pair.l), "a line outside the domain")
        return self.at(Rectangle(real(sigma))).x


def _kernel(gap: mpq, h: mpq) -> Interval:
    """e^(2 pi gap/h) - 1."""
    return (TWO * pi() * real(gap / h)).exp() - ONE


def _working(value: Any) -> int:
    return max(count(value, 4096, 2), 128)


def vertical(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C6: nodes line +- i j h.  On the strip's edges |G| <= M(sigma) e^(-sigma eps) / |s|^2, whose integral
    over the line is pi / sigma times that; past the last node |M| falls and sum 1/j^2 <= 1/n."""
    names = ("epsilon", "gamma", "line", "width", "h", "n", "bits")
    value, slack, at, half, distance, nodes, accuracy = record(witness, *names)
    pair, epsilon, gamma = first_of(found, Pair), number(value), number(slack)
    line, width, h, n = number(at), number(half), number(distance), count(nodes, MOST_NODES, 1)
    need(0 < width < line and h > 0, "the strip or the distance of the nodes")
    with precision(_working(accuracy)):
        moments = Moments(pair, around_stand_in(real(epsilon), gamma))
        error = total(
            moments.bound(sigma) / (TWO * real(sigma) * _kernel(width, h))
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
    """s = m + i b sinh(x + iy): hyperbolas with foci m -+ b between two neighbouring singularities."""

    moments: Moments
    m: mpq
    b: mpq

    @cached_property
    def residue(self) -> Interval:
        """What the poles at 0 and -1 left of the contour add; refuses foci that do not lie in one gap."""
        low, high, scales = self.m - self.b, self.m + self.b, self.moments.pair.l
        need(self.b > 0, "b is not above 0")
        need(
            all(1 - l * focus > 0 for scale in scales for focus in (low, high)),
            "a focus beyond a singularity",
        )
        need(low >= 0 or (low >= -1 and high <= 0) or high <= -1, "a pole between the foci")
        if low >= 0:
            return ZERO
        return ONE if low >= -1 else ONE - self.moments.epsilon.exp()

    def node(self, x: Interval, cosine: Interval, sine: Interval) -> Interval:
        """Re g(x + iy) for the angle y with that cosine and sine."""
        b, (cosh, sinh) = real(self.b), hyperbolic(x)
        s = Rectangle(real(self.m) - b * cosh * sine, b * sinh * cosine)
        speed = Rectangle(b * cosh * cosine, b * sinh * sine)
        return (self.moments.at(s) * speed * (s * Rectangle(s.x + ONE, s.y)).inverse()).x

    def edge(self, angle: mpq) -> Edge:
        """The hyperbola of that angle."""
        return Edge(self, *real(angle).cos_sin())


def hyperbolic(x: Interval) -> tuple[Interval, Interval]:
    """cosh and sinh."""
    up = x.exp()
    down = ONE / up
    return (up + down) * HALF, (up - down) * HALF


@dataclass(frozen=True)
class Term:
    """One l of an edge: |1 - l s|^2 = u^2 + gap with u = l b (1 + t) - off; (1 - l c) = q; the bounded rest
    near, n (l b S p - q p') / |1 - l s|^2, and far, f (q + l b S t) / |1 - l s|^2 - f/q."""

    l: Interval  # noqa: E741
    lb: Interval
    off: Interval
    gap: Interval
    q: Interval
    near: Interval
    far: Interval
    near_slope: Interval
    far_slope: Interval


@dataclass(frozen=True)
class Edge:
    """|g| along one hyperbola, as a function of t = cosh x - 1 (C7, the edge bound)."""

    contour: Contour
    cosine: Interval
    sine: Interval

    @cached_property
    def sides(self) -> tuple[Interval, Interval, Interval, Interval]:
        """cos^2 y, cos 2y, b sin y and the vertex c = m - b sin y."""
        kk = self.cosine.square()
        push = real(self.contour.b) * self.sine
        return kk, kk - self.sine.square(), push, real(self.contour.m) - push

    @cached_property
    def terms(self) -> list[Term]:
        """The data of each l that is not 0."""
        kk, _, _, c = self.sides
        m, b, pair = self.contour.m, self.contour.b, self.contour.moments.pair
        found = []
        for scale, nu in zip(pair.l, pair.nu, strict=True):
            if l:
                x, half = real(l), real(nu * nu / 2)
                q = ONE - x * c
                rest = half * (ONE + x)
                found.append(
                    Term(
                        x,
                        real(l * b),
                        real(l * m - 1) * self.sine,
                        real((1 - l * (m + b)) * (1 - l * (m - b))) * kk,
                        q,
                        rest / q.square() * real(b * b),
                        rest / x.square(),
                        half * ((c + c + ONE) * q + x * c * (c + ONE)) / q.square(),
                        -half / x,
                    )
                )
        return found

    @cached_property
    def base(self) -> Interval:
        """log |M e^(-s eps)| at the vertex, without the determinant."""
        c, moments = self.sides[3], self.contour.moments
        pulls = total(half / (ONE - l * c) for scale, half in moments.terms) + real(moments.flat / 2)
        return c * (c + ONE) * pulls - moments.kappa * c

    @cached_property
    def slope(self) -> Interval:
        """What multiplies Re (s - c) in the exponent, but for the terms."""
        moments = self.contour.moments
        return real(moments.flat / 2) * (TWO * self.sides[3] + ONE) - moments.kappa

    def over(self, cells: list[mpq], step: mpq) -> Interval:
        """The integral of |g| from the first cell on; with the nodes' distance as ``step``, h times the sum
        over the nodes there, of which a cell holds at most its length / h + 1."""
        need(len(cells) >= 2 and all(x < y for x, y in zip(cells, cells[1:], strict=False)), "the cells")
        parts = [
            real(y - x + step) * self._cell(real(x), real(y))
            for x, y in zip(cells, cells[1:], strict=False)
        ]
        return (total(parts) + self._beyond(real(cells[-1]), step)).top()

    def _cell(self, start: Interval, end: Interval) -> Interval:
        """A bound on |g| over a cell: the exponent directly and by the mean value theorem, the rest by its
        lower ends."""
        spend((len(self.terms) + 2) * (60 + bits() / 10))
        kk, _, push, _ = self.sides
        t = hull(hyperbolic(start)[0], hyperbolic(end)[0]) - ONE
        middle = t.middle()
        slope, far = self.slope, []
        for term in self.terms:
            far.append((term.lb.magnitude() * middle).lo > term.q.hi)
            slope = slope + (term.far_slope if far[-1] else term.near_slope)
        value, rise, factors = self._rest(t, far)
        direct = value - push * slope * t
        by_mean = (
            self._rest(middle, far)[0] - push * slope * middle + (rise - push * slope) * (t - middle)
        )
        exponent = Interval(direct.lo, min(direct.hi, by_mean.hi)).top()
        b, poles = real(self.contour.b), ONE
        for p in (0, 1):
            poles = poles * self._pole(t, p).bottom().sqrt()
        speed = b * (t * (t + TWO) + kk).top().sqrt()
        return (exponent.exp() * speed / (factors.sqrt().sqrt() * poles)).top()

    def _pole(self, t: Interval, p: int) -> Interval:
        """|s + p|^2."""
        m, b = self.contour.m + p, self.contour.b
        return (real(b) * (ONE + t) - real(m) * self.sine).square() + real(m * m - b * b) * self.sides[0]

    def _rest(self, t: Interval, far: list[bool]) -> tuple[Interval, Interval, Interval]:
        """The exponent without its linear part, its derivative, and the product of |1 - l s|^2 from below."""
        kk, double, push, _ = self.sides
        flat = real(self.contour.moments.flat / 2) * real(self.contour.b).square()
        p, dp = t.square() * (t + TWO * kk), t * (TWO * t + t + TWO * TWO * kk)
        w, dw = t * (double * t + TWO * kk), TWO * (double * t + kk)
        value, rise, factors = self.base - flat * w, -flat * dw, ONE
        for term, away in zip(self.terms, far, strict=True):
            u = term.lb * (ONE + t) - term.off
            size, swing = u.square() + term.gap, term.l * push
            if away:
                upper, climb = term.far * (term.q + swing * t), term.far * swing
                value = value - term.far / term.q
            else:
                upper = term.near * (swing * p - term.q * w)
                climb = term.near * (swing * dp - term.q * dw)
            part = upper / size
            value, rise = value + part, rise + (climb - part * TWO * u * term.lb) / size
            factors = (factors * size.bottom()).bottom()
        return value, rise, factors

    def _beyond(self, x: Interval, step: mpq) -> Interval:
        """The tail from x on, |s| and |s + 1| at least b cosh(x)/2 there."""
        kk, double, push, _ = self.sides
        moments, m, b = self.contour.moments, real(self.contour.m), real(self.contour.b)
        cosh, sinh = hyperbolic(x)
        need(b * (sinh - cosh * HALF) >= m.magnitude() + ONE, "the cells stop too early")
        flat, k = real(moments.flat), -moments.kappa
        for scale, half in moments.terms:
            k = k - half / l
        open_ = -(k + flat * HALF) * push - flat * (m * push + b.square() * double * cosh)
        need(moments.flat == 0 or double > ZERO, "an edge beyond a quarter of pi")
        need(open_ <= ZERO, "an edge that opens the wrong way")
        exponent = (k + flat * HALF) * (m - push * cosh) + flat * HALF * (
            m.square() + b.square() * (kk - double * cosh.square()) - TWO * m * push * cosh
        )
        factors = ONE
        for term in self.terms:
            u = term.lb * cosh - term.off
            u = u if term.l > ZERO else -u
            size = ((u.square() if u > ZERO else ZERO) + term.gap).bottom()
            factors = (factors * size).bottom()
            exponent = exponent + term.far * (ONE / size.sqrt() - ONE)
        scale = EIGHT / b * (-x).exp() * (ONE + real(step))
        return scale * exponent.exp() / factors.sqrt().sqrt()


def hyperbola(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C7: |delta - R - (h/pi)(g(i theta)/2 + sum Re g(j h + i theta))| is at most (1/pi) times the integrals
    over two edges, each over e^(2 pi gap/h) - 1, and the nodes left out."""
    names = [
        "epsilon",
        "gamma",
        "m",
        "b",
        "theta",
        "lo",
        "hi",
        "h",
        "n",
        "lo_cells",
        "hi_cells",
        "tail_cells",
        "bits",
    ]
    parts = dict(zip(names, record(witness, *names), strict=True))
    pair, n = first_of(found, Pair), count(parts["n"], MOST_NODES)
    epsilon, gamma, m, b, theta, lo, hi, h = (number(parts[name]) for name in names[:8])
    cells = {name: numbers(parts[name]) for name in names[9:12]}
    need(all(2 <= len(edges) <= MOST_CELLS for edges in cells.values()), "the number of cells")
    need(h > 0 and lo < theta < hi, "the distance of the nodes, or the order of the angles")
    need(cells["lo_cells"][0] == 0 == cells["hi_cells"][0], "the cells do not start at 0")
    need(0 <= cells["tail_cells"][0] <= (n + 1) * h, "the cells leave out a node")
    with precision(_working(parts["bits"])):
        need(real(-lo) < pi() * HALF and real(hi) < pi() * HALF, "an angle beyond half of pi")
        moments = Moments(pair, around_stand_in(real(epsilon), gamma))
        contour = Contour(moments, m, b)
        residue, (cosine, sine) = contour.residue, real(theta).cos_sin()
        value = contour.node(ZERO, cosine, sine) * HALF
        for j in range(1, n + 1):
            value = value + contour.node(real(j * h), cosine, sine)
        error = (
            contour.edge(hi).over(cells["hi_cells"], mpq(0)) / _kernel(hi - theta, h)
            + contour.edge(lo).over(cells["lo_cells"], mpq(0)) / _kernel(theta - lo, h)
            + contour.edge(theta).over(cells["tail_cells"], h)
        ) / pi()
        delta = residue + value * real(h) / pi() + Interval((-error).lo, error.hi)
        return _stick(pair, epsilon, gamma, delta)
