"""What rules about Rényi divergences share."""

from __future__ import annotations

from fractions import Fraction
from math import inf

from certaudit.core.rule import NotApplicable, Undecided
from certaudit.core.statement import Renyi
from certaudit.core.term import symbols

alpha, r, rest = symbols("alpha r r_rest")


def require_order(rule: str, order: Fraction) -> None:
    """Raises Undecided unless 1 < ``order`` < infinity."""
    if not 1 < order < inf:
        raise Undecided(rule, "the order of a Rényi divergence is a finite number above 1")


def require_upper(rule: str, renyi: Renyi) -> None:
    """Raises NotApplicable on a lower bound."""
    if renyi.exactness == "lower":
        raise NotApplicable(rule, "needs an upper bound on the divergence")
