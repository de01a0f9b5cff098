"""How far one step moves when the forgotten points are removed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from flint import arb

from certaudit.claims.claim import Claim, Theorem
from certaudit.core.balls import ball
from certaudit.core.statement import Exceedance, Observer, Sensitivity, Statement


@dataclass(frozen=True)
class SensitivityClaim(Claim):
    """Step ``step`` (counted from 1 through learning and all unlearning, it maps w_{step-1} to
    w_step) moves by more than ``sensitivity`` when the forgotten points are removed with
    probability at most ``probability``, whichever of the two runs the iterate comes from."""

    kind: ClassVar[str] = "sensitivity"
    id: str
    step: int
    sensitivity: Fraction
    probability: Fraction
    theorem: Theorem | None = None
    after: int | None = None

    def cases(self) -> tuple[str, ...]:
        """The worlds the iterate may come from."""
        return ("P", "Q")

    def proved_by(self, statement: Statement, case: str, release: Observer) -> bool:
        """By the step's shift and the probability that any shift is exceeded, or that one's exactly."""
        match statement:
            case Exceedance(world, step, sensitivity, probability):
                return (
                    world == case
                    and step == self.step
                    and sensitivity <= self.sensitivity
                    and bool(probability <= ball(self.probability))
                )
            case Sensitivity(world, _, _, delta):
                shift = shift_at(statement, self.step)
                return (
                    shift is not None
                    and world in (case, "any")
                    and bool(shift <= ball(self.sensitivity))
                    and bool(delta <= ball(self.probability))
                )
        return False

    def broken_by(self, statement: Statement, release: Observer) -> bool:
        """By the exact probability of exceeding a shift no smaller."""
        return (
            isinstance(statement, Exceedance)
            and statement.step == self.step
            and statement.sensitivity >= self.sensitivity
            and bool(statement.probability > ball(self.probability))
        )


def shift_at(sensitivity: Sensitivity, step: int) -> arb | None:
    """The bound for step ``step``, counted from 1; None if the statement does not reach it."""
    if step < 1 or sensitivity.last is not None:
        return None
    for count, size in sensitivity.shifts:
        if step <= count:
            return size
        step -= count
    return None


CLAIM = SensitivityClaim
