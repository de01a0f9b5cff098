"""S4: per-instance high-probability sensitivity for losses of a margin, from one world's margins."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from certaudit.core.balls import ball
from certaudit.core.data import label, require_labels, row_norm
from certaudit.core.rule import Conclusion, Rule, Undecided, one
from certaudit.core.rules.margin_law import constants, require_margin
from certaudit.core.shifts import require_fixed, summed
from certaudit.core.statement import MarginLaw, Sensitivity, Statement
from certaudit.core.term import (
    Environment,
    Formula,
    compiled,
    log,
    magnitude,
    maximum,
    sqrt,
    symbol,
    symbols,
)
from certaudit.losses.loss import u, y
from certaudit.run import Run

half, length, tau2, p, bias, sup, low, high = symbols("h_t X tau_t^2 p b_t q g(u-h) g(u+h)")

HALF_WIDTH = Formula(half, length * (sqrt(tau2) * sqrt(2 * log(2 / p)) + bias))
SUP = Formula(sup, maximum(magnitude(low), magnitude(high)))


@dataclass(frozen=True)
class Witness:
    """``share``: the probability each random margin may spend, between 0 and 1."""

    share: Fraction


def margin_sensitivity(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """s_t = (eta/N) sum_i |x_i| sup |l'| on x_i.w_t's interval, at once but with probability delta.

    The interval is the noiseless margin +- h_t; the loss is convex, so that l' grows and |l'| is largest
    at an end.  Each row and step whose iterate is random spends ``share``.
    Premises: those of the margin law; normalizer ``fixed`` or ``sum``.  Shifts are in the units of w.
    """
    law = one(RULE.id, uses, MarginLaw)
    fixed = require_fixed(RULE.id, run)
    term, margin = require_margin(RULE.id, run)
    labels = require_labels(RULE.id, run, run.forget)
    if not 0 < witness.share < 1:
        raise Undecided(RULE.id, "a share of probability lies between 0 and 1")
    slope, share = compiled(term), ball(witness.share)
    norms = {i: row_norm(run, i) for i in run.forget}
    known = {i: constants(run) | {y: ball(label(run, i))} for i in run.forget}
    spent = 0
    shown: dict[Formula, Environment] = {}

    def largest(t: int, k: int, i: int) -> arb:
        nonlocal spent
        values = {length: norms[i], tau2: law.spreads[t][k], p: share, bias: law.biases[t][k]}
        centre, reach = law.margins[t][k], HALF_WIDTH.at(values)
        ends = {
            low: slope({**known[i], u: centre - reach}),
            high: slope({**known[i], u: centre + reach}),
        }
        shown.update({HALF_WIDTH: values, SUP: ends})
        spent += 0 if values[tau2].is_zero() else 1
        found: arb = SUP.at(ends)
        if not found.is_finite():
            raise Undecided(RULE.id, "the slope of the loss could not be enclosed")
        return found

    shifts, last = summed(RULE.id, run, largest)
    return Conclusion(
        Sensitivity(law.world, shifts, None, spent * share),
        (fixed, margin, labels),
        ((Formula(symbol("g(u)"), term), {}), *shown.items(), *last),
    )


RULE = Rule(
    "S4",
    "Per-instance high-probability sensitivity for losses of a margin, one world's margins",
    "theory.md#s4; Gaussian concentration and Poincaré inequalities",
    Witness,
    margin_sensitivity,
)
