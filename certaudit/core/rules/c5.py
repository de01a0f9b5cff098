"""C5: Gaussian DP to (epsilon, delta), exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from flint import arb

from certaudit.core.balls import ball
from certaudit.core.gaussian import GAUSSIAN, eps, gaussian_delta, mu
from certaudit.core.rule import Conclusion, Rule, Undecided, one
from certaudit.core.statement import GaussianDP, HockeyStick, Statement
from certaudit.run import Run


@dataclass(frozen=True)
class Witness:
    """``epsilon`` >= 0."""

    epsilon: Fraction


def hockey_stick_of_gaussian(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """delta(epsilon) <= Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu) + slack, in the same
    directions; it grows with mu, so that it is taken at the upper end of mu's ball."""
    gaussian = one(RULE.id, uses, GaussianDP)
    if not 0 <= witness.epsilon < inf:
        raise Undecided(RULE.id, "epsilon is a finite number, not negative")
    top = gaussian.mu.upper()
    value = gaussian_delta(top, witness.epsilon) if top.is_finite() else arb(1)
    statement = HockeyStick(
        witness.epsilon, value + gaussian.delta, gaussian.directions, gaussian.observer, "upper"
    )
    return Conclusion(statement, (), ((GAUSSIAN, {mu: top, eps: ball(witness.epsilon)}),))


RULE = Rule(
    "C5",
    "Gaussian DP to (epsilon, delta), exact",
    "theory.md#c5; DRS22, Corollary 2.13",
    Witness,
    hockey_stick_of_gaussian,
)
