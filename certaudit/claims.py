"""What a certificate may claim, as plain exact data.

``after`` names the deletion request, counted from 1, after which the model is released (None: the
last one).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Direction = Literal["P|Q", "Q|P"]
BOTH: tuple[Direction, ...] = ("P|Q", "Q|P")

Theorem = Literal[
    "benarroch-2026",
    "chien-2024a",
    "chien-2024b",
    "neel-2021",
    "koloskova-2025",
    "sepahvand-2025",
    "guo-2020",
]


@dataclass(frozen=True)
class EpsilonDelta:
    """P(S) <= e^epsilon Q(S) + delta for every event S, in every direction named."""

    id: str
    epsilon: Fraction
    delta: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: Theorem | None = None
    after: int | None = None


@dataclass(frozen=True)
class RenyiClaim:
    """D_order(P|Q) <= renyi, in every direction named."""

    id: str
    order: Fraction
    renyi: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: Theorem | None = None
    after: int | None = None


@dataclass(frozen=True)
class GaussianClaim:
    """P(S) <= Phi(Phi^-1(Q(S)) + mu) + delta for every S, in every direction named."""

    id: str
    mu: Fraction
    delta: Fraction
    directions: tuple[Direction, ...] = BOTH
    theorem: Theorem | None = None
    after: int | None = None


@dataclass(frozen=True)
class SensitivityClaim:
    """Step ``step`` (counted from 1 through learning and all unlearning, it maps w_{step-1} to
    w_step) moves by more than ``sensitivity`` when the forgotten points are removed with
    probability at most ``probability``, whichever of the two runs the iterate comes from."""

    id: str
    step: int
    sensitivity: Fraction
    probability: Fraction
    theorem: Theorem | None = None


Claim = EpsilonDelta | RenyiClaim | GaussianClaim | SensitivityClaim
