"""C5-cover: Gaussian DP with slack from finitely many hockey sticks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from certaudit.core.balls import ball
from certaudit.core.gaussian import GAUSSIAN, eps, gaussian_delta, mu
from certaudit.core.rule import Conclusion, NotApplicable, Rule, Undecided, expect
from certaudit.core.statement import GaussianCover, HockeyStick, Statement
from certaudit.run import Run


@dataclass(frozen=True)
class Witness:
    """``mu`` >= 0 and the slack ``delta`` >= 0."""

    mu: Fraction
    delta: Fraction


def gaussian_cover(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """delta(epsilon) <= delta_mu(epsilon) + slack for every epsilon >= 0, in one direction.

    From upper bounds at 0 = e_0 <= ... <= e_k: delta(epsilon) falls with epsilon, so that
    delta(e_j) <= delta_mu(e_{j+1}) + slack proves it on [e_j, e_{j+1}], and delta(e_k) <= slack beyond.
    """
    sticks = [expect(RULE.id, use, HockeyStick) for use in uses]
    scopes = {(stick.directions, stick.observer) for stick in sticks}
    levels = [stick.epsilon for stick in sticks]
    if len(scopes) != 1 or any(stick.exactness == "lower" for stick in sticks):
        raise NotApplicable(RULE.id, "needs upper bounds of one direction, for one observer")
    ((directions, observer),) = scopes
    if len(directions) != 1:
        raise NotApplicable(RULE.id, "needs upper bounds of one direction, for one observer")
    if levels[0] != 0 or sorted(levels) != levels:
        raise NotApplicable(RULE.id, "needs hockey sticks from epsilon 0 upwards")
    if not (0 <= witness.mu < inf and 0 <= witness.delta < inf):
        raise Undecided(RULE.id, "mu and the slack are finite numbers, not negative")
    slack = ball(witness.delta)
    allowed = [gaussian_delta(witness.mu, level) + slack for level in levels[1:]] + [slack]
    if not all(stick.delta <= most for stick, most in zip(sticks, allowed, strict=True)):
        raise Undecided(RULE.id, "the hockey sticks do not certainly lie below the curve")
    statement = GaussianCover(witness.mu, witness.delta, directions[0], observer)
    values = {mu: ball(witness.mu), eps: ball(levels[-1])}
    return Conclusion(statement, (), ((GAUSSIAN, values),))


RULE = Rule(
    "C5-cover",
    "Gaussian DP with slack from finitely many epsilon",
    "theory.md#c5-cover",
    Witness,
    gaussian_cover,
)
