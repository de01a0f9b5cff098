"""How far one gradient step moves when the forgotten points are removed (section 3).

Every rule yields s_t >= |phi_t(w) - phi'_t(w)| for the T learning steps (unlearning steps follow
one map in both runs); ``delta`` is the probability that a bound is broken anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy as sp
from flint import arb, arb_mat

from certaudit.kernel.balls import ball, certain_max, column, norm_squared
from certaudit.kernel.expr import evaluate
from certaudit.kernel.spectrum import World, design, normalizer, row_norm, targets
from certaudit.kernel.statement import NotApplicable, Premise, Rule, Statement, expect
from certaudit.run import Run

S1 = Rule("S1", "Worst-case sensitivity of one step", "section 3; CHI24a, NEE21")
S2 = Rule("S2", "Per-instance sensitivity of one step", "section 3; BAC26")
S3 = Rule(
    "S3",
    "Per-instance high-probability sensitivity for ridge, both runs",
    "section 3; BAC26, repaired by clipping at the bound",
)
RESIDUALS = Rule("residual-law", "Gaussian law of the removed points' residuals", "section 3; BAC26")

eta, count, G, X, R, M = sp.symbols("eta N G X R M", positive=True)
s, forgotten, others = sp.symbols("s S_F S_rest", nonnegative=True)
k, kept = sp.symbols("k n_kept", positive=True)
mu, v, q, y = sp.symbols("mu v q y", real=True)

LIPSCHITZ = sp.Eq(M, G * X)
WORST = sp.Eq(s, eta * k * M / count)
WORST_CURRENT = sp.Eq(s, 2 * eta * k * M / count)
INSTANCE = sp.Eq(s, eta * forgotten / count)
INSTANCE_CURRENT = sp.Eq(s, eta * (forgotten + k / kept * others) / count)
LOGISTIC_SLOPE = 1 / (1 + sp.exp(-R * X))
RIDGE_SLOPE = R * X + sp.Abs(y)
s0, sigma2, z, past = sp.symbols("s_0^2 sigma^2 z_t Z_t", nonnegative=True)

VARIANCE = sp.Eq(v, s0 * z + sigma2 * past)
TAIL = (sp.erfc((q - mu) / sp.sqrt(2 * v)) + sp.erfc((q + mu) / sp.sqrt(2 * v))) / 2


def worst_case(run: Run) -> Statement:
    """S1: s = eta M |F| / N on deletion (twice that for the normalizer ``current``).

    M bounds every per-example gradient of the data: the clip, or G max_j |x_j| with G the largest
    slope of the loss.  Premises: a bounded slope (logistic), a clip, or a projection and a start
    inside its ball (ridge).  Raises PremiseFailed otherwise.
    """
    premises: list[Premise] = []
    gradients = [_gradient_bound(S1, run, j, premises) for j in range(run.n)]
    largest = certain_max(gradients)
    formula = WORST_CURRENT if run.normalizer == "current" else WORST
    values = {
        eta: ball(run.learn.step_size),
        k: arb(len(run.forget)),
        M: largest,
        count: arb(normalizer(run, "D")),
    }
    return _everywhere(S1, run, (formula,), evaluate(formula, values), {"M": largest}, premises)


def per_instance(run: Run) -> Statement:
    """S2: s = (eta/N) sum over F of G |x_i|, with G the largest slope the iterate can meet.

    With a projection onto radius R the slope is taken over |u| <= R |x_i| only.  For the normalizer
    ``current`` the other points' weights change too: (eta/n)(sum_F G|x_i| + k/(n-k) sum_rest G|x_j|).
    Premises as for S1, on the points that matter.
    """
    premises: list[Premise] = []
    total = sum((_gradient_bound(S2, run, i, premises) for i in run.forget), arb(0))
    values = {eta: ball(run.learn.step_size), forgotten: total, count: arb(normalizer(run, "D"))}
    formula = INSTANCE
    if run.normalizer == "current":
        formula = INSTANCE_CURRENT
        values[others] = sum((_gradient_bound(S2, run, j, premises) for j in run.kept), arb(0))
        values[k], values[kept] = arb(len(run.forget)), arb(len(run.kept))
    return _everywhere(S2, run, (formula,), evaluate(formula, values), {"S_F": total}, premises)


def residual_law(step: Statement) -> Statement:
    """Mean and variance of r_t = x_i.w_t - y_i for every removed i and t = 0..T-1, in the world of
    ``step``, the contraction of its learning step.

    mu_t = x_i.m_t - y_i with m_{t+1} = A m_t + b; v_t = s_0^2 z_t + sigma^2 Z_t with
    z_t = |A^t x_i|^2 and Z_t the sum of the earlier z (A is symmetric, the noise isotropic).
    Rounding errors are carried as Euclidean norms, which A multiplies by at most c = |A|.
    Premises: ridge, no projection, no clip.
    """
    expect(step, "contraction")
    run: Run = step.subject  # type: ignore[assignment]
    world: World = step.exact["world"]
    _require_affine(RESIDUALS, run)
    if step.exact["step_size"] != run.learn.step_size:
        raise TypeError("residual law: the contraction is not that of the learning step")
    rules = _residual_rules(run.d)
    matrix, drift = affine_step(run, world, run.learn.step_size)
    norm, zero = step.ball("c").abs_upper(), column([0] * run.d)
    spread, noise = ball(run.start.variance), ball(run.learn.noise_variance)
    points = [column(run.X[i].tolist()) for i in run.forget]
    labels = [column(run.y[i : i + 1].tolist()) for i in run.forget]
    lengths = [norm_squared(x.entries()).sqrt() for x in points]
    images = [_centre(x, arb(0)) for x in points]
    mean = _centre(column(run.start.mean), arb(0))
    gathered = [arb(0) for _ in points]
    means: list[tuple[arb, ...]] = []
    variances: list[tuple[arb, ...]] = []
    for _ in range(run.learn.steps):
        sizes = [
            norm_squared([norm_squared(middle.entries()).sqrt() + error * arb(0, 1)])
            for middle, error in images
        ]
        means.append(
            tuple(
                evaluate(rules.residual, {rules.point: x, rules.mean: mean[0], rules.label: y_i})[0, 0]
                + length * mean[1] * arb(0, 1)
                for x, y_i, length in zip(points, labels, lengths, strict=True)
            )
        )
        variances.append(
            tuple(
                evaluate(VARIANCE, {s0: spread, sigma2: noise, z: size, past: total})
                for size, total in zip(sizes, gathered, strict=True)
            )
        )
        gathered = [total + size for total, size in zip(gathered, sizes, strict=True)]
        affine = {rules.matrix: matrix, rules.drift: zero}
        images = [
            _centre(evaluate(rules.step, {**affine, rules.mean: middle}), norm * error)
            for middle, error in images
        ]
        affine[rules.drift] = drift
        mean = _centre(evaluate(rules.step, {**affine, rules.mean: mean[0]}), norm * mean[1])
    return RESIDUALS.conclude(
        "residual-law",
        formulas=(STEP_MATRIX, STEP_DRIFT, rules.step, rules.residual, VARIANCE),
        values={"mean": tuple(means), "variance": tuple(variances)},
        exact={"world": world},
        uses=(step,),
        subject=run,
    )


def high_probability(law: Statement, bounds: Sequence[Sequence[Fraction]]) -> Statement:
    """S3: s_t = (eta/N) sum_F |x_i| q_{t,i}, all held at once but with probability delta.

    ``bounds[t][j]`` is the guess q for the residual of removed point j before step t; delta is the
    sum of P(|r_t| > q_t) under the world's exact residual law, evaluated in balls.  A residual of
    variance 0 must certainly lie within its bound and spends nothing.
    Premises: those of the residual law; normalizer ``fixed`` or ``sum``.
    """
    expect(law, "residual-law")
    run: Run = law.subject  # type: ignore[assignment]
    _require_fixed(S3, run)
    norms = [row_norm(run, i) for i in run.forget]
    constants = {eta: ball(run.learn.step_size), count: arb(normalizer(run, "D"))}
    shifts: list[arb] = []
    delta = arb(0)
    for t, row in enumerate(bounds):
        for j, bound in enumerate(row):
            delta += tail(law, t, j, ball(bound))
        total = sum((norm * ball(bound) for norm, bound in zip(norms, row, strict=True)), arb(0))
        shifts.append(evaluate(INSTANCE, {**constants, forgotten: total}))
    if len(shifts) != run.learn.steps:
        raise TypeError("S3: one bound for every learning step")
    return S3.conclude(
        "sensitivity",
        formulas=(sp.Eq(sp.Symbol("p"), TAIL), INSTANCE),
        values={"s": tuple(shifts), "delta": delta},
        exact={"world": law.exact["world"]},
        uses=(law,),
        subject=run,
    )


def exceedance(law: Statement, step: int, shift: Fraction) -> Statement:
    """Exact probability that learning step ``step`` (from 1) shifts by more than ``shift``.

    One removed point, ridge, normalizer ``fixed`` or ``sum``: the shift is (eta/N)|x_i||r|, so the
    probability is the Gaussian tail of r at shift N / (eta |x_i|).
    """
    expect(law, "residual-law")
    run: Run = law.subject  # type: ignore[assignment]
    _require_fixed(S3, run)
    if len(run.forget) != 1:
        raise NotApplicable(S3, "the exact tail of one step's shift needs a single removed point")
    norm = row_norm(run, run.forget[0])
    scale = ball(run.learn.step_size) * norm / arb(normalizer(run, "D"))
    if norm > 0:
        probability = tail(law, step - 1, 0, ball(shift) / scale)
    elif norm.is_zero():
        probability = arb(0)
    else:
        raise NotApplicable(S3, "the norm of the removed row could not be told from zero")
    return S3.conclude(
        "exceedance",
        formulas=(sp.Eq(q, s * count / (eta * X)), sp.Eq(sp.Symbol("p"), TAIL)),
        values={"probability": probability},
        exact={"world": law.exact["world"], "step": step, "sensitivity": shift},
        uses=(law,),
        subject=run,
    )


def tail(law: Statement, t: int, j: int, bound: arb) -> arb:
    """P(|r_t| > bound) for removed point j; a residual of variance 0 is a constant."""
    mean, variance = law.values["mean"][t][j], law.values["variance"][t][j]
    if variance.is_zero():
        if abs(mean) <= bound:
            return arb(0)
        return arb(1) if abs(mean) > bound else arb("0.5 +/- 0.5")
    probability: arb = evaluate(TAIL, {q: bound, mu: mean, v: variance})
    return probability


n_w, dimension = sp.symbols("n_w d", integer=True, positive=True)
DESIGN = sp.MatrixSymbol("X", n_w, dimension)
TARGETS = sp.MatrixSymbol("y", n_w, 1)
STEP_MATRIX = sp.Eq(
    sp.MatrixSymbol("A", dimension, dimension),
    sp.Identity(dimension)
    - eta * (DESIGN.T * DESIGN / count + sp.Symbol("lambda") * sp.Identity(dimension)),
)
STEP_DRIFT = sp.Eq(sp.MatrixSymbol("b", dimension, 1), eta / count * (DESIGN.T * TARGETS))


def affine_step(run: Run, world: World, step_size: Fraction) -> tuple[arb_mat, arb_mat]:
    """The ridge gradient step w <- A w + b in balls: A = I - eta (X^T X/N + lambda I) and
    b = eta X^T y/N."""
    values = {
        DESIGN: design(run, world),
        TARGETS: targets(run, world),
        eta: ball(step_size),
        count: arb(normalizer(run, world)),
        sp.Symbol("lambda"): ball(run.l2),
        dimension: run.d,
    }
    return evaluate(STEP_MATRIX, values), evaluate(STEP_DRIFT, values)


@dataclass(frozen=True)
class _ResidualRules:
    matrix: sp.MatrixSymbol
    mean: sp.MatrixSymbol
    point: sp.MatrixSymbol
    drift: sp.MatrixSymbol
    label: sp.MatrixSymbol
    step: sp.Eq
    residual: sp.Eq


@lru_cache
def _residual_rules(d: int) -> _ResidualRules:
    matrix = sp.MatrixSymbol("A", d, d)
    mean, point, drift = (sp.MatrixSymbol(name, d, 1) for name in ("m_t", "x_i", "b"))
    label = sp.MatrixSymbol("y_i", 1, 1)
    step = sp.Eq(sp.MatrixSymbol("m_{t+1}", d, 1), matrix * mean + drift)
    residual = sp.Eq(sp.MatrixSymbol("mu_t", 1, 1), point.T * mean - label)
    return _ResidualRules(matrix, mean, point, drift, label, step, residual)


def _centre(vector: arb_mat, error: arb) -> tuple[arb_mat, arb]:
    """The exact midpoint of a column, and ``error`` plus the norm of the radii dropped."""
    radii = norm_squared(entry.rad() for entry in vector.entries()).sqrt()
    return vector.mid(), (error + radii).abs_upper()


def _require_affine(rule: Rule, run: Run) -> None:
    if run.loss != "ridge":
        raise NotApplicable(rule, f"needs the ridge loss; the run has {run.loss}")
    if run.projection is not None or run.clip is not None:
        raise NotApplicable(rule, "needs a run without projection or clip")


def _require_fixed(rule: Rule, run: Run) -> None:
    if run.normalizer == "current":
        raise NotApplicable(rule, "the normalizer `current` reweights every other point as well")


def _gradient_bound(rule: Rule, run: Run, j: int, premises: list[Premise]) -> arb:
    norm = row_norm(run, j)
    bounds: list[arb] = []
    if run.clip is not None:
        bounds.append(ball(run.clip.norm))
        if run.clip.regularizer:
            return bounds[0]
    if run.loss == "logistic":
        bounds.append(norm)
    if run.projection is not None and (run.loss == "ridge" or run.start.variance == 0):
        confined = _start_in_ball(rule, run)
        if confined.name not in {known.name for known in premises}:
            premises.append(confined)
        slope = LOGISTIC_SLOPE if run.loss == "logistic" else RIDGE_SLOPE
        target = ball(run.y[j : j + 1].tolist()[0])
        values = {R: ball(run.projection), X: norm, y: target}
        bounds.append(evaluate(LIPSCHITZ, {G: evaluate(slope, values), X: norm}))
    if not bounds:
        text = "the squared loss has no bounded slope without a projection or a clip"
        rule.require(False, True, Premise("projection", text))
    return -certain_max(-bound for bound in bounds)


def _start_in_ball(rule: Rule, run: Run) -> Premise:
    assert run.projection is not None
    norm = norm_squared(ball(x) for x in run.start.mean).sqrt()
    radius = ball(run.projection)
    premise = Premise(
        "start",
        "the run starts at a point inside the ball it is projected onto",
        {"start_norm": norm, "radius": radius, "start_variance": ball(run.start.variance)},
    )
    point = run.start.variance == 0
    inside = norm_squared(ball(x) for x in run.start.mean) <= radius * radius
    return rule.require(point and bool(inside), not point or bool(norm > radius), premise)


def _everywhere(
    rule: Rule,
    run: Run,
    formulas: tuple[sp.Basic, ...],
    shift: arb,
    values: dict[str, arb],
    premises: list[Premise],
) -> Statement:
    return rule.conclude(
        "sensitivity",
        formulas=formulas,
        values={"s": (shift,) * run.learn.steps, "delta": arb(0), **values},
        exact={"world": "any"},
        premises=tuple(premises),
        subject=run,
    )
