"""Rényi rules along a run (section 5): decay under a common kernel, adaptive per-instance
composition, and the triangle inequality."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb

from certaudit.kernel import schedule
from certaudit.kernel.balls import ball
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.residual import lipschitz
from certaudit.kernel.spectrum import row_norm
from certaudit.kernel.statement import NotApplicable, Rule, Statement, expect
from certaudit.run import Run, World

R2 = Rule(
    "R2",
    "Decay of Rényi divergence while both runs follow one kernel",
    "section 5; CHI24a, from VW19, Lemma 5",
)
R4 = Rule(
    "R4", "Per-instance adaptive composition for ridge", "section 5; THU24, SEP25 (Hölder's inequality)"
)
R5 = Rule("R5", "Weak triangle inequality of Rényi divergences", "section 5; MIR17, Proposition 11")

alpha, p, r, rest = sp.symbols("alpha p r r_rest", positive=True)
eta, count, X, sigma2, c = sp.symbols("eta N X sigma^2 c", nonnegative=True)
kappa, mu, v = sp.symbols("kappa mu v", real=True)
c_2n, law, before, after = sp.symbols("c^2n C_0 C_t C_N", nonnegative=True)

COST = equation(kappa, p * (alpha - 1) * alpha * (eta / count) ** 2 * X**2 / (2 * sigma2))
EXPECTED = equation(
    sp.Symbol("log E"), kappa * mu**2 / (1 - 2 * kappa * v) - sp.log(1 - 2 * kappa * v) / 2
)
PER_STEP = equation(r, rest + sp.Symbol("log E") / (p * (alpha - 1)))
NEXT_ORDER = equation(sp.Symbol("alpha'"), 1 + (alpha - 1) * p / (p - 1))
CONSTANT = equation(after, c_2n * before + sigma2 * sp.Symbol("g_2"))
SQUARES = equation(sp.Symbol("g_2"), (1 - c_2n) / (1 - c**2))
DECAY = equation(r, rest * (c_2n * before / after) ** (1 / alpha))
TRIANGLE = equation(r, (alpha - sp.Rational(1, 2)) / (alpha - 1) * rest + sp.Symbol("r_2"))


def adaptive_composition(
    residuals: Statement, order: Fraction, exponents: Sequence[Fraction]
) -> Statement:
    """R4: D_alpha of the whole trajectories, from the residual law of the first world.

    One step costs, given the state, alpha k |x|^2 r^2 with k = (eta/N)^2/(2 sigma^2); by Hölder with
    exponent p > 1, D_alpha(t+1 steps) <= D_alpha'(t steps) + log E exp(kappa r^2)/(p (alpha-1)),
    alpha' = 1 + (alpha-1) p/(p-1), kappa = p (alpha-1) alpha k |x|^2; the expectation over the Gaussian
    residual is exact (infinite unless 2 kappa v < 1).  The first step that costs needs no Hölder.
    ``exponents``: one p for each later step that costs, the last first.
    Premises: those of the residual law; one removed point a step; noise at every step that costs.
    """
    expect(residuals, "residual-law")
    run: Run = residuals.subject  # type: ignore[assignment]
    if run.normalizer == "current":
        raise NotApplicable(R4, "the normalizer `current` reweights every other point as well")
    costly: list[tuple[int, int, Any]] = []
    t = 0
    for pair in schedule.whole(R4, run):
        rows = pair.removed(run)
        if len(rows) > 1:
            raise NotApplicable(R4, "needs a single removed point at every step")
        if rows and pair.noise_variance == 0:
            raise NotApplicable(R4, "a step that removes a point adds no noise")
        if rows:
            costly += [(t + k, rows[0], pair) for k in range(pair.count)]
        t += pair.count
    if not order > 1:
        raise TypeError("R4: an order above 1")
    level, value = ball(order), arb(0)
    hints = iter(exponents)
    for k, (t, row, pair) in reversed(list(enumerate(costly))):
        holder = ball(next(hints)) if k else arb(1)
        if k and not holder > 1:
            raise TypeError("R4: Hölder exponents exceed 1")
        values = {
            alpha: level,
            p: holder,
            eta: ball(pair.step_size),
            count: arb(run.count(pair.first)),
            X: row_norm(run, row),
            sigma2: ball(pair.noise_variance),
            mu: residuals.values["mean"][t][0],
            v: residuals.values["variance"][t][0],
        }
        values[kappa] = evaluate(COST, values)
        if not 2 * values[kappa] * values[v] < 1:
            value = arb("inf")
            break
        values[sp.Symbol("log E")] = evaluate(EXPECTED, values)
        value = evaluate(PER_STEP, {**values, rest: value})
        if k:
            level = evaluate(NEXT_ORDER, values)
    return R4.conclude(
        "renyi",
        formulas=(COST, EXPECTED, PER_STEP, NEXT_ORDER),
        values={"r": value},
        exact={
            "order": order,
            "exactness": "upper",
            "directions": ("P|Q",) if residuals.exact["world"] == "P" else ("Q|P",),
            "observer": "every-step",
            "exponents": tuple(exponents),
        },
        uses=(residuals,),
        subject=run,
    )


def decay(renyi: Statement, steps: Sequence[Statement]) -> Statement:
    """R2: a bound on the trajectories, shrunk by the steps that both worlds take alike at the end.

    If the second world's law has log-Sobolev constant C_k before a step (N(0, C I) has C), then
    C_{k+1} = c^2 C_k + sigma^2 after, and D_alpha shrinks in it by (c^2 C_k/C_{k+1})^{1/alpha}; over n
    equal steps the product telescopes to (c^{2n} C_t/C_{t+n})^{1/alpha}.  A projection keeps C.
    Premises: the contraction of every map of the second world, from ``steps``; a point or Gaussian
    start.  Output noise is one more step with c = 1.
    """
    expect(renyi, "renyi")
    run: Run = renyi.subject  # type: ignore[assignment]
    order, directions = renyi.exact["order"], renyi.exact["directions"]
    if renyi.exact["observer"] != "every-step" or len(directions) != 1:
        raise TypeError("R2: needs a bound on the trajectories in one direction")
    second: World = "Q" if directions == ("P|Q",) else "P"
    known = lipschitz(steps)
    pairs = schedule.whole(R2, run)
    active = max((k + 1 for k, pair in enumerate(pairs) if pair.first != pair.second), default=0)
    spread, factor = ball(run.start.variance), arb(1)
    used: dict[Statement, None] = {}
    for k, pair in enumerate(pairs):
        step = known[pair.batch(second), pair.step_size]
        used[step] = None
        rate = ball(step.exact["bound"])
        spread, shrunk = _spread(rate, pair.count, ball(pair.noise_variance), spread)
        if k >= active:
            factor *= shrunk
    if run.output_noise("P") != run.output_noise("Q"):
        raise NotApplicable(R2, "the output noise of the reference is another")
    if run.output_variance > 0:
        factor *= spread / (spread + ball(run.output_variance))
    if not factor.is_finite():
        raise NotApplicable(R2, "the second law has no log-Sobolev constant: it is a point")
    values = {rest: renyi.ball("r"), c_2n: factor, before: arb(1), after: arb(1), alpha: ball(order)}
    shrink = factor if factor.is_zero() else evaluate(DECAY, values)
    return R2.conclude(
        "renyi",
        formulas=(SQUARES, CONSTANT, DECAY),
        values={"r": shrink, "factor": factor},
        exact={
            "order": order,
            "exactness": "upper",
            "directions": directions,
            "observer": "final",
        },
        uses=(renyi, *used),
        subject=run,
    )


def _spread(rate: arb, steps: int, noise: arb, start: arb) -> tuple[arb, arb]:
    """The log-Sobolev constant after ``steps`` equal steps, and c^{2n} C_t/C_{t+n}."""
    power = rate ** (2 * steps)
    values = {c: rate, c_2n: power, before: start, sigma2: noise}
    several = steps > 1 and (rate < 1 or rate > 1)
    values[sp.Symbol("g_2")] = evaluate(SQUARES, values) if several else arb(steps)
    end = evaluate(CONSTANT, values)
    return end, power * start / end


def triangle(run: Run, first: Statement, second: Statement) -> Statement:
    """R5: D_alpha(P|Q) <= (alpha - 1/2)/(alpha - 1) D_{2 alpha}(P|R) + D_{2 alpha - 1}(R|Q).

    ``first`` bounds D_{2 alpha}(P|R) and ``second`` D_{2 alpha - 1}(R|Q), each as the direction P|Q of
    its own run.  Premises checked: the worlds of the three runs fit together (same data, model, start,
    steps and noise), all released alike.
    """
    expect(first, "renyi"), expect(second, "renyi")
    one, two = first.subject, second.subject
    assert isinstance(one, Run)
    assert isinstance(two, Run)
    order = first.exact["order"] / 2
    if (
        second.exact["order"] != 2 * order - 1
        or any("P|Q" not in s.exact["directions"] for s in (first, second))
        or first.exact["observer"] != second.exact["observer"]
        or order <= 1
    ):
        raise TypeError("R5: needs D_{2 alpha}(P|R) and D_{2 alpha - 1}(R|Q), seen alike")
    joined = (
        (run, "P", one, "P"),
        (one, "Q", two, "P"),
        (two, "Q", run, "Q"),
    )
    if not all(_same_world(a, x, b, y) for a, x, b, y in joined):  # type: ignore[arg-type]
        raise TypeError("R5: the worlds of the runs do not fit together")
    values = {alpha: ball(order), rest: first.ball("r"), sp.Symbol("r_2"): second.ball("r")}
    return R5.conclude(
        "renyi",
        formulas=(TRIANGLE,),
        values={"r": evaluate(TRIANGLE, values)},
        exact={
            "order": order,
            "exactness": "upper",
            "directions": ("P|Q",),
            "observer": first.exact["observer"],
        },
        uses=(),
        bridges=(first, second),
        subject=run,
    )


def _same_world(one: Run, x: World, two: Run, y: World) -> bool:
    """Whether two runs' worlds are the same law."""
    model = (
        *("loss", "l2", "normalizer", "start", "projection", "clip"),
        *("threshold", "classes", "network"),
    )
    return (
        one.X.shape == two.X.shape
        and bool((one.X == two.X).all() and (one.y == two.y).all())
        and all(getattr(one, name) == getattr(two, name) for name in model)
        and one.output_noise(x) == two.output_noise(y)
        and schedule.steps(R5, one, x) == schedule.steps(R5, two, y)
    )
