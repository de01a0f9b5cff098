"""(epsilon, delta)-indistinguishability."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from certaudit.claims.claim import BOTH, Claim, Theorem, seen, shown
from certaudit.core.balls import ball
from certaudit.core.statement import Direction, HockeyStick, Observer, Statement


@dataclass(frozen=True)
class EpsilonDelta(Claim):
    """P(S) <= e^epsilon Q(S) + delta for every event S, in every direction named."""

    kind: ClassVar[str] = "epsilon-delta"
    id: str
    epsilon: Fraction
    delta: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: Theorem | None = None
    after: int | None = None

    def cases(self) -> tuple[str, ...]:
        """The directions."""
        return self.directions

    def proved_by(self, statement: Statement, case: str, release: Observer) -> bool:
        """By delta at an epsilon no larger, at most the claimed delta."""
        return (
            isinstance(statement, HockeyStick)
            and case in statement.directions
            and seen(statement.observer, release)
            and statement.exactness in ("exact", "upper")
            and statement.epsilon <= self.epsilon
            and bool(statement.delta <= ball(self.delta))
        )

    def broken_by(self, statement: Statement, release: Observer) -> bool:
        """By delta at an epsilon no smaller, above the claimed delta."""
        return (
            isinstance(statement, HockeyStick)
            and not set(self.directions).isdisjoint(statement.directions)
            and shown(statement.observer, release)
            and statement.exactness in ("exact", "lower")
            and statement.epsilon >= self.epsilon
            and bool(statement.delta > ball(self.delta))
        )


CLAIM = EpsilonDelta
