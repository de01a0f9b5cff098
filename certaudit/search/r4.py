"""R4: Hölder exponents and the order, in floats."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from certaudit.core.balls import ball
from certaudit.core.data import row_norm
from certaudit.core.rules.r4 import Witness
from certaudit.core.schedule import whole
from certaudit.core.statement import ResidualLaw
from certaudit.run import Run


@dataclass(frozen=True)
class FloatComposition:
    """Float twin of R4: for each step that costs, k |x|^2, and mean and variance of the residual."""

    steps: tuple[tuple[float, float, float], ...]

    def value(self, order: float, exponent: float) -> float:
        """The bound at ``order`` with one Hölder exponent for all steps; infinite if it diverges."""
        level, total = order, 0.0
        for k in reversed(range(len(self.steps))):
            cost, mean, variance = self.steps[k]
            p = exponent if k else 1.0
            kappa = p * (level - 1) * level * cost
            room = 1 - 2 * kappa * variance
            if not room > 0 or not math.isfinite(kappa):
                return math.inf
            total += (kappa * mean * mean / room - math.log(room) / 2) / (p * (level - 1))
            level = 1 + (level - 1) * p / (p - 1) if k else level
        return total

    def exponent(self, order: float) -> float:
        """A good Hölder exponent at ``order``."""
        low, high = math.log(1e-2), math.log(1e3 * len(self.steps) + 10)
        for points in (25, 9, 9):
            grid = [low + (high - low) * k / (points - 1) for k in range(points)]
            costs = [self.value(order, 1 + math.exp(g)) for g in grid]
            best = min(range(points), key=costs.__getitem__)
            low, high = grid[max(best - 1, 0)], grid[min(best + 1, points - 1)]
        return 1 + math.exp((low + high) / 2)


def witness(run: Run, law: ResidualLaw, order: Fraction) -> Witness:
    """The order, with good Hölder exponents."""
    return Witness(order, exponents(run, law, order))


def float_composition(run: Run, law: ResidualLaw) -> FloatComposition:
    """The float twin of R4 on a residual law.  Raises NotApplicable as R4 does on the schedule."""
    steps: list[tuple[float, float, float]] = []
    t = 0
    for pair in whole("R4", run):
        rows = pair.removed(run)
        for k in range(pair.count if len(rows) == 1 and pair.noise_variance > 0 else 0):
            scale = pair.step_size / run.count(pair.first)
            cost = (
                float(scale) ** 2 * float(row_norm(run, rows[0])) ** 2 / float(2 * pair.noise_variance)
            )
            mean, variance = law.means[t + k][0], law.variances[t + k][0]
            steps.append((cost, float(mean.mid()), float(variance.mid())))
        t += pair.count
    return FloatComposition(tuple(steps))


def exponents(run: Run, law: ResidualLaw, order: Fraction) -> tuple[Fraction, ...]:
    """Hölder exponents for R4 at ``order``: one value for every step but the first."""
    twin = float_composition(run, law)
    chosen = Fraction(round(twin.exponent(float(order)), 6))
    return (max(chosen, Fraction(1001, 1000)),) * max(len(twin.steps) - 1, 0)


def best_order(twin: FloatComposition, shrink: float, delta: Fraction) -> Fraction:
    """An order at which R4, shrunk by ``shrink`` ** (1/order), converts best to epsilon at ``delta``."""
    log_delta = float(ball(delta).log())

    def cost(power: float) -> float:
        order = 1 + math.exp(power)
        value = twin.value(order, twin.exponent(order)) * math.pow(shrink, 1 / order)
        return value + math.log((order - 1) / order) - (log_delta + math.log(order)) / (order - 1)

    return Fraction(round(1 + math.exp(_minimum(cost, -4.0, 10.0)), 4))


def _minimum(cost: Callable[[float], float], low: float, high: float) -> float:
    for points in (15, 7, 7):
        grid = [low + (high - low) * k / (points - 1) for k in range(points)]
        values = [float(cost(g)) for g in grid]
        best = min(range(points), key=values.__getitem__)
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, points - 1)]
    return (low + high) / 2
