"""What the kernel can state about one run, derived once and on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from certaudit.claims import BOTH, Direction
from certaudit.kernel.balls import precision
from certaudit.kernel.iteration import I1, composition, contractive_iteration
from certaudit.kernel.law import LAW, affine_law
from certaudit.kernel.pair import whiten
from certaudit.kernel.sensitivity import (
    RESIDUALS,
    high_probability,
    per_instance,
    residual_law,
    worst_case,
)
from certaudit.kernel.spectrum import World, contraction, require_contraction
from certaudit.kernel.statement import (
    NotApplicable,
    Premise,
    PremiseFailed,
    Rule,
    Statement,
    Undecided,
)
from certaudit.prove.exact import ExactPair
from certaudit.prove.spectrum import prove_curvature
from certaudit.prove.tails import residual_bounds
from certaudit.run import Phase, Run

Floats = NDArray[np.float64]

WORLDS: tuple[World, ...] = ("D", "D'")
UNDECIDED = Rule("precision", "Error bounds too wide to decide", "section 9")

BITS = 320
MOST_WORK = 2 * 10**9
MOST_DIMENSIONS = 512
MOST_STEPS = 20000


@dataclass(frozen=True)
class Refusal:
    """A rule that gave no statement: ``failed`` if the run breaks its premise."""

    rule: Rule
    reason: str
    failed: Premise | None = None


@dataclass(frozen=True)
class GaussianBound:
    """Gaussian-DP statements that together cover both directions."""

    name: str
    statements: tuple[Statement, ...]


class Evidence:
    """Statements about ``run``; every refusal on the way is kept in ``refusals``."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.refusals: dict[tuple[str, str], Refusal] = {}
        self._high: dict[Fraction, GaussianBound | None] = {}

    def attempt(self, rule: Callable[[], Statement]) -> Statement | None:
        """The rule's statement, or None with the refusal noted."""
        try:
            return rule()
        except (PremiseFailed, NotApplicable, Undecided) as refusal:
            self.note(refusal)
        return None

    def note(self, refusal: PremiseFailed | NotApplicable | Undecided) -> None:
        """Keep a refusal for the report."""
        if isinstance(refusal, PremiseFailed):
            self._refuse(refusal.rule, refusal.premise.text, refusal.premise)
        elif isinstance(refusal, NotApplicable):
            self._refuse(refusal.rule, refusal.reason)
        else:
            self._refuse(UNDECIDED, str(refusal))

    def _refuse(self, rule: Rule, reason: str, failed: Premise | None = None) -> None:
        self.refusals[rule.id, reason] = Refusal(rule, reason, failed)

    @cached_property
    def curvature(self) -> dict[World, Statement | None]:
        """Curvature in both worlds."""
        return {w: self.attempt(partial(prove_curvature, self.run, w)) for w in WORLDS}

    def step(self, world: World, phase: Phase) -> Statement | None:
        """Lipschitz constant of a step; a step that does not contract is noted, not refused."""
        curved = self.curvature[world]
        if curved is None:
            return None
        statement = contraction(curved, phase)
        try:
            require_contraction(statement)
        except PremiseFailed as refusal:
            self._refuse(refusal.rule, refusal.premise.text, refusal.premise)
        except Undecided as refusal:
            self._refuse(statement.rule, str(refusal))
        return statement

    def _gaussian(self, sensitivity: Statement | None) -> Statement | None:
        if sensitivity is None:
            return None
        if self.run.release == "every-step":
            return self.attempt(lambda: composition(sensitivity))
        if self.run.learn.steps + self.run.unlearn.steps > MOST_STEPS:
            self._refuse(I1, f"not attempted: more than {MOST_STEPS} steps")
            return None
        world: World = "D" if sensitivity.exact["world"] == "D'" else "D'"
        learn = self.step(world, self.run.learn)
        unlearn = self.step("D'", self.run.unlearn)
        if learn is None or unlearn is None:
            return None
        return self.attempt(lambda: contractive_iteration(sensitivity, learn, unlearn))

    @cached_property
    def sensitivities(self) -> dict[str, Statement | None]:
        """Deterministic sensitivities: S1 and S2."""
        return {
            "S2": self.attempt(lambda: per_instance(self.run)),
            "S1": self.attempt(lambda: worst_case(self.run)),
        }

    @cached_property
    def deterministic(self) -> tuple[GaussianBound, ...]:
        """Gaussian-DP bounds without slack: S1 and S2 through I1 (I2 for every-step release)."""
        final = "I2" if self.run.release == "every-step" else "I1"
        bounds = []
        for name, sensitivity in self.sensitivities.items():
            statement = self._gaussian(sensitivity)
            if statement is not None:
                bounds.append(GaussianBound(f"{name} + {final}", (statement,)))
        return tuple(bounds)

    @cached_property
    def residuals(self) -> dict[World, Statement] | None:
        """Residual laws of both runs, or None."""
        steps = self.run.learn.steps
        work = steps * self.run.d**2 * len(self.run.forget)
        if self.run.loss == "ridge" and (steps > MOST_STEPS or work > MOST_WORK):
            reason = f"not attempted: more than {MOST_STEPS} steps or T d^2 |F| above {MOST_WORK}"
            self._refuse(RESIDUALS, reason)
            return None
        laws: dict[World, Statement] = {}
        for world in WORLDS:
            law = self._residual_law(world)
            if law is None:
                return None
            laws[world] = law
        return laws

    def _residual_law(self, world: World) -> Statement | None:
        step = self.step(world, self.run.learn)
        return None if step is None else self.attempt(partial(residual_law, step))

    def high_probability(self, delta: Fraction) -> GaussianBound | None:
        """S3 with at most ``delta`` spent, through I1, one statement a direction."""
        if delta not in self._high:
            self._high[delta] = self._high_probability(delta)
        return self._high[delta]

    def _high_probability(self, delta: Fraction) -> GaussianBound | None:
        if self.residuals is None:
            return None
        statements = []
        for law in self.residuals.values():
            bounds = residual_bounds(law, delta)
            statement = self._gaussian(self.attempt(partial(high_probability, law, bounds)))
            if statement is None:
                return None
            statements.append(statement)
        final = "I2" if self.run.release == "every-step" else "I1"
        return GaussianBound(f"S3 + {final}", tuple(statements))

    @cached_property
    def law(self) -> Statement | None:
        """The exact laws of the final models, if the run is affine."""
        if self.run.d > MOST_DIMENSIONS:
            self._refuse(LAW, f"not attempted: more than {MOST_DIMENSIONS} dimensions")
            return None
        return self.attempt(lambda: affine_law(self.run))

    @cached_property
    def exact(self) -> dict[Direction, ExactPair]:
        """The exact pairs, one a direction; empty if the run is not affine."""
        law = self.law
        if law is None:
            return {}
        pairs: dict[Direction, ExactPair] = {}
        for direction in BOTH:
            pair = self.attempt(partial(whiten, law, direction))
            if pair is None:
                return {}
            pairs[direction] = ExactPair(pair)
        return pairs

    def float_law(self) -> tuple[Floats, Floats, Floats, Floats] | None:
        """(mean_P, covariance_P, mean_Q, covariance_Q) in floats, for the attacks; not a proof."""
        with precision(BITS):
            law = self.law
        if law is None:
            return None
        names = ("mean_P", "covariance_P", "mean_Q", "covariance_Q")
        tables = [
            np.array([[float(x.mid()) for x in row] for row in law.values[name].tolist()])
            for name in names
        ]
        return tables[0][:, 0], tables[1], tables[2][:, 0], tables[3]
