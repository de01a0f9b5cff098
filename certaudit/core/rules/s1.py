"""Worst-case sensitivity of one step."""

from __future__ import annotations

from flint import arb

from certaudit.core.balls import ball, largest
from certaudit.core.rule import Conclusion, Rule
from certaudit.core.schedule import Pair
from certaudit.core.slope import Gradients, M, Restart, shared, sizes
from certaudit.core.statement import Sensitivity, Statement
from certaudit.core.term import Environment, Formula, symbols
from certaudit.run import Run

s, eta, count, k = symbols("s eta N k")

WORST = Formula(s, eta * k * M / count)
WORST_CURRENT = Formula(s, 2 * eta * k * M / count)


def s1(run: Run, uses: tuple[Statement, ...], witness: Restart) -> Conclusion:
    """s = eta M k / N where k rows leave the step's batch of N.

    Twice that for the normalizer ``current``, as the weights of the N - k others change too, by
    eta (1/(N - k) - 1/N) each.  M bounds every per-row gradient of the data.
    Premises: a bounded slope, a clip, or a projection and a start inside its ball; labels of the loss;
    for a restart, a projection before it.  Units: of the parameters.
    """
    gradients = Gradients(RULE.id, run, witness.last)
    bound = largest([arb(0), *(gradients.at(j) for j in range(run.n))])
    formula = WORST_CURRENT if run.normalizer == "current" else WORST

    def values(pair: Pair) -> Environment:
        return {
            eta: ball(pair.step_size),
            k: arb(len(pair.removed(run))),
            M: bound,
            count: arb(run.count(pair.first)),
        }

    shifts, example = sizes(shared(RULE.id, run, witness.last), formula, values)
    statement = Sensitivity("any", shifts, witness.last, arb(0))
    return Conclusion(statement, tuple(gradients.premises), example)


RULE = Rule("S1", "Worst-case sensitivity of one step", "theory.md#s1; CHI24a, NEE21", Restart, s1)
