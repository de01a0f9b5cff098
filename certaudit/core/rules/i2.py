"""Adaptive composition of every released step."""

from __future__ import annotations

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball
from certaudit.core.coupling import DIRECTIONS, side_by_side
from certaudit.core.rule import Conclusion, NotApplicable, Nothing, Rule, one
from certaudit.core.statement import GaussianDP, Sensitivity, Statement
from certaudit.core.term import Formula, indexed, sqrt, symbols, total
from certaudit.run import Run

mu, energy, n, s, sigma2 = symbols("mu E n s sigma^2")

SPENT = Formula(energy, n * s**2 / sigma2)
SHIFT = Formula(mu, sqrt(total(indexed("E"))))


def i2(run: Run, uses: tuple[Statement, ...], witness: Nothing) -> Conclusion:
    """An observer of every iterate learns at most mu^2 = sum (s_t/sigma_t)^2.

    Given the past, one step of the two runs is a pair of Gaussians at most s_t apart with one
    covariance; steps that are one map in both runs add nothing, nor does the output's noise, the same in
    both.
    Premises: both worlds take the same steps, with noise in every step that shifts.  mu has no unit.
    """
    shifted = one(RULE.id, uses, Sensitivity)
    if shifted.last is not None:
        raise NotApplicable(RULE.id, "needs the shifts of all the steps, from the first")
    put_in = []
    for count, pair, size in side_by_side(RULE.id, schedule.whole(RULE.id, run), shifted.shifts):
        if size.is_zero():
            continue
        if not pair.noise_variance > 0:
            raise NotApplicable(RULE.id, "a step that removes a point adds no noise")
        put_in.append({n: arb(count), s: size, sigma2: ball(pair.noise_variance)})
    spent = {indexed("E"): [SPENT.at(values) for values in put_in]}
    return Conclusion(
        GaussianDP(SHIFT.at(spent), shifted.delta, DIRECTIONS[shifted.world], "every-step"),
        (),
        (*((SPENT, values) for values in put_in[:1]), (SHIFT, spent)),
    )


RULE = Rule(
    "I2",
    "Adaptive composition of every released step",
    "theory.md#i2; DRS22",
    Nothing,
    i2,
)
