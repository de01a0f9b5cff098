"""Margins of the removed rows along a noisy run, by concentration around the noiseless run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from flint import arb, arb_mat

from certaudit.core import schedule
from certaudit.core.balls import ball, column, smallest
from certaudit.core.data import design, require_labels, row, row_norm, targets
from certaudit.core.rates import Rates
from certaudit.core.recurrence import Carried
from certaudit.core.rule import Conclusion, NotApplicable, Premise, Rule
from certaudit.core.statement import Column, MarginLaw, Statement
from certaudit.core.term import (
    Environment,
    Formula,
    Term,
    compiled,
    evaluate,
    sqrt,
    symbol,
    symbols,
    transpose,
)
from certaudit.losses import LOSSES
from certaudit.losses.loss import kink, u, y
from certaudit.run import WORLDS, Batch, Run, World

MOST_STEPS = 10**4

w, X, slopes, eta, count, lam = symbols("w_t X g_t eta N lambda")
c, tau2, sigma2, bias, cubes, third, dim = symbols("c tau_t^2 sigma^2 b_t S_3 B_3 d")
SLOPE, later = symbols("g tau_{t+1}^2")

NOISELESS = Formula(symbol("w_{t+1}"), w - eta * (transpose(X) * slopes / count + lam * w))
SPREAD = Formula(later, c**2 * tau2 + sigma2)
BIAS = Formula(symbol("b_{t+1}"), c * bias + eta / count * cubes * third * tau2 / 2)
CRUDE_BIAS = Formula(symbol("b_{t+1}"), sqrt(dim * later))


@dataclass(frozen=True)
class Witness:
    """The world whose iterate the margins are taken at."""

    world: World


@dataclass(frozen=True)
class _Data:
    """Rows and labels of a batch, and the sum of the rows' |x|^3."""

    x: arb_mat
    y: arb_mat
    cubes: arb
    count: arb


def margin_law(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """Before each step the noiseless margin of every row it removes, tau_t^2 and the bias b_t.

    x.w_t is a Lipschitz function of Gaussian noise, so that it deviates from its mean by more than
    |x| tau_t sqrt(2 log(2/p)) with probability at most p, tau_0^2 the start's variance and
    tau_{t+1}^2 = c^2 tau_t^2 + sigma^2.  The mean lies within |x| b_t of the noiseless run's margin,
    b_0 = 0: where |l'''| <= B_3, b_{t+1} = c b_t + (eta/N) sum_j |x_j|^3 B_3 tau_t^2/2 (Poincare);
    always b_t <= sqrt(d) tau_t, as E|w_t - noiseless|^2 <= d tau_t^2.
    Premises: a loss of one margin, labels its facts hold for, no projection, no clip; the contraction
    of every map of the world.  Margins are in the units of y.
    """
    world, loss = witness.world, LOSSES[run.loss]
    if world not in WORLDS:
        raise NotApplicable(RULE.id, "the world is P or Q")
    slope, smooth = require_margin(RULE.id, run)
    rates = Rates.of(RULE.id, uses)
    pairs = schedule.active(RULE.id, run)
    if sum(pair.count for pair in pairs) > MOST_STEPS:
        raise NotApplicable(RULE.id, f"not attempted: more than {MOST_STEPS} steps")
    summed = {j for batch in {pair.first for pair in pairs} for j in run.rows(batch)}
    labels = require_labels(RULE.id, run, sorted(summed))
    data = cache(lambda batch: _data(run, batch))
    points = {i: (row(run, i), row_norm(run, i)) for i in run.forget}
    point = Carried.of(column(run.start.mean))
    values: dict[Term, arb] = constants(run)
    values |= {tau2: ball(run.start.variance), bias: arb(0), dim: arb(run.parameters), lam: ball(run.l2)}
    bounds = (CRUDE_BIAS,) if loss.third is None else (CRUDE_BIAS, BIAS)
    if loss.third is not None:
        values[third] = evaluate(loss.third, {})
    evaluated: Environment = {}
    margins: list[Column] = []
    spreads: list[Column] = []
    biases: list[Column] = []
    for pair in pairs:
        summands, rate = data(pair.batch(world)), rates(pair.batch(world), pair.step_size)
        values |= {c: rate, sigma2: ball(pair.noise_variance), eta: ball(pair.step_size)}
        values |= {count: summands.count, cubes: summands.cubes}
        removed = [points[i] for i in pair.removed(run)]
        for _ in range(pair.count):
            margins.append(tuple(point.inner(x, length) for x, length in removed))
            spreads.append((values[tau2],) * len(removed))
            biases.append((values[bias],) * len(removed))
            point = point.moved(_step(slope, summands, point.middle, values), rate)
            values[later] = SPREAD.at(values).upper()
            following = smallest(bound.at(values) for bound in bounds).upper()
            evaluated = dict(values)
            values |= {bias: following, tau2: values[later]}
    shown: list[tuple[Formula, Environment]] = [(Formula(SLOPE, slope), {}), (NOISELESS, {})]
    shown += [(formula, evaluated) for formula in (SPREAD, *bounds) if pairs]
    statement = MarginLaw(world, tuple(margins), tuple(spreads), tuple(biases))
    return Conclusion(statement, (smooth, labels), tuple(shown))


def require_margin(rule: str, run: Run) -> tuple[Term, Premise]:
    """l'(u; y), and the premise that the loss has one margin and nothing is projected or clipped.

    Raises NotApplicable otherwise.
    """
    slope = LOSSES[run.loss].slope
    if slope is None or not LOSSES[run.loss].margin:
        raise NotApplicable(rule, f"needs a loss of one margin; the run has {run.loss}")
    if run.projection is not None or run.clip is not None:
        raise NotApplicable(rule, "needs a run without projection or clip")
    return slope, Premise("margin", "a loss of one margin, no projection, no clip")


def constants(run: Run) -> dict[Term, arb]:
    """The numbers the loss's terms are made with."""
    return {} if run.threshold is None else {kink: ball(run.threshold)}


def _data(run: Run, batch: Batch) -> _Data:
    cubed = sum((row_norm(run, j) ** 3 for j in run.rows(batch)), arb(0))
    return _Data(design(run, batch), targets(run, batch), cubed, arb(run.count(batch)))


def _step(slope: Term, batch: _Data, middle: arb_mat, values: Environment) -> arb_mat:
    """The noiseless step from ``middle``."""
    margins, labels = (batch.x * middle).entries(), batch.y.entries()
    known = {kink: values[kink]} if kink in values else {}
    one = compiled(slope)
    found = [one({**known, u: m, y: label}) for m, label in zip(margins, labels, strict=True)]
    gradient = arb_mat(len(found), 1, found)
    moved: arb_mat = NOISELESS.at({**values, w: middle, X: batch.x, slopes: gradient})
    return moved


RULE = Rule(
    "margin-law",
    "Concentration of the removed rows' margins",
    "theory.md#margin-law; Gaussian concentration and Poincaré inequalities",
    Witness,
    margin_law,
)
