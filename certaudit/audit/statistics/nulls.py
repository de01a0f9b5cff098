"""What a claim says about the two laws, as sets of pairs to bet against."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import takewhile

from certaudit.audit.statistics.evalue import Gaussian, HockeyStick, Null, Renyi
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim

Divergence = EpsilonDelta | GaussianClaim | RenyiClaim
"""Claims about the laws of the released models."""

LADDER = tuple(0.01 * 1.4**k for k in range(24))
"""Values below a claim that are tested as well, the same for every claim: up to 23."""

BEYOND = 1.4


def quantity(claim: Divergence) -> str:
    """What the claim bounds."""
    if isinstance(claim, EpsilonDelta):
        return "epsilon"
    return "mu" if isinstance(claim, GaussianClaim) else "renyi"


def claimed(claim: Divergence) -> float:
    """The claimed value, rounded up."""
    if isinstance(claim, EpsilonDelta):
        return _above(claim.epsilon)
    return _above(claim.mu if isinstance(claim, GaussianClaim) else claim.renyi)


def _above(x: Fraction) -> float:
    nearest = float(x)
    return nearest if Fraction(nearest) >= x else math.nextafter(nearest, math.inf)


def nulls(claim: Divergence, value: float, tuned: float | None = None) -> tuple[Null, ...]:
    """The claim at another value, as sets of which each contains every pair that keeps it.

    ``tuned``: the epsilon that bets are made for, at least ``value``.
    """
    if isinstance(claim, EpsilonDelta):
        return (HockeyStick(value, _above(claim.delta), claim.directions, tuned),)
    if isinstance(claim, GaussianClaim):
        return (Gaussian(value, _above(claim.delta), claim.directions),)
    return tuple(Renyi(float(claim.order), value, direction) for direction in claim.directions)


def ladder(claim: Divergence) -> list[float]:
    """Values to test, ascending, the claimed one last."""
    top = claimed(claim)
    return [*takewhile(lambda value: value < top, LADDER), top]


def rung_above(value: float) -> float:
    """The least value of the ladder at or above ``value``.

    Bets against an epsilon are made for the rung above it, so that between two rungs a smaller claim
    meets the same bets and loses more by them; below the rung, the rung itself must be refuted first.
    Hence lowering a claim never saves it.
    """
    return next((rung for rung in LADDER if rung >= value), value)
