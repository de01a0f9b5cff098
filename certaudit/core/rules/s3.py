"""S3: per-instance high-probability sensitivity for ridge, from one world's residuals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball
from certaudit.core.data import row_norm
from certaudit.core.rule import Conclusion, NotApplicable, Premise, Rule, Undecided, one
from certaudit.core.statement import ResidualLaw, Sensitivity, Statement
from certaudit.core.term import Environment, Formula, erfc, indexed, magnitude, sqrt, symbols, total
from certaudit.run import Run

s, p, q, z, mu, v, eta, count = symbols("s_t p q z mu v eta N")
lengths, bounds = indexed("X"), indexed("q")

BOUND = Formula(q, magnitude(mu) + z * sqrt(v))
SPENT = Formula(p, (erfc(z / sqrt(2)) + erfc((z + 2 * magnitude(mu) / sqrt(v)) / sqrt(2))) / 2)
SHIFT = Formula(s, eta / count * total(lengths * bounds))


@dataclass(frozen=True)
class Witness:
    """``quantiles``: for each step of the law one z >= 0 for each row it removes."""

    quantiles: tuple[tuple[Fraction, ...], ...]


def high_probability(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """s_t = (eta/N) sum_i |x_i| q_{t,i}, q = |mu| + z sqrt(v), all at once but with probability delta.

    delta is the sum of P(|r| > q) = (erfc(z/sqrt 2) + erfc((z + 2|mu|/sqrt v)/sqrt 2))/2 for r of law
    N(mu, v), the world's exact residual law; a residual of variance 0 is a constant and spends nothing.
    Premises: those of the residual law; normalizer ``fixed`` or ``sum``.  Shifts are in the units of w.
    """
    law = one(RULE.id, uses, ResidualLaw)
    fixed = require_fixed(RULE.id, run)
    chosen = witness.quantiles
    if [len(row) for row in chosen] != [len(row) for row in law.means]:
        raise Undecided(RULE.id, "one row of quantiles for each step, with one number for each residual")
    if not all(0 <= number < inf for row in chosen for number in row):
        raise Undecided(RULE.id, "a quantile is a finite number, not negative")
    norms = {i: row_norm(run, i) for i in run.forget}
    shifts: list[tuple[int, arb]] = []
    delta, done = arb(0), 0
    shown: dict[Formula, Environment] = {}
    for pair in schedule.from_start(RULE.id, run):
        removed = pair.removed(run)
        if not removed:
            shifts.append((pair.count, arb(0)))
        for t in range(done, done + pair.count) if removed else ():
            held = []
            for mean, variance, number in zip(law.means[t], law.variances[t], chosen[t], strict=True):
                values = {mu: mean, v: variance, z: ball(number)}
                held.append(BOUND.at(values))
                if not variance.is_zero():
                    delta += _spent(values)
                    shown |= {BOUND: values, SPENT: values}
            shown[SHIFT] = {
                eta: ball(pair.step_size),
                count: arb(run.count(pair.first)),
                lengths: [norms[i] for i in removed],
                bounds: held,
            }
            shifts.append((1, SHIFT.at(shown[SHIFT])))
        done += pair.count
    return Conclusion(Sensitivity(law.world, tuple(shifts), None, delta), (fixed,), tuple(shown.items()))


def require_fixed(rule: str, run: Run) -> Premise:
    """The premise that N does not change with the removal; raises NotApplicable otherwise."""
    if run.normalizer == "current":
        raise NotApplicable(rule, "the normalizer `current` reweights every other point as well")
    return Premise("normalizer", "N is the same in both worlds: normalizer `fixed` or `sum`")


def _spent(values: Environment) -> arb:
    probability: arb = SPENT.at(values)
    if not probability.is_finite():
        raise Undecided(RULE.id, "the variance of a residual could not be told from zero")
    return probability


RULE = Rule(
    "S3",
    "Per-instance high-probability sensitivity for ridge, one world's residuals",
    "section 3; Benarroch, Atif, Cappé 2026, repaired by clipping at the bound",
    Witness,
    high_probability,
)
