"""A Rényi divergence of one order."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from certaudit.claims.claim import BOTH, Claim, Theorem, seen, shown
from certaudit.core.balls import ball
from certaudit.core.statement import Direction, Observer, Renyi, Statement


@dataclass(frozen=True)
class RenyiClaim(Claim):
    """D_order(P|Q) <= renyi, in every direction named."""

    kind: ClassVar[str] = "renyi"
    id: str
    order: Fraction
    renyi: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: Theorem | None = None
    after: int | None = None

    def cases(self) -> tuple[str, ...]:
        """The directions."""
        return self.directions

    def proved_by(self, statement: Statement, case: str, release: Observer) -> bool:
        """By a bound at an order no smaller: the divergence grows with the order."""
        return (
            isinstance(statement, Renyi)
            and case in statement.directions
            and seen(statement.observer, release)
            and statement.exactness in ("exact", "upper")
            and statement.order >= self.order
            and bool(statement.r <= ball(self.renyi))
        )

    def broken_by(self, statement: Statement, release: Observer) -> bool:
        """By an exact value at an order no larger."""
        return (
            isinstance(statement, Renyi)
            and not set(self.directions).isdisjoint(statement.directions)
            and shown(statement.observer, release)
            and statement.exactness in ("exact", "lower")
            and statement.order <= self.order
            and bool(statement.r > ball(self.renyi))
        )


CLAIM = RenyiClaim
