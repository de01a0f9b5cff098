"""The exact path: delta(epsilon) and epsilon of all the iterates, found in floats, proved by O2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

from certaudit.core.affine import affine_step
from certaudit.core.balls import ball, precision
from certaudit.core.path import path
from certaudit.core.proof import Line, Proof
from certaudit.core.rule import Undecided
from certaudit.core.rules.o2 import Witness
from certaudit.core.rules.o2_renyi import Witness as OrderWitness
from certaudit.core.statement import Direction, HockeyStick
from certaudit.run import Batch, Run, Segment
from certaudit.search.c3 import epsilon_by_tangent
from certaudit.search.exact import ExactEpsilon
from certaudit.search.lines import of

Array = NDArray[Any]

DIGITS = (2, 4, 7, 12)
SPREADS = (1e-6, 1e-4, 1e-2, 0.1)
WIDTHS = np.array([0.95, 0.8, 0.6, 0.4, 0.2])
HEIGHTS = 1.05 ** np.arange(-60, 240)
FLOAT_BITS = 80
BITS = 192
MOST_NODES = 400
SPACING = 0.15
FEW = 60


@dataclass(frozen=True)
class Kernels:
    """Kernels at m values of s, in floats; ``good`` where the integrals between them converge."""

    F: Array
    f: Array
    S: Array
    G: Array
    g: Array
    c: Array
    log_det: Array
    good: Array

    def then(self, later: Kernels) -> Kernels:
        """As in the core."""
        size = self.F.shape[-1]
        tilted = np.eye(size) - 2 * self.S @ later.G
        finite = np.isfinite(tilted).all(axis=(1, 2))
        tilted[~finite] = np.eye(size)
        good = self.good & later.good & finite
        good &= (np.linalg.eigvals(tilted).real > 0).all(axis=1)
        inverse = np.linalg.inv(np.where(good[:, None, None], tilted, np.eye(size)))
        turned = np.swapaxes(self.F, 1, 2)
        pull, spread = later.G @ inverse, inverse @ self.S
        h = _apply(np.swapaxes(inverse, 1, 2), later.g)
        push = _apply(pull, self.f)
        sign, size_of = np.linalg.slogdet(np.where(good[:, None, None], tilted, np.eye(size)))
        onward = _apply(inverse, self.f) + 2 * _apply(spread, later.g)
        return Kernels(
            later.F @ inverse @ self.F,
            later.f + _apply(later.F, onward),
            later.S + later.F @ spread @ np.swapaxes(later.F, 1, 2),
            self.G + turned @ pull @ self.F,
            self.g + _apply(turned, push + h),
            self.c
            + later.c
            + (self.f * (push + 2 * h)).sum(1)
            + 2 * (later.g * _apply(spread, later.g)).sum(1),
            self.log_det + later.log_det + size_of + np.log(sign.astype(complex)),
            good,
        )

    def repeated(self, count: int) -> Kernels:
        """So many of it."""
        if count == 1:
            return self
        half = self.repeated(count // 2)
        return self.then(half.then(half)) if count % 2 else half.then(half)


class FloatPath:
    """M of one direction in floats.  Raises NotApplicable where O2 does."""

    def __init__(self, run: Run, direction: Direction) -> None:
        self.run = run
        self.segments = path("O2", run, direction, FEW)[0].segments
        self._maps: dict[tuple[Batch, Fraction], tuple[Array, Array]] = {}
        self._nodes: dict[int, tuple[Array, Array, float]] = {}

    def moments(self, s: Array) -> tuple[Array, Array, Array]:
        """(c, log D up to 2 pi i, whether M is finite), M = e^c / sqrt(D)."""
        with np.errstate(all="ignore"):
            later: Kernels | None = None
            for own, other in reversed(self.segments):
                kernel = self._phase(own, other, s)
                later = kernel if later is None else kernel.then(later)
            if later is None:
                nothing = np.zeros(len(s), complex)
                return nothing, nothing, np.ones(len(s), bool)
            start, size, m = self.run.start, self.run.d, len(s)
            flat, mean = np.zeros((m, size, size), complex), np.array([float(x) for x in start.mean])
            noise = np.broadcast_to(np.eye(size) * float(start.variance), flat.shape).astype(complex)
            zero = np.zeros((m, size), complex)
            first = Kernels(flat, zero + mean, noise, flat, zero, zero[:, 0], zero[:, 0], later.good)
            whole = first.then(later)
        return whole.c, whole.log_det, whole.good & np.isfinite(whole.c) & np.isfinite(whole.log_det)

    def log_moment(self, s: Array) -> Array:
        """log |M|; infinite where M is."""
        c, log_det, good = self.moments(s.astype(complex))
        return np.where(good, c.real - log_det.real / 2, np.inf)

    @cached_property
    def edge(self) -> float:
        """Where M ceases to be finite (1e4 if it has not by then)."""
        tried = np.geomspace(1e-4, 1e4, 65)
        for _ in range(4):
            finite = np.isfinite(self.log_moment(tried))
            if finite.all():
                return float(tried[-1])
            k = int(np.argmin(finite))
            tried = np.linspace(tried[max(k - 1, 0)] if k else 0.0, tried[k], 17)[1:]
        return float(tried[max(int(np.argmin(np.isfinite(self.log_moment(tried)))) - 1, 0)])

    @cached_property
    def lines(self) -> tuple[Array, Array]:
        """Real points of the domain, and log M there."""
        c = self.edge * np.concatenate([np.geomspace(1e-6, 0.05, 40), np.linspace(0.06, 0.97, 100)])
        return c, self.log_moment(c)

    def saddle(self, epsilon: float) -> int:
        """The point where M e^{-s epsilon}/(s(s+1)) is least."""
        c, logs = self.lines
        return int(np.argmin(logs - c * epsilon - np.log(c * (c + 1))))

    def spread(self, k: int) -> float:
        """The width of the saddle there."""
        c, logs = self.lines
        k = min(max(k, 1), len(c) - 2)
        slopes = np.diff(logs[k - 1 : k + 2]) / np.diff(c[k - 1 : k + 2])
        bend = 2 * (slopes[1] - slopes[0]) / (c[k + 1] - c[k - 1])
        return float(1 / math.sqrt(max(bend, 0.0) + 1 / c[k] ** 2 + 1 / (1 + c[k]) ** 2))

    def log_delta(self, epsilon: float) -> float:
        """log delta(epsilon), roughly."""
        k = self.saddle(epsilon)
        if k not in self._nodes:
            h = SPACING * self.spread(k)
            s = self.lines[0][k] + 1j * h * np.arange(FEW)
            c, log_det, _ = self.moments(s)
            logs = c - (log_det.real + 1j * np.unwrap(log_det.imag - log_det.imag[0])) / 2
            self._nodes[k] = s, logs, h
        s, logs, h = self._nodes[k]
        logs = logs - s * epsilon - np.log(s * (s + 1))
        values = np.exp(logs - logs[0].real).real
        total = values.sum() - values[0] / 2
        return float(logs[0].real + math.log(total * h / math.pi)) if total > 0 else -math.inf

    def epsilon(self, log_delta: float) -> float:
        """epsilon >= 0 with about that delta."""
        c, logs = self.lines
        low, high = 0.0, float(np.min((logs - log_delta) / c))
        if not 0 < high < 1e15 or self.log_delta(0.0) <= log_delta:
            return 0.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self.log_delta(middle) > log_delta else (low, middle)
        return (low + high) / 2

    def order(self, delta: Fraction) -> Fraction:
        """A good order for C3 at that delta."""
        c, logs = self.lines
        log_delta = float(ball(delta).log())
        cost = logs / c + np.log(c / (1 + c)) - (log_delta + np.log1p(c)) / c
        return 1 + Fraction(float(c[int(np.argmin(cost))]))

    def witness(self, direction: Direction, epsilon: Fraction, digits: int) -> Witness:
        """For delta(epsilon) to about ``digits`` digits.  Raises Undecided if that is too much."""
        level, k = float(epsilon), self.saddle(float(epsilon))
        c, size = float(self.lines[0][k]), self.log_delta(level)
        need = digits * math.log(10)
        width, h = self._spacing(c, level, size, need)
        heights = self.spread(k) * HEIGHTS
        left = self.log_moment(c + 1j * heights) - c * level - np.log(math.pi * heights)
        enough = np.flatnonzero(left < size - need)
        end = float(heights[enough[0]]) if len(enough) else math.inf
        if not (h > 0 and end <= MOST_NODES * h):
            raise Undecided("O2", "too many nodes would be needed")
        return Witness(
            direction=direction,
            epsilon=epsilon,
            line=_short(c),
            width=_short(width),
            near=_short(width) / 4096,
            h=_short(h),
            n=max(math.ceil(end / h), 1),
            bits=BITS,
        )

    def _spacing(self, c: float, level: float, size: float, need: float) -> tuple[float, float]:
        widths = WIDTHS * min(c, self.edge - c)
        edges = np.array([c - widths, c + widths])
        logs = self.log_moment(edges.ravel()).reshape(edges.shape)
        worst = (logs - edges * level - np.log(2 * np.sqrt(edges * (edges + 1)))).max(axis=0)
        h = 2 * math.pi * widths / np.maximum(worst - size + need + 1, 1)
        k = int(np.argmax(np.where(np.isfinite(h), h, 0)))
        return float(widths[k]), float(h[k])

    def _phase(self, own: Segment, other: Segment, s: Array) -> Kernels:
        phase = own.phase
        pairs = list(zip(own.batches(), other.batches(), strict=True))
        pairs = pairs[:1] if len(set(pairs)) == 1 else pairs
        rounds, rest = divmod(phase.steps, len(pairs))
        turn = [self._step(*pair, phase.step_size, float(phase.noise_variance), s) for pair in pairs]
        parts = [_product(turn).repeated(rounds)] if rounds else []
        return _product([*parts, *turn[:rest]])

    def _step(self, own: Batch, other: Batch, eta: Fraction, noise: float, s: Array) -> Kernels:
        (A, b), (A_far, b_far) = self._map(own, eta), self._map(other, eta)
        size, m = len(b), len(s)
        rate = s * (s + 1) / (2 * noise) if own != other else 0 * s
        DA, Db = A - A_far, b - b_far
        return Kernels(
            A_far + np.multiply.outer(1 + s, DA),
            b_far + np.multiply.outer(1 + s, Db),
            np.broadcast_to(noise * np.eye(size), (m, size, size)).astype(complex),
            np.multiply.outer(rate, DA.T @ DA),
            np.multiply.outer(rate, DA.T @ Db),
            rate * (Db @ Db),
            np.zeros(m, complex),
            np.ones(m, bool),
        )

    def _map(self, batch: Batch, eta: Fraction) -> tuple[Array, Array]:
        if (batch, eta) not in self._maps:
            with precision(FLOAT_BITS):
                matrix, drift = affine_step(self.run, batch, eta)
            self._maps[batch, eta] = _floats(matrix), _floats(drift)[:, 0]
        return self._maps[batch, eta]


class ExactPath:
    """One direction of the path; every line joins ``proof``."""

    def __init__(self, proof: Proof, direction: Direction) -> None:
        self.proof, self.direction = proof, direction
        self._epsilons: dict[Fraction, ExactEpsilon] = {}

    @cached_property
    def twin(self) -> FloatPath:
        """The float twin.  Raises NotApplicable where O2 does not apply."""
        return FloatPath(self.proof.subject, self.direction)

    def hockey_stick(self, epsilon: Fraction, digits: int) -> Line:
        """delta(epsilon), exactly, to about so many digits.  Raises Refusal."""
        return self.proof.apply("O2", (), self.twin.witness(self.direction, epsilon, digits))

    def decide(self, epsilon: Fraction, delta: Fraction) -> Line:
        """delta(epsilon) accurately enough to tell it from ``delta``, if at all possible.

        Raises Refusal.
        """
        for digits in DIGITS:
            found = self.hockey_stick(epsilon, digits)
            value = of(found, HockeyStick).delta
            if value <= ball(delta) or value > ball(delta):
                break
        return found

    def renyi(self, order: Fraction) -> Line:
        """D_order, exactly.  Raises Refusal."""
        return self.proof.apply("O2-renyi", (), OrderWitness(self.direction, order))

    def epsilon(self, delta: Fraction) -> ExactEpsilon:
        """The exact epsilon at ``delta`` > 0, bracketed; from above alone, by one order and C3, where no
        contour does it.  Raises Refusal or ValueError."""
        if delta not in self._epsilons:
            try:
                self._epsilons[delta] = self._by_contour(delta)
            except Undecided:
                high = epsilon_by_tangent(self.proof, self.renyi(self.twin.order(delta)), delta)
                self._epsilons[delta] = ExactEpsilon(None, high)
        return self._epsilons[delta]

    def _by_contour(self, delta: Fraction) -> ExactEpsilon:
        guess = self.twin.epsilon(float(ball(delta).log()))
        for spread in SPREADS:
            high = self.decide(_short(guess * (1 + spread)) if guess > 0 else Fraction(0), delta)
            if not of(high, HockeyStick).delta <= ball(delta):
                continue
            if guess == 0:
                return ExactEpsilon(None, high)
            low = self.decide(_short(guess * (1 - spread)), delta)
            if of(low, HockeyStick).delta > ball(delta):
                return ExactEpsilon(low, high)
        raise Undecided("O2", "the exact epsilon could not be bracketed")


def _product(kernels: Sequence[Kernels]) -> Kernels:
    if len(kernels) == 1:
        return kernels[0]
    half = len(kernels) // 2
    return _product(kernels[:half]).then(_product(kernels[half:]))


def _apply(matrices: Array, vectors: Array) -> Array:
    found: Array = np.einsum("mij,mj->mi", matrices, vectors)
    return found


def _floats(matrix: arb_mat) -> Array:
    def number(x: arb) -> float:
        return float(x.mid())

    found: Array = np.array([list(map(number, row)) for row in matrix.tolist()])
    return found


def _short(x: float) -> Fraction:
    """A number of few digits close by."""
    return Fraction(f"{x:.9g}")
