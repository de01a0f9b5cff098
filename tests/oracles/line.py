"""Truth about runs on a line: both laws on fine cells, read in both directions."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from math import exp, inf, log

import numpy as np
from oracles import normal_pair, tradeoff
from oracles.line_cells import Cells, Side, cells
from oracles.line_law import released
from oracles.line_map import beside, line_of
from oracles.worlds import shown_first

from certaudit.run import Run

TOLERANCE = 1e-7
LOST = 1e-21
"""What the laws' tails may lack, beside rounding."""
LARGEST, SMALLEST = 200.0, 1e-290


@dataclass(frozen=True)
class LineTruth:
    """Enclosures of the divergences of a run on a line."""

    run: Run

    @cached_property
    def _laws(self):
        run = shown_first(self.run)
        line = line_of(run)
        return tuple(released(line, run, world) for world in "PQ")

    @cached_property
    def _cells(self) -> Cells:
        return cells(*self._laws, finest=self._beside is not None)

    @cached_property
    def _beside(self) -> tuple | None:
        pair = tuple(beside(shown_first(self.run), world) for world in "PQ")
        return None if pair[0] is None or pair[0] == pair[1] else pair

    @property
    def _open(self) -> bool:
        """Whether the numbers bound the truth from below only."""
        return self.run.release != "final" or not self._cells.smooth

    def deltas(self, direction: str, epsilons: np.ndarray) -> np.ndarray:
        """Lower bounds of delta at each epsilon, but for the tolerance."""
        return np.array([self._low(direction, float(e)) for e in epsilons])

    def delta(self, direction: str, epsilon: Fraction, level: Fraction) -> tuple[float, float]:
        low = max(self._low(direction, float(epsilon)) - TOLERANCE, 0.0)
        return low, min(self._high(direction, float(epsilon)) + TOLERANCE, 1.0)

    def epsilon(self, direction: str, delta: float) -> float:
        """Where delta is reached (0 if it is there already, inf if never)."""
        return tradeoff.epsilon(lambda e: self._low(direction, e), delta)

    def renyi(self, direction: str, order: Fraction) -> tuple[float, float]:
        """A lower bound, by merging into cells, and none above."""
        order = float(order)
        p, q = (side.masses for side in self._sides(direction))
        pair = self._pair(direction)
        aside = 0.0 if pair is None else normal_pair.renyi(*pair, order)
        a, b = self._points(direction, apart=False)
        if all(law.bumps.deviation == 0 for law in self._laws) and (a[b == 0] > 0).any():
            return inf, inf
        p, q = np.append(p, a), np.append(q, b) + LOST
        powers = order * np.log(p[p > 0]) + (1 - order) * np.log(q[p > 0])
        top = powers.max()
        total = top + log(np.exp(powers - top).sum())
        return max(total / (order - 1) + aside - TOLERANCE, 0.0), inf

    def mu(self, direction: str, slack: float) -> float:
        """A lower bound of the least mu."""
        return tradeoff.least_mu(partial(self.deltas, direction), slack, TOLERANCE)

    def mu_suffices(self, direction: str, mu: float, slack: float) -> bool:
        """Whether that mu is certainly enough."""

        def sticks(epsilons: np.ndarray) -> np.ndarray:
            return np.array([self._high(direction, float(e)) for e in epsilons])

        return not self._open and tradeoff.mu_suffices(sticks, mu, slack, TOLERANCE)

    def _low(self, direction: str, epsilon: float) -> float:
        if epsilon > LARGEST:
            return 0.0
        return max(self._delta(direction, epsilon, apart=False) - LOST * exp(epsilon), 0.0)

    def _high(self, direction: str, epsilon: float) -> float:
        if self._open:
            return 1.0
        epsilon = min(epsilon, LARGEST)
        return min(self._delta(direction, epsilon, apart=True) + LOST * exp(epsilon), 1.0)

    def _sides(self, direction: str) -> tuple[Side, Side]:
        found = self._cells
        return (found.p, found.q) if direction == "P|Q" else (found.q, found.p)

    def _points(self, direction: str, apart: bool) -> tuple[np.ndarray, np.ndarray]:
        p, q = self._cells.apart if apart else self._cells.points
        return (p, q) if direction == "P|Q" else (q, p)

    def _pair(self, direction: str) -> tuple | None:
        if self._beside is None:
            return None
        return self._beside if direction == "P|Q" else self._beside[::-1]

    def _delta(self, direction: str, epsilon: float, apart: bool) -> float:
        """delta; with ``apart`` points that differ by rounding only count as different."""
        p, q = self._sides(direction)
        a, b = self._points(direction, apart)
        pair = self._pair(direction)
        if pair is not None:
            return _product(np.append(p.masses, a), np.append(q.masses, b), pair, epsilon)
        factor = exp(epsilon)
        total = np.maximum(a - factor * b, 0).sum() + np.maximum(p.masses - factor * q.masses, 0).sum()
        return float(total + _crossings(self._cells, p, q, factor))


def _crossings(cells: Cells, p: Side, q: Side, factor: float) -> float:
    """What the positive part of p - factor q has beyond the positive parts of its integrals over cells:
    in a cell where the sign changes the difference is taken as the parabola with that integral and
    those ends."""
    left, right = p.left - factor * q.left, p.right - factor * q.right
    (k,) = np.nonzero(left * right < 0)
    left, right, width = left[k], right[k], cells.widths[k]
    integral = p.masses[k] - factor * q.masses[k]
    bend = 6 * (integral / width - (left + right) / 2)
    # left + (right - left) t + bend t (1 - t) = 0
    slope = right - left + bend
    root = np.sqrt(np.maximum(slope**2 + 4 * bend * left, 0))
    with np.errstate(divide="ignore"):
        t = np.clip(-2 * left / (slope + np.where(right > left, root, -root)), 0, 1)
    before = width * (left * t + (right - left) * t**2 / 2 + bend * (t**2 / 2 - t**3 / 3))
    inside = np.where(left > 0, before, integral - before)
    return float((inside - np.maximum(integral, 0)).sum())


def _product(p: np.ndarray, q: np.ndarray, pair: tuple, epsilon: float) -> float:
    """The hockey stick of both laws with an independent normal number beside."""
    only = float(p[q == 0].sum())
    kept = (q > 0) & (p > SMALLEST)
    p, q = p[kept], q[kept]
    return only + float(p @ normal_pair.delta(*pair, epsilon + np.log(q / p)))
