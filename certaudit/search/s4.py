"""S4: an even share of a given delta."""

from __future__ import annotations

from fractions import Fraction

from certaudit.core.rules.s4 import Witness
from certaudit.core.statement import MarginLaw

HAIR = Fraction(1, 2**64)


def witness(law: MarginLaw, delta: Fraction) -> Witness:
    """The probability for each random margin when ``delta`` is shared evenly, a hair less."""
    random = sum(1 for row in law.spreads for value in row if not value.is_zero())
    return Witness(delta * (1 - HAIR) / max(random, 1))
