"""delta(epsilon) of a diagonal pair of normal laws: a Laplace integral on a hyperbola.

With M(s) = E_P (p/q)^s, delta(epsilon) is the integral of M(s) e^{-s epsilon} / (s (s + 1)) / (2 pi i)
from bottom to top along any line between 0 and the first singularity of M; the hyperbola
s = m + i b sinh(x + i theta) bends it to where the integrand falls faster.  The trapezoidal rule in x
is halved until two sums agree.  Where the integrand has faded away the line may turn and go on upright,
so that what the hyperbola would meet further out does not matter.  Below 1e-300 delta counts as 0.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import inf, pi

import mpmath
import numpy as np
from oracles.gaussian_law import MP
from oracles.gaussian_pair import Pair, flipped
from scipy.optimize import brentq

ANGLES = (0.5, 0.25, 0.0)
FARTHEST = 45.0
DEEPEST, FADED = -800.0, -100.0
AGREE = 1e-10
AGREE_MP, FADED_MP = MP.mpf(10) ** -16, MP.mpf(10) ** -43


class Unresolved(Exception):
    """No contour gave two equal sums."""


@dataclass(frozen=True)
class Contour:
    """m + i b sinh(x + i theta), 0 <= x <= end, in steps of h."""

    m: float
    b: float
    theta: float
    end: float
    h: float


def hockey_stick(pair: Pair, epsilon: float) -> float:
    """delta in floats, to about ten digits of its own."""
    if epsilon < 0:
        return -float(np.expm1(epsilon)) + float(np.exp(epsilon)) * hockey_stick(flipped(pair), -epsilon)
    return _search(pair, epsilon)[0]


def hockey_stick_mp(pair: Pair, epsilon: mpmath.mpf) -> mpmath.mpf:
    """delta, epsilon at least 0, to about thirty digits of its own."""
    value, contour = _search(pair, float(epsilon))
    if contour is None:
        return MP.mpf(value)
    h, before = contour.h, None
    for _ in range(5):
        total = _sum_mp(pair, epsilon, contour, h)
        if before is not None and abs(total - before) <= AGREE_MP * abs(total):
            return total
        h, before = h / 2, total
    raise Unresolved


def _search(pair: Pair, epsilon: float) -> tuple[float, Contour | None]:
    floats = _Floats.of(pair)
    if not floats.differs:
        return max(0.0, -float(np.expm1(epsilon))), None
    if floats.bounded_by(epsilon):
        return 0.0, None
    c = floats.saddle(epsilon)
    sign = 1.0 if floats.tilt(epsilon) > 0 else -1.0
    for angle in ANGLES:
        for theta in dict.fromkeys((sign * angle, -sign * angle)):
            found = _along(floats, epsilon, c, theta)
            if found is not None:
                return found
    raise Unresolved


def _along(
    floats: "_Floats", epsilon: float, c: float, theta: float
) -> tuple[float, Contour | None] | None:
    """The integral along the hyperbola of this angle through c, if two sums agree."""
    room = min(c / (1 - np.sin(theta)), (floats.end - c) / (1 + np.sin(theta)))
    b = min(2 * floats.width(c), 0.9 * room)
    m = c + b * np.sin(theta)
    before, h = None, 0.1
    while h > 0.002:
        x = np.arange(0, FARTHEST, h)
        logs, factor = floats.integrand(m + 1j * b * np.sinh(x + 1j * theta), epsilon)
        shift = float(logs.real[0])
        if shift < DEEPEST:
            return 0.0, None
        faded = logs.real - shift < FADED
        x = x[: int(np.argmax(faded)) if faded.any() else len(x)]
        with np.errstate(all="ignore"):
            heights = np.exp(logs - shift)[: len(x)] * factor[: len(x)]
            terms = (heights * b * np.cosh(x + 1j * theta)).real
        if not np.isfinite(terms).all():
            return None
        terms[0] /= 2
        total, size = terms.sum() * h / pi, np.abs(terms).sum() * h / pi
        if before is not None and abs(total - before) <= AGREE * total and size < 1e4 * total:
            alive = np.nonzero(np.abs(terms) > 1e-17 * np.abs(terms).max())[0]
            end = (alive[-1] + 1) * h * 1.25 + 1.5
            return float(total * np.exp(shift)), Contour(m, b, theta, end, 2 * h)
        before, h = total, h / 2
    return None


def _sum_mp(pair: Pair, epsilon: mpmath.mpf, contour: Contour, h: float) -> mpmath.mpf:
    total, top = MP.mpf(0), MP.mpf(0)
    kappa = epsilon + sum(MP.log1p(x) for x in pair.extra) / 2
    for j in range(int(contour.end / h) + 1):
        zeta = MP.mpc(MP.mpf(h) * j, contour.theta)
        s = contour.m + 1j * MP.mpf(contour.b) * MP.sinh(zeta)
        product, exponent = MP.mpc(1), -s * kappa
        for x, n in zip(pair.extra, pair.nu, strict=True):
            q = 1 - x * s
            exponent += s * (s + 1) * n * n / (2 * q)
            product *= MP.sqrt(q)
        value = MP.exp(exponent) / (product * s * (s + 1)) * MP.cosh(zeta) * contour.b
        total += value.real / (2 if j == 0 else 1)
        top = max(top, abs(value))
        if abs(value) < FADED_MP * top:
            break
    return total * h / MP.pi


@dataclass(frozen=True)
class _Floats:
    extra: np.ndarray
    squares: np.ndarray
    logs: float

    @classmethod
    @lru_cache(maxsize=256)
    def of(cls, pair: Pair) -> "_Floats":
        extra = np.array([float(x) for x in pair.extra])
        logs = float(sum((MP.log1p(x) for x in pair.extra), MP.mpf(0)) / 2)
        return cls(extra, np.array([float(n * n) for n in pair.nu]), logs)

    @property
    def differs(self) -> bool:
        return bool(np.any(self.extra != 0) or np.any(self.squares != 0))

    @property
    def end(self) -> float:
        """The first singularity of M on the right."""
        top = self.extra.max(initial=0)
        return 1 / top if top > 0 else inf

    def tilt(self, epsilon: float) -> float:
        """The rate of log M - s epsilon far out, but for normal tails."""
        bent = self.extra != 0
        return -epsilon - self.logs - float((self.squares[bent] / (2 * self.extra[bent])).sum())

    def bounded_by(self, epsilon: float) -> bool:
        """Whether log p/q <= epsilon everywhere."""
        flat = bool((self.squares[self.extra == 0] == 0).all())
        return self.end == inf and flat and self.tilt(epsilon) <= 0

    def integrand(self, s: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
        """Log of M(s) e^{-s epsilon}, and 1 / (s (s + 1))."""
        q = 1 - self.extra[:, None] * s
        logs = -s * (epsilon + self.logs) - np.log(q).sum(axis=0) / 2
        logs = logs + (self.squares[:, None] * s * (s + 1) / (2 * q)).sum(axis=0)
        return logs, 1 / (s * (s + 1))

    def _slope(self, c: float, epsilon: float) -> float:
        q = 1 - self.extra * c
        square = (2 * c + 1) / q + self.extra * c * (c + 1) / q**2
        own = float((self.extra / q + self.squares * square).sum() / 2)
        return own - epsilon - self.logs - 1 / c - 1 / (c + 1)

    def saddle(self, epsilon: float) -> float:
        """Where the integrand is least on the real line."""

        def at(u: float) -> float:
            return float(np.exp(u)) if self.end == inf else self.end / (1 + float(np.exp(-u)))

        ends = -80.0, 80.0 if self.end == inf else 36.0
        slopes = [self._slope(at(u), epsilon) for u in ends]
        if not slopes[0] < 0 < slopes[1]:
            return at(ends[0] if slopes[0] >= 0 else ends[1])
        return at(brentq(lambda u: self._slope(at(u), epsilon), *ends, xtol=1e-3))

    def width(self, c: float) -> float:
        """One over the root of the second derivative of the log there."""
        q = 1 - self.extra * c
        curve = 2 / q + 2 * self.extra * (2 * c + 1) / q**2 + 2 * self.extra**2 * c * (c + 1) / q**3
        own = float((self.extra**2 / q**2 + self.squares * curve).sum() / 2)
        return float(max(own + 1 / c**2 + 1 / (c + 1) ** 2, 1e-3 / c**2) ** -0.5)
