"""delta(epsilon) in one dimension."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from certaudit.core.balls import ball
from certaudit.core.diagonal import Values, eps, ordered
from certaudit.core.gaussian import GAUSSIAN, gaussian_delta, mu
from certaudit.core.rule import Conclusion, NotApplicable, Rule, Undecided, one
from certaudit.core.statement import Direction, HockeyStick, Law, Statement
from certaudit.core.term import Formula, erfc, exp, log, magnitude, sqrt, symbols
from certaudit.run import Run

gap, p, q, excess, shift, radicand, delta = symbols("Delta v_P v_Q l nu R delta")
EXCESS = Formula(excess, (p - q) / q)
SHIFT = Formula(shift, magnitude(gap) / sqrt(q))
RADICAND = Formula(radicand, (1 + excess) / excess * (shift**2 / excess + log(1 + excess) + 2 * eps))
_middle = -shift / excess
_low, _high = _middle - sqrt(radicand), _middle + sqrt(radicand)
_own = sqrt(2 * (1 + excess))
WIDER = Formula(
    delta,
    (erfc((shift - _low) / _own) + erfc((_high - shift) / _own)) / 2
    - exp(eps) * (erfc(-_low / sqrt(2)) + erfc(_high / sqrt(2))) / 2,
)
NARROWER = Formula(
    delta,
    (erfc((_low - shift) / _own) - erfc((_high - shift) / _own)) / 2
    - exp(eps) * (erfc(_low / sqrt(2)) - erfc(_high / sqrt(2))) / 2,
)


@dataclass(frozen=True)
class Witness:
    """Direction and level."""

    direction: Direction
    epsilon: Fraction


def c6_1d(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """delta(epsilon) = P(A) - e^epsilon Q(A), A the set where log p/q > epsilon (Neyman-Pearson).

    Shifted and scaled so that Q = N(0, 1) and P = N(nu, 1 + l), nu >= 0, log p/q is a quadratic that
    equals epsilon at -nu/l -+ sqrt(R).  A lies outside these for l > 0, between them for l < 0, and is
    empty if R <= 0.  Equal variances: C5 with mu = nu.  A variance of exactly 0 is a point: the laws
    are singular to each other unless both are the same point.
    """
    law = one(RULE.id, uses, Law)
    if len(law.mean_p) != 1:
        raise NotApplicable(RULE.id, "the model has more than one dimension")
    if not witness.epsilon >= 0:
        raise Undecided(RULE.id, "needs epsilon >= 0")
    values: Values = {
        symbol: x[0, 0] for symbol, x in zip((gap, p, q), ordered(law, witness.direction), strict=True)
    }
    values[eps] = ball(witness.epsilon)
    value, shown = _delta(values, witness.epsilon)
    if not value.is_finite():
        raise Undecided(RULE.id, "the probabilities could not be enclosed")
    stick = HockeyStick(
        witness.epsilon, value.nonnegative_part(), (witness.direction,), "final", "exact"
    )
    return Conclusion(stick, (), tuple((formula, values) for formula in shown))


def _delta(values: Values, epsilon: Fraction) -> tuple[arb, tuple[Formula, ...]]:
    if values[p].is_zero() or values[q].is_zero():
        return _singular(values), ()
    if not (values[p] > 0 and values[q] > 0):
        raise Undecided(RULE.id, "a variance of unknown sign")
    values |= {excess: EXCESS.at(values), shift: SHIFT.at(values)}
    if values[excess].is_zero():
        values[mu] = values[shift]
        return gaussian_delta(values[shift], epsilon), (SHIFT, GAUSSIAN)
    if not (values[excess] > 0 or values[excess] < 0):
        raise Undecided(RULE.id, "the variances could not be told apart")
    values[radicand] = RADICAND.at(values)
    if values[radicand] <= 0:
        return arb(0), (EXCESS, SHIFT, RADICAND)
    if not values[radicand] > 0:
        raise Undecided(RULE.id, "whether the log-ratio reaches epsilon is not certain")
    form = WIDER if values[excess] > 0 else NARROWER
    return form.at(values), (EXCESS, SHIFT, RADICAND, form)


def _singular(values: Values) -> arb:
    """Where at least one of the laws is a point."""
    if values[p].is_zero() and values[q].is_zero() and values[gap].is_zero():
        return arb(0)
    apart = values[gap] > 0 or values[gap] < 0
    if (apart and values[p].is_zero() and values[q].is_zero()) or values[p] > 0 or values[q] > 0:
        return arb(1)
    raise Undecided(RULE.id, "whether two points are the same is not certain")


RULE = Rule(
    "C6-1d",
    "Exact hockey-stick divergence in one dimension",
    "theory.md#c6-1d; Neyman-Pearson lemma",
    Witness,
    c6_1d,
)
