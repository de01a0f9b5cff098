"""Gaussian DP with slack."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from certaudit.claims.claim import BOTH, Claim, Theorem, seen, shown
from certaudit.core.balls import ball
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.statement import (
    Direction,
    GaussianCover,
    GaussianDP,
    HockeyStick,
    Observer,
    Renyi,
    Statement,
)


@dataclass(frozen=True)
class GaussianClaim(Claim):
    """P(S) <= Phi(Phi^-1(Q(S)) + mu) + delta for every S, in every direction named."""

    kind: ClassVar[str] = "gaussian"
    id: str
    mu: Fraction
    delta: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: Theorem | None = None
    after: int | None = None

    def cases(self) -> tuple[str, ...]:
        """The directions."""
        return self.directions

    def proved_by(self, statement: Statement, case: str, release: Observer) -> bool:
        """By a smaller mu and slack.

        A cover of epsilon >= 0 counts only where both directions are named, as epsilon below 0 in one
        direction is epsilon above 0 in the other.
        """
        match statement:
            case GaussianDP(mu, delta, directions, observer):
                return (
                    case in directions
                    and seen(observer, release)
                    and bool(mu <= ball(self.mu))
                    and bool(delta <= ball(self.delta))
                )
            case GaussianCover(mu, delta, direction, observer):
                return (
                    set(self.directions) == set(BOTH)
                    and case == direction
                    and seen(observer, release)
                    and mu <= self.mu
                    and delta <= self.delta
                )
        return False

    def broken_by(self, statement: Statement, release: Observer) -> bool:
        """By one delta(epsilon) too high, or, without slack, one Rényi divergence above alpha mu^2/2."""
        match statement:
            case HockeyStick(epsilon, delta, directions, observer, "exact" | "lower"):
                return (
                    self._names(directions)
                    and shown(observer, release)
                    and bool(delta > gaussian_delta(self.mu, epsilon) + ball(self.delta))
                )
            case Renyi(order, r, directions, observer, "exact" | "lower"):
                return (
                    self._names(directions)
                    and shown(observer, release)
                    and self.delta == 0
                    and bool(r > ball(order * self.mu**2 / 2))
                )
        return False

    def _names(self, directions: tuple[Direction, ...]) -> bool:
        return not set(self.directions).isdisjoint(directions)


CLAIM = GaussianClaim
