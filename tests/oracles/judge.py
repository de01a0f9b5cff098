"""Where the prover's answers contradict an oracle."""

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any, Protocol

from oracles.prover import Answer, Number

from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, RenyiClaim

TIGHT = Fraction(1, 10**7)
"""How far a floor may lie above the oracle's value without being held against it."""


class Truth(Protocol):
    """Bounds, below and above, of what a run shows."""

    def delta(self, direction: str, epsilon: Fraction, level: Fraction) -> tuple[Any, Any]:
        """Bounds of delta at epsilon, closest where it is near ``level``."""

    def epsilon(self, direction: str, delta: float) -> float:
        """About where delta is reached."""

    def renyi(self, direction: str, order: Fraction) -> tuple[Any, Any]:
        """Bounds of the divergence of an order."""

    def mu(self, direction: str, slack: float) -> float:
        """A lower bound of the least mu of Gaussian differential privacy with that slack."""

    def mu_suffices(self, direction: str, mu: float, slack: float) -> bool:
        """Whether that mu is certainly enough."""


@dataclass(frozen=True)
class Contradiction:
    """``what`` the prover says, beside the truth's bound that excludes it."""

    claim: Claim
    what: str
    truth: float

    def __str__(self) -> str:
        return f"{self.claim}: {self.what}, but truth's bound is {self.truth!r}"


def contradictions(truth: Truth, answer: Answer) -> list[Contradiction]:
    """Everything in the answer that the truth excludes."""
    claim, found = answer.claim, []

    def note(what: str, bound: Any) -> None:
        found.append(Contradiction(claim, what, float(bound)))

    claimed = {EpsilonDelta: "epsilon", RenyiClaim: "renyi", GaussianClaim: "mu"}[type(claim)]
    least = getattr(claim, claimed)
    if answer.status == "proved" and (bound := _above(truth, claim, least)) is not None:
        note(f"proved at {float(least)!r}", bound)
    if answer.status == "refuted" and (bound := _below(truth, claim, least)) is not None:
        note(f"refuted at {float(least)!r}", bound)
    for number in answer.numbers:
        if number.upper is not None and (bound := _above(truth, claim, number.upper)) is not None:
            note(f"{_name(number)} at most {float(number.upper)!r}", bound)
        floor = None if not number.floor else number.floor * (1 - TIGHT)
        if floor is not None and (bound := _below(truth, claim, floor)) is not None:
            note(f"{_name(number)} at least {float(number.floor)!r}", bound)
    return found


def _name(number: Number) -> str:
    return f"{number.route}: {number.quantity}"


def _above(truth: Truth, claim: Claim, value: Fraction) -> Any:
    """A bound of the truth that exceeds ``value`` of the claimed quantity, if there is one."""
    if isinstance(claim, EpsilonDelta):
        low = max(truth.delta(d, value, claim.delta)[0] for d in claim.directions)
        return low if low > claim.delta else None
    low = _least(truth, claim)
    return low if low > value else None


def _below(truth: Truth, claim: Claim, value: Fraction) -> Any:
    """A bound of the truth that falls short of ``value`` of the claimed quantity, if there is one."""
    if isinstance(claim, EpsilonDelta):
        high = max(truth.delta(d, value, claim.delta)[1] for d in claim.directions)
        return high if high < claim.delta else None
    if isinstance(claim, RenyiClaim):
        high = max(truth.renyi(d, claim.order)[1] for d in claim.directions)
        return high if high < value else None
    if _least(truth, claim) > value:
        return None
    mu, slack = float(value), float(claim.delta)
    return value if all(truth.mu_suffices(d, mu, slack) for d in claim.directions) else None


def _least(truth: Truth, claim: RenyiClaim | GaussianClaim) -> Any:
    """A lower bound of the claimed quantity."""
    if isinstance(claim, RenyiClaim):
        return max(truth.renyi(d, claim.order)[0] for d in claim.directions)
    return max(truth.mu(d, float(claim.delta)) for d in claim.directions)


def nearby(truth: Truth, claim: Claim) -> Fraction | None:
    """About the least true value of the claimed quantity; None if it is as good as 0, or infinite."""
    if isinstance(claim, EpsilonDelta):
        value = max(truth.epsilon(d, float(claim.delta)) for d in claim.directions)
    else:
        value = float(_least(truth, claim))
    return Fraction(value) if isfinite(value) and value > 1e-9 else None
