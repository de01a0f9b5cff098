"""C3: the tangent plane, and the epsilon that a delta allows, in floats.

The search runs over y = -log B and D = log(A/B), A and B the likelihood ratios inside and outside the
event (:mod:`certaudit.core.rules.c3`).  That the plane's slope is e^epsilon fixes D for each y:
D - y - L(D) = epsilon, L(D) = log(a/(a-1)) + log(1 - e^{-(a-1)D}) - log(1 - e^{-aD}).  The point of the
plane then has p = (1 - e^{-y})/(1 - e^{-D}) and p - e^epsilon q = p (1 - e^{-L(D)}); it lies on the
boundary of what the Rényi bound allows at one y, because the divergence there increases with y.  All is
kept in logarithms, so that delta may be far below the smallest float.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from flint import arb

from certaudit.core.balls import ball, fraction, precision, upper
from certaudit.core.proof import Line, Proof
from certaudit.core.rule import Undecided
from certaudit.core.rules.c3 import Witness, optimal_delta
from certaudit.core.statement import Renyi
from certaudit.search.conversion import improved_epsilon, require_renyi
from certaudit.search.lines import of

LogRatios = tuple[Fraction, Fraction]

OUTSIDE = 1000.0
HINT_BITS = 400
LARGEST_EXPONENT = 700.0
LEAST_LOG_Y = -1e8
WIDENINGS = tuple(Fraction(2) ** -k for k in range(46, -3, -4))


def log_delta(order: Fraction, renyi: float, epsilon: float) -> float:
    """Float estimate of the log of C3's delta at ``epsilon`` >= 0; -inf for a divergence of 0."""
    gap, excess = float(order - 1), renyi - epsilon
    if renyi <= 0:
        return -math.inf
    if excess >= math.log1p(1 / gap):
        return _log1mexp(excess)
    log_y = _boundary(gap, renyi, epsilon)
    distance = _distance(gap, epsilon + math.exp(log_y))
    return min(_log_p(log_y, distance) + _log1mexp(_lift(gap, distance)), 0.0)


def witness(order: Fraction, renyi: float, epsilon: Fraction) -> Witness:
    """The best tangent plane found at ``epsilon`` for D_order <= ``renyi``."""
    return Witness(epsilon, *log_ratios(order, renyi, epsilon))


def log_ratios(order: Fraction, renyi: float, epsilon: Fraction) -> LogRatios:
    """(log A, log B) of the best tangent plane found for D_order <= ``renyi``."""
    gap, level = float(order - 1), float(epsilon)
    if renyi <= 0:
        y = 2.0**-1000
    elif renyi - level >= math.log1p(1 / gap):
        return Fraction(renyi), -Fraction(OUTSIDE / gap)
    else:
        y = math.exp(_boundary(gap, renyi, level))
    return _exact_slope(order, epsilon, Fraction(y), _distance(gap, level + y))


def float_epsilon(order: Fraction, renyi: float, delta: Fraction) -> float:
    """Float estimate of the least epsilon >= 0 that C3 gives at ``delta``; infinite if there is none."""
    if not math.isfinite(renyi):
        return math.inf
    target, gap = float(ball(delta).log()), float(order - 1)
    highest = renyi - (target + math.log1p(1 / gap) * gap + math.log1p(gap)) / gap

    def excess(epsilon: float) -> float:
        return log_delta(order, renyi, epsilon) - target

    if highest <= 0 or excess(0.0) <= 0:
        return 0.0
    return _root(lambda epsilon: -excess(epsilon), 0.0, highest)


def optimal_epsilon(order: Fraction, renyi: Fraction | arb, delta: Fraction) -> Witness:
    """An epsilon (near the least) at which C3 certainly gives ``delta``, with the plane that proves it.

    ``delta``: above 0, at most 1.  Raises ValueError on parameters out of range, Undecided if C3 could
    not be made to prove any epsilon near the one found.
    """
    require_renyi(order, renyi)
    ceiling = upper(ball(renyi))
    scale = upper(improved_epsilon(order, ceiling, delta))
    divergence = float(ceiling)
    found = Fraction(float_epsilon(order, divergence, delta))
    for widening in (Fraction(0), *WIDENINGS):
        epsilon = found + widening * max(found, scale)
        plane = witness(order, divergence, epsilon)
        if optimal_delta(order, ball(ceiling), plane)[0] <= ball(delta):
            return plane
    raise Undecided("C3", "no tangent plane found that proves the epsilon found")


def epsilon_by_tangent(proof: Proof, line: Line, delta: Fraction) -> Line:
    """C3 at the epsilon (near the least) that ``delta`` allows: a hockey-stick bound at most ``delta``.

    Raises ValueError if the bound is infinite, Undecided as :func:`optimal_epsilon`.
    """
    renyi = of(line, Renyi)
    return proof.apply("C3", (line,), optimal_epsilon(renyi.order, renyi.r, delta))


def _boundary(gap: float, renyi: float, epsilon: float) -> float:
    """log y at which the tangent point reaches the divergence ``renyi``."""
    target = _log_expm1(gap * renyi)

    def excess(log_y: float) -> float:
        return _log_power_excess(gap, epsilon, log_y) - target

    high = math.log(OUTSIDE / min(gap, 1.0))
    low, stride = high - 1.0, 2.0
    while excess(low) > 0 and low > LEAST_LOG_Y:
        high, low, stride = low, low - stride, 2 * stride
    return _root(excess, low, high)


def _log_power_excess(gap: float, epsilon: float, log_y: float) -> float:
    """log(p^a q^(1-a) + (1-p)^a (1-q)^(1-a) - 1) at the tangent point."""
    y = math.exp(log_y)
    distance = _distance(gap, epsilon + y)
    log_p = _log_p(log_y, distance)
    inside = gap * (epsilon + _lift(gap, distance))
    if inside > LARGEST_EXPONENT:
        return log_p + inside
    if y < 1e-12 and gap * y < 1e-12:
        outside = gap * math.expm1(-distance)
    else:
        outside = math.expm1(-gap * y) * (math.exp(-log_p) - 1)
    return log_p + _log(math.expm1(inside) + outside)


def _distance(gap: float, shift: float) -> float:
    """D with D - L(D) = ``shift``: Newton from above, where D - L(D) is convex and increasing."""
    distance = min(2 * shift, shift + math.log1p(1 / gap))
    for _ in range(60):
        rest = distance - _lift(gap, distance) - shift
        change = rest / (1 - _lift_slope(gap, distance))
        distance -= change
        if abs(change) <= 1e-15 * distance:
            break
    return distance


def _lift(gap: float, distance: float) -> float:
    return _log_mean_decay(gap * distance) - _log_mean_decay((1 + gap) * distance)


def _lift_slope(gap: float, distance: float) -> float:
    if (1 + gap) * distance < 1e-4:
        return 0.5 - (2 * gap + 1) * distance / 12
    return gap * _bose(gap * distance) - (1 + gap) * _bose((1 + gap) * distance)


def _bose(x: float) -> float:
    return math.exp(-x) / -math.expm1(-x)


def _log_mean_decay(x: float) -> float:
    """log((1 - e^-x)/x)."""
    if x < 1e-2:
        return x * (-0.5 + x * (1 / 24 - x * x / 2880))
    return math.log(-math.expm1(-x) / x)


def _log_p(log_y: float, distance: float) -> float:
    """log((1 - e^-y)/(1 - e^-D))."""
    return min(log_y + _log_mean_decay(math.exp(log_y)) - _log1mexp(distance), 0.0)


def _log1mexp(x: float) -> float:
    return _log(-math.expm1(-x))


def _log_expm1(x: float) -> float:
    return x if x > LARGEST_EXPONENT else _log(math.expm1(x))


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Zero of an increasing function with a sign change (Illinois, with bisection when it stalls)."""
    at_low, at_high = rising(low), rising(high)
    for k in range(200):
        if high - low <= 1e-15 * max(abs(low), abs(high)):
            break
        secant = high - at_high * (high - low) / (at_high - at_low) if at_high > at_low else math.nan
        middle = secant if k % 4 < 3 and low < secant < high else (low + high) / 2
        value = rising(middle)
        if value == 0:
            return middle
        if value > 0:
            at_low = at_low / 2 if high == middle else at_low
            high, at_high = middle, value
        else:
            low, at_low = middle, value
    return high


def _exact_slope(order: Fraction, epsilon: Fraction, y: Fraction, start: float) -> LogRatios:
    """(log A, log B) at ``y``, with a slope certainly (by a hair) below e^epsilon."""
    with precision(HINT_BITS - 3 * min(math.frexp(start)[1], 0)):
        a, shift, distance = ball(order), (ball(epsilon) + ball(y)).mid(), arb(start)
        for _ in range(4):
            inside, whole = (-(a - 1) * distance).exp(), (-a * distance).exp()
            lift = (a / (a - 1) * (1 - inside) / (1 - whole)).log()
            slope = (a - 1) * inside / (1 - inside) - a * whole / (1 - whole)
            distance = (distance - (distance - lift - shift) / (1 - slope)).mid()
        return fraction((distance * (1 - arb(2) ** -100) - ball(y)).mid()), -y
