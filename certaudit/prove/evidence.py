"""What the kernel can state about one run, derived once and on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from certaudit.claims import BOTH, Direction
from certaudit.kernel import schedule
from certaudit.kernel.balls import precision
from certaudit.kernel.iteration import I1, composition, contractive_iteration
from certaudit.kernel.law import LAW, affine_law
from certaudit.kernel.margin import MARGINS, margin_law, margin_sensitivity
from certaudit.kernel.pair import whiten
from certaudit.kernel.renyi import adaptive_composition, decay
from certaudit.kernel.residual import RESIDUALS, high_probability, residual_law
from certaudit.kernel.sensitivity import bounded_drift, per_instance, worst_case
from certaudit.kernel.spectrum import contraction, keeps_convexity, require_contraction
from certaudit.kernel.statement import (
    NotApplicable,
    Premise,
    PremiseFailed,
    Rule,
    Statement,
    Undecided,
)
from certaudit.prove.adaptive import exponents
from certaudit.prove.exact import ExactPair
from certaudit.prove.spectrum import prove_curvature
from certaudit.prove.tails import margin_share, residual_bounds
from certaudit.run import WORLDS, Batch, Run, World

Floats = NDArray[np.float64]

UNDECIDED = Rule("precision", "Error bounds too wide to decide", "section 9")

BITS = 320
MOST_WORK = 10**8
MOST_SLOPES = 15 * 10**5
MOST_DIMENSIONS = 128
MOST_STEPS = 10000


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
        self._curvature: dict[Batch, Statement | None] = {}
        self._steps: dict[tuple[Batch, Fraction], Statement | None] = {}
        self._high: dict[Fraction, GaussianBound | None] = {}
        self._adaptive: dict[Fraction, tuple[Statement, ...]] = {}

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

    def step(self, batch: Batch, step_size: Fraction) -> Statement | None:
        """Lipschitz constant of a step; a step that does not contract is noted, not refused."""
        key = batch, step_size
        if key not in self._steps:
            if batch not in self._curvature:
                self._curvature[batch] = self.attempt(partial(prove_curvature, self.run, batch))
            curved = self._curvature[batch]
            self._steps[key] = None if curved is None else contraction(curved, step_size)
            if self._steps[key] is not None:
                self._note_expansion(self._steps[key])  # type: ignore[arg-type]
        return self._steps[key]

    def _note_expansion(self, step: Statement) -> None:
        try:
            require_contraction(step)
        except PremiseFailed as refusal:
            self.note(refusal)
        except Undecided as refusal:
            self._refuse(step.rule, str(refusal))

    def steps(self, world: World) -> tuple[Statement, ...] | None:
        """Lipschitz constants of every map of a world; None if one is missing."""
        try:
            schedule_ = schedule.steps(I1, self.run, world)
        except NotApplicable as refusal:
            self.note(refusal)
            return None
        maps = {(one.batch, one.step_size) for one in schedule_}
        found = [self.step(*key) for key in sorted(maps, key=repr)]
        return None if None in found else tuple(s for s in found if s is not None)

    def _gaussian(self, sensitivity: Statement | None) -> Statement | None:
        if sensitivity is None:
            return None
        if self.run.release == "every-step":
            return self.attempt(lambda: composition(sensitivity))
        if "c" in sensitivity.values:
            return self.attempt(lambda: contractive_iteration(sensitivity, ()))
        steps = self.steps("P" if sensitivity.exact["world"] == "Q" else "Q")
        if steps is None:
            return None
        return self.attempt(lambda: contractive_iteration(sensitivity, steps))

    @cached_property
    def sensitivities(self) -> dict[str, Statement | None]:
        """Deterministic sensitivities: S1 and S2."""
        return {
            "S2": self.attempt(lambda: per_instance(self.run)),
            "S1": self.attempt(lambda: worst_case(self.run)),
        }

    @cached_property
    def deterministic(self) -> tuple[GaussianBound, ...]:
        """Gaussian-DP bounds without slack: S1 and S2 through I1 (I2 for every-step release), from the
        start or from the best restart; where a step may expand, gradients bounded in both worlds, and
        what an observer of every iterate would learn (I2), who sees the final model too."""
        final = "I2" if self.run.release == "every-step" else "I1"
        bounds = []
        for name, sensitivity in self.sensitivities.items():
            statement = self._gaussian(sensitivity)
            if statement is not None:
                bounds.append(GaussianBound(f"{name} + {final}", (statement,)))
        if self.run.release == "final":
            bounds += [*self._restarted(), *self._drifting()]
        return tuple(bounds)

    def _restarted(self) -> list[GaussianBound]:
        if self.run.projection is None:
            return []
        try:
            longest = min(schedule.total(schedule.steps(I1, self.run, w)) for w in WORLDS) - 1
        except NotApplicable as refusal:
            self.note(refusal)
            return []
        best: Statement | None = None
        for last in sorted({longest * k // 24 for k in range(1, 25)} | {2**k for k in range(30)}):
            if not 1 <= last <= longest:
                continue
            found = self._gaussian(self.attempt(partial(per_instance, self.run, last)))
            if found is not None and (best is None or found.ball("mu") < best.ball("mu")):
                best = found
        return [] if best is None else [GaussianBound("S2 + I1, restarted in the ball", (best,))]

    def _drifting(self) -> list[GaussianBound]:
        contracts = keeps_convexity(self.run) and all(
            step is not None and step.ball("c") < 1
            for world in WORLDS
            for step in self.steps(world) or (None,)
        )
        if contracts:
            return []
        found = []
        for name, sensitivity in self.sensitivities.items():
            if sensitivity is not None:
                found.append((f"{name} + I2", self.attempt(partial(composition, sensitivity))))
        drift = self._gaussian(self.attempt(partial(bounded_drift, self.run)))
        found.append(("S1-drift + I1", drift))
        return [GaussianBound(name, (one,)) for name, one in found if one is not None]

    def _active(self) -> tuple[int, int] | None:
        """Steps, and changes of the map, up to the last step that removes a point; None if the map
        changes too often to be followed."""
        try:
            pairs = schedule.from_start(RESIDUALS, self.run)
        except NotApplicable as refusal:
            self.note(refusal)
            return None
        while pairs and pairs[-1].first == pairs[-1].second:
            pairs = pairs[:-1]
        return sum(pair.count for pair in pairs), len(pairs)

    @cached_property
    def residuals(self) -> dict[World, Statement] | None:
        """Residual laws of both runs, or None."""
        if self.run.loss == "ridge":
            active = self._active()
            if active is None:
                return None
            steps, changes = active
            d = self.run.d
            work = steps * d**2 * len(self.run.forget) + 20 * changes * d**3
            if steps > MOST_STEPS or work > MOST_WORK:
                reason = f"not attempted: more than {MOST_STEPS} steps, or too much work in all"
                self._refuse(RESIDUALS, reason)
                return None
        return self._both(residual_law)

    @cached_property
    def margins(self) -> dict[World, Statement] | None:
        """Margin laws of both runs, or None."""
        active = self._active()
        if active is None:
            return None
        if self.run.loss != "ridge" and active[0] * (self.run.n + 150) > MOST_SLOPES:
            self._refuse(MARGINS, "not attempted: too many steps times rows")
            return None
        return self._both(margin_law)

    def _both(self, rule: Callable[..., Statement]) -> dict[World, Statement] | None:
        laws: dict[World, Statement] = {}
        for world in WORLDS:
            steps = self.steps(world)
            law = None if steps is None else self.attempt(partial(rule, self.run, world, steps))
            if law is None:
                return None
            laws[world] = law
        return laws

    def high_probability(self, delta: Fraction) -> GaussianBound | None:
        """S3 (ridge) or S4 with at most ``delta`` spent, through I1, one statement a direction."""
        if delta not in self._high:
            self._high[delta] = self._high_probability(delta)
        return self._high[delta]

    def _high_probability(self, delta: Fraction) -> GaussianBound | None:
        ridge = self.run.loss == "ridge"
        laws = self.residuals if ridge else self.margins
        if laws is None:
            return None
        statements = []
        for law in laws.values():
            if ridge:
                sensitivity = self.attempt(partial(high_probability, law, residual_bounds(law, delta)))
            else:
                sensitivity = self.attempt(partial(margin_sensitivity, law, margin_share(law, delta)))
            statement = self._gaussian(sensitivity)
            if statement is None:
                return None
            statements.append(statement)
        final = "I2" if self.run.release == "every-step" else "I1"
        return GaussianBound(f"{'S3' if ridge else 'S4'} + {final}", tuple(statements))

    def adaptive(self, order: Fraction) -> tuple[Statement, ...]:
        """R4 at ``order``, one Rényi statement a direction, decayed by R2 for the final model."""
        if order not in self._adaptive:
            self._adaptive[order] = self._composed(order)
        return self._adaptive[order]

    def _composed(self, order: Fraction) -> tuple[Statement, ...]:
        if self.run.loss != "ridge" or self.residuals is None:
            return ()
        found: list[Statement] = []
        for world, law in self.residuals.items():
            try:
                statement = adaptive_composition(law, order, exponents(law, order))
                if self.run.release == "final":
                    steps = self.steps("Q" if world == "P" else "P")
                    statement = decay(statement, steps or ())
            except (PremiseFailed, NotApplicable, Undecided) as refusal:
                self.note(refusal)
                return ()
            found.append(statement)
        return tuple(found)

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
