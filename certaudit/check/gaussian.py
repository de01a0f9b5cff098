"""The exact tier again: the laws of an affine run, a whitened pair, and its divergences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpc, mpf

from certaudit.check.document import Rejected, exact
from certaudit.check.fixed import BITS, ONE, Fixed, array, cholesky, identity, inverse, real, size
from certaudit.check.known import DIGITS, Approx, Known, Stage, mpf_of
from certaudit.check.model import Batch

MOST_NODES = 1 << 16
LINE_BITS = 288
LARGEST_ERROR = mpf(10) ** -35
PIVOTS = (
    "p_k = -a*s - b^2*s**2/p + 1",
    "log M(s) = -ell/2 - ell_1*s/2 + nu**2*s*(s + 1)/(2*p_1)",
    "e(s) = -d*log(1 - rho/gamma_1)*Abs(s)/2 - d*log(1 - rho*Abs(s)/gamma)/2 + (tau*(tau + 2*Abs(nu))"
    "/(gamma - rho*Abs(s)) + nu**2*rho*Abs(s)/(gamma*(gamma - rho*Abs(s))))*Abs(s*(s + 1))/2",
)
STEP = ("A = (-eta)*(lambda*I + 1/N*X.T*X) + I", "b = (eta/N)*X.T*y")


@dataclass(frozen=True)
class Map:
    """w -> A w + N(m, S)."""

    a: Fixed
    m: Fixed
    s: Fixed

    def after(self, first: Map) -> Map:
        """This map after another."""
        return Map(self.a @ first.a, self.a @ first.m + self.m, self.a @ first.s @ self.a.T + self.s)

    def repeated(self, times: int) -> Map:
        """This map several times, by the binary digits of the number from the top."""
        d = len(self.a.units)
        result = Map(identity(d), array([Fraction(0)] * d, (d,)), identity(d, Fraction(0)))
        for digit in f"{times:b}" if times else "":
            result = result.after(result)
            if digit == "1":
                result = self.after(result)
        return result


def one_step(stage: Stage, batch: Batch, step_size: Fraction, variance: Fraction) -> Map:
    """A = I - eta (X^T X/N + lambda I), b = eta X^T y/N, S = sigma^2 I."""
    run, scale = stage.run, step_size / stage.run.size(batch)
    shrink = identity(run.d, 1 - step_size * run.l2)
    return Map(
        shrink - stage.data.gram(batch).times(scale),
        stage.data.moment(batch).times(scale),
        identity(run.d, variance),
    )


def require_affine(stage: Stage) -> None:
    """Raise Rejected unless every step is affine."""
    if stage.run.loss != "ridge" or stage.run.projection is not None or stage.run.clip is not None:
        raise Rejected("", "the run is not affine")


def affine_law(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """E1: composed over the cycles and phases of each world."""
    require_affine(stage)
    run = stage.run
    values: dict[str, Any] = {}
    laws: dict[str, tuple[Fixed, Fixed]] = {}

    def phase(step_size: Fraction, variance: Fraction, batches: tuple[Batch, ...]) -> Map:
        def product(some: tuple[Batch, ...]) -> Map:
            if len(some) == 1:
                return one_step(stage, some[0], step_size, variance)
            half = len(some) // 2
            return product(some[half:]).after(product(some[:half]))

        result: Map = stage.data.kept(
            (run.l2, run.normalizer, step_size, variance, batches), lambda: product(batches)
        )
        return result

    for world in "PQ":
        law = Map(identity(run.d), array(run.start, (run.d,)), identity(run.d, run.start_variance))
        for one, cycle in run.world(world):
            rounds, rest = divmod(one.steps, len(cycle))
            if rounds:
                law = phase(one.step_size, one.variance, cycle).repeated(rounds).after(law)
            if rest:
                law = phase(one.step_size, one.variance, cycle[:rest]).after(law)
        released = run.output if world == "P" else run.reference_output
        covariance = law.s + identity(run.d, released)
        laws[world] = law.m, covariance
        values[f"mean_{world}"] = [[number] for number in _numbers(law.m)]
        values[f"covariance_{world}"] = [
            _numbers(Fixed(row, covariance.error)) for row in covariance.units
        ]
    return Known(
        {"observer": "final"},
        values,
        (*STEP, "A_12 = A_2*A_1", "m_12 = A_2*m_1 + m_2", "S_12 = A_2*S_1*A_2.T + S_2",
         "S = sigma_out^2*I + S_1"),
        (("affine", "ridge loss, fixed batches, no projection, no clip", {}),),
        work=laws,
    )  # fmt: skip


def _numbers(fixed: Fixed) -> list[Approx]:
    error = real(fixed.error)
    return [Approx(real(x), error) for x in fixed.units]


class Pair:
    """N(nu e_1, I + T) against N(0, I), T symmetric and tridiagonal, and the function log M(s).

    T is within ``rho`` of the whitened excess, in some orthonormal basis, and nu e_1 within ``tau`` of
    the mean.  With I - Re(s) T >= gamma I, the pivots of I - sT have positive real parts, and log M(s)
    is off by at most e(s) of :meth:`error`.
    """

    def __init__(self, first: tuple[Fixed, Fixed], second: tuple[Fixed, Fixed]) -> None:
        factor = cholesky(second[1])
        white = inverse(factor.units)
        shift, excess = white @ (first[0] - second[0]), white @ (first[1] - second[1]) @ white.T
        blur = mpf(white.norm) ** 2 * factor.error / mpf(ONE) ** 3
        if blur > mpf(2) ** -64:
            raise Rejected("", "a covariance is too ill-conditioned to be checked")
        self.d = len(white.units)
        rounding = mpf(10) ** (2 - DIGITS)
        self.mahalanobis = _sum_of_squares(shift.units)
        nu, diagonal, off, change = tridiagonal(shift.units, excess.units)
        norm = real(size(excess.units))
        self.rho = real(excess.error + change) + norm * (3 * blur + rounding)
        self.tau = real(shift.error + change) + mpmath.sqrt(self.mahalanobis) * (2 * blur + rounding)
        self.nu = real(nu)
        self.trace = real(sum(int(excess.units[i, i]) for i in range(self.d)))
        keep = _significant(diagonal, off)
        self.rho += 2 * real(size(np.array([0, *diagonal[keep:], *off[keep - 1 :]], dtype=object)))
        self.units, self.off_units = diagonal[:keep], off[: keep - 1]
        self.diagonal = [real(x) for x in self.units]
        self.off = [real(x) ** 2 for x in self.off_units]
        self.log_det = mpmath.fsum(map(mpmath.log, self._pivots(mpf(-1))))
        self._edge = self.gap(mpf(-1))

    def _pivots(self, s: Any, level: Any = 1) -> list[Any]:
        """Pivots of level I - sT, from the last row up; ends early at one without positive real part."""
        found: list[Any] = []
        for k in reversed(range(len(self.diagonal))):
            pivot = level - s * self.diagonal[k] - (s * s * self.off[k] / found[-1] if found else 0)
            found.append(pivot)
            if pivot.real <= 0:
                break
        return found

    def definite(self, s: mpf, level: Any = 1) -> bool:
        """Whether level I - sT is positive definite."""
        return bool(self._pivots(s, level)[-1] > 0)

    def gap(self, s: mpf) -> mpf:
        """A gamma > 0 with I - sT >= gamma I."""
        gamma = next((g for g in (mpf(2) ** -j for j in range(1, 160)) if self.definite(s, 1 - g)), None)
        if gamma is None:
            raise Rejected("", "the order lies outside the domain of M, or too near its edge")
        return gamma

    def log_m(self, s: Any) -> Any:
        """log M(s)."""
        pivots = self._pivots(s)
        logarithm = mpmath.fsum(map(mpmath.log, pivots))
        return s * (s + 1) * self.nu**2 / (2 * pivots[-1]) - logarithm / 2 - s * self.log_det / 2

    def along(self, c: mpf, times: Sequence[mpf]) -> Iterator[tuple[mpc, mpc]]:
        """s = c + it and log M(s) at several t at once.

        Pivots of I - sT in integers of LINE_BITS bits after the point, which changes an entry of I - sT
        by a few |s| units; the logarithm of their product and, in floats, the sum of their arguments
        together give log det.
        """
        shift = BITS - LINE_BITS
        c_, t = to_units(c), np.array([to_units(x) for x in times], dtype=object)
        diagonal, off = ([x >> shift for x in part] for part in (self.units, self.off_units))
        one = 1 << LINE_BITS
        zero = np.zeros(len(times), dtype=object)
        real_, imaginary = zero + one, zero
        p, q = zero, zero
        turned = np.zeros(len(times))
        for k in reversed(range(len(diagonal))):
            x, y = one - (c_ * diagonal[k] >> LINE_BITS), -(t * diagonal[k] >> LINE_BITS)
            if k + 1 < len(diagonal):
                f, g = c_ * off[k] >> LINE_BITS, t * off[k] >> LINE_BITS
                u, v = f * f - g * g, 2 * f * g
                square = p * p + q * q
                x, y = x - (u * p + v * q) // square, y - (v * p - u * q) // square
            p, q = x + zero, y + zero
            if min(p) <= 0:
                raise Rejected("", "the line leaves the domain of M")
            real_, imaginary = (
                (real_ * p - imaginary * q) >> LINE_BITS,
                (real_ * q + imaginary * p) >> LINE_BITS,
            )
            turned += np.arctan2((q >> 180).astype(float), (p >> 180).astype(float))
        for k, time in enumerate(times):
            s = mpc(c, time)
            log_det = mpmath.log(mpc(real_[k], imaginary[k]) / one)
            log_det += mpc(0, 2 * mp.pi * round((turned[k] - float(log_det.imag)) / (2 * np.pi)))
            first = mpc(p[k], q[k]) / one
            yield s, s * (s + 1) * self.nu**2 / (2 * first) - log_det / 2 - s * self.log_det / 2

    def error(self, s: Any, gamma: mpf) -> mpf:
        """Bound on the error of log M(s), rounding included."""
        s, rho = abs(s), self.rho
        if 4 * s * rho > gamma or 4 * rho > self._edge:
            raise Rejected("", "the pair is too ill-conditioned to be checked")
        own = s * (s + 1) * (self.nu**2 * s * rho / gamma + self.tau * (2 * self.nu + self.tau)) / gamma
        dets = self.d * s * rho * (1 / gamma + 1 / self._edge)
        rounding = (1 + s) * (1 + s * self.nu**2 / gamma + abs(self.log_det)) + len(self.diagonal)
        return own + dets + rounding * mpf(10) ** (4 - DIGITS) / gamma


def to_units(x: mpf) -> int:
    """``x`` in integers of LINE_BITS bits after the point."""
    return int(x * (1 << LINE_BITS))


def tridiagonal(shift: Any, excess: Any) -> tuple[int, list[int], list[int], int]:
    """Length of ``shift``, diagonal and off-diagonal of the matrix after Householder reflections with
    exact integer normals, and a bound on the norm of what was rounded or dropped, all in units.

    H A H = A - (2/v.v)(y v^T + v y^T), y = Av - (v.Av/v.v) v; an entry is rounded by at most 3 units.
    """
    d = len(shift)
    shift, excess = shift.copy(), excess.copy()
    excess = (excess + excess.T) // 2
    change = 4 * d
    for k in range(-1, d - 2):
        source = shift if k < 0 else excess[:, k]
        v = np.array([0] * (k + 1) + [int(x) for x in source[k + 1 :]], dtype=object)
        v[k + 1] += (1 if v[k + 1] >= 0 else -1) * size(v)
        if (square := int(np.dot(v, v))) <= 4:
            continue
        image = np.dot(excess, v)
        y = image - v * int(np.dot(v, image)) // square
        excess = excess - 2 * (np.outer(y, v) + np.outer(v, y)) // square
        shift = shift - 2 * v * int(np.dot(v, shift)) // square
        change += 4 * d
    change += size(shift[1:]) + size(
        np.array(
            [excess[i, j] for i in range(d) for j in range(d) if abs(i - j) > 1] or [0], dtype=object
        )
    )
    diagonal = [int(excess[i, i]) for i in range(d)]
    return abs(int(shift[0])), diagonal, [int(excess[i + 1, i]) for i in range(d - 1)], change


def _sum_of_squares(units: Any) -> mpf:
    return mpf(sum(int(x) * int(x) for x in units)) / ONE**2


def _significant(diagonal: list[int], off: list[int]) -> int:
    """Leading rows of a tridiagonal matrix beyond which all entries are tiny."""
    keep = len(diagonal)
    while keep > 1 and max(abs(diagonal[keep - 1]), abs(off[keep - 2])) < 1 << (BITS // 4):
        keep -= 1
    return keep


def whiten(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """E2: invariants of the whitened pair of one direction."""
    (law,) = used
    directions = given.get("directions")
    first, second = ("P", "Q") if directions == ["P|Q"] else ("Q", "P")
    pair = Pair(law.work[first], law.work[second])
    error = 2 * (pair.d + 1) * pair.rho
    nu_error = pair.tau * (2 * pair.nu + pair.tau)
    return Known(
        {"directions": [f"{first}|{second}"], "observer": law.exact["observer"], "dimension": pair.d},
        {
            "mahalanobis_squared": Approx(pair.mahalanobis, nu_error),
            "trace": Approx(pair.trace, error),
            "log_det": Approx(pair.log_det, pair.error(mpf(1), pair.gap(mpf(-1)))),
        },
        ("nu = L**(-1)*Delta", "E = L**(-1)*(S_1 - S_2)*L.T**(-1)"),
        (("covariances", "both covariances are positive definite", {}),),
        work=pair,
    )


def _scope(used: Known) -> dict[str, Any]:
    return {key: used.exact[key] for key in ("directions", "observer")}


def exact_renyi(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """E3: log M(alpha - 1)/(alpha - 1), or infinity where I - (alpha - 1)T has a negative pivot."""
    pair: Pair = used[0].work
    order = exact(given.get("order"), "exact.order")
    if order <= 1:
        raise Rejected("exact.order", "not above 1")
    s = mpf_of(order - 1)
    value: Any = mpf("inf")
    if pair.definite(s, 1 + 2 * s * pair.rho):
        value = Approx(pair.log_m(s) / s, pair.error(s, pair.gap(s)) / s)
    return Known(
        {"order": order, "exactness": "exact", **_scope(used[0])},
        {"r": value},
        (*PIVOTS, "D = log M/(alpha - 1)"),
    )


def hockey_stick(
    stage: Stage, given: dict[str, Any], used: Sequence[Known], digits: int = DIGITS // 2
) -> Known:
    """C6, by the trapezoidal rule, to about ``digits`` digits."""
    epsilon = exact(given.get("epsilon"), "exact.epsilon")
    return Known(
        {"epsilon": epsilon, "exactness": "exact", **_scope(used[0])},
        {"delta": along_line(used[0].work, mpf_of(epsilon), digits)},
        (*PIVOTS, "delta = im(Integral(exp(-epsilon*s + log M(s))/(s*(s + 1)), (s, c, c + oo*I)))/pi"),
    )


def along_line(pair: Pair, epsilon: mpf, digits: int) -> Approx:
    """(1/pi) Re of the integral of f(s) = M(s) e^{-s epsilon}/(s(s+1)) over s = c + it, t > 0.

    The trapezoidal rule of step h on the whole line is off by at most (A(c-a) + A(c+a))/(e^{2 pi a/h} -
    1), where A(c') = M(c') e^{-c' epsilon}/(2c') is at least (1/2pi) the integral of |f| over the line
    Re s = c', as |M(s)| <= M(Re s) and |s(s+1)| >= |s|^2.  |M| falls along a line, so the terms left out
    beyond T sum to at most |M(c + iT)| e^{-c epsilon}/(pi T).
    """
    if pair.mahalanobis <= (2 * pair.tau) ** 2 and max(map(abs, pair.diagonal)) <= 2 * pair.rho:
        return Approx(max(mpf(0), 1 - mpmath.exp(epsilon)), pair.tau + pair.d * pair.rho)
    most = _end_of_domain(pair)

    def size_at(c: mpf) -> mpf:
        return pair.log_m(c) - c * epsilon - mpmath.log(2 * c)

    c = _least(lambda x: size_at(x) - mpmath.log(1 + x), most)
    anchor = size_at(c)
    goal = mpf(10) ** -digits
    tolerance = goal / 100
    for _ in range(6):
        room = [
            min(c, (most or 2 * c) - c) * part for part in (0.97, 0.8, 0.6, 0.4, 0.25, 0.1, 0.03, 0.01)
        ]
        width, step, off = max(
            (_step(size_at, anchor, c, a, tolerance) for a in room), key=lambda found: found[1]
        )
        value, rest, top = _sum(pair, epsilon, anchor, c, step, tolerance)
        gamma = min(pair.gap(c), pair.gap(c + width), pair.gap(c - width))
        if value > 0 and (off + rest) < goal * value:
            if pair.error(mpc(c, top), gamma) * MOST_NODES > goal / 10:
                raise Rejected("", "the pair is too ill-conditioned to be checked")
            scale = mpmath.exp(anchor)
            return Approx(scale * value, scale * (off + rest + goal * value))
        tolerance = min(tolerance / 100, goal * abs(value) / 100)
    raise Rejected("", "the integral could not be computed again")


def _step(
    size_at: Callable[[mpf], mpf], anchor: mpf, c: mpf, a: mpf, tolerance: mpf
) -> tuple[mpf, mpf, mpf]:
    """Half width of the strip, step, and the error of the trapezoidal rule, relative to the anchor."""
    edges = mpmath.exp(size_at(c - a) - anchor) + mpmath.exp(size_at(c + a) - anchor)
    step = 2 * mp.pi * a / mpmath.log(1 + edges / tolerance)
    return a, step, edges / mpmath.expm1(2 * mp.pi * a / step)


def _sum(
    pair: Pair, epsilon: mpf, anchor: mpf, c: mpf, step: mpf, tolerance: mpf
) -> tuple[mpf, mpf, mpf]:
    """The trapezoidal sum, a bound on the terms left out, both over e^anchor, and the last t."""
    total, done, chunk = mpf(0), 0, 16
    end = MOST_NODES * step
    (s, log_m), *_ = pair.along(c, [end])
    if mpmath.exp((log_m - s * epsilon).real - anchor) > tolerance * mp.pi * end:
        raise Rejected("", "the integrand falls too slowly to be summed again")
    while done < MOST_NODES:
        times = [k * step for k in range(done, done + chunk)]
        for k, (s, log_m) in enumerate(pair.along(c, times), done):
            exponent = log_m - s * epsilon - anchor
            term = (mpmath.exp(exponent) / (s * (s + 1))).real
            total += term if k else term / 2
        rest = mpmath.exp(exponent.real) / (mp.pi * times[-1])
        if rest < tolerance:
            return total * step / mp.pi, rest, times[-1]
        done, chunk = done + chunk, min(2 * chunk, 1024)
    raise Rejected("", "the integrand falls too slowly to be summed again")


def _end_of_domain(pair: Pair) -> mpf | None:
    """An s > 0 near the end of the domain of M, inside it; None if there is none below 2^80."""
    high = mpf(2) ** -40
    while pair.definite(high, 1 - mpf(2) ** -20):
        high *= 2
        if high > mpf(2) ** 80:
            return None
    low = high / 2
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if pair.definite(middle, 1 - mpf(2) ** -20) else (low, middle)
    return low


def _least(cost: Callable[[mpf], mpf], most: mpf | None) -> mpf:
    """A point near the minimum of a convex function of s > 0 (any point is sound)."""
    low, high = mpf(2) ** -40, (most or mpf(2) ** 80) * mpf("0.999")
    for _ in range(100):
        ratio = (high / low) ** mpf("0.382")
        left, right = low * ratio, high / ratio
        low, high = (low, right) if cost(left) < cost(right) else (left, high)
        if high < low * mpf("1.02"):
            break
    return mpmath.sqrt(low * high)


def line(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """C6-1d: the ratio of N(v, 1 + l) to N(0, 1) exceeds e^epsilon between, or beyond, two points."""
    pair: Pair = used[0].work
    epsilon = exact(given.get("epsilon"), "exact.epsilon")
    if pair.d != 1:
        raise Rejected("", "the pair is not one-dimensional")
    excess, v, level = pair.diagonal[0], pair.nu, mpf_of(epsilon)
    a, b = excess / 2, v
    c = -(v * v / 2 + (1 + excess) * (mpmath.log(1 + excess) / 2 + level))
    gap = b * b - 4 * a * c
    if abs(excess) <= 4 * pair.rho or abs(gap) <= mpf(10) ** -30 * b * b:
        raise Rejected("", "the two variances, or the points of equal ratio, are too close")
    if gap < 0:
        value, terms = (1 - mpmath.exp(level) if excess > 0 else mpf(0)), mpf(1)
    else:
        far = -(b + mpmath.sqrt(gap)) / 2
        low, high = sorted((far / a, c / far))
        beyond = [
            _beyond((high - v) / mpmath.sqrt(1 + excess)),
            _beyond((v - low) / mpmath.sqrt(1 + excess)),
        ]
        plain = [_beyond(high), _beyond(-low)]
        if excess > 0:
            p, q = sum(beyond), sum(plain)
        else:
            p = _beyond((low - v) / mpmath.sqrt(1 + excess)) - beyond[0]
            q = _beyond(low) - plain[0]
        value = p - mpmath.exp(level) * q
        terms = 1 if excess < 0 else sum(beyond) + mpmath.exp(level) * sum(plain)
    return Known(
        {"epsilon": epsilon, "exactness": "exact", **_scope(used[0])},
        {"delta": _resolved(value, terms * LARGEST_ERROR)},
        (
            "q_2 = lambda/(2*lambda + 2)",
            "q_1 = v/(lambda + 1)",
            "q_0 = -epsilon - v**2/(2*lambda + 2) - log(lambda + 1)/2",
            "Delta = -4*q_0*q_2 + q_1**2",
        ),
    )


def half_space(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """C6-event: P(S) - e^epsilon Q(S) of the half-space beyond a threshold along nu."""
    pair: Pair = used[0].work
    epsilon = exact(given.get("epsilon"), "exact.epsilon")
    threshold = exact(given.get("threshold"), "exact.threshold")
    x = mpf_of(threshold)
    p = _beyond((x - pair.nu) / mpmath.sqrt(1 + pair.diagonal[0]))
    q = mpmath.exp(mpf_of(epsilon)) * _beyond(x)
    return Known(
        {"epsilon": epsilon, "exactness": "lower", "threshold": threshold, **_scope(used[0])},
        {"delta": _resolved(p - q, (p + q) * LARGEST_ERROR)},
        ("delta = -exp(epsilon)*erfc(sqrt(2)*x/2)/2 + erfc((-v + x)/sqrt(2*lambda + 2))/2",),
    )


def _resolved(value: mpf, error: mpf) -> Approx:
    if value and error > abs(value) * mpf(10) ** -12:
        raise Rejected("", "the difference of two probabilities is too small to be checked")
    return Approx(value, error if value else mpf(0))


def _beyond(x: mpf) -> mpf:
    """P(N(0, 1) > x)."""
    return mpmath.erfc(x / mpmath.sqrt(2)) / 2
