"""What the core can prove about one run, derived once and on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from certaudit.claims import BOTH, Direction
from certaudit.core import schedule
from certaudit.core.affine import is_affine
from certaudit.core.balls import precision
from certaudit.core.proof import BITS, Line, Proof
from certaudit.core.rule import NotApplicable, Nothing, Premise, PremiseFailed, Refusal
from certaudit.core.rules.contraction import Witness as StepWitness
from certaudit.core.rules.contraction import require_contraction
from certaudit.core.rules.e1 import Witness as LawWitness
from certaudit.core.rules.margin_law import Witness as MarginWitness
from certaudit.core.rules.r4 import Witness as OrderWitness
from certaudit.core.rules.residual_law import Witness as ResidualWitness
from certaudit.core.slope import Restart
from certaudit.core.statement import (
    Contraction,
    Curvature,
    Drift,
    GaussianDP,
    Law,
    MarginLaw,
    ResidualLaw,
    Sensitivity,
)
from certaudit.losses import LOSSES
from certaudit.run import WORLDS, Batch, Run, World
from certaudit.search import curvature, e1, i1, s3, s4
from certaudit.search.exact import ExactPair
from certaudit.search.lines import of
from certaudit.search.o2 import ExactPath
from certaudit.search.r4 import exponents

Floats = NDArray[np.float64]

MOST_WORK = 10**8
MOST_SLOPES = 15 * 10**5
MOST_DIMENSIONS = 128
MOST_STEPS = 10000


@dataclass(frozen=True)
class Refused:
    """A rule that gave no statement: ``failed`` if the run breaks its premise."""

    rule: str
    reason: str
    failed: Premise | None = None


@dataclass(frozen=True)
class GaussianBound:
    """Gaussian-DP lines that together cover both directions."""

    name: str
    lines: tuple[Line, ...]


class Evidence:
    """Lines about the run that rules speak of (O1); refusals on the way are kept in ``refusals``."""

    def __init__(self, run: Run) -> None:
        self.proof = Proof(run)
        self.run = self.proof.subject
        self.refusals: dict[tuple[str, str], Refused] = {}
        self._curvature: dict[Batch, Line | None] = {}
        self._steps: dict[tuple[Batch, Fraction], Line | None] = {}
        self._high: dict[Fraction, GaussianBound | None] = {}
        self._adaptive: dict[Fraction, tuple[Line, ...]] = {}
        if self.proof.unreduced is not None:
            self.note(self.proof.unreduced)

    def attempt(self, make: Callable[[], Line]) -> Line | None:
        """The line that ``make`` adds, or None with the refusal noted."""
        try:
            return make()
        except Refusal as refusal:
            self.note(refusal)
        return None

    def note(self, refusal: Refusal) -> None:
        """Keep a refusal for the report."""
        failed = refusal.premise if isinstance(refusal, PremiseFailed) else None
        text = refusal.text if failed is None else failed.text
        self.refusals[refusal.rule, text] = Refused(refusal.rule, text, failed)

    def apply(self, rule: str, uses: tuple[Line, ...], witness: Any) -> Line | None:
        """The line of a rule, or None with the refusal noted."""
        return self.attempt(lambda: self.proof.apply(rule, uses, witness))

    def step(self, batch: Batch, step_size: Fraction) -> Line | None:
        """Lipschitz constant of a step; a step that does not contract is noted, not refused."""
        key = batch, step_size
        if key not in self._steps:
            self._steps[key] = self._step(batch, step_size)
        return self._steps[key]

    def _step(self, batch: Batch, step_size: Fraction) -> Line | None:
        if batch not in self._curvature:
            witness = curvature.witness(self.run, batch)
            self._curvature[batch] = self.apply("curvature", (), witness)
        curved = self._curvature[batch]
        if curved is None:
            return None
        line = self.apply("contraction", (curved,), StepWitness(step_size))
        if line is not None:
            try:
                require_contraction(self.run, of(curved, Curvature), of(line, Contraction))
            except Refusal as refusal:
                self.note(refusal)
        return line

    def steps(self, world: World) -> tuple[Line, ...] | None:
        """Lipschitz constants of every map of a world; None if one is missing."""
        try:
            listed = schedule.steps("I1", self.run, world)
        except NotApplicable as refusal:
            self.note(refusal)
            return None
        return self._of_maps({(one.batch, one.step_size) for one in listed})

    def _of_maps(self, maps: set[tuple[Batch, Fraction]]) -> tuple[Line, ...] | None:
        found = [self.step(*key) for key in sorted(maps, key=repr)]
        known = tuple(line for line in found if line is not None)
        return known if len(known) == len(found) else None

    def _shared(self, world: World) -> tuple[Line, ...] | None:
        """Lipschitz constants of a world's maps up to the last step that removes a point."""
        try:
            pairs = schedule.active("residual-law", self.run)
        except NotApplicable as refusal:
            self.note(refusal)
            return None
        return self._of_maps({(pair.batch(world), pair.step_size) for pair in pairs})

    def _gaussian(self, sensitivity: Line | None) -> Line | None:
        if sensitivity is None:
            return None
        if self.run.release != "final":
            return self.apply("I2", (sensitivity,), Nothing())
        statement = sensitivity.statement
        if isinstance(statement, Drift):
            return self.attempt(partial(i1.contractive, self.proof, sensitivity, ()))
        partner: World = "P" if of(sensitivity, Sensitivity).world == "Q" else "Q"
        steps = self.steps(partner)
        if steps is None:
            return None
        return self.attempt(partial(i1.contractive, self.proof, sensitivity, steps))

    @cached_property
    def sensitivities(self) -> dict[str, Line | None]:
        """Deterministic sensitivities: S2 and S1."""
        return {rule: self.apply(rule, (), Restart(None)) for rule in ("S2", "S1")}

    @cached_property
    def deterministic(self) -> tuple[GaussianBound, ...]:
        """Gaussian-DP bounds without slack: S1 and S2 through I1 (I2 for every-step release), from the
        start or from the best restart; where a step may expand, gradients bounded in both worlds, and
        what an observer of every iterate would learn (I2), who sees the final model too."""
        final = "I1" if self.run.release == "final" else "I2"
        bounds = []
        for name, sensitivity in self.sensitivities.items():
            line = self._gaussian(sensitivity)
            if line is not None:
                bounds.append(GaussianBound(f"{name} + {final}", (line,)))
        if self.run.release == "final":
            bounds += [*self._restarted(), *self._drifting()]
        return tuple(bounds)

    def _restarted(self) -> list[GaussianBound]:
        if self.run.projection is None:
            return []
        try:
            longest = min(schedule.total(schedule.steps("I1", self.run, w)) for w in WORLDS) - 1
        except NotApplicable as refusal:
            self.note(refusal)
            return []
        best: Line | None = None
        for last in sorted({longest * k // 24 for k in range(1, 25)} | {2**k for k in range(30)}):
            if not 1 <= last <= longest:
                continue
            found = self._gaussian(self.apply("S2", (), Restart(last)))
            if found is not None and (best is None or _mu(found) < _mu(best)):
                best = found
        return [] if best is None else [GaussianBound("S2 + I1, restarted in the ball", (best,))]

    def _drifting(self) -> list[GaussianBound]:
        contracts = all(
            line is not None and of(line, Contraction).c < 1
            for world in WORLDS
            for line in self.steps(world) or (None,)
        )
        if contracts:
            return []
        found = []
        for name, sensitivity in self.sensitivities.items():
            if sensitivity is not None:
                found.append((f"{name} + I2", self.apply("I2", (sensitivity,), Nothing())))
        drift = self._gaussian(self.apply("S1-drift", (), Restart(None)))
        found.append(("S1-drift + I1", drift))
        return [GaussianBound(name, (one,)) for name, one in found if one is not None]

    def _active(self) -> tuple[int, int] | None:
        """Steps, and changes of the map, up to the last step that removes a point; None if the map
        changes too often to be followed."""
        try:
            pairs = schedule.active("residual-law", self.run)
        except NotApplicable as refusal:
            self.note(refusal)
            return None
        return sum(pair.count for pair in pairs), len(pairs)

    @cached_property
    def residuals(self) -> dict[World, Line] | None:
        """Residual laws of both runs, or None."""
        if LOSSES[self.run.loss].quadratic:
            active = self._active()
            if active is None:
                return None
            steps, changes = active
            d = self.run.d
            work = steps * d**2 * len(self.run.forget) + 20 * changes * d**3
            if steps > MOST_STEPS or work > MOST_WORK:
                reason = f"not attempted: more than {MOST_STEPS} steps, or too much work in all"
                self.note(NotApplicable("residual-law", reason))
                return None
        return self._both("residual-law", ResidualWitness)

    @cached_property
    def margins(self) -> dict[World, Line] | None:
        """Margin laws of both runs, or None."""
        active = self._active()
        if active is None:
            return None
        if not LOSSES[self.run.loss].quadratic and active[0] * (self.run.n + 150) > MOST_SLOPES:
            self.note(NotApplicable("margin-law", "not attempted: too many steps times rows"))
            return None
        return self._both("margin-law", MarginWitness)

    def _both(self, rule: str, witness: Callable[[World], Any]) -> dict[World, Line] | None:
        laws: dict[World, Line] = {}
        for world in WORLDS:
            steps = self._shared(world)
            law = None if steps is None else self.apply(rule, steps, witness(world))
            if law is None:
                return None
            laws[world] = law
        return laws

    def high_probability(self, delta: Fraction) -> GaussianBound | None:
        """S3 (ridge) or S4 with at most ``delta`` spent, through I1, one line a direction."""
        if delta not in self._high:
            self._high[delta] = self._high_probability(delta)
        return self._high[delta]

    def _high_probability(self, delta: Fraction) -> GaussianBound | None:
        ridge = LOSSES[self.run.loss].quadratic
        laws = self.residuals if ridge else self.margins
        if laws is None:
            return None
        lines = []
        for law in laws.values():
            if ridge:
                sensitivity = self.apply("S3", (law,), s3.witness(of(law, ResidualLaw), delta))
            else:
                sensitivity = self.apply("S4", (law,), s4.witness(of(law, MarginLaw), delta))
            line = self._gaussian(sensitivity)
            if line is None:
                return None
            lines.append(line)
        final = "I1" if self.run.release == "final" else "I2"
        return GaussianBound(f"{'S3' if ridge else 'S4'} + {final}", tuple(lines))

    def adaptive(self, order: Fraction) -> tuple[Line, ...]:
        """R4 at ``order``, one Rényi line a direction, decayed by R2 for the final model."""
        if order not in self._adaptive:
            self._adaptive[order] = self._composed(order)
        return self._adaptive[order]

    def _composed(self, order: Fraction) -> tuple[Line, ...]:
        if not LOSSES[self.run.loss].quadratic or self.residuals is None:
            return ()
        found: list[Line] = []
        for world, law in self.residuals.items():
            try:
                chosen = exponents(self.run, of(law, ResidualLaw), order)
                line = self.proof.apply("R4", (law,), OrderWitness(order, chosen))
                if self.run.release == "final":
                    steps = self.steps("Q" if world == "P" else "P")
                    line = self.proof.apply("R2", (line, *(steps or ())), Nothing())
            except Refusal as refusal:
                self.note(refusal)
                return ()
            found.append(line)
        return tuple(found)

    @cached_property
    def law(self) -> Line | None:
        """The exact laws of the final models, if the run is affine."""
        if self.run.d > MOST_DIMENSIONS:
            reason = f"not attempted: more than {MOST_DIMENSIONS} dimensions"
            self.note(NotApplicable("E1", reason))
            return None
        return self.apply("E1", (), e1.witness(self.run) if is_affine(self.run) else LawWitness(()))

    @cached_property
    def exact(self) -> dict[Direction, ExactPair]:
        """The exact pairs, one a direction; empty if the run is not affine."""
        law = self.law
        return {} if law is None else {one: ExactPair(self.proof, law, one) for one in BOTH}

    @cached_property
    def paths(self) -> dict[Direction, ExactPath]:
        """The exact paths, one a direction; none if the iterates are not seen."""
        if self.run.release == "final":
            return {}
        return {one: ExactPath(self.proof, one) for one in BOTH}

    def float_law(self) -> tuple[Floats, Floats, Floats, Floats] | None:
        """(mean_P, covariance_P, mean_Q, covariance_Q) in floats, for the attacks; not a proof.

        Of the learned model where O1 says that it tells all that is seen; None where it does not."""
        if self.run.release == "before-and-after":
            return None
        with precision(BITS):
            line = self.law
        if line is None:
            return None
        law = of(line, Law)

        def vector(column: tuple[Any, ...]) -> Floats:
            return np.array([float(x.mid()) for x in column])

        def table(matrix: tuple[tuple[Any, ...], ...]) -> Floats:
            return np.array([vector(row) for row in matrix])

        return (
            vector(law.mean_p),
            table(law.covariance_p),
            vector(law.mean_q),
            table(law.covariance_q),
        )


def _mu(line: Line) -> arb:
    return of(line, GaussianDP).mu
