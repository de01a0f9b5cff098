"""delta(epsilon) is at least what one half-space gives."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, arb_mat

from certaudit.core.balls import ball, column
from certaudit.core.diagonal import Values, eps, ordered
from certaudit.core.rule import Conclusion, Rule, Undecided, one
from certaudit.core.statement import Direction, HockeyStick, Law, Statement
from certaudit.core.term import Formula, erfc, exp, sqrt, symbols, transpose
from certaudit.run import Run

probability, mean, variance, level = symbols("P(x.w>t) m v t")
delta, in_p, in_q, x, S = symbols("delta P(A) Q(A) x S")
ABOVE = Formula(probability, erfc((level - mean) / sqrt(2 * variance)) / 2)
VARIANCE = Formula(variance, transpose(x) * S * x)
EVENT = Formula(delta, in_p - exp(eps) * in_q, ">=")


@dataclass(frozen=True)
class Witness:
    """The event {normal.w > threshold}."""

    direction: Direction
    epsilon: Fraction
    normal: tuple[Fraction, ...]
    threshold: Fraction


def c6_event(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """delta(epsilon) >= P(A) - e^epsilon Q(A) for the half-space A = {normal.w > threshold}, where
    normal.w is N(normal.mean, normal.S normal) in each world; a variance of exactly 0 is a point."""
    law = one(RULE.id, uses, Law)
    if len(witness.normal) != len(law.mean_p) or not witness.epsilon >= 0:
        raise Undecided(RULE.id, "needs a normal of the model's dimension and epsilon >= 0")
    _, first, second = ordered(law, witness.direction)
    means = (law.mean_p, law.mean_q) if witness.direction == "P|Q" else (law.mean_q, law.mean_p)
    normal = column(witness.normal)
    values: Values = {eps: ball(witness.epsilon)}
    shown = []
    for symbol, centre, covariance in zip((in_p, in_q), means, (first, second), strict=True):
        here: Values = {x: normal, S: covariance, level: ball(witness.threshold)}
        here[mean] = (normal.transpose() * arb_mat([[y] for y in centre]))[0, 0]
        here[variance] = VARIANCE.at(here)[0, 0]
        values[symbol] = _probability(here)
        shown.append((ABOVE, here))
    value = EVENT.at(values)
    if not value.is_finite():
        raise Undecided(RULE.id, "the event's probabilities could not be enclosed")
    stick = HockeyStick(witness.epsilon, value, (witness.direction,), "final", "lower")
    return Conclusion(stick, (), (*shown, (EVENT, values)))


def _probability(here: Values) -> arb:
    beyond = here[level] - here[mean]
    if here[variance] > 0:
        return arb(ABOVE.at(here))
    if here[variance].is_zero() and (beyond < 0 or beyond >= 0):
        return arb(1 if beyond < 0 else 0)
    raise Undecided(RULE.id, "a variance of unknown sign, or a point that may lie on the border")


RULE = Rule(
    "C6-event",
    "The hockey-stick divergence is at least that of one event",
    "theory.md#c6-event; definition",
    Witness,
    c6_event,
)
