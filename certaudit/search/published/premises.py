"""Premises that several published theorems share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from flint import arb

from certaudit.claims import Claim, EpsilonDelta, RenyiClaim
from certaudit.core.balls import ball, largest, upper
from certaudit.core.data import row_norm
from certaudit.core.rule import Premise, PremiseFailed
from certaudit.core.slope import Gradients
from certaudit.losses import LOSSES
from certaudit.run import Run
from certaudit.search.conversion import mironov_epsilon
from certaudit.search.orders import best_order
from certaudit.verdict import FailedPremise


@dataclass
class Premises:
    """Collects what a theorem needs and the run lacks."""

    theorem: str
    run: Run
    failed: list[FailedPremise] = field(default_factory=list)

    def need(self, holds: bool, name: str, text: str, **values: arb) -> None:
        """Note the premise as failed unless it certainly holds."""
        if not holds:
            self.failed.append(FailedPremise(self.theorem, Premise(name, text, tuple(values.items()))))

    def lipschitz(self) -> arb | None:
        """M, a bound on every per-example gradient; None, and a failed premise, if there is none."""
        run = self.run
        try:
            gradients = Gradients(self.theorem, run, None)
            bounds = [gradients.at(j) for j in range(run.n)]
        except PremiseFailed as refusal:
            if refusal.premise.name == "labels":
                self.failed.append(FailedPremise(self.theorem, refusal.premise))
                return None
            text = f"the loss must be Lipschitz; the run has {run.loss} without clip or projection"
            self.need(False, "loss", text)
            return None
        return largest(bounds)

    def smooth(self) -> arb:
        """L <= beta max |x_j|^2 + lambda, the constant these theorems use; needs l2 > 0."""
        run = self.run
        curvature = LOSSES[run.loss].curvature
        if curvature is None:
            self.need(
                False, "smoothness", f"the loss must be smooth; that of a {run.loss} is not known to be"
            )
            return arb("inf")
        longest = largest(row_norm(run, j) for j in range(run.n))
        smooth: arb = ball(curvature) * longest**2 + ball(run.l2)
        self.need(run.l2 > 0, "strong convexity", "l2 must be positive", l2=ball(run.l2))
        return smooth

    def short_step(self) -> None:
        """Step size at most 1/L; needs l2 > 0."""
        step, smooth = ball(self.run.learn.step_size), self.smooth()
        text = "the step size must be at most 1/L"
        self.need(bool(step <= 1 / smooth), "step size", text, step_size=step, L=smooth)

    def unit_rows(self) -> None:
        """Rows of norm at most 1."""
        longest = largest(row_norm(self.run, j) for j in range(self.run.n))
        text = "every row must have norm at most 1"
        self.need(bool(longest <= 1), "row norm", text, longest_row=longest)

    def outside_clip(self) -> None:
        """The regularizer outside the clip."""
        run = self.run
        text = "the regularizer must stay outside the clip"
        self.need(run.clip is None or not run.clip.regularizer, "clip", text)

    def one_noise(self) -> None:
        """Learning and all unlearning with one step size and one positive noise."""
        run = self.run
        phases = [run.learn, *(request.unlearn for request in run.requests)]
        same = {(phase.step_size, phase.noise_variance) for phase in phases}
        text = "learning and unlearning must share one positive noise and one step size"
        self.need(len(same) == 1 and run.learn.noise_variance > 0, "schedule", text)


def from_renyi(claim: Claim, renyi: Callable[[Fraction], arb]) -> Fraction | None:
    """The value of a Rényi curve for the claim: at its order, or by C1 at the best real order."""
    if isinstance(claim, RenyiClaim):
        return upper(renyi(claim.order))
    if isinstance(claim, EpsilonDelta) and claim.delta > 0:
        return upper(best_epsilon(renyi, claim.delta))
    return None


def best_epsilon(renyi: Callable[[Fraction], arb], delta: Fraction) -> arb:
    """C1 of a Rényi curve at the best real order (C4)."""

    def cost(order: Fraction) -> arb:
        return mironov_epsilon(order, renyi(order), delta)

    return cost(best_order(cost, 16))
