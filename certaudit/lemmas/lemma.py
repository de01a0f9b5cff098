"""A lemma, its proof obligations, and what it means to discharge one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sympy as sp

from certaudit.core.term import Formula
from certaudit.run import Run

SIMPLIFIERS: tuple[Callable[[sp.Expr], sp.Expr], ...] = (
    lambda e: e,
    sp.expand,
    lambda e: sp.expand(sp.expand_log(e, force=False)),
    lambda e: sp.cancel(sp.together(e)),
    sp.simplify,
    lambda e: sp.simplify(sp.expand(sp.powsimp(sp.expand_power_exp(sp.expand_log(e))))),
    lambda e: sp.simplify(sp.powdenest(sp.expand_log(sp.simplify(e)), force=False)),
)


@dataclass(frozen=True)
class Obligation:
    """One thing to be proved.

    ``claim()`` gives an expression or a matrix that must reduce to zero, an inequality whose difference
    must have a sign that follows from the assumptions on its symbols, or a truth value.
    """

    text: str
    claim: Callable[[], Any]

    def discharge(self) -> bool:
        """Whether sympy proves it; False means no proof was found."""
        return holds(self.claim())


@dataclass(frozen=True)
class Lemma:
    """A step of the argument behind a rule, or behind facts of a loss.

    formulas: what it establishes, where a rule evaluates it the very formula.  facts: the fields of
    :class:`certaudit.losses.loss.Loss` that a lemma on a loss proves.  option: what a run must have for
    the lemma to matter to it.
    """

    id: str
    statement: str
    formulas: tuple[Formula, ...]
    obligations: tuple[Obligation, ...]
    facts: tuple[str, ...] = ()
    option: Literal["clip", "projection", "current"] | None = None

    def about(self, run: Run) -> bool:
        """Whether the lemma matters to the run."""
        has = {
            None: True,
            "clip": run.clip is not None,
            "projection": run.projection is not None,
            "current": run.normalizer == "current",
        }
        return has[self.option]


def holds(claim: Any) -> bool:
    """Whether a claim of an obligation is proved, by exact simplification only."""
    if isinstance(claim, bool):
        return claim
    if isinstance(claim, sp.MatrixBase):
        return all(_vanishes(entry) for entry in claim)
    if isinstance(claim, sp.MatrixExpr):
        return bool(claim.doit().expand().doit().is_ZeroMatrix)
    if isinstance(claim, sp.logic.boolalg.BooleanAtom):
        return claim is sp.true
    if isinstance(claim, sp.StrictGreaterThan | sp.StrictLessThan):
        return _has_sign(claim.gts - claim.lts, "is_positive")
    if isinstance(claim, sp.GreaterThan | sp.LessThan):
        return _has_sign(claim.gts - claim.lts, "is_nonnegative")
    return _vanishes(sp.sympify(claim))


def _vanishes(expression: sp.Expr) -> bool:
    return any(simplify(expression) == 0 for simplify in SIMPLIFIERS)


def _has_sign(difference: sp.Expr, sign: str) -> bool:
    forms = (difference, sp.expand(difference), sp.factor(sp.together(difference)))
    return any(getattr(form, sign) is True for form in forms) or (
        getattr(sp.factor(sp.simplify(difference)), sign) is True
    )
