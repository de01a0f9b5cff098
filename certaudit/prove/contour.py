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

from certaudit.kernel.pair import whitened
from certaudit.kernel.statement import Statement

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]


@dataclass(frozen=True)
class Contour:
    """Hints for C6: the line Re s = line, half the strip's width, the cut-off height, and the bits
    of relative accuracy worth asking of the quadrature."""

    line: Fraction
    width: Fraction
    height: Fraction
    accuracy: int


MOST_RADIANS = 1000.0
FAR = 1e5
"""A delta of about exp(-FAR) is small enough: no need to go further out for a smaller one."""


class FloatPair:
    """Float twin of a whitened pair: eigenvalues of T and nu^2 times first components squared."""

    def __init__(self, pair: Statement) -> None:
        form = whitened(pair)
        diagonal = np.array([float(x.mid()) for x in form.diagonal])
        off = np.array([float(abs(x.mid())) ** 0.5 for x in form.off_diagonal_squared])
        matrix = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
        self.eigenvalues, vectors = np.linalg.eigh(matrix)
        self.weights = (float(form.nu.mid()) * vectors[0]) ** 2
        self.log_det = float(np.log1p(np.maximum(self.eigenvalues, -1 + 1e-16)).sum())
        top = float(self.eigenvalues.max())
        dropped = float(form.rho) + float(form.tau)
        edge = 1 / top if top > 1e-300 else math.inf
        self.edge = min(edge, 1e-3 / dropped if dropped > 0 else math.inf)

    def log_m(self, s: Complex) -> Complex:
        """log E_P[(p/q)^s] at each point of ``s``."""
        factors = 1 - np.multiply.outer(s, self.eigenvalues)
        quadratic = (self.weights / factors).sum(axis=-1)
        return np.asarray(
            s * (s + 1) / 2 * quadratic - np.log(factors).sum(axis=-1) / 2 - s * self.log_det / 2
        )

    def _phase(self, c: Real, epsilon: float) -> Real:
        return self.log_m(c.astype(np.complex128)).real - c * epsilon - np.log(c) - np.log1p(c)

    def saddle(self, epsilon: float, most: float = 1e80) -> float:
        """Near the minimum over c in the domain of log M(c) - c eps - log c(c+1), convex in c."""
        far = min(most, max(FAR / epsilon, 1e3)) if epsilon > 0 else most
        low, high = math.log(1e-9), math.log(min(self.edge * (1 - 1e-9), far))
        for points in (100, 20, 20):
            powers = np.linspace(low, high, points)
            k = int(np.argmin(self._phase(np.exp(powers), epsilon)))
            low, high = float(powers[max(k - 1, 0)]), float(powers[min(k + 1, points - 1)])
        return math.exp((low + high) / 2)

    def contour(self, epsilon: Fraction, bits: int, most: float = 1e80) -> Contour:
        """A line (not beyond ``most``) and a height for about ``bits`` good bits, or as many as are
        affordable."""
        c = self.saddle(float(epsilon), most)
        height, reached, _ = self._height(c, float(epsilon), 2.0**-bits)
        return Contour(
            Fraction(c),
            Fraction(min(c / 2, (self.edge - c) / 2)),
            Fraction(height),
            max(int(-math.log2(reached)), 4),
        )

    def _height(self, c: float, epsilon: float, accuracy: float) -> tuple[float, float, float]:
        """Height beyond which a part of at most ``accuracy`` of the whole remains.

        Stops early where the integrand would have turned more than MOST_RADIANS; the second number
        is the part then left, the third how far it turned.
        """
        scale = self._scale(c)
        heights = scale * 1.25 ** np.arange(200)
        points = np.asarray(c + 1j * heights, dtype=np.complex128)
        values = self.log_m(points) - self.log_m(np.array([c + 0j]))
        left = values.real - np.log(heights) + 2 * math.log(c + 1) - math.log(scale)
        turned = np.abs(np.imag(values) - heights * epsilon)
        enough = np.flatnonzero((left < math.log(accuracy)) | (turned > MOST_RADIANS))
        k = int(enough[0]) if enough.size else len(heights) - 1
        reached = math.exp(min(max(float(left[k]), math.log(accuracy)), -1.0))
        return float(heights[k]), reached, float(turned[: k + 1].max())

    def _scale(self, c: float) -> float:
        step = 1e-3 * min(c, (self.edge - c))
        here = np.array([c - step, c, c + step], dtype=np.complex128)
        values = self.log_m(here).real
        bend = float(values[0] - 2 * values[1] + values[2]) / step**2 + 1 / c**2 + 1 / (c + 1) ** 2
        return 1 / math.sqrt(max(bend, 1e-300))

    def log_delta(self, epsilon: float) -> float:
        """log delta(epsilon), by the trapezoidal rule on the contour."""
        c = self.saddle(epsilon)
        height, _, turned = self._height(c, epsilon, 1e-9)
        t = np.linspace(0, height, 400 + int(min(6 * turned, 20000)))
        s = np.asarray(c + 1j * t, dtype=np.complex128)
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
