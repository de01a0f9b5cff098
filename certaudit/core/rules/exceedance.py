"""How likely one step shifts by more than a given length: exact, for ridge and one removed row."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball
from certaudit.core.data import row_norm
from certaudit.core.rule import Conclusion, NotApplicable, Rule, Undecided, one
from certaudit.core.rules.s3 import mu, p, q, v
from certaudit.core.schedule import Pair
from certaudit.core.shifts import count, eta, require_fixed, s
from certaudit.core.statement import Exceedance, ResidualLaw, Statement
from certaudit.core.term import Environment, Formula, erfc, sqrt, symbol
from certaudit.run import Run

length = symbol("X")

BOUND = Formula(q, s * count / (eta * length))
TAIL = Formula(p, (erfc((q - mu) / sqrt(2 * v)) + erfc((q + mu) / sqrt(2 * v))) / 2)


@dataclass(frozen=True)
class Witness:
    """``step``: counted from 1; ``sensitivity``: the shift that may be exceeded."""

    step: int
    sensitivity: Fraction


def exceedance(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """The exact probability that the step's shift (eta/N) |x| |r| exceeds ``sensitivity``.

    It is the Gaussian tail of the residual r of law N(mu, v) at q = s N/(eta |x|); 0 where the step
    removes nothing, or x is 0.  Premises: those of the residual law; normalizer ``fixed`` or
    ``sum``; a single row removed.  The sensitivity is in the units of w.
    """
    law = one(RULE.id, uses, ResidualLaw)
    fixed = require_fixed(RULE.id, run)
    step, sensitivity = witness.step, witness.sensitivity
    if not 0 <= sensitivity < inf:
        raise Undecided(RULE.id, "the sensitivity is a finite number, not negative")
    pair = _pair_at(run, step)
    rows = pair.removed(run)
    if len(rows) > 1:
        raise NotApplicable(RULE.id, "the exact tail of one step's shift needs a single removed row")
    norm = row_norm(run, rows[0]) if rows else arb(0)
    values: Environment = {}
    probability = arb(0)
    if not norm.is_zero():
        values = {
            s: ball(sensitivity),
            count: arb(run.count(pair.first)),
            eta: ball(pair.step_size),
            length: norm,
            mu: law.means[step - 1][0],
            v: law.variances[step - 1][0],
        }
        values = {**values, q: BOUND.at(values)}
        probability = _tail(values)
    if not probability.is_finite():
        raise Undecided(RULE.id, "the tail of the residual could not be enclosed")
    shown = ((BOUND, values), (TAIL, values)) if values else ()
    return Conclusion(Exceedance(law.world, step, sensitivity, probability), (fixed,), shown)


def _tail(values: Environment) -> arb:
    """P(|r| > q); a residual of variance 0 is a constant."""
    mean, bound = abs(values[mu]), values[q]
    if not values[v].is_zero():
        probability: arb = TAIL.at(values)
        return probability
    if mean <= bound:
        return arb(0)
    return arb(1) if mean > bound else arb(0.5, 0.5)


def _pair_at(run: Run, step: int) -> Pair:
    done = 0
    for pair in schedule.from_start(RULE.id, run):
        if isinstance(step, int) and done < step <= done + pair.count:
            return pair
        done += pair.count
    raise NotApplicable(RULE.id, "the two worlds do not share that step; steps are counted from 1")


RULE = Rule(
    "exceedance",
    "Exact tail of one step's shift for ridge",
    "theory.md#exceedance; BAC26",
    Witness,
    exceedance,
)
