"""Residuals of the removed points along a ridge run: their exact law, and S3 (section 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

import sympy as sp
from flint import arb, arb_mat

from certaudit.kernel import schedule
from certaudit.kernel.affine import (
    STEP_DRIFT,
    STEP_MATRIX,
    AffineMap,
    affine_step,
    one_step,
    power,
    require_affine,
    scaled_identity,
)
from certaudit.kernel.balls import ball, column, norm_squared
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.schedule import Pair
from certaudit.kernel.sensitivity import INSTANCE, count, eta, forgotten, s
from certaudit.kernel.slope import X
from certaudit.kernel.spectrum import row_norm
from certaudit.kernel.statement import NotApplicable, Rule, Statement, expect
from certaudit.run import Batch, Run, World

S3 = Rule(
    "S3",
    "Per-instance high-probability sensitivity for ridge, both runs",
    "section 3; BAC26, repaired by clipping at the bound",
)
RESIDUALS = Rule("residual-law", "Gaussian law of the removed points' residuals", "section 3; BAC26")

mu, v, q = sp.symbols("mu v q", real=True)
sigma2, z, past, carried = sp.symbols("sigma^2 z_t Z_t V_t", nonnegative=True)

VARIANCE = equation(v, carried + sigma2 * past)
TAIL = (sp.erfc((q - mu) / sp.sqrt(2 * v)) + sp.erfc((q + mu) / sp.sqrt(2 * v))) / 2

Lipschitz = dict[tuple[Batch, Fraction], Statement]


def lipschitz(steps: Sequence[Statement]) -> Lipschitz:
    """Contraction statements by batch and step size."""
    for step in steps:
        expect(step, "contraction")
    return {(step.exact["batch"], step.exact["step_size"]): step for step in steps}


def residual_law(run: Run, world: World, steps: Sequence[Statement]) -> Statement:
    """Mean and variance of r_t = x_i.w_t - y_i before each step t = 0, 1, ..., for every row i that
    the step sums in world P and not in world Q, with w_t the iterate of ``world``.

    Over steps of one map w <- A w + b from a law N(m, S): mu_t = x.m_t - y with m_{t+1} = A m_t + b,
    and v_t = V_t + sigma^2 Z_t with V_t = (A^t x).S (A^t x) and Z_t the sum over earlier k of
    z_k = |A^k x|^2 (A is symmetric, the noise isotropic).  Rounding errors are carried as Euclidean and
    Frobenius norms, which A multiplies by at most c = |A|, from ``steps``.
    The steps covered are those up to the last that removes a point.
    Premises: ridge, no projection, no clip.
    """
    require_affine(RESIDUALS, run)
    pairs = schedule.from_start(RESIDUALS, run)
    while pairs and pairs[-1].first == pairs[-1].second:
        pairs = pairs[:-1]
    norms, maps = lipschitz(steps), _maps(run)
    law = _Law(
        _centre(column(run.start.mean), arb(0)),
        _centre(scaled_identity(run.d, run.start.variance), arb(0)),
    )
    means: list[tuple[arb, ...]] = []
    variances: list[tuple[arb, ...]] = []
    for k, pair in enumerate(pairs):
        key = pair.batch(world), pair.step_size
        if key not in norms:
            raise TypeError("residual law: the contraction of a step is missing")
        rows = pair.removed(run)
        if rows:
            more_means, more_variances = _block(run, pair, world, rows, norms[key], law)
            means += more_means
            variances += more_variances
        else:
            means += [()] * pair.count
            variances += [()] * pair.count
        if k + 1 < len(pairs):
            law = law.after(maps(pair.count, *key, pair.noise_variance), pair, norms[key])
    return RESIDUALS.conclude(
        "residual-law",
        formulas=(STEP_MATRIX, STEP_DRIFT, *_residual_rules(run.d).shown, VARIANCE),
        values={"mean": tuple(means), "variance": tuple(variances)},
        exact={"world": world},
        uses=tuple(dict.fromkeys(norms[pair.batch(world), pair.step_size] for pair in pairs)),
        subject=run,
    )


def high_probability(law: Statement, bounds: Sequence[Sequence[Fraction]]) -> Statement:
    """S3: s_t = (eta/N) sum_F |x_i| q_{t,i}, all held at once but with probability delta.

    ``bounds[t][j]`` is the guess q for the j-th residual before step t; delta is the sum of
    P(|r_t| > q_t) under the world's exact residual law, evaluated in balls.  A residual of variance 0
    must certainly lie within its bound and spends nothing.
    Premises: those of the residual law; normalizer ``fixed`` or ``sum``.
    """
    expect(law, "residual-law")
    run: Run = law.subject  # type: ignore[assignment]
    _require_fixed(run)
    if len(bounds) != len(law.values["mean"]):
        raise TypeError("S3: one row of bounds for every step")
    norms = {i: row_norm(run, i) for i in run.forget}
    shifts: list[arb] = []
    repeats: list[int] = []
    delta = arb(0)
    t = 0
    for pair in schedule.from_start(S3, run):
        rows = pair.removed(run)
        if not rows:
            shifts.append(arb(0))
            repeats.append(pair.count)
            t += pair.count
            continue
        constants = {eta: ball(pair.step_size), count: arb(run.count(pair.first))}
        for _ in range(pair.count):
            row = bounds[t]
            for j, bound in enumerate(row):
                delta += tail(law, t, j, ball(bound))
            total = sum((norms[i] * ball(b) for i, b in zip(rows, row, strict=True)), arb(0))
            shifts.append(evaluate(INSTANCE, {**constants, forgotten: total}))
            repeats.append(1)
            t += 1
    return S3.conclude(
        "sensitivity",
        formulas=(equation(sp.Symbol("p"), TAIL), INSTANCE),
        values={"s": tuple(shifts), "delta": delta},
        exact={
            "world": law.exact["world"],
            "repeats": tuple(repeats),
            "last": None,
            "bounds": tuple(tuple(row) for row in bounds),
        },
        uses=(law,),
        subject=run,
    )


def exceedance(law: Statement, step: int, shift: Fraction) -> Statement:
    """Exact probability that step ``step`` (from 1) shifts by more than ``shift``.

    One removed point, ridge, normalizer ``fixed`` or ``sum``: the shift is (eta/N)|x_i||r|, so the
    probability is the Gaussian tail of r at shift N / (eta |x_i|); 0 where the step removes nothing.
    """
    expect(law, "residual-law")
    run: Run = law.subject  # type: ignore[assignment]
    _require_fixed(run)
    pair = _pair_at(run, step)
    rows = pair.removed(run)
    if len(rows) > 1:
        raise NotApplicable(S3, "the exact tail of one step's shift needs a single removed point")
    norm = row_norm(run, rows[0]) if rows else arb(0)
    scale = ball(pair.step_size) * norm / arb(run.count(pair.first))
    if norm > 0:
        probability = tail(law, step - 1, 0, ball(shift) / scale)
    elif norm.is_zero():
        probability = arb(0)
    else:
        raise NotApplicable(S3, "the norm of the removed row could not be told from zero")
    return S3.conclude(
        "exceedance",
        formulas=(equation(q, s * count / (eta * X)), equation(sp.Symbol("p"), TAIL)),
        values={"probability": probability},
        exact={"world": law.exact["world"], "step": step, "sensitivity": shift},
        uses=(law,),
        subject=run,
    )


def tail(law: Statement, t: int, j: int, bound: arb) -> arb:
    """P(|r_t| > bound) for the j-th removed point; a residual of variance 0 is a constant."""
    mean, variance = law.values["mean"][t][j], law.values["variance"][t][j]
    if variance.is_zero():
        if abs(mean) <= bound:
            return arb(0)
        return arb(1) if abs(mean) > bound else arb("0.5 +/- 0.5")
    probability: arb = evaluate(TAIL, {q: bound, mu: mean, v: variance})
    return probability


def _maps(run: Run) -> Callable[[int, Batch, Fraction, Fraction], AffineMap]:
    """Several equal steps as one map, each map formed once."""

    @cache
    def many(count_: int, batch: Batch, step_size: Fraction, noise: Fraction) -> AffineMap:
        one = one_step(run, batch, step_size, noise)
        return one if count_ == 1 else power(one, count_)

    return many


Centred = tuple[arb_mat, arb]


@dataclass(frozen=True)
class _Law:
    """N(m, S) of an iterate: exact midpoints, each with a bound on the norm of its error."""

    mean: Centred
    covariance: Centred

    def after(self, many: AffineMap, pair: Pair, step: Statement) -> _Law:
        """The law after the steps of ``pair``, together the map ``many``."""
        norm = ball(step.exact["bound"]) ** pair.count
        mean = many.linear * self.mean[0] + many.shift
        covariance = many.linear * self.covariance[0] * many.linear.transpose() + many.noise
        return _Law(
            _centre(mean, norm * self.mean[1]), _centre(covariance, norm * norm * self.covariance[1])
        )


@dataclass(frozen=True)
class _ResidualRules:
    matrix: sp.MatrixSymbol
    mean: sp.MatrixSymbol
    point: sp.MatrixSymbol
    drift: sp.MatrixSymbol
    label: sp.MatrixSymbol
    image: sp.MatrixSymbol
    covariance: sp.MatrixSymbol
    step: sp.Eq
    residual: sp.Eq
    carried: sp.Eq

    @property
    def shown(self) -> tuple[sp.Eq, ...]:
        return self.step, self.residual, self.carried


@lru_cache
def _residual_rules(d: int) -> _ResidualRules:
    matrix, covariance = sp.MatrixSymbol("A", d, d), sp.MatrixSymbol("S", d, d)
    mean, point, drift, image = (sp.MatrixSymbol(name, d, 1) for name in ("m_t", "x_i", "b", "A^t x_i"))
    label = sp.MatrixSymbol("y_i", 1, 1)
    step = equation(sp.MatrixSymbol("m_{t+1}", d, 1), matrix * mean + drift)
    residual = equation(sp.MatrixSymbol("mu_t", 1, 1), point.T * mean - label)
    quadratic = equation(sp.MatrixSymbol("V_t", 1, 1), image.T * covariance * image)
    return _ResidualRules(
        matrix, mean, point, drift, label, image, covariance, step, residual, quadratic
    )


Rows = list[tuple[arb, ...]]


def _block(
    run: Run, pair: Pair, world: World, rows: tuple[int, ...], step: Statement, law: _Law
) -> tuple[Rows, Rows]:
    rules = _residual_rules(run.d)
    matrix, drift = affine_step(run, pair.batch(world), pair.step_size)
    norm, zero, noise = ball(step.exact["bound"]), column([0] * run.d), ball(pair.noise_variance)
    points = [column(run.X[i].tolist()) for i in rows]
    labels = [column(run.y[i : i + 1].tolist()) for i in rows]
    lengths = [norm_squared(x.entries()).sqrt() for x in points]
    images = [_centre(x, arb(0)) for x in points]
    mean = law.mean
    gathered = [arb(0) for _ in points]
    means, variances = [], []
    for _ in range(pair.count):
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
                evaluate(
                    VARIANCE,
                    {carried: _quadratic(rules, image, law.covariance), sigma2: noise, past: total},
                )
                for image, total in zip(images, gathered, strict=True)
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
    return means, variances


def _quadratic(rules: _ResidualRules, image: Centred, covariance: Centred) -> arb:
    """x.S x, with |x.S x - x'.S' x'| <= |S|(2|x|e + e^2) + e_S (|x| + e)^2 for the errors."""
    (x, error), (matrix, matrix_error) = image, covariance
    middle: arb = evaluate(rules.carried, {rules.image: x, rules.covariance: matrix})[0, 0]
    size, length = (norm_squared(a.entries()).sqrt() for a in (matrix, x))
    slack = size * error * (2 * length + error) + matrix_error * (length + error) ** 2
    if slack.is_zero():
        return middle
    wide: arb = (middle + slack * arb(0, 1)).nonnegative_part()
    return wide


def _centre(array: arb_mat, error: arb) -> Centred:
    """The exact midpoint, and ``error`` plus the norm of the radii dropped."""
    radii = norm_squared(entry.rad() for entry in array.entries()).sqrt()
    return array.mid(), (error + radii).abs_upper()


def _pair_at(run: Run, step: int) -> Pair:
    if step < 1:
        raise TypeError("steps are counted from 1")
    for pair in schedule.from_start(S3, run):
        if step <= pair.count:
            return pair
        step -= pair.count
    raise NotApplicable(S3, "the two worlds do not share that step")


def _require_fixed(run: Run) -> None:
    if run.normalizer == "current":
        raise NotApplicable(S3, "the normalizer `current` reweights every other point as well")
