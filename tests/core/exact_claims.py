"""Random affine runs, and their exact epsilon by mpmath: step-by-step laws, an eigenproblem, a parabola.

The reference shares no code with the package: laws by the recursion, delta(epsilon) by the trapezoid
rule on s = c + w i u or s = c + w (i u - u^2/2) or its mirror image, u = sinh t, at 40 digits.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction as F

import mpmath as mp
import numpy as np

from certaudit.claims import BOTH, EpsilonDelta
from certaudit.core.balls import ball, precision
from certaudit.core.decide import prove, refute
from certaudit.core.proof import Proof
from certaudit.core.rule import Refusal
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search import e1
from certaudit.search.exact import ExactPair

DIGITS = 40
TOP_DIGITS = 400
MOST_NODES = 1500

Evaluate = Callable[[mp.mpf, mp.mpf], tuple[mp.mpf, mp.mpf]]


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
        with mp.workdps(TOP_DIGITS):
            (mean_p, p), (mean_q, q) = (law(run, world) for world in direction.split("|"))
            whiten = mp.cholesky(q) ** -1
            values, vectors = mp.eigsy(whiten * p * whiten.T)
            nu = vectors.T * (whiten * (mean_p - mean_q))
            return cls(tuple(x - 1 for x in values), tuple(x * x for x in nu))

    def log_delta(self, eps: mp.mpf, path: str, h: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        """log delta(eps) and its derivative, with nodes t = 0, h, 2h, ... until nothing is left.

        ``path``: the line with u = sinh t or u = 4 t, or the parabola.
        """
        half = sum(mp.log1p(x) for x in self.l) / 2
        opening = -eps - half - sum(v / (2 * x) for x, v in zip(self.l, self.v, strict=True) if x)
        curve = (mp.mpf(1 if opening > 0 else -1) if path == "parabola" else mp.mpf(0)) / 2
        steep = max(self.l) < 0 and 0 < opening < eps * mp.mpf(10) ** -8
        c = (len(self.l) / mp.mpf(2) + 2) / opening if steep else self._saddle(eps + half)
        width = min(c / 2, 1 / mp.sqrt(self._bend(c)))
        if max(self.l) > 0:
            width = min(width, (1 / max(self.l) - c) / 2)
        total, weighted, most = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        for k in range(MOST_NODES * (20 if path == "even" else 1)):
            u, du = (4 * k * h, mp.mpf(4)) if path == "even" else (mp.sinh(k * h), mp.cosh(k * h))
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

    def _in_one(self, eps: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        """The same in one dimension, from the roots of a quadratic; dQ(A)/d epsilon drops out."""
        (l,), (v,) = self.l, self.v
        nu, root = mp.sqrt(v), mp.sqrt(1 + l)
        turn = mp.sqrt((1 + l) / l * (v / l + mp.log1p(l) + 2 * eps))
        low, high = -nu / l - turn, -nu / l + turn
        tail = lambda z: mp.erfc(z / mp.sqrt(2)) / 2
        if l > 0:
            p, q = tail((nu - low) / root) + tail((high - nu) / root), tail(-low) + tail(high)
        else:
            p, q = tail((low - nu) / root) - tail((high - nu) / root), tail(low) - tail(high)
        q *= mp.exp(eps)
        return mp.log(p - q), -q / (p - q)

    def epsilon(self, delta: F, guess: float) -> mp.mpf:
        """The exact epsilon near a float guess, by Newton's method; nodes twice as close confirm it."""
        if max(self.l) < 0:
            with mp.workdps(TOP_DIGITS):
                top = -sum(mp.log1p(x) + v / x for x, v in zip(self.l, self.v, strict=True)) / 2
                if abs(guess / top - 1) < mp.mpf(10) ** -9:
                    return self._below(top, mp.log(_exact(delta)))
        if len(self.l) == 1 and self.l[0] != 0:
            with mp.workdps(400):
                return self._newton(mp.mpf(guess), mp.log(_exact(delta)), lambda x, _: self._in_one(x))
        with mp.workdps(DIGITS):
            for path in ("line", "parabola", "even"):
                try:
                    steps = lambda x, h, path=path: self.log_delta(x, path, h)
                    return self._newton(mp.mpf(guess), mp.log(_exact(delta)), steps)
                except ArithmeticError:
                    continue
        raise ArithmeticError("the reference did not converge")

    def _below(self, top: mp.mpf, target: mp.mpf) -> mp.mpf:
        """epsilon just below the largest log-ratio, ``top``: log delta is nearly linear in the log of
        what is missing."""
        missing = mp.log(top) - 25
        for k in range(40):
            level = top - mp.exp(missing)
            h = mp.mpf(0.05) / 2 ** min(k // 4, 3)
            value, slope = (
                self._in_one(level) if len(self.l) == 1 else self.log_delta(level, "parabola", h)
            )
            change = (value - target) / (slope * mp.exp(missing))
            missing += change
            if abs(change) < mp.mpf(10) ** -6:
                return top - mp.exp(missing)
        raise ArithmeticError("the reference did not converge")

    @staticmethod
    def _newton(level: mp.mpf, target: mp.mpf, log_delta: Evaluate) -> mp.mpf:
        for k in range(5):
            value, slope = log_delta(level, mp.mpf(0.05) / 2**k)
            change = (value - target) / slope
            level -= change
            if abs(change) < abs(level) * mp.mpf(10) ** -16:
                return level
        raise ArithmeticError("the reference did not converge")


def rational(x: mp.mpf) -> F:
    """Nearly x."""
    with mp.workdps(400):
        return F(int(x * mp.mpf(2) ** 200), 2**200)


@dataclass(frozen=True)
class Tally:
    """What became of claims just beside the exact epsilon."""

    wrong: list[str]
    open: list[str]
    claims: int
    unchecked: int


def judge(seeds: range, distance: F = F(1, 10**10)) -> Tally:
    """Two claims for each seed, at 1 -+ ``distance`` times the exact epsilon of a random ridge run, at a
    delta between 1e-1 and 1e-300.

    Where the reference does not converge the float twin gives epsilon, and only whether the claims are
    decided counts (``unchecked``).
    """
    wrong, left, unchecked = [], [], 0
    for seed in seeds:
        proof, pair, delta, guess = _problem(random.Random(seed))
        checked = True
        try:
            exact = Truth.of(proof.run, pair.direction).epsilon(delta, guess)
        except ArithmeticError:
            exact, unchecked, checked = mp.mpf(guess), unchecked + 1, False
        level = rational(exact)
        for sign in (-1, 1):
            claim = EpsilonDelta("claim", level * (1 + sign * distance), delta, (pair.direction,))
            name = f"seed {seed} d {proof.run.d} {'above' if sign > 0 else 'below'} {float(level):.8g}"
            name += f" delta {float(delta):.3g}"
            try:
                with precision(320):
                    line = pair.decide(claim.epsilon, delta)
            except Refusal as refusal:
                left.append(f"{name}: {refusal}")
                continue
            proved, refuted = prove(proof, claim, [line]), refute(proof, claim, [line])
            if checked and (refuted if sign > 0 else proved) is not None:
                wrong.append(f"{name}: {line.statement}")
            elif proved is None and refuted is None:
                left.append(f"{name}: {line.rule} {line.statement.delta}")
    return Tally(wrong, left, 2 * len(seeds), unchecked)


def _problem(rng: random.Random) -> tuple[Proof, ExactPair, F, float]:
    """A run whose exact epsilon at a random delta is neither 0 nor out of range."""
    while True:
        run, direction = random_run(rng), rng.choice(BOTH)
        delta = F(str(10 ** -rng.uniform(1, 300)))
        proof = Proof(run)
        with precision(320):
            try:
                pair = ExactPair(proof, proof.apply("E1", (), e1.witness(run)), direction)
                guess = pair.twin.epsilon(float(ball(delta).log()))
            except Refusal:
                continue
        if 0 < guess < 1e9:
            return proof, pair, delta, guess
