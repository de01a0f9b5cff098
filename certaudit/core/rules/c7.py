"""delta(epsilon) by the trapezoid rule on a hyperbola."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise

from flint import acb, arb

from certaudit.core.balls import ball, widened
from certaudit.core.diagonal import KERNEL, Evaluated, Values, enclosed, eps, i, kappa, l, s
from certaudit.core.rule import Conclusion, Rule, Undecided, one
from certaudit.core.statement import HockeyStick, Pair, Statement
from certaudit.core.term import (
    Formula,
    Term,
    cosh,
    exp,
    indexed,
    magnitude,
    maximum,
    pi,
    product,
    real,
    sinh,
    sqrt,
    symbols,
    total,
)
from certaudit.run import Run

MOST_CELLS = 10000

zeta, m, b, g, rate, reach, sup = symbols("zeta m b g g'/g r sup|g|")
POINT = Formula(s, m + i * b * sinh(zeta))
NODE = Formula(g, b * cosh(zeta) * KERNEL)
l_near, v_near, l_far, v_far = map(indexed, ("l_near", "v_near", "l_far", "v_far"))
_w = 1 / (1 - l_near * s)
NEAR: Term = total(l_near * _w / 2 + v_near / 2 * (_w**2 * (1 + s) + s * _w))
_w = 1 / (1 - l_far * s)
FAR: Term = total(l_far * _w / 2 + v_far / 2 * ((1 + l_far) * _w**2 - 1) / l_far)
RATE = Formula(
    rate, sinh(zeta) / cosh(zeta) + i * b * cosh(zeta) * (NEAR + FAR - kappa - 1 / s - 1 / (s + 1))
)
CELL = Formula(sup, magnitude(g) * exp(reach * magnitude(real(rate))), "<=")

K, Gam, S, C, X, turn, floor, step, tail = symbols("K Gamma sin(y) cosh(X) X Q' |1-ls|^2 step tail")
floors = indexed("|1-ls|^2")
LINEAR = Formula(K, -kappa - total(v_far / (2 * l_far)))
TURN = Formula(turn, -(K + Gam / 2) * b * S - Gam * (m * b * S + b**2 * (1 - 2 * S**2) * C))
_out = magnitude(l) * b * C + l / magnitude(l) * (1 - l * m) * S
FLOOR = Formula(floor, maximum(_out, 0) ** 2 + (1 - l * (m + b)) * (1 - l * (m - b)) * (1 - S**2), ">=")
_q = (K + Gam / 2) * (m - b * S * C)
_q += Gam / 2 * (m**2 + b**2 * (1 - S**2) - 2 * m * b * S * C - b**2 * (1 - 2 * S**2) * C**2)
_rest = total(v_far * (1 + l_far) / (2 * l_far**2) * (1 / sqrt(floors) - 1))
TAIL = Formula(tail, 8 / b * exp(-X) * (1 + step) * exp(_q + _rest) / product(sqrt(sqrt(floors))), "<=")

delta, residue, first, h, theta, lo, hi = symbols("delta R g(i*theta) h theta lo hi")
a_lo, a_hi, t, error = symbols("A(lo) A(hi) T error")
nodes = indexed("Re g")
TRAPEZOID = Formula(delta, residue + h / pi * (first / 2 + total(nodes)))
ERROR = Formula(
    error,
    (a_hi / (exp(2 * pi * (hi - theta) / h) - 1) + a_lo / (exp(2 * pi * (theta - lo) / h) - 1) + t) / pi,
    "<=",
)


@dataclass(frozen=True)
class Witness:
    """The hyperbola s = m + i b sinh(x + i theta), the edges ``lo`` < theta < ``hi`` of a strip, nodes
    x = j h for j = 0..n, and grids of x on the edges and beyond the last node."""

    epsilon: Fraction
    gamma: Fraction
    m: Fraction
    b: Fraction
    theta: Fraction
    lo: Fraction
    hi: Fraction
    h: Fraction
    n: int
    lo_cells: tuple[float, ...]
    hi_cells: tuple[float, ...]
    tail_cells: tuple[float, ...]
    bits: int


def c7(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """delta(epsilon) = R + (1/2 pi) times the integral of g along the hyperbola, by n + 1 nodes.

    With [m - b, m + b] in one gap between the singularities (0, -1 and the 1/l_k), g is analytic for
    |Im zeta| < pi/2, and the trapezoid rule errs by at most ``ERROR`` (Trefethen, Weideman 2014,
    Theorem 5.1), A bounding the integral of |g| over half an edge and T what the nodes leave out.  On a
    cell |g| is at most its value in the middle times exp(r sup |Re g'/g|); beyond the last cell
    ``TAIL`` bounds it.
    """
    pair = one(RULE.id, uses, Pair)
    value, shown = enclosed(RULE.id, pair, witness, 0, partial(_contour, pair, witness))
    stick = HockeyStick(witness.epsilon, value, (pair.direction,), "final", "exact")
    return Conclusion(stick, (), shown)


def _contour(pair: Pair, at: Witness, values: Values) -> tuple[arb, tuple[Evaluated, ...]]:
    values |= {m: ball(at.m), b: ball(at.b), h: ball(at.h)}
    values |= {theta: ball(at.theta), lo: ball(at.lo), hi: ball(at.hi)}
    values[residue] = _residue(pair, at, values[eps])
    wide = all(2 * abs(values[y]) < arb.pi() for y in (lo, hi))
    if not (at.h > 0 and at.lo < at.theta < at.hi and wide):
        raise Undecided(RULE.id, "needs h > 0 and -pi/2 < lo < theta < hi < pi/2")
    values[first] = node(values, arb(0), values[theta]).real
    values[nodes] = [node(values, j * values[h], values[theta]).real for j in range(1, at.n + 1)]
    _require_cells(at.lo_cells, arb(0))
    _require_cells(at.hi_cells, arb(0))
    _require_cells(at.tail_cells, (at.n + 1) * values[h])
    edges = ((a_lo, lo, at.lo_cells, arb(0)), (a_hi, hi, at.hi_cells, arb(0)))
    for bound, y, cells, width in (*edges, (t, theta, at.tail_cells, values[h])):
        values[bound], shown = edge_bound(pair, values, values[y], cells, width)
    value = widened(TRAPEZOID.at(values), ERROR.at(values).abs_upper())
    return value, (*shown, (TRAPEZOID, values), (ERROR, values))


def _residue(pair: Pair, at: Witness, level: arb) -> arb:
    """R of the gap that [m - b, m + b] certainly lies in."""
    low, high = at.m - at.b, at.m + at.b
    if not (at.b > 0 and all(1 - x * ball(end) > 0 for x in pair.l for end in (low, high))):
        raise Undecided(RULE.id, "needs b > 0 and both foci m - b, m + b where M is analytic")
    if low >= 0:
        return arb(0)
    if low >= -1 and high <= 0:
        return arb(1)
    if high <= -1:
        return 1 - level.exp()
    raise Undecided(RULE.id, "a pole lies between the foci m - b and m + b")


def _require_cells(cells: tuple[float, ...], start: arb) -> None:
    rising = all(x0 < x1 for x0, x1 in pairwise(cells))
    if not (1 < len(cells) <= MOST_CELLS and rising and ball(cells[0]) <= start):
        raise Undecided(RULE.id, "cells must increase and begin where they are needed")


def node(values: Values, x: arb, y: arb) -> acb:
    """g(x + iy)."""
    here = values | {zeta: acb(x, y)}
    here[s] = POINT.at(here)
    return acb(NODE.at(here))


def cell_bound(pair: Pair, values: Values, y: arb, x0: arb, x1: arb) -> tuple[arb, Evaluated]:
    """At least |g(x + iy)| for x0 <= x <= x1."""
    cell = x0.union(x1)
    middle = cell.mid()
    here = values | {zeta: acb(cell, y), g: node(values, middle, y)}
    here |= {reach: (cell - middle).abs_upper(), s: POINT.at(here)}
    here |= _split(pair, here[s])
    here[rate] = RATE.at(here)
    return CELL.at(here), (CELL, here)


def edge_bound(
    pair: Pair, values: Values, y: arb, cells: tuple[float, ...], width: arb
) -> tuple[arb, tuple[Evaluated, ...]]:
    """At least the integral of |g| over x >= cells[0] on Im zeta = y, and ``width`` times its sum over
    nodes that far apart: a cell holds at most its length over ``width``, and one more."""
    ends = list(map(ball, cells))
    bound, shown = tail_bound(pair, values, y, ends[-1], width)
    for x0, x1 in pairwise(ends):
        most, last = cell_bound(pair, values, y, x0, x1)
        bound += (x1 - x0 + width) * most
    return bound.abs_upper(), (*shown, (RATE, last[1]), last)


def _split(pair: Pair, where: acb) -> Values:
    """Each l_k with its v_k in the form of the derivative that is the narrower at ``where``; any split
    is sound, but for l_k = 0, which has no far form."""
    far = [not x.is_zero() and bool(abs(x * where) > 1) for x in pair.l]
    squares = [x * x for x in pair.nu]
    return {
        symbol: [x for x, out in zip(listed, far, strict=True) if out == wanted]
        for symbol, listed, wanted in (
            (l_near, pair.l, False),
            (v_near, squares, False),
            (l_far, pair.l, True),
            (v_far, squares, True),
        )
    }


def tail_bound(
    pair: Pair, values: Values, y: arb, end: arb, width: arb
) -> tuple[arb, tuple[Evaluated, ...]]:
    """The same beyond x = ``end``, where |s| and |s + 1| are at least b cosh(x)/2 and Q falls."""
    if not all(x.is_zero() or x > 0 or x < 0 for x in pair.l):
        raise Undecided(RULE.id, "an l of unknown sign")
    squares = [x * x for x in pair.nu]
    bent = [(x, square) for x, square in zip(pair.l, squares, strict=True) if not x.is_zero()]
    flat = [square for x, square in zip(pair.l, squares, strict=True) if x.is_zero()]
    here = values | {S: y.sin(), C: end.cosh(), X: end, step: width, Gam: sum(flat, arb(0))}
    here |= {l_far: [x for x, _ in bent], v_far: [square for _, square in bent]}
    here[K] = LINEAR.at(here)
    here[floors] = [FLOOR.at(here | {l: x}) for x in here[l_far]]
    steady = here[Gam].is_zero() or 2 * here[S] * here[S] < 1
    early = not values[b] * (end.sinh() - here[C] / 2) >= abs(values[m]) + 1
    if early or not steady or not TURN.at(here) <= 0:
        raise Undecided(RULE.id, "the tail begins too early, or the edge opens the wrong way")
    return TAIL.at(here), ((LINEAR, here), (TURN, here), (TAIL, here))


RULE = Rule(
    "C7",
    "delta(epsilon) by the trapezoid rule on a hyperbola",
    "theory.md#c7; ALG22; TW14, Theorem 5.1",
    Witness,
    c7,
)
