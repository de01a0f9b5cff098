"""Lipschitz constant of one gradient step."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from flint import arb

from certaudit.core.balls import ball, precision, upper
from certaudit.core.rule import (
    Conclusion,
    NotApplicable,
    Premise,
    Rule,
    Undecided,
    numbers,
    one,
    require,
)
from certaudit.core.rules.curvature import L, m
from certaudit.core.statement import Contraction, Curvature, Statement
from certaudit.core.term import Formula, magnitude, maximum, symbols
from certaudit.run import Run

HUGE = arb(2) ** (1 << 16)

eta, c = symbols("eta c")
STEP = Formula(c, maximum(magnitude(1 - eta * m), magnitude(1 - eta * L)))
CLIPPED_STEP = Formula(c, magnitude(1 - eta * m) + eta * L)


@dataclass(frozen=True)
class Witness:
    """The step size the statement is about."""

    step_size: Fraction


def contraction(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """One gradient step is c-Lipschitz, c = max(|1 - eta m|, |1 - eta L|).

    With a clip that does not keep convexity c = |1 - eta m| + eta L, m the regularizer outside the clip.
    c < 1 is not needed for the statement; see :func:`require_contraction`.
    """
    if not 0 < witness.step_size < inf:
        raise NotApplicable(RULE.id, "a step size is a number above 0")
    curved = one(RULE.id, uses, Curvature)
    formula = STEP if curved.convex else CLIPPED_STEP
    values = {eta: ball(witness.step_size), m: curved.m, L: curved.L}
    rate = formula.at(values)
    if not rate < HUGE:
        raise Undecided(RULE.id, "the constant is too large to write out")
    step = Contraction(curved.batch, witness.step_size, _rounded_up(rate))
    return Conclusion(step, (), ((formula, values),))


def require_contraction(run: Run, curved: Curvature, step: Contraction) -> Premise:
    """The premise "the step contracts" (eta < 2/L, m > 0, a clip that keeps convexity).

    Raises PremiseFailed with eta, m, L and c if it certainly does not hold.
    """
    values = numbers(step_size=ball(step.step_size), c=ball(step.c), m=curved.m, L=curved.L)
    if not curved.convex:
        inside = run.clip is not None and run.clip.regularizer
        text = (
            "the regularizer must stay outside the clip"
            if inside
            else "a clip keeps convexity for losses of a margin only, which softmax is not"
        )
        return require(RULE.id, False, True, Premise("clip", text, values))
    text = "the step must contract: eta < 2/L and m > 0"
    premise = Premise("step size", text, values)
    return require(RULE.id, step.c < 1, step.c >= 1, premise)


def _rounded_up(rate: arb) -> Fraction:
    """A short number at or above ``rate``, at most 1 if ``rate`` is."""
    with precision(64):
        above = upper(rate * (1 + arb(2) ** -60))
    return Fraction(1) if rate <= 1 < above else above


RULE = Rule(
    "contraction",
    "Lipschitz constant of one gradient step",
    "theory.md#contraction; BUB15, Theorem 3.12",
    Witness,
    contraction,
)
