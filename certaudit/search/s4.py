"""S4: an even share of a given delta."""

from __future__ import annotations

from fractions import Fraction

from certaudit.core.rules.s4 import Witness
from certaudit.core.statement import MarginLaw


def witness(law: MarginLaw, delta: Fraction) -> Witness:
    """The probability for each random margin when ``delta`` is shared evenly."""
    random = sum(1 for row in law.spreads for value in row if not value.is_zero())
    return Witness(delta / max(random, 1))
