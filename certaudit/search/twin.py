"""The diagonal pair of C7b in floats: its Rényi function, delta(epsilon), and epsilon at a delta.

Serves the search only; nothing rests on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import arb
from numpy.typing import NDArray

from certaudit.core.balls import ball, precision

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

BITS = 400
SHAPES = (
    (0.0, 1.0),
    (0.55, 1.0),
    (0.4, 2.0),
    (0.75, 1.0),
    (0.0, 0.3),
    (0.25, 3.0),
    (0.55, 0.3),
    (0.15, 8.0),
)
SPACING = 0.05
NODES = 700
FINE = 1e-12
GROWTH = 3.0
DUST = 1e-18


class FloatPair:
    """N(nu, I + diag l) against N(0, I).  ``level`` is epsilon, exact, as other terms may cancel it."""

    def __init__(self, l: Sequence[arb], nu: Sequence[arb]) -> None:
        flat = [float(y) ** 2 for x, y in zip(l, nu, strict=True) if x.is_zero()]
        bent = [(float(x), float(y) ** 2) for x, y in zip(l, nu, strict=True) if not x.is_zero()]
        self.gauss = math.fsum(flat)
        together = [*bent, *([(0.0, self.gauss)] if self.gauss > 0 else [])] or [(0.0, 0.0)]
        most, all_ = max(abs(x) for x, _ in together), math.fsum(y for _, y in together)
        kept = [(x, y) for x, y in together if abs(x) > DUST * most or y > DUST * all_]
        self.l, self.v = (np.array(column) for column in zip(*(kept or together), strict=True))
        with precision(BITS):
            self._log_det = sum(((1 + x).log() for x in l), arb(0)) / 2
            pairs = zip(l, nu, strict=True)
            self._slope = sum((y * y / (2 * x) for x, y in pairs if not x.is_zero()), arb(0))
        top = float(self.l.max())
        self.edge = 1 / top if top > 0 else math.inf

    def kappa(self, level: Fraction) -> float:
        """-d/ds of log M(s) e^{-s level}, but for the quadratic forms."""
        with precision(BITS):
            return float(ball(level) + self._log_det)

    def opening(self, level: Fraction) -> float:
        """K: the slope of log M(s) e^{-s level} far out."""
        with precision(BITS):
            return float(-ball(level) - self._log_det - self._slope)

    def log_tilted(self, c: Real, kappa: float) -> Real:
        """log M(c) e^{-c level} at real c in the domain."""
        factors = 1 - np.multiply.outer(c, self.l)
        with np.errstate(all="ignore"):
            forms = (self.v / factors).sum(axis=-1)
            value = c * (c + 1) / 2 * forms - np.log(factors).sum(axis=-1) / 2 - c * kappa
        return np.asarray(value)

    def renyi(self, s: float) -> float:
        """D_{1+s}, s > 0; infinite or nan outside the domain."""
        if s >= self.edge:
            return math.inf
        return float(self.log_tilted(np.array([s]), self.kappa(Fraction(0)))[0]) / s

    def saddle(self, kappa: float) -> float:
        """The least of log M(c) e^{-c level}/(c(c+1)), convex, over 0 < c < 1/max l."""
        low, high = math.log(1e-14), math.log(min(self.edge * (1 - 1e-12), 1e60))
        for _ in range(8):
            powers = np.linspace(low, high, 41)
            c = np.exp(powers)
            values = self.log_tilted(c, kappa) - np.log(c) - np.log1p(c)
            k = int(np.argmin(np.where(np.isnan(values), np.inf, values)))
            low, high = float(powers[max(k - 1, 0)]), float(powers[min(k + 1, 40)])
        return math.exp((low + high) / 2)

    def middle(self, kappa: float) -> float:
        """The same between the poles -1 and 0."""
        c = -1 / (1 + np.exp(np.linspace(-30, 30, 601)))
        values = self.log_tilted(c, kappa) - np.log(-c) - np.log1p(c)
        return float(c[int(np.argmin(values))])

    def spread(self, c: float) -> float:
        """The width of the saddle at c."""
        q = 1 - self.l * c
        bend = 1 / c**2 + 1 / (1 + c) ** 2
        bend += float((self.l**2 / (2 * q * q) + self.v * (1 + self.l) / q**3).sum())
        return 1 / math.sqrt(bend)

    def reach(self, c: float, bent: float) -> float:
        """The largest b with c the vertex, bent = sin(theta), and both foci in c's gap."""
        low, high = (0.0, self.edge) if c > 0 else (-1.0, 0.0)
        return 0.9999 * min((c - low) / (1 - bent), (high - c) / (1 + bent))

    def log_g(self, kappa: float, m: float, b: float, y: float, x: Real) -> Complex:
        """log g(x + iy) of C7."""
        bent = math.sin(y)
        c = m - b * bent
        q = 1 - self.l * c
        slope = -kappa + float((self.v / 2 * ((2 * c + 1) * q + self.l * c * (c + 1)) / q**2).sum())
        z = -b * bent * 2 * np.sinh(x / 2) ** 2 + 1j * b * math.cos(y) * np.sinh(x)
        s = c + z
        with np.errstate(all="ignore"):
            w = 1 - np.multiply.outer(z, self.l / q)
            forms = ((z * z)[:, None] / w * (self.v / 2 * (1 + self.l) / q**3)).sum(axis=-1)
            value = self.log_tilted(np.array([c]), kappa)[0] + slope * z + forms
            value = value - np.log(w).sum(axis=-1) / 2
            return np.asarray(value + np.log(b * np.cosh(x + 1j * y)) - np.log(s) - np.log(s + 1))

    def log_delta(self, epsilon: float) -> float:
        """log delta(epsilon), by C7's rule."""
        return self._delta(Fraction(epsilon))[0]

    def epsilon(self, log_delta: float) -> float:
        """epsilon >= 0 with log delta(epsilon) close to ``log_delta`` (0 if delta(0) is below).

        Newton's method in a bracket: log delta falls, ever faster, and is at most log M(s) - s epsilon.
        """
        s = np.minimum(np.geomspace(1e-9, 1e30, 118), self.edge * 0.999)
        caps = (self.log_tilted(s, self.kappa(Fraction(0))) - log_delta) / s
        low, high, level = 0.0, float(np.nanmin(caps)), 0.0
        if not 0 < high < 1e15:
            return 0.0 if high <= 0 else math.inf
        for _ in range(100):
            value, slope = self._delta(Fraction(level))
            off = value - log_delta
            if level == 0.0 and off <= 0:
                return 0.0
            low, high = (level, high) if off > 0 else (low, level)
            guess = level - off / slope if slope < 0 else math.nan
            if abs(guess - level) <= 1e-15 * level or high - low <= 1e-15 * low:
                return guess
            if not low < guess < high:
                guess = (low + high) / 2
            level = guess
        return level

    def _delta(self, level: Fraction) -> tuple[float, float]:
        """log delta and its derivative."""
        kappa, opening = self.kappa(level), self.opening(level)
        if self.edge == math.inf and self.gauss == 0 and opening <= 0:
            return -math.inf, -1.0
        sign = 1.0 if opening >= 0 else -1.0
        c = self.saddle(kappa)
        best = (math.inf, -math.inf, -1.0)
        x: Real = SPACING * np.arange(NODES, dtype=np.float64)
        for bent, size in SHAPES:
            theta = sign * bent
            b = min(size * self.spread(c), self.reach(c, math.sin(theta)))
            m = c + b * math.sin(theta)
            logs = self.log_g(kappa, m, b, theta, x)
            top = float(logs.real[0])
            if not np.nanmax(logs.real) < top + GROWTH:
                continue
            g = np.where(np.isfinite(logs), np.exp(logs - top), 0)
            g[0] /= 2
            total, coarse = float(g.real.sum()), 2 * float(g.real[::2].sum())
            if total <= 0:
                continue
            s = np.where(g == 0, 0, m + 1j * b * np.sinh(x + 1j * theta))
            slope = -float((s * g).real.sum()) / total
            error = abs(coarse / total - 1)
            if error < best[0]:
                best = (error, top + math.log(total * SPACING / math.pi), slope)
            if error < FINE:
                break
        return best[1], best[2]
