"""S3: per-instance high-probability sensitivity for ridge, from one world's residuals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from flint import arb

from certaudit.core.balls import ball
from certaudit.core.rule import Conclusion, Rule, Undecided, one
from certaudit.core.shifts import require_fixed, summed
from certaudit.core.statement import ResidualLaw, Sensitivity, Statement
from certaudit.core.term import Environment, Formula, erfc, magnitude, sqrt, symbols
from certaudit.run import Run

p, q, z, mu, v = symbols("p q z mu v")

BOUND = Formula(q, magnitude(mu) + z * sqrt(v))
SPENT = Formula(p, (erfc(z / sqrt(2)) + erfc((z + 2 * magnitude(mu) / sqrt(v)) / sqrt(2))) / 2)


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
    spent = [arb(0)]
    shown: dict[Formula, Environment] = {}

    def held(t: int, k: int, i: int) -> arb:
        values = {mu: law.means[t][k], v: law.variances[t][k], z: ball(chosen[t][k])}
        shown[BOUND] = values
        if not values[v].is_zero():
            shown[SPENT] = values
            spent.append(SPENT.at(values))
            if not spent[-1].is_finite():
                raise Undecided(RULE.id, "the variance of a residual could not be told from zero")
        bound: arb = BOUND.at(values)
        return bound

    shifts, last = summed(RULE.id, run, held)
    delta = sum(spent, arb(0))
    return Conclusion(Sensitivity(law.world, shifts, None, delta), (fixed,), (*shown.items(), *last))


RULE = Rule(
    "S3",
    "Per-instance high-probability sensitivity for ridge, one world's residuals",
    "theory.md#s3; BAC26, repaired by clipping at the bound",
    Witness,
    high_probability,
)
