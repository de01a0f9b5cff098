"""Witnesses for C7: which hyperbola, how many nodes, and grids on the edges, in floats."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from flint import arb

from certaudit.core.balls import ball, fraction, precision
from certaudit.core.diagonal import MOST_BITS, MOST_NODES, Values, moments
from certaudit.core.rule import Undecided
from certaudit.core.rules import c7
from certaudit.core.rules.c7 import Witness
from certaudit.core.statement import Pair
from certaudit.search.twin import FloatPair

SIZES = (0.5, 1.0, 2.0, 4.0, 16.0, 1e9)
SHARES = (0.35, 0.5, 0.65)
ANGLES = (0.4, 0.6, 0.77, 0.95, 1.1, 1.25)
GAUSSIAN_STRIPS = ((-0.77, 0.77), (-0.5, 0.77), (-0.77, 0.5), (0.0, 0.77), (-0.77, 0.0))
GRID = np.concatenate([np.arange(0, 6, 0.08), np.arange(6, 90, 0.5)])
WIDTHS = np.diff(GRID, append=GRID[-1] + 0.5)
SLACK = 2.5
ROUGH = 1.5
MOST_HALVINGS = 14
FARTHEST = 400.0


@dataclass(frozen=True)
class Contour:
    """A hyperbola with its strip; ``size`` is about log delta, ``edges`` about log A(lo), log A(hi)."""

    m: float
    b: float
    theta: float
    lo: float
    hi: float
    h: float
    n: int
    size: float
    edges: tuple[float, float]


def closeness(pair: Pair, epsilon: Fraction, size: float, digits: int) -> Fraction:
    """gamma of C7b at which kappa is negligible beside a delta of e^size."""
    with precision(64):
        miss = ball(Fraction(0.5 - min(size, 0.0) + (digits + 3) * math.log(10))) + ball(epsilon)
        return fraction((2 * pair.phi * miss).upper())


def working_bits(pair: Pair, digits: int) -> int:
    """Enough for the terms that cancel where l or nu is tiny."""
    sizes = [abs(float(x)) for x in (*pair.l, *pair.nu) if not x.is_zero()]
    lost = [
        math.log2(max(float(y) ** 2 / (2 * float(x) ** 2), 1.0))
        for x, y in zip(pair.l, pair.nu, strict=True)
        if not x.is_zero()
    ]
    small = -math.log2(max(min(1.0, max(sizes, default=1.0)), 1e-300))
    return min(int(128 + 3.4 * digits + max(lost, default=0.0) + small), MOST_BITS)


def witness(pair: Pair, twin: FloatPair, epsilon: Fraction, digits: int) -> Witness:
    """A witness for delta(epsilon) to about ``digits`` digits; raises Undecided if none is found."""
    if twin.edge == math.inf and twin.gauss == 0 and twin.opening(epsilon) <= 0:
        found = [_far_right(twin, epsilon, digits)]
    else:
        found = sorted(contours(twin, epsilon, digits), key=lambda one: one.n)[:3]
    for contour in found:
        bits = working_bits(pair, digits)
        gamma = closeness(pair, epsilon, contour.size, digits)
        with precision(bits):
            values = moments(pair, ball(epsilon) + 2 * ball(gamma) * arb(0, 1))
            values |= {c7.m: ball(contour.m), c7.b: ball(contour.b), c7.h: ball(contour.h)}
            end = contour.size - digits * math.log(10)
            start = (contour.n + 1) * contour.h * (1 - 1e-15)
            grids = [
                _cells(pair, values, contour.lo, 0.0, contour.edges[0], 0.0),
                _cells(pair, values, contour.hi, 0.0, contour.edges[1], 0.0),
                _cells(pair, values, contour.theta, start, end, contour.h),
            ]
        lo_cells, hi_cells, tail_cells = grids
        if lo_cells and hi_cells and tail_cells:
            return Witness(
                epsilon=epsilon,
                gamma=gamma,
                m=Fraction(contour.m),
                b=Fraction(contour.b),
                theta=Fraction(contour.theta),
                lo=Fraction(contour.lo),
                hi=Fraction(contour.hi),
                h=Fraction(contour.h),
                n=contour.n,
                lo_cells=lo_cells,
                hi_cells=hi_cells,
                tail_cells=tail_cells,
                bits=bits,
            )
    raise Undecided("C7", "no hyperbola found for this pair")


def contours(twin: FloatPair, epsilon: Fraction, digits: int) -> Iterator[Contour]:
    """Every contour tried that seems to give ``digits`` digits."""
    kappa, opening = twin.kappa(epsilon), twin.opening(epsilon)
    need = digits * math.log(10) + SLACK
    strips = list(GAUSSIAN_STRIPS) if twin.gauss > 0 else []
    widest = 0.78 if twin.gauss > 0 else math.pi / 2
    for angle in ANGLES:
        strips.append((0.0, angle) if opening >= 0 else (-angle, 0.0))
    saddles = [twin.saddle(kappa)]
    if saddles[0] < 0.5 or epsilon < Fraction(1, 2):
        saddles.append(twin.middle(kappa))
    for c in saddles:
        size = float(twin.log_tilted(np.array([c]), kappa)[0]) - math.log(abs(c * (1 + c)))
        size += math.log(twin.spread(c))
        if c < 0:
            if size > -1:
                continue
            size = -0.5
        for lo, hi in strips:
            if max(-lo, hi) > widest:
                continue
            for share in SHARES:
                theta = lo + share * (hi - lo)
                most = twin.reach(c, math.sin(theta))
                for b in dict.fromkeys(min(x * twin.spread(c), most) for x in SIZES):
                    found = _measured(twin, kappa, c, b, (lo, theta, hi), size, need)
                    if found is not None:
                        yield found


def _measured(
    twin: FloatPair,
    kappa: float,
    c: float,
    b: float,
    lines: tuple[float, float, float],
    size: float,
    need: float,
) -> Contour | None:
    lo, theta, hi = lines
    m = c + b * math.sin(theta)
    logs = [twin.log_g(kappa, m, b, y, GRID).real for y in lines]
    logs = [np.where(np.isnan(one), np.inf, one) for one in logs]
    low, _, high = (float(np.logaddexp.reduce(one + np.log(WIDTHS))) for one in logs)
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    gaps = (theta - lo) / max(low - size + need, 1.0), (hi - theta) / max(high - size + need, 1.0)
    h = 2 * math.pi * min(gaps)
    above = np.flatnonzero(logs[1] > size - need)
    end = float(GRID[above[-1]]) + 0.1 if len(above) else 0.1
    n = math.ceil(end / h)
    if end > 85 or n > MOST_NODES:
        return None
    return Contour(m, b, theta, lo, hi, h, n, size, (low, high))


def _far_right(twin: FloatPair, epsilon: Fraction, digits: int) -> Contour:
    """Where log p/q never exceeds epsilon: delta is 0, and a contour far to the right says so."""
    opening = max(-twin.opening(epsilon), 1e-300)
    b = min(2e3 / opening, 1e60)
    return Contour(3 * b, b, -0.5, -1.0, 0.0, 1.0, 0, -3000.0, (0.0, 0.0))


def _cells(
    pair: Pair, values: Values, line: float, start: float, level: float, width: float
) -> tuple[float, ...] | None:
    """A grid from ``start`` on which C7's bound comes to about e^level; None if there is none."""
    y, step = ball(line), ball(width)
    m, b = abs(float(values[c7.m])), float(values[c7.b])
    end = max(start, math.asinh(2.2 * (m + 1) / b)) + 0.25
    while not _log(_tail(pair, values, y, end, step)) <= level - 1:
        end += 0.5
        if end > FARTHEST:
            return None
    count = max(math.ceil((end - start) / 0.5), 1)
    grid = np.linspace(start, end, count + 1).tolist()
    done = [start]
    left = [(x0, x1, 0) for x0, x1 in pairwise(grid)][::-1]
    while left:
        x0, x1, depth = left.pop()
        bound = _log(c7.cell_bound(pair, values, y, ball(x0), ball(x1))[0])
        middle = _log(abs(c7.node(values, ball((x0 + x1) / 2), y)))
        small = bound + math.log(x1 - x0 + width) <= level - 5
        if small or bound - middle <= ROUGH:
            done.append(x1)
        elif depth >= MOST_HALVINGS:
            return None
        else:
            left += [((x0 + x1) / 2, x1, depth + 1), (x0, (x0 + x1) / 2, depth + 1)]
    return tuple(done)


def _tail(pair: Pair, values: Values, y: arb, end: float, step: arb) -> arb:
    try:
        return c7.tail_bound(pair, values, y, ball(end), step)[0]
    except Undecided:
        return arb("inf")


def _log(x: arb) -> float:
    """log of an upper end; nan counts as infinite."""
    value = float(x.upper().log().mid()) if x.is_finite() and x.upper() > 0 else math.inf
    return -math.inf if x.is_zero() else value
