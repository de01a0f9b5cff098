"""The diagonal pair N(nu, I + diag l) against N(0, I) of rule C7b, and what C6 and C7 share on it.

v = nu^2 throughout; the log-ratio's moments are M(s) = E_P[(p/q)^s], continued to complex s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Protocol

from flint import acb, arb, arb_mat

from certaudit.core.balls import Exact, ball, identity, matrix, precision
from certaudit.core.rule import Premise, Undecided, numbers
from certaudit.core.statement import Direction, Law, Pair
from certaudit.core.term import (
    Environment,
    Formula,
    Term,
    exp,
    indexed,
    log,
    product,
    sqrt,
    symbols,
    total,
    transpose,
)

MOST_BITS = 4096
MOST_NODES = 20000

Evaluated = tuple[Formula, Environment]
Values = dict[Term, Any]

V, S, D, E = symbols("V S D E")
DEVIATION = Formula(E, transpose(V) * S * V - D)

s, i, eps, kappa = symbols("s i epsilon kappa")
l, v = indexed("l"), indexed("v")
KAPPA = Formula(kappa, eps + total(log(1 + l)) / 2)
TILTED: Term = exp(s * (s + 1) / 2 * total(v / (1 - l * s)) - s * kappa) / product(sqrt(1 - l * s))
KERNEL: Term = TILTED / (s * (s + 1))

delta, near, gamma, phi, miss = symbols("delta delta~ gamma phi kappa_gamma")
MISS = Formula(miss, exp(Fraction(1, 2) - gamma / (2 * phi)))
LOW = Formula(delta, exp(-gamma) * (near - miss * (1 + exp(eps + gamma))), ">=")
HIGH = Formula(delta, exp(gamma) * near + miss * (1 + exp(eps)), "<=")


class Asked(Protocol):
    """What the witnesses of C6 and C7 have in common."""

    @property
    def epsilon(self) -> Fraction:
        """The level."""

    @property
    def gamma(self) -> Fraction:
        """How much of the log-ratio the stand-in may miss; see C7b."""

    @property
    def n(self) -> int:
        """Number of nodes but the first."""

    @property
    def bits(self) -> int:
        """The working precision."""


def ordered(law: Law, direction: Direction) -> tuple[arb_mat, arb_mat, arb_mat]:
    """(first mean minus second mean, first covariance, second covariance)."""
    mean_p, mean_q = (arb_mat([[x] for x in mean]) for mean in (law.mean_p, law.mean_q))
    p, q = (arb_mat([list(row) for row in table]) for table in (law.covariance_p, law.covariance_q))
    return (mean_p - mean_q, p, q) if direction == "P|Q" else (mean_q - mean_p, q, p)


def square(rule: str, table: Sequence[Sequence[Exact]], d: int) -> arb_mat:
    """The d x d matrix a witness gives; refused if it is of another shape."""
    if d < 1 or len(table) != d or any(len(row) != d for row in table):
        raise Undecided(rule, "the vectors must be a square table of the model's dimension")
    return matrix(table)


def deviation(vectors: arb_mat, covariance: arb_mat, wanted: Sequence[arb]) -> arb_mat:
    """V^T S V - diag ``wanted``."""
    diagonal = identity(len(wanted))
    for k, x in enumerate(wanted):
        diagonal[k, k] = x
    found: arb_mat = DEVIATION.at({V: vectors, S: covariance, D: diagonal})
    return found


def require_above(rule: str, excess: Sequence[arb]) -> Premise:
    """The premise l > -1 of the stand-in's variances."""
    if all(1 + x > 0 for x in excess):
        return Premise("variances", "1 + l > 0", tuple(numbers(least=min(excess, key=float))))
    raise Undecided(rule, "a variance 1 + l of the stand-in is not above 0")


def moments(pair: Pair, level: arb) -> Values:
    """The values M's formulas need at the level ``level``."""
    values: Values = {l: pair.l, v: tuple(x * x for x in pair.nu), i: acb(0, 1), eps: level}
    values[kappa] = KAPPA.at(values)
    return values


def enclosed(
    rule: str,
    pair: Pair,
    asked: Asked,
    least_nodes: int,
    contour: Callable[[Values], tuple[arb, tuple[Evaluated, ...]]],
) -> tuple[arb, tuple[Evaluated, ...]]:
    """delta(epsilon) of the true pair, from ``contour``: a ball for the stand-in's delta at every level
    within 2 gamma of epsilon (C7b's inequality, both ends)."""
    if not (asked.epsilon >= 0 and asked.gamma > 0):
        raise Undecided(rule, "needs epsilon >= 0 and gamma > 0")
    if not (least_nodes <= asked.n <= MOST_NODES and 1 <= asked.bits <= MOST_BITS):
        raise Undecided(rule, f"needs {least_nodes} to {MOST_NODES} nodes, 1 to {MOST_BITS} bits")
    with precision(asked.bits):
        level, reach = ball(asked.epsilon), ball(asked.gamma)
        values = moments(pair, level + 2 * reach * arb(0, 1))
        inner, shown = contour(values)
        ends: Values = {near: inner, eps: level, gamma: reach, phi: pair.phi}
        ends[miss] = MISS.at(ends)
        value = LOW.at(ends).lower().union(HIGH.at(ends).upper()).nonnegative_part()
    if not (inner.is_finite() and value.is_finite()):
        raise Undecided(rule, "the nodes or the bounds of the error are not finite")
    return value, (*shown, (MISS, ends), (LOW, ends), (HIGH, ends))
