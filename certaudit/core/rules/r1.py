"""R1: Gaussian DP gives every Rényi order."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from certaudit.core.balls import ball
from certaudit.core.renyi import alpha, r, require_order
from certaudit.core.rule import Conclusion, NotApplicable, Rule, one
from certaudit.core.statement import GaussianDP, Renyi, Statement
from certaudit.core.term import Formula, symbol
from certaudit.run import Run

mu = symbol("mu")

RENYI = Formula(r, alpha * mu**2 / 2)


@dataclass(frozen=True)
class Witness:
    """``order``: alpha > 1."""

    order: Fraction


def renyi_of_gaussian(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """mu-GDP gives D_alpha <= alpha mu^2/2 for every alpha > 1, in the same directions.

    Premise: Gaussian DP without slack.
    """
    gaussian = one(RULE.id, uses, GaussianDP)
    require_order(RULE.id, witness.order)
    if not gaussian.delta.is_zero():
        raise NotApplicable(RULE.id, "needs Gaussian DP without slack")
    values = {alpha: ball(witness.order), mu: gaussian.mu}
    statement = Renyi(witness.order, RENYI.at(values), gaussian.directions, gaussian.observer, "upper")
    return Conclusion(statement, (), ((RENYI, values),))


RULE = Rule(
    "R1",
    "Gaussian DP gives every Rényi order",
    "theory.md#r1; DRS22, Corollary B.6",
    Witness,
    renyi_of_gaussian,
)
