"""delta(epsilon) of all iterates of an affine run, by the trapezoid rule on a vertical line."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import acb, arb

from certaudit.core.balls import ball, precision, widened
from certaudit.core.diagonal import MOST_BITS, MOST_NODES, Evaluated, Values, eps
from certaudit.core.path import Diverges, Path, path
from certaudit.core.rule import Conclusion, NotApplicable, Rule, Undecided
from certaudit.core.rules.c6 import ERROR, TRAPEZOID, first, h, last, left, n, nodes, right, width
from certaudit.core.statement import Direction, HockeyStick, Statement
from certaudit.core.term import Formula, exp, sqrt, symbols
from certaudit.run import Run

s, moment, value, edge, constant, root = symbols("s M*e^(-s*epsilon) G edge c sqrt(D)")
w, below, above, y, turn, reach, D_mid = symbols("w u v y theta rho D(c)")
MOMENT = Formula(moment, exp(constant - s * eps) / root)
NODE = Formula(value, moment / (s * (s + 1)))
EDGE = Formula(edge, moment / (2 * sqrt(s * (s + 1))), "<=")
TURN = Formula(turn, -y * (below + above) / (2 * w))
REACH = Formula(reach, y * (above - below) / (2 * w) + y**2 * (above - below) / (4 * w**2), "<=")


@dataclass(frozen=True)
class Witness:
    """The line Re s = ``line`` > 0 in a strip of half-width ``width``; nodes line + i j h, j = 0..n;
    line +- ``near`` are two more points of the strip."""

    direction: Direction
    epsilon: Fraction
    line: Fraction
    width: Fraction
    near: Fraction
    h: Fraction
    n: int
    bits: int


def o2(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """delta(epsilon) of all the iterates is the integral of M(s) e^{-s epsilon}/(s(s+1)) over Re s =
    line, by 2 pi i, M(s) = e^c / sqrt(D) of their kernels, with the trapezoid rule's error as in C6.

    M is finite at line + width, so on the whole strip.  D(s) is a product of 1 - s l_k with l_k real, so
    that D(c + iy)/D(c) has an argument of continuation -sum atan(y x_k), x_k = l_k/(1 - c l_k).  With
    u = log D(c-w)/D(c) <= w sum x_k <= v = log D(c)/D(c+w) and v - u >= w^2 sum x_k^2, it is within
    ``REACH`` of ``TURN``; less than pi tells which root is meant.
    """
    if uses:
        raise NotApplicable(RULE.id, "builds on no statement")
    if not (1 <= witness.n <= MOST_NODES and 2 <= witness.bits <= MOST_BITS):
        raise Undecided(RULE.id, f"needs 1 to {MOST_NODES} nodes, 2 to {MOST_BITS} bits")
    if not (0 < witness.near <= witness.width < witness.line and witness.h > 0 and witness.epsilon >= 0):
        raise Undecided(RULE.id, "needs 0 < near <= width < line, h > 0 and epsilon >= 0")
    steps, premises = path(RULE.id, run, witness.direction, witness.n + 5)
    with precision(witness.bits):
        try:
            found, shown = _contour(steps, witness)
        except Diverges:
            raise Undecided(RULE.id, "the strip leaves the domain of M") from None
        except ZeroDivisionError as fault:
            raise Undecided(RULE.id, f"the moments could not be enclosed: {fault}") from None
    if not found.is_finite():
        raise Undecided(RULE.id, "the nodes or the bounds of the error are not finite")
    stick = HockeyStick(
        witness.epsilon, found.nonnegative_part(), (witness.direction,), "every-step", "exact"
    )
    return Conclusion(stick, premises, shown)


def _contour(steps: Path, at: Witness) -> tuple[arb, tuple[Evaluated, ...]]:
    values: Values = {eps: ball(at.epsilon), width: ball(at.width), h: ball(at.h), n: arb(at.n)}
    values[right] = _edge(steps, at.line + at.width, values)
    values[left] = _edge(steps, at.line - at.width, values)
    c_mid, D_line = _real(steps, at.line)
    values |= {w: ball(at.near), D_mid: D_line}
    values[below] = (_real(steps, at.line - at.near)[1] / D_line).log()
    values[above] = (D_line / _real(steps, at.line + at.near)[1]).log()
    middle = values | {s: acb(ball(at.line)), constant: acb(c_mid), root: acb(D_line.sqrt())}
    middle[moment] = MOMENT.at(middle)
    values[first] = NODE.at(middle).real
    listed, here = [], middle
    for k in range(1, at.n + 1):
        here = _node(steps, at.line, k * values[h], values)
        listed.append(NODE.at(here).real)
    values |= {nodes: listed, last: abs(here[moment])}
    found = widened(TRAPEZOID.at(values), ERROR.at(values).abs_upper())
    return found, (
        (TURN, here),
        (REACH, here),
        (MOMENT, here),
        (NODE, here),
        (TRAPEZOID, values),
        (ERROR, values),
    )


def _real(steps: Path, where: Fraction) -> tuple[arb, arb]:
    """(c, D) at a real point."""
    c, det = steps.moment(acb(ball(where)))
    if not det.real > 0:
        raise ZeroDivisionError("a determinant of unknown sign")
    return c.real, det.real


def _edge(steps: Path, where: Fraction, values: Values) -> arb:
    c, det = _real(steps, where)
    here = values | {s: ball(where), constant: c, root: det.sqrt()}
    here[moment] = MOMENT.at(here)
    return arb(EDGE.at(here))


def _node(steps: Path, line: Fraction, height: arb, values: Values) -> Values:
    """M e^{-s eps} at line + iy, with the root of D that continues the positive one."""
    at = acb(ball(line), height)
    c, det = steps.moment(at)
    here = values | {s: at, y: height, constant: c}
    here |= {turn: TURN.at(here), reach: REACH.at(here)}
    if not here[reach] < arb.pi():
        raise ZeroDivisionError("the root of D cannot be told from its negative")
    half = acb(0, here[turn] / 2).exp()
    here[root] = here[D_mid].sqrt() * half * (det / here[D_mid] / (half * half)).sqrt()
    here[moment] = MOMENT.at(here)
    return here


RULE = Rule(
    "O2",
    "delta(epsilon) of all the iterates of an affine run",
    "theory.md#o2; ALG22; TW14, Theorem 5.1",
    Witness,
    o2,
)
