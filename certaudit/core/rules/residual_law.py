"""Residuals of the removed rows along a ridge run: their exact law."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from flint import arb, arb_mat

from certaudit.core import schedule
from certaudit.core.affine import STEP_DRIFT, STEP_MATRIX, A, affine_step, b, require_affine
from certaudit.core.balls import ball, column, identity, norm_squared, widened
from certaudit.core.data import label, require_labels, row, row_norm
from certaudit.core.rates import Rates
from certaudit.core.recurrence import Carried
from certaudit.core.rule import Conclusion, NotApplicable, Rule
from certaudit.core.statement import Column, ResidualLaw, Statement
from certaudit.core.term import Environment, Formula, symbol, symbols
from certaudit.run import WORLDS, Run, World

MOST_STEPS = 10**4

m_t, S, power, squares = symbols("m_t S A^n G_n")
mu, margin, y, v, form, sigma2, past = symbols("mu_t x_i.m_t y_i v_t V_t sigma^2 Z_t")

MEAN = Formula(symbol("m_{t+1}"), A * m_t + b)
COVARIANCE = Formula(symbol("S_n"), power * S * power + sigma2 * squares)
RESIDUAL = Formula(mu, margin - y)
VARIANCE = Formula(v, form + sigma2 * past)


@dataclass(frozen=True)
class Witness:
    """The world whose iterate the residuals are taken at."""

    world: World


@dataclass(frozen=True)
class _Point:
    """A removed row, and A^t x with the sum of |A^k x|^2 over k < t."""

    x: arb_mat
    length: arb
    label: arb
    image: Carried
    past: arb


@dataclass(frozen=True)
class _Step:
    """w <- A w + b + N(0, noise I), c-Lipschitz."""

    matrix: arb_mat
    drift: arb_mat
    c: arb
    noise: arb


def residual_law(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """Mean and variance of r_t = x_i.w_t - y_i before each step t, for every row i the step removes.

    Premises: a quadratic loss, no projection, no clip; the contraction of every map of the world.
    Over steps of one map w <- A w + b from a law N(m, S): mu_t = x.m_t - y with m_{t+1} = A m_t + b, and
    v_t = V_t + sigma^2 Z_t with V_t = (A^t x).S (A^t x) and Z_t the sum of |A^k x|^2 over k < t (A is
    symmetric, the noise isotropic).  Errors are carried as Euclidean and Frobenius norms, which a step
    multiplies by at most c and c^2.  Residuals are in the units of y.
    """
    world = witness.world
    if world not in WORLDS:
        raise NotApplicable(RULE.id, "the world is P or Q")
    affine, rates = require_affine(RULE.id, run), Rates.of(RULE.id, uses)
    pairs = schedule.active(RULE.id, run)
    if sum(pair.count for pair in pairs) > MOST_STEPS:
        raise NotApplicable(RULE.id, f"not attempted: more than {MOST_STEPS} steps")
    summed = {j for batch in {pair.first for pair in pairs} for j in run.rows(batch)}
    labels = require_labels(RULE.id, run, sorted(summed))
    points = {i: _point(run, i) for i in run.forget}
    one_step = cache(lambda *key: affine_step(run, *key))
    several = cache(lambda times, *key: _repeated(one_step(*key)[0], times))
    mean = Carried.of(column(run.start.mean))
    covariance = Carried.of(identity(run.d) * ball(run.start.variance))
    means: list[Column] = []
    variances: list[Column] = []
    last: Environment = {}
    for pair in pairs:
        key = pair.batch(world), pair.step_size
        step = _Step(*one_step(*key), rates(*key), ball(pair.noise_variance))
        removed = [points[i] for i in pair.removed(run)]
        size = norm_squared(covariance.middle.entries()).sqrt()
        for _ in range(pair.count):
            values = [_numbers(one, step, mean, covariance, size) for one in removed]
            means.append(tuple(RESIDUAL.at(one) for one in values))
            variances.append(tuple(VARIANCE.at(one) for one in values))
            last = values[0] if values else last
            removed = [_after(one, step) for one in removed]
            mean = mean.moved(MEAN.at({A: step.matrix, b: step.drift, m_t: mean.middle}), step.c)
        if pair is not pairs[-1]:
            covariance = _spread(covariance, step, several(pair.count, *key), pair.count)
    shown = [(formula, last) for formula in (RESIDUAL, VARIANCE) if last]
    return Conclusion(
        ResidualLaw(world, tuple(means), tuple(variances)),
        (affine, labels),
        ((STEP_MATRIX, {}), (STEP_DRIFT, {}), (MEAN, {}), (COVARIANCE, {}), *shown),
    )


def _point(run: Run, i: int) -> _Point:
    x = row(run, i)
    return _Point(x, row_norm(run, i), ball(label(run, i)), Carried.of(x), arb(0))


def _numbers(one: _Point, step: _Step, mean: Carried, covariance: Carried, size: arb) -> Environment:
    """What the residual's mean and variance are computed from."""
    return {
        margin: mean.inner(one.x, one.length),
        y: one.label,
        form: _form(one.image, covariance, size),
        sigma2: step.noise,
        past: one.past,
    }


def _after(one: _Point, step: _Step) -> _Point:
    """One step later."""
    length = widened(norm_squared(one.image.middle.entries()).sqrt(), one.image.error)
    past = one.past + (length * length).nonnegative_part()
    return replace(one, image=one.image.moved(step.matrix * one.image.middle, step.c), past=past)


def _form(image: Carried, covariance: Carried, size: arb) -> arb:
    """x.S x, with |x.S x - x'.S' x'| <= |S'|(2|x'|e + e^2) + e_S (|x'| + e)^2 for the errors e, e_S of
    the midpoints x', S'; ``size`` is |S'|."""
    middle = (image.middle.transpose() * covariance.middle * image.middle)[0, 0]
    length, error = norm_squared(image.middle.entries()).sqrt(), image.error
    reach = length + error
    slack = size * error * (2 * length + error) + covariance.error * reach * reach
    return widened(middle, slack.abs_upper()).nonnegative_part()


def _repeated(matrix: arb_mat, times: int) -> tuple[arb_mat, arb_mat]:
    """A^n and the sum of A^(2k) over k < n, n = ``times`` >= 1, for a symmetric A."""
    one = identity(matrix.nrows())
    if times == 1:
        return matrix, one
    power, squares = _repeated(matrix, times // 2)
    power, squares = power * power, squares + power * squares * power
    return (matrix * power, one + matrix * squares * matrix) if times % 2 else (power, squares)


def _spread(law: Carried, step: _Step, powers: tuple[arb_mat, arb_mat], times: int) -> Carried:
    """The covariance after ``times`` equal steps."""
    values = {power: powers[0], squares: powers[1], S: law.middle, sigma2: step.noise}
    return law.moved(COVARIANCE.at(values), step.c ** (2 * times))


RULE = Rule(
    "residual-law",
    "Gaussian law of the removed rows' residuals",
    "theory.md#residual-law; BAC26",
    Witness,
    residual_law,
)
