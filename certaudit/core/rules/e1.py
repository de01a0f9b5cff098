"""The exact Gaussian laws of an affine run."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial

from flint import arb, arb_mat, ctx

from certaudit.core.affine import affine_step, require_affine
from certaudit.core.balls import ball, column, identity, largest, norm_bound, precision
from certaudit.core.diagonal import Evaluated, Values, square
from certaudit.core.rule import Conclusion, NotApplicable, Rule, Undecided
from certaudit.core.statement import Column, Law, Matrix, Statement
from certaudit.core.term import Formula, sqrt, symbols, transpose
from certaudit.run import WORLDS, Batch, Run, Segment

A1, A2, m1, m2, S1, S2, A12, m12, S12 = symbols("A_1 A_2 m_1 m_2 S_1 S_2 A_12 m_12 S_12")
LINEAR = Formula(A12, A2 * A1)
SHIFT = Formula(m12, A2 * m1 + m2)
NOISE = Formula(S12, A2 * S1 * transpose(A2) + S2)

c, top, r, v, k, a, g, e = symbols("c max|a| |AV-Va| |I-VV^T| k a g e")
NORM = Formula(c, (top * (1 + v) + r * sqrt(1 + v)) / (1 - v), "<=")
POWER_ERROR = Formula(e, c**k * v + k * r * sqrt(1 + v) * c ** (k - 1), "<=")
GEOMETRIC = Formula(g, (1 - a**k) / (1 - a))
V, W, M = symbols("V V*D M")
BASED = Formula(M, W * transpose(V))
SUM_ERROR = Formula(e, (v + k * r * sqrt(1 + v)) * g, "<=")


@dataclass(frozen=True)
class Base:
    """``vectors``: nearly orthonormal, nearly eigenvectors of the batch's X^T X, as columns, d x d."""

    batch: Batch
    vectors: tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Witness:
    """Bases of batches whose phases go by powers; a phase without one goes by products."""

    bases: tuple[Base, ...]


@dataclass(frozen=True)
class Affine:
    """The law map w -> A w + N(m, S)."""

    linear: arb_mat
    shift: arb_mat
    noise: arb_mat

    def moved(self, mean: arb_mat, covariance: arb_mat) -> tuple[arb_mat, arb_mat]:
        """Mean and covariance after the map."""
        values = {A2: self.linear, m1: mean, m2: self.shift, S1: covariance, S2: self.noise}
        return SHIFT.at(values), NOISE.at(values)

    def after(self, earlier: Affine) -> Affine:
        """This map after ``earlier``."""
        linear = LINEAR.at({A1: earlier.linear, A2: self.linear})
        return Affine(linear, *self.moved(earlier.shift, earlier.noise))


def e1(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """P and Q are Gaussian: m <- A m + b, S <- A S A^T + sigma^2 I over every step, A = I - eta H,
    b = eta X^T y/N; output noise adds to S.

    Where a phase uses one batch with a base V: M_k = V a^k V^T stands for A^k, a near diag(V^T A V).
    As A^{k+1} - M_{k+1} = A (A^k - M_k) + (A V - V a) a^k V^T, with c at least |A| and every |a|, and
    |V|^2 <= 1 + v: |A^k - M_k| <= ``POWER_ERROR``, and the errors of k powers sum to ``SUM_ERROR`` with
    g the sum of c^j.  A^2 has the same base, with a^2, c^2 and 2 c r in place of a, c and r. Other
    phases: products of their steps' maps, by repeated squaring.
    """
    if uses:
        raise NotApplicable(RULE.id, "builds on no statement")
    premise = require_affine(RULE.id, run)
    phases = _Phases(run, witness)
    laws: list[tuple[Column, Matrix]] = []
    for world in WORLDS:
        mean, covariance = column(run.start.mean), identity(run.d) * ball(run.start.variance)
        for segment in run.program(world):
            if segment.phase.steps:
                mean, covariance = phases.map(segment).moved(mean, covariance)
        covariance += identity(run.d) * ball(run.output_noise(world))
        if not all(x.is_finite() for x in (*mean.entries(), *covariance.entries())):
            raise Undecided(RULE.id, f"the law of {world} is not finite")
        laws.append((tuple(mean.entries()), tuple(map(tuple, covariance.tolist()))))
    return Conclusion(Law(*laws[0], *laws[1]), (premise,), tuple(phases.shown))


class _Phases:
    """Whole phases as maps; what they share is kept, because the two worlds share most of them."""

    def __init__(self, run: Run, witness: Witness) -> None:
        self.run = run
        self.bases = {base.batch: square(RULE.id, base.vectors, run.d) for base in witness.bases}
        self.shown: list[Evaluated] = []
        self.diagonal = cache(self._diagonal)
        self.product = cache(self._product)
        self.powers = cache(self._powers)

    def map(self, segment: Segment) -> Affine:
        """One phase of at least one step."""
        phase, batches = segment.phase, segment.batches()
        if len(set(batches)) == 1 and batches[0] in self.bases:
            return self.powers(batches[0], phase.step_size, phase.noise_variance, phase.steps)
        step = partial(self.product, phase.step_size, phase.noise_variance)
        rounds, rest = divmod(phase.steps, len(batches))
        if not rounds:
            return step(batches[:rest])
        cycles = _power(step(batches), rounds)
        return step(batches[:rest]).after(cycles) if rest else cycles

    def _product(self, eta: Fraction, noise: Fraction, batches: tuple[Batch, ...]) -> Affine:
        """The steps on the batches in turn, in a balanced order: errors grow with its depth only."""
        middle = len(batches) // 2
        if middle:
            halves = [self.product(eta, noise, part) for part in (batches[middle:], batches[:middle])]
            return halves[0].after(halves[1])
        return Affine(*affine_step(self.run, batches[0], eta), identity(self.run.d) * ball(noise))

    def _diagonal(self, batch: Batch, eta: Fraction) -> tuple[list[arb], Values, arb_mat]:
        """a, the numbers that bound what is off, and b."""
        vectors, (step, drift) = self.bases[batch], affine_step(self.run, batch, eta)
        image = step * vectors
        rates = [x.mid() for x in _dots(vectors, image)]
        apart = norm_bound((identity(self.run.d) - vectors * vectors.transpose()).entries())
        if not apart < 1:
            raise Undecided(RULE.id, "the vectors of a base are not nearly orthonormal")
        residual = norm_bound((image - _scaled(vectors, rates)).entries())
        values: Values = {v: apart, r: residual, top: largest(map(abs, rates))}
        values[c] = NORM.at(values).upper()
        self.shown.append((NORM, values))
        return rates, values, drift

    def _powers(self, batch: Batch, eta: Fraction, noise: Fraction, steps: int) -> Affine:
        vectors, (rates, known, drift) = self.bases[batch], self.diagonal(batch, eta)
        values = known | {k: arb(steps), g: geometric(known[c], steps)}
        squares = values | {r: 2 * values[c] * values[r], g: geometric(values[c], steps, 2)}
        self.shown += [(POWER_ERROR, values), (SUM_ERROR, values)]
        power = _based(vectors, [x ** values[k] for x in rates], POWER_ERROR.at(values))
        sums = _based(vectors, [geometric(x, steps) for x in rates], SUM_ERROR.at(values))
        twice = _based(vectors, [geometric(x, steps, 2) for x in rates], SUM_ERROR.at(squares))
        return Affine(power, sums * drift, twice * ball(noise))


def geometric(rate: arb, count: int, power: int = 1) -> arb:
    """1 + q + ... + q^(count - 1), q = rate^power, power 1 or 2, of an exact rate.

    1 - q is exact at twice the precision, and 0 or at least about the last digit of the rate.
    """
    with precision(2 * ctx.prec + 64):
        ratio = rate**power
        value: arb = arb(count) if ratio == 1 else GEOMETRIC.at({a: ratio, k: arb(count)})
    return +value


def _power(one: Affine, count: int) -> Affine:
    if count == 1:
        return one
    half = _power(one, count // 2)
    return one.after(half.after(half)) if count % 2 else half.after(half)


def _dots(left: arb_mat, right: arb_mat) -> list[arb]:
    """The diagonal of left^T right."""
    pairs = zip(left.transpose().tolist(), right.transpose().tolist(), strict=True)
    return [sum((x * y for x, y in zip(*columns, strict=True)), arb(0)) for columns in pairs]


def _scaled(vectors: arb_mat, factors: list[arb]) -> arb_mat:
    """V diag ``factors``."""
    return arb_mat([[x * y for x, y in zip(row, factors, strict=True)] for row in vectors.tolist()])


def _based(vectors: arb_mat, diagonal: list[arb], error: arb) -> arb_mat:
    """The matrix within ``error`` of V diag V^T, in every entry."""
    d = vectors.nrows()
    found: arb_mat = BASED.at({W: _scaled(vectors, diagonal), V: vectors})
    return found + arb_mat(d, d, [error * arb(0, 1)] * (d * d))


RULE = Rule(
    "E1",
    "Exact Gaussian laws of an affine run",
    "theory.md#e1",
    Witness,
    e1,
)
