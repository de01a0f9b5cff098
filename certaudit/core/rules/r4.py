"""R4: adaptive composition for ridge, from one world's residuals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball
from certaudit.core.data import row_norm
from certaudit.core.renyi import alpha, r, require_order, rest
from certaudit.core.rule import Conclusion, NotApplicable, Rule, Undecided, one
from certaudit.core.schedule import Pair
from certaudit.core.shifts import require_fixed
from certaudit.core.statement import Direction, Renyi, ResidualLaw, Statement
from certaudit.core.term import Formula, Term, log, symbols
from certaudit.run import Run

p, eta, count, X, sigma2, kappa, mu, v = symbols("p eta N X sigma^2 kappa mu v")
expected, further = symbols("e alpha'")

COST = Formula(kappa, p * (alpha - 1) * alpha * (eta / count) ** 2 * X**2 / (2 * sigma2))
EXPECTED = Formula(expected, kappa * mu**2 / (1 - 2 * kappa * v) - log(1 - 2 * kappa * v) / 2)
PER_STEP = Formula(r, rest + expected / (p * (alpha - 1)))
NEXT_ORDER = Formula(further, 1 + (alpha - 1) * p / (p - 1))


@dataclass(frozen=True)
class Witness:
    """``order``: alpha > 1; ``exponents``: p > 1 of each step that costs, the last first."""

    order: Fraction
    exponents: tuple[Fraction, ...]


def adaptive_composition(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """D_alpha of the whole trajectories, from the residual law of the first world.

    One step costs, given the state, alpha k |x|^2 r^2 with k = (eta/N)^2/(2 sigma^2); by Hölder with
    exponent p > 1, D_alpha(t+1 steps) <= D_alpha'(t steps) + log E exp(kappa r^2)/(p (alpha-1)),
    alpha' = 1 + (alpha-1) p/(p-1), kappa = p (alpha-1) alpha k |x|^2; the expectation over the Gaussian
    residual is exact (infinite unless 2 kappa v < 1).  The first step that costs needs no Hölder.
    Premises: those of the residual law; both worlds take the same steps; one removed row a step; noise
    at every step that costs; normalizer ``fixed`` or ``sum``.
    """
    law = one(RULE.id, uses, ResidualLaw)
    fixed = require_fixed(RULE.id, run)
    costly = _costly(run)
    require_order(RULE.id, witness.order)
    if len(witness.exponents) != max(len(costly) - 1, 0):
        raise Undecided(RULE.id, "one exponent for each step that costs but the first")
    if not all(1 < exponent < inf for exponent in witness.exponents):
        raise Undecided(RULE.id, "Hölder exponents are finite and exceed 1")
    values: dict[Term, arb] = {alpha: ball(witness.order), r: arb(0)}
    steps = zip(reversed(costly), (*witness.exponents, None), strict=False)
    for (t, row, pair), exponent in steps:
        values |= {
            p: arb(1) if exponent is None else ball(exponent),
            rest: values[r],
            eta: ball(pair.step_size),
            count: arb(run.count(pair.first)),
            X: row_norm(run, row),
            sigma2: ball(pair.noise_variance),
            mu: law.means[t][0],
            v: law.variances[t][0],
        }
        values[kappa] = COST.at(values)
        if not 2 * values[kappa] * values[v] < 1:
            values[r] = arb("inf")
            break
        values[expected] = EXPECTED.at(values)
        values[r] = PER_STEP.at(values)
        if exponent is not None:
            values[alpha] = NEXT_ORDER.at(values)
    direction: tuple[Direction, ...] = ("P|Q",) if law.world == "P" else ("Q|P",)
    evaluated = (COST, EXPECTED, PER_STEP) if costly and values[r].is_finite() else ()
    return Conclusion(
        Renyi(witness.order, values[r], direction, "every-step", "upper"),
        (fixed,),
        (*((formula, values) for formula in evaluated), (NEXT_ORDER, {})),
    )


def _costly(run: Run) -> list[tuple[int, int, Pair]]:
    """The steps that remove a row: number, row and pair."""
    found: list[tuple[int, int, Pair]] = []
    done = 0
    for pair in schedule.whole(RULE.id, run):
        rows = pair.removed(run)
        if len(rows) > 1:
            raise NotApplicable(RULE.id, "needs a single removed row at every step")
        if rows and pair.noise_variance == 0:
            raise NotApplicable(RULE.id, "a step that removes a row adds no noise")
        if rows:
            found += [(t, rows[0], pair) for t in range(done, done + pair.count)]
        done += pair.count
    return found


RULE = Rule(
    "R4",
    "Per-instance adaptive composition for ridge",
    "theory.md#r4; THU24, SEP25 (Hölder's inequality)",
    Witness,
    adaptive_composition,
)
