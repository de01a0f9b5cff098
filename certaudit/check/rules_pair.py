"""Two Gaussian laws: a diagonal stand-in (C7b), Rényi divergences (E3), one dimension, half-spaces."""

from __future__ import annotations

from typing import Any

from gmpy2 import mpq

from .document import choice, number, numbers, record, square
from .interval import (
    HALF,
    INFINITY,
    ONE,
    TWO,
    ZERO,
    Interval,
    gaussian_delta,
    greater,
    lesser,
    real,
    tail,
    total,
)
from .matrix import Matrix, deviation, dot, matrix, quadratic, row_of
from .refusal import need, spend
from .rules_conversion import read_order
from .statement import BOTH, HockeyStick, Law, Pair, Renyi, Statement
from .steps import Context, first_of


def _transformed(law: Law, direction: str, vectors: Any) -> tuple[Matrix, Matrix, Matrix]:
    """V^T Delta, V^T S_P V and V^T S_Q V, V square."""
    first, second = law.pair(direction)
    v = matrix(square(vectors, first.mean.width)).centre()
    p, q = (v.transposed @ (x.covariance @ v) for x in (first, second))
    return (first.mean - second.mean) @ v, p, q


def _scales(value: Any, size: int) -> tuple[list[mpq], Matrix]:
    """l, each above -1, and I + diag l."""
    found = numbers(value, size)
    spend(size * size / 5)
    need(all(x > -1 for x in found), "an l of -1 or less")
    levels = [1 + x for x in found]
    return found, matrix([[x if i == j else mpq(0) for j in range(size)] for i, x in enumerate(levels)])


def stand_in(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C7b: phi from |V^T S_Q V - I|, |D^-1/2 (V^T S_P V - D) D^-1/2| and |D^-1/2 (V^T Delta - nu)|."""
    towards, vectors, scales, means = record(witness, "direction", "vectors", "l", "nu")
    law, direction = first_of(found, Law), choice(towards, *BOTH)
    gap, p, q = _transformed(law, direction, vectors)
    (levels, d), nu = _scales(scales, p.width), numbers(means, p.width)
    roots = row_of(ONE / real(1 + x).sqrt() for x in levels)
    miss = (p - d).times_diagonal(roots).transposed.times_diagonal(roots)
    shift = (gap - matrix([nu])).times_diagonal(roots)
    phi0 = greater(deviation(q), greater(miss.norm, shift.norm)).top()
    need(phi0 < real(mpq(1, 10)), "the stand-in is too far from the laws")
    return Pair(direction, tuple(levels), tuple(nu), (phi0 / (ONE - phi0)).top())


def around_stand_in(epsilon: Interval, gamma: mpq) -> Interval:
    """The epsilons the stand-in is to be evaluated at (C7b)."""
    need(gamma > 0, "gamma is not above 0")
    width = real(gamma) * TWO
    return Interval((epsilon - width).lo, (epsilon + width).hi)


def carried_back(pair: Pair, epsilon: Interval, gamma: mpq, delta: Interval) -> Interval:
    """C7b: delta of the laws from delta~ over all of those epsilons."""
    grow, delta = real(gamma), lesser(ONE, greater(ZERO, delta))
    slack = ZERO
    if not pair.phi.is_zero():
        slack = (HALF - grow / (TWO * pair.phi)).exp()
    above = grow.exp() * delta + slack * (ONE + epsilon.exp())
    below = (-grow).exp() * (delta - slack * (ONE + (epsilon + grow).exp()))
    return Interval(greater(ZERO, below).lo, lesser(ONE, above).hi)


def renyi(context: Context, found: list[Statement], witness: Any) -> Statement:
    """E3: alpha/2 Delta S_a^-1 Delta - log(det S_a det S_P^(alpha-1) det S_Q^-alpha) / (2 (alpha-1)),
    by a diagonal stand-in: a log det changes by sqrt d r/(1-r) at most, the form by r/(1-r) of it."""
    towards, value, vectors, scales = record(witness, "direction", "order", "vectors", "l")
    law, direction, order = first_of(found, Law), choice(towards, *BOTH), read_order(value)
    gap, p, q = _transformed(law, direction, vectors)
    levels, d = _scales(scales, p.width)
    alpha, extremes = real(order), [real(min(levels)), real(max(levels))]
    off_q, off_p, s, root = deviation(q), (p - d).norm, alpha - ONE, real(p.width).sqrt()
    scales = [ONE - s * real(x) for x in levels]
    need(all(x > ZERO for x in scales), "the divergence may be infinite")

    def relative(at: Interval) -> Interval:
        least = lesser(*(ONE - at * x for x in extremes))
        r = ((ONE + at).magnitude() * off_q + at.magnitude() * off_p).top() / least
        need(r < ONE, "the vectors are too far from diagonalising the laws")
        return (r / (ONE - r)).top()

    here, half = relative(s), alpha * HALF
    form = total(z.square() / x for x, z in zip(scales, gap.entries(), strict=True))
    form_error = gap.norm.square() * here / lesser(*(ONE - s * x for x in extremes))
    logs = total(x.log() + s * real(1 + level).log() for x, level in zip(scales, levels, strict=True))
    logs_error = root * (here + s * relative(-ONE) + alpha * relative(ZERO))
    error = (half * form_error + logs_error / (TWO * s)).top()
    middle = half * form - logs / (TWO * s)
    r = Interval(greater(ZERO, middle - error).lo, (middle + error).hi)
    return Renyi((direction,), "final", "exact", order, r)


def infinite(context: Context, found: list[Statement], witness: Any) -> Statement:
    """E3: S_a = alpha S_Q + (1 - alpha) S_P is not positive definite where v S_a v < 0."""
    towards, value, vector = record(witness, "direction", "order", "vector")
    law, direction, order = first_of(found, Law), choice(towards, *BOTH), read_order(value)
    first, second = law.pair(direction)
    v = matrix([numbers(vector, first.mean.width)]).centre()
    p, q = quadratic(v, first.covariance), quadratic(v, second.covariance)
    need(real(order) * q - (real(order) - ONE) * p < ZERO, "the divergence may be finite")
    return Renyi((direction,), "final", "exact", order, INFINITY)


def half_space(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C6-event: delta >= P(S) - e^epsilon Q(S), S = {v.w > threshold}."""
    towards, value, vector, at = record(witness, "direction", "epsilon", "normal", "threshold")
    law, direction, epsilon = first_of(found, Law), choice(towards, *BOTH), number(value)
    v, edge = matrix([numbers(vector, law.p.mean.width)]).centre(), real(number(at))
    p, q = (_above(edge - dot(v, x.mean), quadratic(v, x.covariance)) for x in law.pair(direction))
    delta = greater(ZERO, p - real(epsilon).exp() * q)
    return HockeyStick((direction,), "final", "lower", epsilon, delta.bottom())


def _above(gap: Interval, variance: Interval) -> Interval:
    """P(Z sqrt(variance) > gap)."""
    if variance.is_zero():
        need(gap > ZERO or gap < ZERO, "a point on the border")
        return ONE if gap < ZERO else ZERO
    return tail(gap / variance.sqrt())


def one_dimension(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C6-1d: P = N(nu, rho^2), Q = N(0, 1); the event p > e^eps q lies outside or between the roots of
    a x^2/2 + nu x/rho^2 = nu^2/(2 rho^2) + log rho + eps, a = 1 - 1/rho^2."""
    towards, value = record(witness, "direction", "epsilon")
    law, direction, epsilon = first_of(found, Law), choice(towards, *BOTH), number(value)
    need(law.p.mean.width == 1, "more than one dimension")
    first, second = law.pair(direction)
    variances, gap = [x.covariance.entry(0, 0) for x in (first, second)], first.mean - second.mean
    eps, apart = real(epsilon), gap.entry(0, 0).magnitude()
    if any(variance.is_zero() for variance in variances):
        same = apart.is_zero() and variances[0].same(variances[1])
        need(same or any(x > ZERO for x in [apart, *variances]), "cannot tell two points apart")
        delta = greater(ZERO, ONE - eps.exp()) if same else ONE
        return HockeyStick((direction,), "final", "exact", epsilon, delta)
    scale = variances[1]
    square_ratio = variances[0] / scale
    rho, nu = square_ratio.sqrt(), apart / scale.sqrt()
    a = ONE - ONE / square_ratio
    if a.is_zero():
        return HockeyStick((direction,), "final", "exact", epsilon, gaussian_delta(nu, eps))
    need(a > ZERO or a < ZERO, "cannot tell the two variances apart")
    inner = nu.square() / square_ratio + TWO * a * (rho.log() + eps)
    if inner < ZERO:
        delta = greater(ZERO, ONE - eps.exp())
        return HockeyStick((direction,), "final", "exact", epsilon, delta if a > ZERO else ZERO)
    centre, reach = -nu / square_ratio / a, inner.sqrt() / a.magnitude()
    low, high = centre - reach, centre + reach
    p, q = (_between((low - m) / s, (high - m) / s, a > ZERO) for m, s in ((nu, rho), (ZERO, ONE)))
    delta = greater(ZERO, p - eps.exp() * q)
    return HockeyStick((direction,), "final", "exact", epsilon, delta)


def _between(low: Interval, high: Interval, outside: bool) -> Interval:
    """P(low < Z < high), or the rest, without losing small numbers."""
    if outside:
        return tail(-low) + tail(high)
    if low > ZERO:
        return tail(low) - tail(high)
    if high < ZERO:
        return tail(-high) - tail(-low)
    return ONE - tail(-low) - tail(high)
