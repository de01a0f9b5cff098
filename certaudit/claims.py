"""What a certificate may claim, as plain exact data."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Direction = Literal["P|Q", "Q|P"]
BOTH: tuple[Direction, ...] = ("P|Q", "Q|P")


@dataclass(frozen=True)
class EpsilonDelta:
    """P(S) <= e^epsilon Q(S) + delta for every event S, in every direction named."""

    id: str
    epsilon: Fraction
    delta: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: str | None = None


@dataclass(frozen=True)
class RenyiClaim:
    """D_order(P|Q) <= renyi, in every direction named."""

    id: str
    order: Fraction
    renyi: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: str | None = None


@dataclass(frozen=True)
class GaussianClaim:
    """P(S) <= Phi(Phi^-1(Q(S)) + mu) + delta for every S, in every direction named."""

    id: str
    mu: Fraction
    delta: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: str | None = None


@dataclass(frozen=True)
class SensitivityClaim:
    """Learning step ``step`` (counted from 1, it maps w_{step-1} to w_step) moves by more than
    ``sensitivity`` when the forgotten points are removed with probability at most
    ``probability``, whichever of the two runs the iterate comes from."""

    id: str
    step: int
    sensitivity: Fraction
    probability: Fraction
    theorem: str | None = None


Claim = EpsilonDelta | RenyiClaim | GaussianClaim | SensitivityClaim
