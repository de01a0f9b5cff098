"""Ridge steps as affine maps w -> A w + N(b, S), and their composition."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from flint import arb, arb_mat

from certaudit.kernel.balls import ball, column, identity
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.spectrum import design, targets
from certaudit.kernel.statement import NotApplicable, Rule
from certaudit.run import Batch, Run, Segment

eta, count = sp.symbols("eta N", positive=True)
n_w, dimension = sp.symbols("n_w d", integer=True, positive=True)
DESIGN = sp.MatrixSymbol("X", n_w, dimension)
TARGETS = sp.MatrixSymbol("y", n_w, 1)
STEP_MATRIX = equation(
    sp.MatrixSymbol("A", dimension, dimension),
    sp.Identity(dimension)
    - eta * (DESIGN.T * DESIGN / count + sp.Symbol("lambda") * sp.Identity(dimension)),
)
STEP_DRIFT = equation(sp.MatrixSymbol("b", dimension, 1), eta / count * (DESIGN.T * TARGETS))
A1, A2, S1, S2 = (sp.MatrixSymbol(name, dimension, dimension) for name in ("A_1", "A_2", "S_1", "S_2"))
M1, M2 = (sp.MatrixSymbol(name, dimension, 1) for name in ("m_1", "m_2"))
LINEAR = equation(sp.MatrixSymbol("A_12", dimension, dimension), A2 * A1)
SHIFT = equation(sp.MatrixSymbol("m_12", dimension, 1), A2 * M1 + M2)
NOISE = equation(sp.MatrixSymbol("S_12", dimension, dimension), A2 * S1 * A2.T + S2)


@dataclass(frozen=True)
class AffineMap:
    """The law map w -> A w + N(m, S); one step has m = b and S = sigma^2 I."""

    linear: arb_mat
    shift: arb_mat
    noise: arb_mat


def require_affine(rule: Rule, run: Run) -> None:
    """Raise NotApplicable unless every step is affine: ridge, no projection, no clip."""
    if run.loss != "ridge":
        raise NotApplicable(rule, f"needs the ridge loss; the run has {run.loss}")
    if run.projection is not None or run.clip is not None:
        raise NotApplicable(rule, "needs a run without projection or clip")


def affine_step(run: Run, batch: Batch, step_size: Fraction) -> tuple[arb_mat, arb_mat]:
    """The ridge gradient step w <- A w + b in balls: A = I - eta (X^T X/N + lambda I) and
    b = eta X^T y/N."""
    values = {
        DESIGN: design(run, batch),
        TARGETS: targets(run, batch),
        eta: ball(step_size),
        count: arb(run.count(batch)),
        sp.Symbol("lambda"): ball(run.l2),
        dimension: run.d,
    }
    return evaluate(STEP_MATRIX, values), evaluate(STEP_DRIFT, values)


def scaled_identity(size: int, scale: Fraction) -> arb_mat:
    """``scale`` times the identity."""
    return identity(size) * ball(scale)


def resting(d: int) -> AffineMap:
    """The map that changes nothing."""
    return AffineMap(identity(d), column([0] * d), scaled_identity(d, Fraction(0)))


def start(run: Run) -> AffineMap:
    """The start law, as the shift and noise of a map."""
    return AffineMap(identity(run.d), column(run.start.mean), scaled_identity(run.d, run.start.variance))


def compose(later: AffineMap, earlier: AffineMap) -> AffineMap:
    """``later`` after ``earlier``."""
    values = {
        A1: earlier.linear,
        A2: later.linear,
        M1: earlier.shift,
        M2: later.shift,
        S1: earlier.noise,
        S2: later.noise,
    }
    return AffineMap(evaluate(LINEAR, values), evaluate(SHIFT, values), evaluate(NOISE, values))


def power(one: AffineMap, steps: int) -> AffineMap:
    """``one`` repeated, by squaring."""
    total = resting(one.linear.nrows())
    while steps:
        if steps & 1:
            total = compose(one, total)
        steps >>= 1
        if steps:
            one = compose(one, one)
    return total


def one_step(run: Run, batch: Batch, step_size: Fraction, noise_variance: Fraction) -> AffineMap:
    """One noisy step."""
    matrix, drift = affine_step(run, batch, step_size)
    return AffineMap(matrix, drift, scaled_identity(run.d, noise_variance))


class Phases:
    """Whole phases of a run as maps.

    Products are formed in a balanced order, so that error bounds grow with its depth only, and kept,
    because the phases of the two worlds share most of them.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._known: dict[tuple[Fraction, Fraction, tuple[Batch, ...]], AffineMap] = {}

    def __call__(self, segment: Segment) -> AffineMap:
        """The maps of one cycle of batches, repeated, then the rest of a cycle."""
        phase, batches = segment.phase, segment.batches()
        rounds, rest = divmod(phase.steps, len(batches))
        cycle = self._product(phase.step_size, phase.noise_variance, batches)
        end = self._product(phase.step_size, phase.noise_variance, batches[:rest])
        return compose(end, power(cycle, rounds))

    def _product(self, eta_: Fraction, noise: Fraction, batches: tuple[Batch, ...]) -> AffineMap:
        if not batches:
            return resting(self.run.d)
        key = eta_, noise, batches
        if key not in self._known:
            middle = len(batches) // 2
            self._known[key] = (
                compose(
                    self._product(eta_, noise, batches[middle:]),
                    self._product(eta_, noise, batches[:middle]),
                )
                if middle
                else one_step(self.run, batches[0], eta_, noise)
            )
        return self._known[key]
