"""delta(epsilon) by the trapezoid rule on a vertical line."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from flint import acb, arb

from certaudit.core.balls import ball, widened
from certaudit.core.diagonal import KERNEL, TILTED, Evaluated, Values, enclosed, i, s
from certaudit.core.rule import Conclusion, Rule, Undecided, one
from certaudit.core.statement import HockeyStick, Pair, Statement
from certaudit.core.term import Formula, exp, indexed, magnitude, pi, sqrt, symbols, total
from certaudit.run import Run

delta, first, h, c, j, width, value, sigma, edge = symbols("delta G(c) h c j width G sigma edge")
left, right, last, n, error = symbols("edge(c-width) edge(c+width) |M|e^(-c*epsilon) n error")
nodes = indexed("Re G")
POINT = Formula(s, c + i * j * h)
NODE = Formula(value, KERNEL)
TRAPEZOID = Formula(delta, h / pi * (first / 2 + total(nodes)))
EDGE = Formula(edge, TILTED / (2 * sqrt(s * (s + 1))), "<=")
END = Formula(last, magnitude(TILTED))
ERROR = Formula(error, (left + right) / (exp(2 * pi * width / h) - 1) + last / (pi * n * h), "<=")


@dataclass(frozen=True)
class Witness:
    """The line Re s = ``line`` > 0 in a strip of half-width ``width``; nodes line + i j h, j = 0..n."""

    epsilon: Fraction
    gamma: Fraction
    line: Fraction
    width: Fraction
    h: Fraction
    n: int
    bits: int


def c6(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """delta(epsilon) is the integral of G = M(s) e^{-s epsilon}/(s(s+1)) over Re s = line, by 2 pi i.

    For 0 < Re s < 1/max l, G is analytic and |M(s)| <= M(Re s), so the trapezoid rule errs by at most
    the sum over both edges of (1/2 pi) M(sigma) e^{-sigma epsilon} J/(e^{2 pi width/h} - 1), J the
    integral of 1/|s(s+1)|, at most pi/sqrt(sigma(sigma+1)) by Cauchy's inequality.  |M| decreases along
    the line, so the nodes beyond the last add up to at most |M(s_n)| e^{-line epsilon}/(pi n h).
    """
    pair = one(RULE.id, uses, Pair)
    value, shown = enclosed(RULE.id, pair, witness, 1, partial(_contour, pair, witness))
    stick = HockeyStick(witness.epsilon, value, (pair.direction,), "final", "exact")
    return Conclusion(stick, (), shown)


def _contour(pair: Pair, at: Witness, values: Values) -> tuple[arb, tuple[Evaluated, ...]]:
    if not (at.line > at.width > 0 and at.h > 0):
        raise Undecided(RULE.id, "needs 0 < width < line and h > 0")
    if not all(1 - x * ball(at.line + at.width) > 0 for x in pair.l):
        raise Undecided(RULE.id, "the strip leaves the domain of M")
    values |= {c: ball(at.line), width: ball(at.width), h: ball(at.h), n: arb(at.n)}
    found = []
    for k in range(at.n + 1):
        here = values | {j: arb(k)}
        here[s] = acb(POINT.at(here))
        found.append(NODE.at(here).real)
    values[first], *values[nodes] = found
    values[last] = END.at(here)
    values[left] = EDGE.at(values | {s: ball(at.line - at.width)})
    values[right] = EDGE.at(values | {s: ball(at.line + at.width)})
    result = widened(TRAPEZOID.at(values), ERROR.at(values).abs_upper())
    return result, ((NODE, here), (TRAPEZOID, values), (END, here), (ERROR, values))


RULE = Rule(
    "C6",
    "delta(epsilon) by the trapezoid rule on a vertical line",
    "theory.md#c6; ALG22; TW14, Theorem 5.1",
    Witness,
    c6,
)
