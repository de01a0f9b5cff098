"""The Rényi divergence of all iterates of an affine run."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import acb, arb

from certaudit.core.balls import ball
from certaudit.core.diagonal import Evaluated, Values
from certaudit.core.path import Diverges, path
from certaudit.core.rule import Conclusion, NotApplicable, Rule, Undecided
from certaudit.core.statement import Direction, Renyi, Statement
from certaudit.core.term import Formula, log, symbols
from certaudit.run import Run

renyi, order, c, D = symbols("D_alpha alpha c D")
RENYI = Formula(renyi, (c - log(D) / 2) / (order - 1))


@dataclass(frozen=True)
class Witness:
    """``order`` above 1."""

    direction: Direction
    order: Fraction


def o2_renyi(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """(alpha - 1) D_alpha of all the iterates is log M(alpha - 1), M(s) = E_P (P/Q)^s = e^c / sqrt(D),
    by integrating them out one after another, a phase's equal steps by doubling; infinite where one of
    these integrals is."""
    if uses:
        raise NotApplicable(RULE.id, "builds on no statement")
    if not witness.order > 1:
        raise NotApplicable(RULE.id, "needs an order above 1")
    steps, premises = path(RULE.id, run, witness.direction, 1)
    shown: tuple[Evaluated, ...]
    values: Values = {order: ball(witness.order)}
    try:
        constant, det = steps.moment(acb(values[order] - 1))
        values |= {c: constant.real, D: det.real}
        value, shown = RENYI.at(values), ((RENYI, values),)
        if not value.is_finite():
            raise ZeroDivisionError("a determinant of unknown sign")
    except Diverges:
        value, shown = arb("inf"), ()
    except ZeroDivisionError as fault:
        raise Undecided(RULE.id, f"the moment could not be enclosed: {fault}") from None
    found = Renyi(witness.order, value, (witness.direction,), "every-step", "exact")
    return Conclusion(found, premises, shown)


RULE = Rule(
    "O2-renyi",
    "Exact Rényi divergence of all the iterates",
    "theory.md#o2-renyi; own",
    Witness,
    o2_renyi,
)
