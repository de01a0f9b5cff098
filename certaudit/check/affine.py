"""E1: the squared loss without projection or clip has Gaussian laws, w <- w A + b + noise.

A phase whose steps are all equal goes by powers of eigenvalues where a basis V is given:
|A^k - V a^k V^T| <= c^k |I - V V^T| + k |A V - V a| |V| max(c, |a|)^(k-1), by
A^k V - V a^k = sum_j A^(k-1-j) (A V - V a) a^j.  Any other phase goes by products of its steps' maps,
one round repeated by squaring.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from .document import items, record, square
from .interval import BITS, ONE, ZERO, Interval, bits, greater, hull, precision, real, total
from .matrix import Matrix, deviation, diagonal, matrix, row_of, zeros
from .refusal import need
from .run import Batch, Run, Segment, Step, read_batch
from .statement import Gaussian, Law, Statement
from .steps import Context


@dataclass(frozen=True)
class Affine:
    """w <- w a + b + N(0, noise)."""

    a: Matrix
    b: Matrix
    noise: Matrix

    def carry(self, covariance: Matrix) -> Matrix:
        """The covariance afterwards."""
        return self.a.transposed @ (covariance @ self.a) + self.noise

    def move(self, law: Gaussian) -> Gaussian:
        """The law afterwards."""
        return Gaussian(law.mean @ self.a + self.b, self.carry(law.covariance))

    def then(self, later: Affine) -> Affine:
        """This one first."""
        both = (self.a @ later.a).bounded((self.a.size * later.a.size).top())
        return Affine(both, self.b @ later.a + later.b, later.carry(self.noise))

    def repeated(self, times: int) -> Affine:
        """So many times, at least once, by squaring."""
        if times == 1:
            return self
        half = self.repeated(times // 2)
        found = half.then(half)
        return found.then(self) if times % 2 else found


@dataclass(frozen=True)
class Basis:
    """Nearly orthonormal vectors V, the columns, and |I - V V^T|."""

    v: Matrix
    off: Interval


def need_affine(run: Run) -> None:
    """Refuse where the law of the model is not Gaussian."""
    need(run.loss == "ridge", "the loss is not the squared one")
    need(run.projection is None and run.clip is None, "a projection or a clip")


def gram(context: Context, batch: Batch) -> Matrix:
    """X^T X over a batch."""

    def compute() -> Matrix:
        rows, size = context.run.rows(batch), len(context.run.data.rows[0])
        with precision(BITS):
            table = context.table(tuple(rows)) if rows else zeros(1, size)
            return table.transposed @ table

    return context.once(("gram", batch), compute)


def one_step(context: Context, step: Step, bound: Interval | None = None) -> Affine:
    """One step; |A| is bounded through the trace of X^T X, or from elsewhere."""
    size = len(context.run.mean)
    a, b = context.once(("map", step.batch, step.size, bits()), partial(_noiseless, context, step))
    return Affine(a if bound is None else a.bounded(bound), b, diagonal(size, real(step.noise)))


def _noiseless(context: Context, step: Step) -> tuple[Matrix, Matrix]:
    run, batch = context.run, step.batch
    eta, rows, size = real(step.size), tuple(run.rows(batch)), len(run.mean)
    decay, share = ONE - eta * real(run.l2), eta / real(run.divisor(batch))
    hessian, pull = gram(context, batch), zeros(1, size)
    if rows:
        pull = matrix([[run.data.targets[j] for j in rows]]) @ context.table(rows)
    trace = total(hessian.entry(i, i) for i in range(size))
    bound = greater(decay.magnitude(), (decay - share * trace).magnitude())
    return (diagonal(size, decay) - hessian.scaled(share)).bounded(bound.top()), pull.scaled(share)


def law(context: Context, found: list[Statement], witness: Any) -> Statement:
    """E1: both worlds' laws, with the noise on the released model."""
    need(not found, "uses no lines")
    (listed,) = record(witness, "bases")
    need_affine(context.run)
    bases = dict(_basis(context, value) for value in items(listed))
    return Law(*(_law(context, world, bases) for world in ("P", "Q")))


def _basis(context: Context, value: Any) -> tuple[Batch, Basis]:
    batch, vectors = record(value, "batch", "vectors")
    v = matrix(square(vectors, len(context.run.mean))).centre()
    return context.same(read_batch(batch, context.run)), Basis(v, deviation(v @ v.transposed))


def _law(context: Context, world: str, bases: dict[Batch, Basis]) -> Gaussian:
    run, size = context.run, len(context.run.mean)
    found = Gaussian(matrix([run.mean]), diagonal(size, real(run.variance)))
    for segment in context.program(world):
        step, steps = segment.cycle[0], segment.steps
        if steps and len(segment.cycle) == 1 and step.batch in bases:
            found = _by_powers(one_step(context, step), step, bases[step.batch], steps, found)
        else:
            for motion in _by_products(context, segment):
                found = motion.move(found)
    return Gaussian(found.mean, found.covariance + diagonal(size, real(run.output_noise(world))))


def _by_products(context: Context, segment: Segment) -> list[Affine]:
    motions = [one_step(context, step) for step in segment.cycle]
    rounds, rest = divmod(segment.steps, len(motions))
    if rounds < 2:
        return motions * rounds + motions[:rest]
    return [_product(motions).repeated(rounds), *motions[:rest]]


def _product(motions: list[Affine]) -> Affine:
    """All of them in order, as a balanced tree."""
    if len(motions) == 1:
        return motions[0]
    half = len(motions) // 2
    return _product(motions[:half]).then(_product(motions[half:]))


def _by_powers(motion: Affine, step: Step, basis: Basis, steps: int, before: Gaussian) -> Gaussian:
    v, product = basis.v, motion.a @ basis.v
    columns = zip(zip(*v.rows, strict=True), zip(*product.rows, strict=True), strict=True)
    values = Matrix(
        (tuple(sum(x * y for x, y in zip(a, b, strict=True)) for a, b in columns),),
        v.exponent + product.exponent,
    ).rounded()
    values = values.centre()
    eigenvalues = values.entries()
    largest = hull(*eigenvalues).magnitude().top()
    residue = (product - v.times_diagonal(values)).norm
    length = (ONE + basis.off).sqrt()
    c = length.square() * largest + motion.a.norm * basis.off + residue * length
    most = greater(c, largest)

    def function(found: list[Interval], error: Interval) -> Matrix:
        middle = v.times_diagonal(row_of(found)) @ v.transposed
        return middle.loosened(error)

    k, slack = real(steps), residue * length
    power = function(
        [x.power(steps) for x in eigenvalues],
        c.power(steps) * basis.off + k * slack * most.power(steps - 1),
    )
    pushed = function(
        [geometric(x, steps) for x in eigenvalues],
        geometric(c, steps) * basis.off + k * slack * geometric(most, steps - 1),
    )
    spread = function(
        [geometric(x.square(), steps) * real(step.noise) for x in eigenvalues],
        real(step.noise)
        * (
            geometric(c.square(), steps) * basis.off
            + (k + k) * slack * most * geometric(most.square(), steps - 1)
        ),
    )
    return Affine(power, motion.b @ pushed, spread).move(before)


def geometric(x: Interval, terms: int) -> Interval:
    """1 + x + ... + x^(terms - 1), by doubling."""
    sums, power = ZERO, ONE
    for digit in bin(terms)[2:]:
        sums, power = sums + power * sums, power.square()
        if digit == "1":
            sums, power = sums + power, power * x
    return sums
