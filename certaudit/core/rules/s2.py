"""Per-instance sensitivity of one step."""

from __future__ import annotations

from flint import arb

from certaudit.core.balls import ball
from certaudit.core.rule import Conclusion, Rule
from certaudit.core.schedule import Pair
from certaudit.core.slope import Gradients, Restart, shared, sizes
from certaudit.core.statement import Sensitivity, Statement
from certaudit.core.term import Environment, Formula, symbols
from certaudit.run import Run

s, eta, count, k, kept = symbols("s eta N k n_kept")
forgotten, others = symbols("S_F S_rest")

INSTANCE = Formula(s, eta * forgotten / count)
INSTANCE_CURRENT = Formula(s, eta * (forgotten + k / kept * others) / count)


def s2(run: Run, uses: tuple[Statement, ...], witness: Restart) -> Conclusion:
    """s = (eta/N) S_F, S_F the sum of the gradient bounds of the k rows that leave the step's batch.

    For the normalizer ``current`` the weights of the n_kept others change too, by
    1/n_kept - 1/N = k/(n_kept N): s = (eta/N)(S_F + (k/n_kept) S_rest).
    Premises as for S1, but on the rows that matter only.  Units: of the parameters.
    """
    gradients = Gradients(RULE.id, run, witness.last)
    current = run.normalizer == "current"
    formula = INSTANCE_CURRENT if current else INSTANCE

    def values(pair: Pair) -> Environment:
        gone, left = pair.removed(run), run.rows(pair.second)
        return {
            eta: ball(pair.step_size),
            forgotten: gradients.total(gone),
            count: arb(run.count(pair.first)),
            k: arb(len(gone)),
            kept: arb(max(len(left), 1)),
            others: gradients.total(left) if current else arb(0),
        }

    shifts, example = sizes(shared(RULE.id, run, witness.last), formula, values)
    statement = Sensitivity("any", shifts, witness.last, arb(0))
    return Conclusion(statement, tuple(gradients.premises), example)


RULE = Rule("S2", "Per-instance sensitivity of one step", "theory.md#s2; BAC26", Restart, s2)
