"""Where to integrate the Rényi function (C6), chosen in floats.

The float twin of a pair serves the search only: the saddle of the integrand, the height at which
the rest is negligible, and the epsilon at which delta is reached.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from certaudit.kernel.statement import Statement

Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Contour:
    """Hints for C6: the line Re s = line, half the strip's width, and the cut-off height."""

    line: Fraction
    width: Fraction
    height: Fraction


class FloatPair:
    """Float twin of a whitened pair: eigenvalues of T and nu^2 times first components squared."""

    def __init__(self, pair: Statement) -> None:
        diagonal = np.array([float(x.mid()) for x in pair.values["diagonal"]])
        off = np.array([float(abs(x.mid())) ** 0.5 for x in pair.values["off_diagonal_squared"]])
        matrix = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
        self.eigenvalues, vectors = np.linalg.eigh(matrix)
        self.weights = (float(pair.ball("nu").mid()) * vectors[0]) ** 2
        self.log_det = float(np.log1p(np.maximum(self.eigenvalues, -1 + 1e-16)).sum())
        top = float(self.eigenvalues.max())
        dropped = float(pair.ball("rho")) + float(pair.ball("tau"))
        edge = 1 / top if top > 1e-300 else math.inf
        self.edge = min(edge, 1e-3 / dropped if dropped > 0 else math.inf, 1e15)

    def log_m(self, s: Complex) -> Complex:
        """log E_P[(p/q)^s] at each point of ``s``."""
        factors = 1 - np.multiply.outer(s, self.eigenvalues)
        quadratic = (self.weights / factors).sum(axis=-1)
        return np.asarray(
            s * (s + 1) / 2 * quadratic - np.log(factors).sum(axis=-1) / 2 - s * self.log_det / 2
        )

    def _phase(self, c: float, epsilon: float) -> float:
        return float(self.log_m(np.array([c + 0j])).real[0]) - c * epsilon - math.log(c * (c + 1))

    def saddle(self, epsilon: float) -> float:
        """Minimum over c in the domain of log M(c) - c eps - log c(c+1), convex in c."""
        powers = np.linspace(math.log(1e-9), math.log(self.edge * (1 - 1e-9)), 120)
        values = [self._phase(math.exp(p), epsilon) for p in powers]
        k = int(np.argmin(values))
        low, high = float(powers[max(k - 1, 0)]), float(powers[min(k + 1, 119)])
        for _ in range(40):
            a, b = low + 0.382 * (high - low), low + 0.618 * (high - low)
            if self._phase(math.exp(a), epsilon) < self._phase(math.exp(b), epsilon):
                high = b
            else:
                low = a
        return math.exp((low + high) / 2)

    def contour(self, epsilon: Fraction, accuracy: float) -> Contour:
        """A line and a height for a relative accuracy of about ``accuracy``."""
        c = self.saddle(float(epsilon))
        return Contour(
            Fraction(c),
            Fraction(min(c / 2, (self.edge - c) / 2)),
            Fraction(self._height(c, accuracy)),
        )

    def _height(self, c: float, accuracy: float) -> float:
        peak = float(self.log_m(np.array([c + 0j])).real[0])
        scale = self._scale(c)
        height = scale
        for _ in range(400):
            end = float(self.log_m(np.array([c + 1j * height])).real[0])
            if end - peak - math.log(height) + 2 * math.log(c + 1) - math.log(scale) < math.log(
                accuracy
            ):
                return height
            if height > 1e5 * scale:
                return height
            height *= 1.3
        return height

    def _scale(self, c: float) -> float:
        step = 1e-3 * min(c, (self.edge - c))
        here = np.array([c - step, c, c + step]) + 0j
        values = self.log_m(here).real
        bend = float(values[0] - 2 * values[1] + values[2]) / step**2 + 1 / c**2 + 1 / (c + 1) ** 2
        return 1 / math.sqrt(max(bend, 1e-300))

    def log_delta(self, epsilon: float) -> float:
        """log delta(epsilon), by the trapezoidal rule on the contour."""
        c = self.saddle(epsilon)
        t = np.linspace(0, self._height(c, 1e-9), 4001)
        s = c + 1j * t
        anchor = float(self.log_m(np.array([c + 0j])).real[0]) - c * epsilon
        values = (np.exp(self.log_m(s) - s * epsilon - anchor) / (s * (s + 1))).real
        total = (values.sum() - (values[0] + values[-1]) / 2) * t[1] / math.pi
        return anchor + math.log(max(total, 1e-300))

    def epsilon(self, log_delta: float) -> float:
        """epsilon >= 0 with log delta(epsilon) close to ``log_delta`` (0 if delta(0) is below)."""
        if self.log_delta(0.0) <= log_delta:
            return 0.0
        low, high = 0.0, 1e-6
        below = self.log_delta(low) - log_delta
        above = self.log_delta(high) - log_delta
        while above > 0:
            low, below, high = high, above, 2 * high
            above = self.log_delta(high) - log_delta
            if high > 1e12:
                return math.inf
        for _ in range(60):  # Illinois variant of regula falsi
            middle = high - above * (high - low) / (above - below)
            value = self.log_delta(middle) - log_delta
            if value > 0:
                low, below, above = middle, value, above / 2
            else:
                high, above, below = middle, value, below / 2
            if abs(value) < 1e-11 or high - low < 1e-13 * high:
                break
        return middle
