"""The law of a released number by quadrature: every noisy step is a mixture of normal bumps."""

from dataclasses import dataclass
from math import inf

import numpy as np
from oracles.line_map import Line
from oracles.worlds import Step, output_variance, steps
from scipy.special import ndtr

from certaudit.run import Run

REACH = 10.5
NEGLIGIBLE = 1e-26
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
MOST_PANELS = 1500
LOOKS, BENT = 17, 2e-4
"""How often a panel is looked at, and the third difference there at which it is halved."""
GROUP = 48


class TooFine(Exception):
    """The law has details too fine for the grid."""


@dataclass(frozen=True)
class Bumps:
    """clamp(C + deviation * xi) onto +-radius: C is at ``centers`` (sorted) with ``masses``."""

    centers: np.ndarray
    masses: np.ndarray
    deviation: float
    radius: float = inf

    def support(self) -> tuple[float, float]:
        """Where all but a negligible mass is."""
        far = REACH * self.deviation
        ends = np.array([self.centers[0] - far, self.centers[-1] + far])
        low, high = np.clip(ends, -self.radius, self.radius)
        return float(low), float(high)

    def ends(self) -> tuple[float, float]:
        """Masses at -radius and at +radius."""
        if self.radius == inf:
            return 0.0, 0.0
        below = ndtr((-self.radius - self.centers) / self.deviation)
        above = ndtr((self.centers - self.radius) / self.deviation)
        return float(self.masses @ below), float(self.masses @ above)

    def density(self, points: np.ndarray) -> np.ndarray:
        """Density at sorted points inside the ball."""
        found = np.empty(len(points))
        for group, near in self._near(points):
            z = (points[group, None] - self.centers[near]) / self.deviation
            found[group] = np.exp(-0.5 * z * z) @ self.masses[near]
        return found / (self.deviation * np.sqrt(2 * np.pi))

    def between(self, edges: np.ndarray) -> np.ndarray:
        """Masses between consecutive sorted edges inside the ball, to a relative error."""
        found = np.empty(len(edges) - 1)
        for group, near in self._near(edges):
            cut = edges[group.start : group.stop + 1]
            z = (cut[:, None] - self.centers[near]) / self.deviation
            tail = ndtr(-np.abs(z))
            one_side = np.abs(np.diff(tail, axis=0))
            both = (z[:-1] < 0) & (z[1:] > 0)
            mass = np.where(both, 1 - tail[:-1] - tail[1:], one_side)
            found[group.start : group.start + len(mass)] = mass @ self.masses[near]
        return found

    def _near(self, points: np.ndarray) -> list[tuple[slice, slice]]:
        far = 1.15 * REACH * self.deviation
        pairs = []
        for k in range(0, len(points), GROUP):
            group = slice(k, min(k + GROUP, len(points)))
            last = points[min(group.stop, len(points) - 1)]
            near = np.searchsorted(self.centers, (points[k] - far, last + far))
            pairs.append((group, slice(*near)))
        return pairs


@dataclass(frozen=True)
class Law:
    """``bumps``, then the maps of steps without noise, each clamped."""

    line: Line
    bumps: Bumps
    after: tuple[Step, ...] = ()

    def image(self, w: np.ndarray, upto: int | None = None) -> np.ndarray:
        """What the noiseless steps (the first ``upto``) make of w."""
        for step in self.after[:upto]:
            w = self.line.clamp(self.line.move(step, w))
        return w

    def then(self, step: Step) -> "Law":
        """The law one step later."""
        if step.variance == 0 and self.bumps.deviation > 0:
            return Law(self.line, self.bumps, (*self.after, step))
        if step.variance == 0:
            return _points(self.line, self.image_of_step(step), self.bumps.masses)
        return self._smoothed(step, float(step.variance) ** 0.5, self.line.radius)

    def image_of_step(self, step: Step) -> np.ndarray:
        return self.line.clamp(self.line.move(step, self.bumps.centers))

    def blurred(self, variance: float) -> "Law":
        """The law with output noise."""
        return self if variance == 0 else self._smoothed(None, variance**0.5, inf)

    def _smoothed(self, step: Step | None, deviation: float, radius: float) -> "Law":
        def onward(w: np.ndarray) -> np.ndarray:
            w = self.image(w)
            return w if step is None else self.line.move(step, w)

        w, masses = self._nodes(onward, step, deviation)
        return Law(self.line, _bumps(onward(w), masses, deviation, radius))

    def _nodes(self, onward, step: Step | None, deviation: float) -> tuple[np.ndarray, np.ndarray]:
        bumps = self.bumps
        if bumps.deviation == 0:
            return bumps.centers, bumps.masses
        breaks = self.breaks(step)
        if len(breaks) == 1:
            return breaks, np.ones(1)
        edges = panels(onward, breaks, bumps.deviation, deviation)
        half = np.diff(edges)[:, None] / 2
        w = (edges[:-1, None] + half * (1 + NODES)).ravel()
        masses = bumps.density(w) * (half * WEIGHTS).ravel()
        if bumps.radius < inf:
            w = np.concatenate([[-bumps.radius], w, [bumps.radius]])
            low, high = bumps.ends()
            masses = np.concatenate([[low], masses, [high]])
        return w, masses

    def breaks(self, last: Step | None = None) -> np.ndarray:
        """Ends of the support, and the points between where a map to come is not smooth."""
        low, high = self.bumps.support()
        scan = np.linspace(low, high, 401)
        found, now = [low, high], scan
        for k, step in enumerate((*self.after, *([] if last is None else [last]))):
            for bend in self.line.bends(step):
                found += self._passes(scan, now, bend, lambda w, k=k: self.image(w, k))
            if k < len(self.after):
                free = self.line.move(step, now)
                for end in () if self.line.radius == inf else (-self.line.radius, self.line.radius):
                    found += self._passes(
                        scan, free, end, lambda w, k=k, s=step: self.line.move(s, self.image(w, k))
                    )
                now = self.line.clamp(free)
        return np.unique(found)

    def _passes(self, scan: np.ndarray, values: np.ndarray, level: float, of) -> list[float]:
        """Points where ``of``, with these values on the scan, passes the level."""
        up = values > level
        (where,) = np.nonzero(up[1:] != up[:-1])
        if not len(where):
            return []
        low, high, starts = scan[where], scan[where + 1], up[where]
        for _ in range(52):
            middle = (low + high) / 2
            same = (of(middle) > level) == starts
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return list(high)


def panels(onward, breaks: np.ndarray, before: float, after: float) -> np.ndarray:
    """Edges of panels on which a bump of deviation ``before`` and one of ``after`` are smooth."""
    low, high = breaks[:-1], breaks[1:]
    while True:
        x = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, LOOKS)
        y = onward(x.ravel()).reshape(x.shape)
        bent = np.abs(np.diff(y, 3, axis=1)).max(axis=1) > BENT * after
        coarse = bent | (high - low > 3 * before) | (np.ptp(y, axis=1) > 3 * after)
        if not coarse.any():
            return np.append(low, high[-1])
        if len(low) > MOST_PANELS:
            raise TooFine
        middle = ((low + high) / 2)[coarse]
        low = np.sort(np.concatenate([low, middle]))
        high = np.append(low[1:], high[-1])


def _bumps(centers: np.ndarray, masses: np.ndarray, deviation: float, radius: float) -> Bumps:
    order = np.argsort(centers)
    centers, masses = centers[order], masses[order]
    kept = (np.cumsum(masses) > NEGLIGIBLE) & (np.cumsum(masses[::-1])[::-1] > NEGLIGIBLE)
    return Bumps(centers[kept], masses[kept], deviation, radius)


def _points(line: Line, centers: np.ndarray, masses: np.ndarray) -> Law:
    return Law(line, Bumps(centers, masses, 0.0))


def released(line: Line, run: Run, world: str) -> Law:
    """The law of the model that a world releases."""
    start = line.run.start
    point = np.array([float(start.mean[0])])
    law = Law(line, Bumps(point, np.ones(1), float(start.variance) ** 0.5))
    for step in steps(run, world):
        law = law.then(step)
    return law.blurred(float(output_variance(run, world)))
