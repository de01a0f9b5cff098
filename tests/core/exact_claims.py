"""Random affine runs, and their exact epsilon by mpmath: step-by-step laws, an eigenproblem, a parabola.

Shares no code with the package: laws by the recursion, delta(epsilon) by the trapezoid rule on
s = c + w (i u - u^2/2) or its mirror image, u = sinh t, at 40 digits.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction as F

import mpmath as mp
import numpy as np

from certaudit.run import Phase, Reference, Request, Run, Start

DIGITS = 40
MOST_NODES = 1500


def random_run(rng: random.Random, d: int | None = None) -> Run:
    """A ridge run in d = 1..8 dimensions with noise enough for regular covariances."""
    d = d or rng.randint(1, 8)
    n = rng.randint(2, 10)
    size = 10 ** rng.uniform(-1, 0.5)
    x = np.array([[rng.gauss(0, size) for _ in range(d)] for _ in range(n)])
    y = np.array([rng.gauss(0, 1) for _ in range(n)])
    normalizer = rng.choice(["fixed", "current", "sum"])
    l2 = F(rng.choice([0, 1, 1, 1, 1])) * F(rng.uniform(0.001, 1)).limit_denominator(10**4)
    top = float(np.linalg.eigvalsh(x.T @ x)[-1]) / (1 if normalizer == "sum" else n) + float(l2)

    def phase(most: int) -> Phase:
        batches: tuple[tuple[int, ...], ...] = ()
        if rng.random() < 0.25:
            order = rng.sample(range(n), n)
            half = n // 2
            batches = (tuple(sorted(order[:half])), tuple(sorted(order[half:])))
        eta = F(rng.uniform(0.05, 1.3) / top).limit_denominator(10**6)
        return Phase(rng.randint(0, most), eta, F(10 ** rng.uniform(-3, 1)), batches)

    learn = phase(12)
    served = [rng.sample(range(n), rng.choice([1, 1, 2]) if n > 2 else 1)]
    requests = tuple(Request(tuple(sorted(rows)), phase(8)) for rows in served)
    kind = rng.choice(["unlearn-retrained", "unlearn-retrained", "retrained"])
    steps = learn.steps if kind == "unlearn-retrained" else rng.randint(0, 12)
    start = Start(tuple(F(rng.gauss(0, 1)) for _ in range(d)), F(rng.choice([0, 0, 1])))
    return Run(
        X=x,
        y=y,
        loss="ridge",
        l2=l2,
        normalizer=normalizer,
        learn=learn,
        requests=requests,
        start=start,
        projection=None,
        clip=None,
        reference=Reference(kind, steps),
        release="final",
        output_variance=F(rng.choice([0, 0, 0, 1]), 100),
    )


def _exact(x: object) -> mp.mpf:
    fraction = F(x)
    return mp.mpf(fraction.numerator) / fraction.denominator


def law(run: Run, world: str) -> tuple[mp.matrix, mp.matrix]:
    """Mean and covariance of one world, step by step."""
    d = run.d
    mean = mp.matrix([_exact(x) for x in run.start.mean])
    covariance = mp.eye(d) * _exact(run.start.variance)
    for one in run.schedule(world):
        rows = run.rows(one.batch)
        count = _exact(run.count(one.batch))
        hessian = mp.eye(d) * _exact(run.l2)
        drift = mp.zeros(d, 1)
        for j in rows:
            xj = mp.matrix([_exact(v) for v in run.X[j].tolist()])
            hessian += xj * xj.T / count
            drift += xj * _exact(run.y[j].item()) / count
        eta = _exact(one.step_size)
        step = mp.eye(d) - eta * hessian
        for _ in range(one.count):
            mean = step * mean + eta * drift
            covariance = step * covariance * step.T + mp.eye(d) * _exact(one.noise_variance)
    return mean, covariance + mp.eye(d) * _exact(run.output_noise(world))


@dataclass(frozen=True)
class Truth:
    """N(nu, I + diag l) against N(0, I) by mpmath: l and v = nu^2."""

    l: tuple[mp.mpf, ...]
    v: tuple[mp.mpf, ...]

    @classmethod
    def of(cls, run: Run, direction: str) -> Truth:
        """The pair of one direction."""
        with mp.workdps(DIGITS + 20):
            (mean_p, p), (mean_q, q) = (law(run, world) for world in direction.split("|"))
            whiten = mp.cholesky(q) ** -1
            values, vectors = mp.eigsy(whiten * p * whiten.T)
            nu = vectors.T * (whiten * (mean_p - mean_q))
            return cls(tuple(x - 1 for x in values), tuple(x * x for x in nu))

    def log_delta(self, eps: mp.mpf, bent: bool, h: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        """log delta(eps) and its derivative, with nodes t = 0, h, 2h, ... until nothing is left."""
        half = sum(mp.log1p(x) for x in self.l) / 2
        opening = -eps - half - sum(v / (2 * x) for x, v in zip(self.l, self.v, strict=True) if x)
        curve = (mp.mpf(1 if opening > 0 else -1) if bent else mp.mpf(0)) / 2
        c = self._saddle(eps + half)
        width = min(c / 2, 1 / mp.sqrt(self._bend(c)))
        if max(self.l) > 0:
            width = min(width, (1 / max(self.l) - c) / 2)
        total, weighted, most = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        for k in range(MOST_NODES):
            u, du = mp.sinh(k * h), mp.cosh(k * h)
            s = c + width * (1j * u - curve * u * u)
            value = self._integrand(s, eps + half) * (1 + 2j * curve * u) * du
            value /= 2 if k == 0 else 1
            total += value.real
            weighted += (s * value).real
            most = max(most, abs(value))
            if abs(value) > 10 * abs(self._integrand(c, eps + half)):
                break
            if abs(value) < most * mp.mpf(10) ** -30:
                if total > 0:
                    return mp.log(total * h * width / mp.pi), -weighted / total
                break
        raise ArithmeticError("the reference did not converge")

    def _integrand(self, s: mp.mpc, kappa: mp.mpf) -> mp.mpc:
        exponent, root = -s * kappa, mp.mpc(1)
        for x, v in zip(self.l, self.v, strict=True):
            factor = 1 - x * s
            exponent += s * (s + 1) * v / (2 * factor)
            root *= mp.sqrt(factor)
        return mp.exp(exponent) / (root * s * (s + 1))

    def _bend(self, c: mp.mpf) -> mp.mpf:
        bend = 1 / c**2 + 1 / (1 + c) ** 2
        for x, v in zip(self.l, self.v, strict=True):
            bend += x * x / (2 * (1 - x * c) ** 2) + v * (1 + x) / (1 - x * c) ** 3
        return bend

    def _saddle(self, kappa: mp.mpf) -> mp.mpf:
        top = float(max(self.l))
        edge = 1 / top if top > 0 else 1e80
        low, high = np.log(1e-12), np.log(edge * (1 - 1e-12))
        l, v = np.array(self.l, dtype=float), np.array(self.v, dtype=float)
        for _ in range(6):
            grid = np.linspace(low, high, 60)
            c = np.exp(grid)
            q = 1 - np.outer(c, l)
            with np.errstate(all="ignore"):
                value = c * (c + 1) / 2 * (v / q).sum(1) - np.log(q).sum(1) / 2 - c * float(kappa)
            value = value - np.log(c) - np.log1p(c)
            k = int(np.argmin(np.where(np.isnan(value), np.inf, value)))
            low, high = grid[max(k - 1, 0)], grid[min(k + 1, 59)]
        return mp.mpf(float(np.exp((low + high) / 2)))

    def epsilon(self, delta: F, guess: float) -> mp.mpf:
        """The exact epsilon near a float guess, by Newton's method; nodes twice as close confirm it."""
        with mp.workdps(DIGITS):
            target = mp.log(_exact(delta))
            for bent in (False, True):
                level = mp.mpf(guess)
                for k in range(5):
                    try:
                        value, slope = self.log_delta(level, bent, mp.mpf(0.05) / 2**k)
                    except ArithmeticError:
                        break
                    change = (value - target) / slope
                    level -= change
                    if abs(change) < abs(level) * mp.mpf(10) ** -16:
                        return level
        raise ArithmeticError("the reference did not converge")
