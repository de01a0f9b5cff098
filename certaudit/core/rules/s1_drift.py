"""Bounded gradients in both worlds."""

from __future__ import annotations

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball
from certaudit.core.rule import Conclusion, Rule
from certaudit.core.schedule import Pair
from certaudit.core.slope import Gradients, Restart, shared
from certaudit.core.statement import Drift, Statement
from certaudit.core.term import Environment, Formula, magnitude, symbols, term
from certaudit.run import Run

s, c, eta, lam, total_p, total_q, count_p, count_q = symbols("s c eta lambda S_P S_Q N_P N_Q")

TWO_GRADIENTS = Formula(s, eta * (total_p / count_p + total_q / count_q))
SHRINKAGE = Formula(c, magnitude(1 - eta * lam))
NO_SHRINKAGE = Formula(c, term(1))


def s1_drift(run: Run, uses: tuple[Statement, ...], witness: Restart) -> Conclusion:
    """|phi(u) - phi'(v)| <= |1 - eta lambda| |u - v| + eta (S_P/N_P + S_Q/N_Q).

    S adds a world's gradient bounds over its batch: the regularizer alone moves with the iterate, the
    rest is bounded.  Needs no convexity and no small step; with the regularizer inside the clip the
    factor is 1.  The shift is charged at every step, those after the deletion included.
    Premises as for S1, and that both worlds take the same steps.  Units: s of the parameters, c none.
    """
    last = witness.last
    gradients = Gradients(RULE.id, run, last)
    pairs = schedule.whole(RULE.id, run) if last is None else shared(RULE.id, run, last)
    inside = run.clip is not None and run.clip.regularizer
    factor = NO_SHRINKAGE if inside else SHRINKAGE

    def values(pair: Pair) -> Environment:
        return {
            eta: ball(pair.step_size),
            lam: ball(run.l2),
            total_p: gradients.total(run.rows(pair.first)),
            total_q: gradients.total(run.rows(pair.second)),
            count_p: arb(run.count(pair.first)),
            count_q: arb(run.count(pair.second)),
        }

    put_in = {pair: values(pair) for pair in dict.fromkeys(pairs)}
    bounds = {pair: (factor.at(one), TWO_GRADIENTS.at(one)) for pair, one in put_in.items()}
    steps = tuple((pair.count, *bounds[pair]) for pair in pairs)
    shown = tuple(
        (formula, one) for one in list(put_in.values())[:1] for formula in (factor, TWO_GRADIENTS)
    )
    return Conclusion(Drift(steps, last), tuple(gradients.premises), shown)


RULE = Rule(
    "S1-drift",
    "Bounded gradients in both worlds, contraction by the regularizer alone",
    "theory.md#s1-drift; KOL25",
    Restart,
    s1_drift,
)
