"""Both worlds of an affine run, step by step: M(s) = E_first[(first/second)^s] of all the iterates.

Several steps are a kernel K(w, dv) = D^{-1/2} exp(w.G w + 2 g.w + c) N(dv; F w + f, S), the integral of
first^(1+s) second^(-s) over the iterates between w and v; two kernels in a row are one again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce

from flint import acb, acb_mat, arb

from certaudit.core.affine import affine_step, require_affine
from certaudit.core.balls import ball, column, identity
from certaudit.core.diagonal import Values
from certaudit.core.rule import NotApplicable, Premise
from certaudit.core.statement import Direction
from certaudit.core.term import Formula, symbols, transpose
from certaudit.run import Batch, Run, Segment

MOST_WORK = 3 * 10**7

F, F1, F2, f, f1, f2, S, S1, S2, N, R, one = symbols("F F_1 F_2 f f_1 f_2 S S_1 S_2 N N^-1 I")
G, G1, G2, g, g1, g2, c, c1, c2 = symbols("G G_1 G_2 g g_1 g_2 c c_1 c_2")
A, A_other, b, b_other, s, rate, sigma2 = symbols("A A' b b' s k sigma^2")
TILTED = Formula(N, one - 2 * S1 * G2)
QUADRATIC = Formula(G, G1 + transpose(F1) * (G2 * R) * F1)
LINEAR = Formula(g, g1 + transpose(F1) * (G2 * R * f1 + transpose(R) * g2))
CONSTANT = Formula(
    c,
    c1
    + c2
    + transpose(f1) * (G2 * R * f1 + 2 * (transpose(R) * g2))
    + 2 * (transpose(g2) * R * S1 * g2),
)
ONWARD = Formula(F, F2 * R * F1)
PLACE = Formula(f, f2 + F2 * (R * f1 + 2 * (R * S1 * g2)))
SPREAD = Formula(S, S2 + F2 * R * S1 * transpose(F2))
EXCESS = Formula(N, S1 - 2 * (S1 * G2 * S1))

STEP_ONWARD = Formula(F, A_other + (1 + s) * (A - A_other))
STEP_PLACE = Formula(f, b_other + (1 + s) * (b - b_other))
RATE = Formula(rate, s * (s + 1) / (2 * sigma2))
STEP_QUADRATIC = Formula(G, rate * (transpose(A - A_other) * (A - A_other)))
STEP_LINEAR = Formula(g, rate * (transpose(A - A_other) * (b - b_other)))
STEP_CONSTANT = Formula(c, rate * (transpose(b - b_other) * (b - b_other)))


class Diverges(Exception):
    """At this real s the moment is certainly infinite."""


@dataclass(frozen=True)
class Kernel:
    """K as above; ``det`` is D, the others matrices, ``c`` of size 1 x 1; ``plain``: s is real."""

    F: acb_mat
    f: acb_mat
    S: acb_mat
    G: acb_mat
    g: acb_mat
    c: acb_mat
    det: acb
    plain: bool

    def then(self, later: Kernel) -> Kernel:
        """This one first.  At a real s the integral between the two must converge.

        Raises Diverges if it certainly does not, ZeroDivisionError if N may be singular.
        """
        values: Values = {F1: self.F, f1: self.f, S1: self.S, G1: self.G, g1: self.g, c1: self.c}
        values |= {F2: later.F, f2: later.f, S2: later.S, G2: later.G, g2: later.g, c2: later.c}
        values[one] = acb_mat(identity(self.F.nrows()))
        if self.plain and not _zero(self.S) and not _zero(later.G):
            require_positive(EXCESS.at(values))
        tilted = TILTED.at(values)
        values[R] = tilted.inv()
        return Kernel(
            ONWARD.at(values),
            PLACE.at(values),
            SPREAD.at(values),
            QUADRATIC.at(values),
            LINEAR.at(values),
            CONSTANT.at(values),
            self.det * later.det * tilted.det(),
            self.plain,
        )

    def repeated(self, count: int) -> Kernel:
        """So many of it, at least one, by doubling."""
        if count == 1:
            return self
        half = self.repeated(count // 2)
        return self.then(half.then(half)) if count % 2 else half.then(half)


@dataclass(frozen=True)
class Path:
    """The steps of the two worlds, ``segments`` phase by phase up to the last that differs."""

    run: Run
    direction: Direction
    segments: tuple[tuple[Segment, Segment], ...]
    maps: dict[tuple[Batch, Fraction], tuple[acb_mat, acb_mat]] = field(default_factory=dict)

    def moment(self, at: acb) -> tuple[acb, acb]:
        """(c, D) with M(at) = e^c / sqrt(D), for 0 <= Re(at) where M is finite.

        At a real ``at`` the finiteness is checked: raises Diverges if M is certainly infinite, and
        ZeroDivisionError if that cannot be told.
        """
        kernels = [self._phase(*pair, at) for pair in self.segments]
        size = self.run.d
        flat, none = acb_mat(size, size), acb_mat(size, 1)
        start = acb_mat(identity(size) * ball(self.run.start.variance))
        first = Kernel(
            flat,
            acb_mat(column(self.run.start.mean)),
            start,
            flat,
            none,
            acb_mat(1, 1),
            acb(1),
            at.imag.is_zero(),
        )
        whole = reduce(lambda later, kernel: kernel.then(later), [*kernels[::-1], first])
        return whole.c[0, 0], whole.det

    def _phase(self, own: Segment, other: Segment, at: acb) -> Kernel:
        phase = own.phase
        pairs = list(zip(own.batches(), other.batches(), strict=True))
        pairs = pairs[:1] if len(set(pairs)) == 1 else pairs
        rounds, rest = divmod(phase.steps, len(pairs))
        known = {pair: self._step(*pair, phase.step_size, phase.noise_variance, at) for pair in pairs}
        turn = [known[pair] for pair in pairs]
        parts = [_product(turn).repeated(rounds)] if rounds else []
        return _product([*parts, *turn[:rest]])

    def _step(self, own: Batch, other: Batch, eta: Fraction, noise: Fraction, at: acb) -> Kernel:
        (A_own, b_own), (A_far, b_far) = self._map(own, eta), self._map(other, eta)
        values: Values = {A: A_own, b: b_own, A_other: A_far, b_other: b_far, s: at}
        values[rate] = acb(0)
        if own != other:
            values[rate] = RATE.at({s: at, sigma2: ball(noise)})
        size = self.run.d
        return Kernel(
            STEP_ONWARD.at(values),
            STEP_PLACE.at(values),
            acb_mat(identity(size) * ball(noise)),
            STEP_QUADRATIC.at(values),
            STEP_LINEAR.at(values),
            STEP_CONSTANT.at(values),
            acb(1),
            at.imag.is_zero(),
        )

    def _map(self, batch: Batch, eta: Fraction) -> tuple[acb_mat, acb_mat]:
        if (batch, eta) not in self.maps:
            matrix, drift = affine_step(self.run, batch, eta)
            self.maps[batch, eta] = acb_mat(matrix), acb_mat(drift)
        return self.maps[batch, eta]


def path(rule: str, run: Run, direction: Direction, moments: int) -> tuple[Path, tuple[Premise, ...]]:
    """The path of a run, of which ``moments`` values will be asked, and the premises it rests on.

    Raises NotApplicable for a run that is not affine, worlds that take other steps or other noise, a
    step that differs without noise, or more work than MOST_WORK.
    """
    affine = require_affine(rule, run)
    if run.output_noise("P") != run.output_noise("Q"):
        raise NotApplicable(rule, "the output noise of the reference is another")
    ours, theirs = run.program("P"), run.program("Q")
    if len(ours) != len(theirs) or any(p.phase != q.phase for p, q in zip(ours, theirs, strict=True)):
        raise NotApplicable(rule, "the reference takes other steps, or other noise")
    pairs = [pair for pair in zip(ours, theirs, strict=True) if pair[0].phase.steps]
    while pairs and _alike(*pairs[-1]):
        pairs = pairs[:-1]
    if any(p.phase.noise_variance == 0 and not _alike(p, q) for p, q in pairs):
        raise NotApplicable(rule, "a step that removes a point adds no noise")
    joins = sum(len(p.batches()) + 2 * p.phase.steps.bit_length() for p, _ in pairs)
    if moments * joins * run.d**3 > MOST_WORK:
        raise NotApplicable(rule, "not attempted: too many moments, batches or dimensions")
    if direction == "Q|P":
        pairs = [(q, p) for p, q in pairs]
    noisy = Premise("noise", "both worlds take the same steps, with noise in every step that differs")
    return Path(run, direction, tuple(pairs)), (affine, noisy)


def _alike(one: Segment, other: Segment) -> bool:
    return one.batches() == other.batches()


def _product(kernels: Sequence[Kernel]) -> Kernel:
    """All of them in order, as a balanced tree."""
    if len(kernels) == 1:
        return kernels[0]
    half = len(kernels) // 2
    return _product(kernels[:half]).then(_product(kernels[half:]))


def _zero(matrix: acb_mat) -> bool:
    return all(entry == 0 for entry in matrix.entries())


def require_positive(matrix: acb_mat) -> None:
    """Elimination: a symmetric matrix is positive definite if and only if every pivot is above 0.

    Raises Diverges at a pivot that is certainly below 0, ZeroDivisionError at one of unknown sign.
    """
    rows: list[list[arb]] = [[entry.real for entry in row] for row in matrix.tolist()]
    for k, row in enumerate(rows):
        if row[k] < 0:
            raise Diverges
        if not row[k] > 0:
            raise ZeroDivisionError("a pivot of unknown sign")
        for below in rows[k + 1 :]:
            factor = below[k] / row[k]
            for j in range(k, len(row)):
                below[j] -= factor * row[j]
