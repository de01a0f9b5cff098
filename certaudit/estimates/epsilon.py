"""epsilon at a delta for many pairs at once, in floats: C6 by the trapezoidal rule.

On a vertical line, after t = a sinh u, the trapezoidal rule converges exponentially (Trefethen and
Weideman 2014), for integrands that decay like a power as well as for Gaussian ones.  The nodes are
laid once for a guess of epsilon, log M is evaluated on them once, and epsilon is then solved on
these nodes, where it costs next to nothing; a few rounds settle it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from certaudit.estimates.pairs import Pairs

Floats = NDArray[np.float64]
Array = NDArray[Any]

NODES = 256
ROUNDS = 30
SETTLED = 1e-9
SMALL = 0.125
TERMS = 18


@dataclass(frozen=True)
class Epsilons:
    """epsilon of each pair, and an estimate of its absolute error, (points,) each."""

    epsilon: Floats
    error: Floats


def epsilons(pairs: Pairs, delta: float) -> Epsilons:
    """The epsilon >= 0 at which delta(epsilon) of each pair is ``delta`` > 0; nan where not found.

    Pairs not found among many are tried again alone, where the sums of small eigenvalues reach further.
    """
    together = _epsilons(pairs, delta)
    if len(pairs.error) > 1:
        for k in np.flatnonzero(np.isnan(together.epsilon)):
            alone = _epsilons(pairs.some(np.array([k])), delta)
            together.epsilon[k], together.error[k] = alone.epsilon[0], alone.error[0]
    return together


def _epsilons(pairs: Pairs, delta: float) -> Epsilons:
    with np.errstate(all="ignore"):
        small = pairs.leading()
        points, level = len(small.error), float(np.log(delta))
        zero = np.zeros(points)
        nothing = _Lines(small, zero).log_delta(zero) <= level
        spread = np.sqrt(small.weights.sum(axis=1) + (small.eigenvalues**2).sum(axis=1) / 2)
        epsilon = np.where(nothing, 0.0, spread * (spread / 2 + np.sqrt(-2 * level)))
        error = np.where(nothing, 0.0, np.nan)
        low, high = np.zeros(points), np.full(points, np.inf)
        active = np.flatnonzero(~nothing)
        for _ in range(ROUNDS):
            if not active.size:
                break
            here = epsilon[active]
            lines = _Lines(small.some(active), here)
            above = lines.log_delta(here) > level
            low[active] = np.where(above, here, low[active])
            high[active] = np.where(above, high[active], here)
            settled, certain = lines.solve(here, level)
            near = SETTLED * here
            certain &= (settled >= low[active] - near) & (settled <= high[active] + near)
            coarse, _ = lines.halved().solve(settled, level)
            grid, change = np.abs(coarse - settled) / settled, np.abs(settled - here)
            epsilon[active] = np.where(certain, settled, _between(low[active], high[active], here))
            error[active] = settled * np.minimum(grid, 4 * grid**2) + change
            error[active[~certain]] = np.nan
            active = active[(change > SETTLED * settled) | ~certain]
        error = error + epsilon * pairs.error
        found = nothing | (np.isfinite(error) & (error <= 0.1 * epsilon))
        return Epsilons(np.where(found, epsilon, np.nan), np.where(found, error, np.nan))


def _between(low: Floats, high: Floats, here: Floats) -> Floats:
    """A point inside a bracket that may be open on either side."""
    inside = np.where(low > 0, np.sqrt(low * high), here / 4)
    return np.asarray(np.where(np.isinf(high), 4 * here, inside))


def _log_m(pairs: Pairs, s: Array) -> Array:
    """log M at ``s`` (points, nodes), real or complex: the large eigenvalues one by one, the small
    ones by their power sums."""
    reach = np.abs(s).max(axis=1, keepdims=True)
    sizes = (np.abs(pairs.eigenvalues) * reach).max(axis=0)
    large = np.flatnonzero(sizes > SMALL)
    rest = np.flatnonzero(sizes <= SMALL)
    value = np.zeros_like(s)
    scaled = s / reach
    tail, quadratic = np.zeros_like(s), np.zeros_like(s)
    eigenvalues, weights = pairs.eigenvalues[:, rest] * reach, pairs.weights[:, rest]
    for k in reversed(range(1, TERMS)):
        tail = (tail + (eigenvalues**k).sum(axis=1, keepdims=True) / k) * scaled
        quadratic = quadratic * scaled + (weights * eigenvalues ** (k - 1)).sum(axis=1, keepdims=True)
    value += tail / 2
    for first in range(0, len(large), 2):
        product = np.ones_like(s)
        for k in large[first : first + 2]:
            factor = 1 - s * pairs.eigenvalues[:, k, None]
            quadratic += pairs.weights[:, k, None] / factor
            product *= factor
        value -= np.log(product) / 2
    drift = np.log1p(pairs.eigenvalues).sum(axis=1, keepdims=True)
    return np.asarray(value + s * (s + 1) / 2 * quadratic - s * drift / 2)


class _Lines:
    """Nodes on the line through the saddle at ``epsilon``, one line a pair, with log M on them."""

    def __init__(self, pairs: Pairs, epsilon: Floats) -> None:
        edge = 1 / np.maximum(pairs.eigenvalues.max(axis=1), 1e-12)
        c = _saddle(pairs, epsilon, edge)
        self.line = c
        step = 1e-3 * np.minimum(c, edge - c)
        left, here, right = _log_m(pairs, np.stack([c - step, c, c + step], axis=1)).T
        bend = (left - 2 * here + right) / step**2 + 1 / c**2 + 1 / (c + 1) ** 2
        scale = 1 / np.sqrt(np.maximum(bend, 1e-300))
        heights = scale[:, None] * 1.6 ** np.arange(32)
        far = (
            _log_m(pairs, c[:, None] + 1j * heights).real
            - here[:, None]
            - np.log(heights / scale[:, None])
        )
        enough = far < -34
        first = np.where(enough.any(axis=1), enough.argmax(axis=1), 31)
        self.height = np.take_along_axis(heights, first[:, None], axis=1)[:, 0]
        top = np.arcsinh(self.height / scale)
        u = np.linspace(0, 1, NODES + 1)[None] * top[:, None]
        self.s = c[:, None] + 1j * scale[:, None] * np.sinh(u)
        self.value = _log_m(pairs, self.s)
        weight = np.full(NODES + 1, 1.0)
        weight[0] = weight[-1] = 0.5
        self.weight = weight[None] * (scale * top / NODES / np.pi)[:, None] * np.cosh(u)

    def halved(self) -> _Lines:
        """The same line with every second node."""
        other = object.__new__(_Lines)
        other.line, other.height = self.line, self.height
        other.s, other.value = self.s[:, ::2], self.value[:, ::2]
        other.weight = 2 * self.weight[:, ::2]
        other.weight[:, [0, -1]] /= 2
        return other

    def _sums(self, epsilon: Floats) -> tuple[Floats, Floats, Floats]:
        """log scale, scaled delta, scaled -d delta/d epsilon."""
        exponent = self.value - self.s * epsilon[:, None]
        anchor = exponent[:, 0].real
        terms = np.exp(exponent - anchor[:, None]) / (self.s + 1)
        slope = (terms.real * self.weight).sum(axis=1)
        return anchor, ((terms / self.s).real * self.weight).sum(axis=1), slope

    def log_delta(self, epsilon: Floats) -> Floats:
        """log delta(epsilon) of each pair."""
        anchor, value, _ = self._sums(epsilon)
        return np.asarray(anchor + np.log(np.maximum(value, 1e-300)))

    def solve(self, epsilon: Floats, level: float) -> tuple[Floats, NDArray[np.bool_]]:
        """Newton's method for log delta(epsilon) = ``level`` on these nodes, at most a factor 4 away
        from where they were laid; and whether it got there."""
        start, done = epsilon, np.zeros(len(epsilon), dtype=bool)
        for _ in range(60):
            anchor, value, slope = self._sums(epsilon)
            gap = anchor + np.log(np.maximum(value, 1e-300)) - level
            good = (value > 0) & (slope > 0)
            ahead = np.where(good, epsilon + gap * value / slope, np.where(gap > 0, 2, 0.5) * epsilon)
            ahead = np.clip(
                ahead, np.maximum(epsilon / 2, start / 4), np.minimum(2 * epsilon, 4 * start)
            )
            done = good & (np.abs(ahead - epsilon) <= 1e-12 * epsilon)
            done &= (ahead > start / 4) & (ahead < 4 * start)
            epsilon = ahead
            if done.all():
                break
        return epsilon, done


def _saddle(pairs: Pairs, epsilon: Floats, edge: Floats) -> Floats:
    """Near the minimum over c of log M(c) - c eps - log c(c+1), which is convex, in (0, edge)."""
    low = np.full(len(edge), np.log(1e-6))
    high = np.log(np.minimum(edge * (1 - 1e-9), 1e12))
    for nodes in (64, 16, 12):
        powers = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, nodes)[None]
        c = np.exp(powers)
        phase = _log_m(pairs, c) - c * epsilon[:, None]
        phase -= np.log(c) + np.log1p(c)
        best = np.nanargmin(np.where(np.isfinite(phase), phase, np.inf), axis=1)
        at = np.arange(len(edge))
        low = powers[at, np.maximum(best - 1, 0)]
        high = powers[at, np.minimum(best + 1, nodes - 1)]
    return np.asarray(np.exp((low + high) / 2))
