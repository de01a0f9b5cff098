"""An order at which the Rényi divergence is infinite."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from certaudit.core.balls import ball, column
from certaudit.core.diagonal import ordered
from certaudit.core.rule import Conclusion, NotApplicable, Premise, Rule, Undecided, numbers, one
from certaudit.core.statement import Direction, Law, Renyi, Statement
from certaudit.core.term import Formula, symbols, transpose
from certaudit.run import Run

x, first_covariance, second_covariance, order, form = symbols("x S_P S_Q alpha q")
FORM = Formula(
    form,
    order * (transpose(x) * second_covariance * x) + (1 - order) * (transpose(x) * first_covariance * x),
)


@dataclass(frozen=True)
class Witness:
    """A direction in which alpha S_Q + (1 - alpha) S_P is negative."""

    direction: Direction
    order: Fraction
    vector: tuple[Fraction, ...]


def e3_infinite(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """D_alpha is infinite where x.(alpha S_Q + (1 - alpha) S_P) x < 0 for one x.

    Then x.w has variance p under P and q under Q with (alpha - 1) p > alpha q >= 0: for q > 0 the
    integral of p^alpha q^(1-alpha) of the two normal densities diverges, for q = 0 the law of x.w under
    P has no density with respect to Q's; data processing does the rest.  The covariances may be
    singular.
    """
    law = one(RULE.id, uses, Law)
    if not witness.order > 1:
        raise NotApplicable(RULE.id, "needs an order above 1")
    gap, first, second = ordered(law, witness.direction)
    if len(witness.vector) != gap.nrows():
        raise Undecided(RULE.id, "the vector must have the model's dimension")
    values = {
        x: column(witness.vector),
        order: ball(witness.order),
        first_covariance: first,
        second_covariance: second,
    }
    value = FORM.at(values)[0, 0]
    if not value < 0:
        raise Undecided(RULE.id, "the form is not certainly negative in this direction")
    negative = Premise(
        "negative direction", "x.(alpha S_Q + (1 - alpha) S_P) x < 0", numbers(form=value)
    )
    infinite = Renyi(witness.order, arb("inf"), (witness.direction,), "final", "exact")
    return Conclusion(infinite, (negative,), ((FORM, values),))


RULE = Rule(
    "E3-infinite",
    "An order at which the Rényi divergence of two Gaussians is infinite",
    "theory.md#e3-infinite; data processing",
    Witness,
    e3_infinite,
)
