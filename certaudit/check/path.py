"""O2: all iterates of an affine run.  M(s) = E (first/second)^s is the integral of
first^(1+s) second^-s.

Some steps in a row are a kernel from w to v: D^(-1/2) exp(w.G w + 2 g.w + c) times the normal density of
v about F w + f with covariance S, complex where s is.  Completing the square at the iterate in between
joins two, with N = I - 2 S1 G2; a cycle of steps is joined by halves and repeated by doubling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

import gmpy2
from gmpy2 import mpc, mpfr, mpq, mpz

from .affine import need_affine, one_step
from .document import choice, count, number, record
from .interval import HALF, INFINITY, ONE, TWO, ZERO, Interval, bits, pi, precision, real, total
from .matrix import Matrix, diagonal, matrix, zeros
from .rectangle import Rectangle
from .refusal import Refused, need, spend
from .run import Segment, Step
from .statement import BOTH, HockeyStick, Renyi, Statement
from .steps import Context

MOST_NODES = 2_000


class Infinite(Exception):
    """An integral that certainly diverges."""


@dataclass(frozen=True)
class Complex:
    """x + i y as the matrix (x y)."""

    parts: Matrix

    @property
    def width(self) -> int:
        """Columns of x."""
        return self.parts.width // 2

    @cached_property
    def doubled(self) -> Matrix:
        """The rows (x y) and (-y x): multiplied from the left, it gives (x y) of a product."""
        m, k = self.parts, self.width
        turned = tuple((*(-entry for entry in row[k:]), *row[:k]) for row in m.rows)
        return Matrix((*m.rows, *turned), m.exponent, (TWO.sqrt() * m.error).top())

    @cached_property
    def transposed(self) -> Complex:
        """The transpose, not conjugated."""
        m, k = self.parts, self.width
        columns = list(zip(*m.rows, strict=True))
        rows = tuple((*x, *y) for x, y in zip(columns[:k], columns[k:], strict=True))
        return Complex(Matrix(rows, m.exponent, m.error))

    def __matmul__(self, other: Complex) -> Complex:
        return Complex(self.parts @ other.doubled)

    def __add__(self, other: Complex) -> Complex:
        return Complex(self.parts + other.parts)

    def __sub__(self, other: Complex) -> Complex:
        return Complex(self.parts - other.parts)

    def twice(self) -> Complex:
        """2 x + 2 i y."""
        return Complex(
            replace(self.parts, exponent=self.parts.exponent + 1, error=TWO * self.parts.error)
        )

    def is_zero(self) -> bool:
        """Whether this is exactly 0."""
        return self.parts.error.is_zero() and not any(map(any, self.parts.rows))

    def entry(self, row: int, column: int) -> Rectangle:
        """One entry."""
        return Rectangle(self.parts.entry(row, column), self.parts.entry(row, column + self.width))

    def centres(self) -> list[list[Any]]:
        """The centre in floating point."""
        m, k = self.parts, self.width
        scaled = [[mpfr(entry) * mpfr(2) ** m.exponent for entry in row] for row in m.rows]
        return [[mpc(row[j], row[j + k]) for j in range(k)] for row in scaled]


def of_parts(x: Matrix, y: Matrix | None = None) -> Complex:
    """x + i y."""
    y = zeros(x.height, x.width) if y is None else y
    empty, blank = (Matrix(((mpz(0),) * m.width,) * m.height, m.exponent) for m in (x, y))
    left = Matrix(_beside(x, empty), x.exponent, x.error)
    right = Matrix(_beside(blank, y), y.exponent, y.error)
    return Complex(left + right)


def _beside(x: Matrix, y: Matrix) -> tuple[tuple[mpz, ...], ...]:
    return tuple((*a, *b) for a, b in zip(x.rows, y.rows, strict=True))


def identity(size: int) -> Complex:
    """I."""
    return of_parts(diagonal(size, ONE))


def inverse(found: Complex) -> tuple[Complex, Rectangle]:
    """N^-1 and det N.  With any triangular L, U and L N U = I + E, e = |E| < 1: N^-1 is within
    |U| |L| e/(1-e) of U L, and det N det L det U within (1+e)^d - 1 of 1."""
    size = found.width
    spend(200 + 1.3 * size**3)
    with gmpy2.context(precision=bits() + 16):
        lower, upper = map(_exactly, _triangles(found.centres()))
    e = (lower @ found @ upper - identity(size)).parts.norm
    need(e < HALF, "a matrix that is nearly singular")
    slack = (upper.parts.norm * lower.parts.norm * e / (ONE - e)).top()
    product = upper @ lower
    det = Rectangle(ONE)
    for k in range(size):
        det = det * lower.entry(k, k) * upper.entry(k, k)
    wide = (ONE + e).power(size) - ONE
    around = Rectangle(Interval((ONE - wide).lo, (ONE + wide).hi), Interval((-wide).lo, wide.hi))
    return Complex(product.parts.loosened(slack)), around * det.inverse()


def _triangles(n: list[list[Any]]) -> tuple[list[list[Any]], list[list[Any]]]:
    """About L and U, L N U near I, L below and U above the diagonal; nothing rests on them."""
    size = len(n)
    left = [[mpc(i == j) for j in range(size)] for i in range(size)]
    for k in range(size):
        for i in range(k + 1, size):
            factor = n[i][k] / n[k][k]
            n[i] = [x - factor * y for x, y in zip(n[i], n[k], strict=True)]
            left[i] = [x - factor * y for x, y in zip(left[i], left[k], strict=True)]
    right = [[mpc(0)] * size for _ in range(size)]
    for k in range(size):
        right[k][k] = 1 / n[k][k]
        for i in range(k - 1, -1, -1):
            right[i][k] = -sum(n[i][j] * right[j][k] for j in range(i + 1, k + 1)) / n[i][i]
    for i in range(size):
        left[i][i + 1 :] = [mpc(0)] * (size - 1 - i)
    return left, right


def _exactly(table: list[list[Any]]) -> Complex:
    found = matrix(
        [[mpq(part) for part in (*(z.real for z in row), *(z.imag for z in row))] for row in table]
    )
    return Complex(found.centre())


def need_positive(found: Complex) -> None:
    """Positive definite, by elimination; Infinite if it is certainly not."""
    size = found.width
    spend(size**3)
    rows = [[found.parts.entry(i, j) for j in range(size)] for i in range(size)]
    for k, row in enumerate(rows):
        if row[k] < ZERO:
            raise Infinite
        need(row[k] > ZERO, "an integral that may diverge")
        for below in rows[k + 1 :]:
            factor = below[k] / row[k]
            for j in range(k, size):
                below[j] = below[j] - factor * row[j]


@dataclass(frozen=True)
class Kernel:
    """Some steps in a row, as above; f and g are columns."""

    F: Complex
    f: Complex
    S: Complex
    G: Complex
    g: Complex
    c: Rectangle
    det: Rectangle

    def then(self, later: Kernel, plain: bool) -> Kernel:
        """This one first; ``plain``: s is real, so that the integral must converge."""
        inner = self.S @ later.G
        if plain and not self.S.is_zero() and not later.G.is_zero():
            need_positive(self.S - (inner @ self.S).twice())
        turn, det = inverse(identity(self.F.width) - inner.twice())
        pulled, spread, back = later.G @ turn, turn @ self.S, self.F.transposed
        push, h = pulled @ self.f, turn.transposed @ later.g
        onward = later.F @ turn
        forms = self.f.transposed @ (push + h.twice()) + (later.g.transposed @ spread @ later.g).twice()
        return Kernel(
            onward @ self.F,
            later.f + onward @ self.f + (later.F @ (spread @ later.g)).twice(),
            later.S + (onward @ self.S) @ later.F.transposed,
            self.G + back @ pulled @ self.F,
            self.g + back @ (push + h),
            self.c + later.c + forms.entry(0, 0),
            self.det * later.det * det,
        )

    def repeated(self, times: int, plain: bool) -> Kernel:
        """So many times, at least once."""
        if times == 1:
            return self
        half = self.repeated(times // 2, plain)
        both = half.then(half, plain)
        return both.then(self, plain) if times % 2 else both


def _joined(kernels: list[Kernel], plain: bool) -> Kernel:
    if len(kernels) == 1:
        return kernels[0]
    half = len(kernels) // 2
    return _joined(kernels[:half], plain).then(_joined(kernels[half:], plain), plain)


@dataclass(frozen=True)
class Course:
    """The phases of the two worlds side by side, the first law's first, up to the last that differs."""

    context: Context
    phases: tuple[tuple[Segment, Segment], ...]

    def moment(self, s: Rectangle) -> tuple[Rectangle, Rectangle]:
        """(c, D), M(s) = e^c / sqrt D."""
        run, plain = self.context.run, s.y.is_zero()
        size = len(run.mean)
        none, column = of_parts(zeros(size, size)), of_parts(zeros(size, 1))
        mean, spread = (
            of_parts(m) for m in (matrix([[x] for x in run.mean]), diagonal(size, real(run.variance)))
        )
        start = Kernel(none, mean, spread, none, column, Rectangle(ZERO), Rectangle(ONE))
        kernels = [start, *(self._phase(a, b, s, plain) for a, b in self.phases)]
        whole = reduce(lambda later, earlier: earlier.then(later, plain), reversed(kernels))
        return whole.c, whole.det

    def plain(self, at: mpq) -> tuple[Interval, Interval]:
        """The same at a real number where M is finite."""
        c, det = self.moment(Rectangle(real(at)))
        need(det.x > ZERO, "a determinant that may vanish")
        return c.x, det.x

    def _phase(self, own: Segment, other: Segment, s: Rectangle, plain: bool) -> Kernel:
        steps = [self._step(a, b, s) for a, b in zip(own.cycle, other.cycle, strict=True)]
        rounds, rest = divmod(own.steps, len(steps))
        parts = [_joined(steps, plain).repeated(rounds, plain)] if rounds else []
        return _joined([*parts, *steps[:rest]], plain)

    def _step(self, own: Step, other: Step, s: Rectangle) -> Kernel:
        near, far, size = (
            one_step(self.context, own),
            one_step(self.context, other),
            len(self.context.run.mean),
        )
        (a, b), (a_far, b_far) = ((m.a.transposed, m.b.transposed) for m in (near, far))
        slope, shift = a - a_far, b - b_far
        more, k = Rectangle(s.x + ONE, s.y), Rectangle(ZERO)
        if own.batch != other.batch:
            k = (s * more).scaled(ONE / real(2 * own.noise))

        def complex_of(base: Matrix, factor: Rectangle, part: Matrix) -> Complex:
            return of_parts(base + part.scaled(factor.x), part.scaled(factor.y))

        flat, thin, across = zeros(size, size), zeros(size, 1), slope.transposed
        return Kernel(
            complex_of(a_far, more, slope),
            complex_of(b_far, more, shift),
            of_parts(diagonal(size, real(own.noise))),
            complex_of(flat, k, across @ slope),
            complex_of(thin, k, across @ shift),
            k.scaled((shift.transposed @ shift).entry(0, 0)),
            Rectangle(ONE),
        )


def course(context: Context, direction: str) -> Course:
    """Refuses worlds that take other steps, and a step that differs without noise."""
    run = context.run
    need_affine(run)
    need(run.output_noise("P") == run.output_noise("Q"), "the worlds' output noises differ")
    phases = [[phase for phase, _ in run.program(world)] for world in ("P", "Q")]
    need(phases[0] == phases[1], "the worlds take other steps, or other noise")
    both = zip(context.program("P"), context.program("Q"), strict=True)
    pairs = [(a, b) for a, b in both if a.steps]
    while pairs and pairs[-1][0].cycle == pairs[-1][1].cycle:
        pairs.pop()
    silent = [(a, b) for a, b in pairs if not a.cycle[0].noise and a.cycle != b.cycle]
    need(not silent, "a step that differs adds no noise")
    return Course(context, tuple(pairs if direction == "P|Q" else [(b, a) for a, b in pairs]))


def renyi(context: Context, found: list[Statement], witness: Any) -> Statement:
    """O2-renyi: (order - 1) D = c - log(D)/2 at s = order - 1, infinite where an integral diverges."""
    towards, value = record(witness, "direction", "order")
    direction, order = choice(towards, *BOTH), number(value)
    need(not found and order > 1, "uses no lines, and an order above 1")
    try:
        c, det = course(context, direction).plain(order - 1)
        r = (c - det.log() * HALF) / real(order - 1)
    except Infinite:
        r = INFINITY
    return Renyi((direction,), "every-step", "exact", order, r)


def hockey_stick(context: Context, found: list[Statement], witness: Any) -> Statement:
    """O2: the trapezoid rule on Re s = line, nodes line + i j h, with C6's error."""
    names = ("direction", "epsilon", "line", "width", "near", "h", "n", "bits")
    towards, *given, nodes, accuracy = record(witness, *names)
    epsilon, line, width, near, h = map(number, given)
    direction, n = choice(towards, *BOTH), count(nodes, MOST_NODES, 1)
    need(not found and epsilon >= 0 and h > 0, "uses no lines; epsilon of 0 or more, h above 0")
    need(0 < near <= width < line, "the strip, or the points beside the line")
    with precision(max(count(accuracy, 4096, 2), 128)):
        try:
            delta = _trapezoid(course(context, direction), epsilon, line, width, near, h, n)
        except Infinite:
            raise Refused("a strip outside the domain") from None
    return HockeyStick((direction,), "every-step", "exact", epsilon, delta)


def _trapezoid(
    steps: Course, epsilon: mpq, line: mpq, width: mpq, near: mpq, h: mpq, n: int
) -> Interval:
    def size(sigma: mpq) -> Interval:
        c, det = steps.plain(sigma)
        return (c - real(sigma * epsilon)).exp() / det.sqrt()

    kernel = (TWO * pi() * real(width / h)).exp() - ONE
    error = total(
        size(sigma) / (TWO * real(sigma * (sigma + 1)).sqrt() * kernel)
        for sigma in (line + width, line - width)
    )
    root = Roots.around(steps, line, near)
    value, last = (size(line) / real(line * (line + 1))) * HALF, ZERO
    for j in range(1, n + 1):
        y = real(j * h)
        s = Rectangle(real(line), y)
        c, det = steps.moment(s)
        found = (c + s.scaled(real(-epsilon))).exp() * root.of(det, y).inverse()
        value = value + (found * (s * Rectangle(s.x + ONE, s.y)).inverse()).x
        last = found.squared_magnitude().sqrt()
    error = (error + last / (pi() * real(n * h))).top()
    found_delta = value * real(h) / pi()
    return Interval(max((found_delta - error).lo, ZERO.lo), (found_delta + error).hi)


@dataclass(frozen=True)
class Roots:
    """Which square root of D(line + i y) continues the positive one on the real axis.

    D(s) is the product of 1 - s l over real numbers l, and x = l/(1 - line l): log(1 + w x) <= w x <=
    -log(1 - w x), so ``low`` <= sum x <= ``high``; -log(1 - w^2 x^2) >= w^2 x^2, so sum x^2 <=
    ``square``.
    The argument of D(line + i y)/D(line), -sum atan(y x), is -y sum x up to y^2 sum x^2 / 4.
    """

    det: Interval
    low: Interval
    high: Interval
    square: Interval

    @classmethod
    def around(cls, steps: Course, line: mpq, w: mpq) -> Roots:
        """From D at line - w, line, line + w."""
        before, at, after = (steps.plain(x)[1] for x in (line - w, line, line + w))
        up, down = (before / at).log(), (at / after).log()
        return cls(at, up / real(w), down / real(w), (down - up) / real(w * w))

    def of(self, det: Rectangle, y: Interval) -> Rectangle:
        """The root; refuses where the argument is not known to less than pi."""
        middle = -(y * (self.low + self.high) * HALF)
        reach = y * (self.high - self.low) * HALF + y.square() * self.square * HALF * HALF
        need(reach < pi(), "a root of unknown sign")
        back = Rectangle(ZERO, -middle).exp()
        turned = det * back
        plain = turned.wide_root(turned.squared_magnitude().sqrt()).scaled(HALF.sqrt())
        return plain * Rectangle(ZERO, middle * HALF).exp()
