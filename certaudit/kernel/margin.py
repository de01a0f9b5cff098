"""S4: margins of the removed points along a noisy run, by concentration around the noiseless run
(section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import sympy as sp
from flint import arb, arb_mat

from certaudit.kernel import schedule
from certaudit.kernel.balls import ball, certain_max, column, norm_squared
from certaudit.kernel.expr import compile_formula, equation, evaluate
from certaudit.kernel.residual import lipschitz
from certaudit.kernel.sensitivity import INSTANCE, count, eta, forgotten
from certaudit.kernel.slope import kink
from certaudit.kernel.spectrum import design, label, labelled, row_norm, targets
from certaudit.kernel.statement import NotApplicable, Rule, Statement, expect
from certaudit.run import Batch, Run, World

S4 = Rule(
    "S4",
    "Per-instance high-probability sensitivity for losses of a margin, both runs",
    "section 3; Gaussian concentration and Poincaré inequalities",
)
MARGINS = Rule("margin-law", "Concentration of the removed points' margins", "section 3")

u, y = sp.symbols("u y", real=True)
tau2, c, sigma2, b, third, cubes, length, d_t, dim = sp.symbols(
    "tau_t^2 c sigma^2 b_t B_3 S_3 X d_t d", nonnegative=True
)
weights = sp.Symbol("g")

SLOPES = {
    "logistic": -y / (1 + sp.exp(y * u)),
    "huber": sp.Max(-kink, sp.Min(kink, u - y)),
}
THIRD = {"logistic": 1 / (6 * sp.sqrt(3))}
SPREAD = equation(sp.Symbol("tau_{t+1}^2"), c**2 * tau2 + sigma2)
BIAS = equation(sp.Symbol("b_{t+1}"), c * b + eta / count * cubes * third * tau2 / 2)
BIAS_CRUDE = equation(b, sp.sqrt(dim * tau2))
HALF_WIDTH = equation(sp.Symbol("h_t"), length * (sp.sqrt(tau2) * sp.sqrt(2 * sp.log(2 / d_t)) + b))


class _Point(NamedTuple):
    """Margin of the noiseless run at one removed row, tau^2 and b of that time."""

    row: int
    margin: arb
    tau2: arb
    bias: arb


def margin_law(run: Run, world: World, steps: Sequence[Statement]) -> Statement:
    """Before each step that removes a row i: the margin of the noiseless run of ``world``, tau_t^2 and
    the bias b_t.

    Statement: x_i.w_t deviates from its mean by more than |x_i| tau_t sqrt(2 log(2/p)) with probability
    at most p, and its mean from the noiseless margin by at most |x_i| b_t.  tau_0^2 is the start's
    variance, tau_{t+1}^2 = c^2 tau_t^2 + sigma^2; b_0 = 0; where the loss has a bounded third derivative
    B_3, b_{t+1} = c b_t + (eta/N) sum_j |x_j|^3 B_3 tau_t^2/2; always b_t <= sqrt(d) tau_t, as
    E|w_t - noiseless|^2 <= d tau_t^2.
    Premises: a loss of a margin (logistic, huber) and its labels, no projection, no clip.  The noiseless
    run is carried as exact midpoints with a Euclidean error, which a step multiplies by at most c, from
    ``steps``.
    """
    if run.loss not in SLOPES:
        raise NotApplicable(MARGINS, f"needs the logistic or huber loss; the run has {run.loss}")
    if run.projection is not None or run.clip is not None:
        raise NotApplicable(MARGINS, "needs a run without projection or clip")
    labels = labelled(MARGINS, run, range(run.n))
    pairs = schedule.from_start(MARGINS, run)
    while pairs and pairs[-1].first == pairs[-1].second:
        pairs = pairs[:-1]
    norms, gradients = lipschitz(steps), _Gradients(run)
    point, error = column(run.start.mean), arb(0)
    spread, bias = ball(run.start.variance), arb(0)
    points: list[tuple[_Point, ...]] = []
    used: dict[Statement, None] = {}
    for pair in pairs:
        batch = pair.batch(world)
        if (batch, pair.step_size) not in norms:
            raise TypeError("margin law: the contraction of a step is missing")
        step = norms[batch, pair.step_size]
        used[step] = None
        rate = ball(step.exact["bound"])
        rows = pair.removed(run)
        for _ in range(pair.count):
            points.append(
                tuple(_Point(i, gradients.margin(i, point, error), spread, bias) for i in rows)
            )
            moved = point - ball(pair.step_size) * gradients(batch, point)
            radii = norm_squared(x.rad() for x in moved.entries()).sqrt()
            values = {
                c: rate,
                tau2: spread,
                sigma2: ball(pair.noise_variance),
                b: bias,
                eta: ball(pair.step_size),
                count: arb(run.count(batch)),
                cubes: gradients.cubes(batch),
                dim: arb(run.parameters),
            }
            point, error = moved.mid(), (rate * error + radii).abs_upper()
            bias, spread = _bias(run, values), evaluate(SPREAD, values).upper()
            bias = -certain_max([-bias, -evaluate(BIAS_CRUDE, {**values, tau2: spread})])
            bias = bias.upper()
    return MARGINS.conclude(
        "margin-law",
        formulas=(equation(weights, SLOPES[run.loss]), SPREAD, BIAS, BIAS_CRUDE),
        values={
            "margin": tuple(tuple(p.margin for p in row) for row in points),
            "tau_squared": tuple(tuple(p.tau2 for p in row) for row in points),
            "bias": tuple(tuple(p.bias for p in row) for row in points),
        },
        exact={"world": world},
        premises=labels,
        uses=tuple(used),
        subject=run,
    )


def margin_sensitivity(law: Statement, share: Fraction) -> Statement:
    """S4: s_t = (eta/N) sum_F |x_i| sup |loss'| over the interval of x_i.w_t, all at once but with
    probability delta, ``share`` for each row and step whose iterate is random.

    |loss'| is a convex or monotone function of the margin's distance to the label, so its supremum
    is at an end of the interval.  Premises: those of the margin law; normalizer ``fixed`` or ``sum``.
    """
    expect(law, "margin-law")
    run: Run = law.subject  # type: ignore[assignment]
    if run.normalizer == "current":
        raise NotApplicable(S4, "the normalizer `current` reweights every other point as well")
    if not 0 < share < 1:
        raise TypeError("S4: a share of probability lies between 0 and 1")
    slope = compile_formula(SLOPES[run.loss])
    shifts: list[arb] = []
    repeats: list[int] = []
    t, spent = 0, 0
    margins, spreads, biases = (law.values[name] for name in ("margin", "tau_squared", "bias"))
    for pair in schedule.from_start(S4, run):
        rows = pair.removed(run)
        if not rows:
            shifts.append(arb(0))
            repeats.append(pair.count)
            t += pair.count
            continue
        for _ in range(pair.count):
            total = arb(0)
            for i, margin, spread, bias in zip(rows, margins[t], spreads[t], biases[t], strict=True):
                norm = row_norm(run, i)
                values = {length: norm, tau2: spread, b: bias, d_t: ball(share)}
                half = evaluate(HALF_WIDTH, values)
                spent += 0 if spread.is_zero() else 1
                constants = {y: label(run, i)}
                if run.threshold is not None:
                    constants[kink] = ball(run.threshold)
                ends = (margin - half, margin + half)
                total += norm * certain_max(abs(slope({**constants, u: end})) for end in ends)
            values = {eta: ball(pair.step_size), forgotten: total, count: arb(run.count(pair.first))}
            shifts.append(evaluate(INSTANCE, values))
            repeats.append(1)
            t += 1
    return S4.conclude(
        "sensitivity",
        formulas=(HALF_WIDTH, equation(weights, SLOPES[run.loss]), INSTANCE),
        values={"s": tuple(shifts), "delta": spent * ball(share)},
        exact={
            "world": law.exact["world"],
            "repeats": tuple(repeats),
            "last": None,
            "share": share,
        },
        uses=(law,),
        subject=run,
    )


def _bias(run: Run, values: dict[sp.Basic, arb]) -> arb:
    if run.loss not in THIRD:
        return arb("inf")
    bound: arb = evaluate(BIAS, {**values, third: evaluate(THIRD[run.loss], {})})
    return bound


class _Gradients:
    """The noiseless gradients of a run, in balls."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._slope = compile_formula(SLOPES[run.loss])
        self._constants = {} if run.threshold is None else {kink: ball(run.threshold)}
        self._data: dict[Batch, tuple[arb_mat, list[arb], arb]] = {}

    def _batch(self, batch: Batch) -> tuple[arb_mat, list[arb], arb]:
        if batch not in self._data:
            run = self.run
            cubes = sum((row_norm(run, j) ** 3 for j in run.rows(batch)), arb(0))
            self._data[batch] = design(run, batch), targets(run, batch).entries(), cubes
        return self._data[batch]

    def cubes(self, batch: Batch) -> arb:
        """Sum of |x_j|^3."""
        return self._batch(batch)[2]

    def margin(self, row: int, point: arb_mat, error: arb) -> arb:
        """x_row . w for every w within ``error`` of ``point``."""
        x = column(self.run.X[row].tolist())
        return (x.transpose() * point)[0, 0] + row_norm(self.run, row) * error * arb(0, 1)

    def __call__(self, batch: Batch, point: arb_mat) -> arb_mat:
        """The gradient at ``point``, (d, 1)."""
        x, labels, _ = self._batch(batch)
        slopes = [
            self._slope({**self._constants, u: margin, y: target})
            for margin, target in zip((x * point).entries(), labels, strict=True)
        ]
        divisor = arb(self.run.count(batch))
        total = x.transpose() * arb_mat(len(slopes), 1, slopes) / divisor
        return total + point * ball(self.run.l2)
