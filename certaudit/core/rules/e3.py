"""The Rényi divergence of the two laws at one order."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from certaudit.core.balls import ball, norm_bound, smallest, widened
from certaudit.core.diagonal import Values, deviation, l, ordered, require_above, s, square
from certaudit.core.rule import Conclusion, NotApplicable, Premise, Rule, Undecided, numbers, one
from certaudit.core.statement import Direction, Law, Renyi, Statement
from certaudit.core.term import Formula, indexed, log, magnitude, sqrt, symbols, total
from certaudit.run import Run

e_q, e_p, floor, r, d, error = symbols("|E_Q| |E_P| min|1-sl| r d e")
norm, e_s, e_first, e_second, order, log_m, renyi = symbols("|u| e(s) e(-1) e(0) alpha log_M D")
u = indexed("u")
RELATIVE = Formula(r, (magnitude(1 + s) * e_q + magnitude(s) * e_p) / floor, "<=")
LOG_DET_ERROR = Formula(error, sqrt(d) * r / (1 - r), "<=")
LOG_M = Formula(
    log_m,
    s * (s + 1) / 2 * total(u**2 / (1 - s * l)) - total(log(1 - s * l)) / 2 - s / 2 * total(log(1 + l)),
)
ERROR = Formula(
    error,
    s * (s + 1) / 2 * norm**2 * r / ((1 - r) * floor) + (e_s + s * e_first + (1 + s) * e_second) / 2,
    "<=",
)
RENYI = Formula(renyi, log_m / (order - 1))


@dataclass(frozen=True)
class Witness:
    """Columns V that nearly diagonalise both covariances, and l: V^T S_P V is nearly I + diag l."""

    direction: Direction
    order: Fraction
    vectors: tuple[tuple[Fraction, ...], ...]
    l: tuple[Fraction, ...]


def e3(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """D_alpha of two Gaussians, s = alpha - 1 > 0: log M(s) = s D_alpha = s(s+1)/2 Delta.S^{-1} Delta -
    (log det S + s log det S_P - (1+s) log det S_Q)/2, S = (1+s) S_Q - s S_P.

    In V's coordinates S is diag(1 - s l) up to r, relatively: r < 1 at s, -1 (S_P) and 0 (S_Q) proves V
    regular and all three positive definite, changes a log det by at most sqrt(d) r/(1-r), and the
    quadratic form by at most |u|^2 r/((1-r) min|1 - s l|), u = V^T Delta.
    """
    law = one(RULE.id, uses, Law)
    if not witness.order > 1:
        raise NotApplicable(RULE.id, "needs an order above 1")
    gap, first, second = ordered(law, witness.direction)
    size = gap.nrows()
    vectors = square(RULE.id, witness.vectors, size)
    if len(witness.l) != size:
        raise Undecided(RULE.id, "l must have the model's dimension")
    excess = tuple(map(ball, witness.l))
    above = require_above(RULE.id, excess)
    turned = (vectors.transpose() * gap).entries()
    values: Values = {
        e_q: norm_bound(deviation(vectors, second, [arb(1)] * size).entries()),
        e_p: norm_bound(deviation(vectors, first, [1 + x for x in excess]).entries()),
        d: arb(size),
        l: excess,
        u: turned,
        norm: norm_bound(turned),
        order: ball(witness.order),
    }
    shown = []
    for point, symbol in ((arb(0), e_second), (arb(-1), e_first), (ball(witness.order - 1), e_s)):
        values |= {s: point, floor: smallest(1 - point * x for x in excess)}
        if not values[floor] > 0:
            raise Undecided(RULE.id, "the order lies outside the domain of M, or at its edge")
        values[r] = RELATIVE.at(values).upper()
        if not values[r] < 1:
            raise Undecided(RULE.id, f"V does not diagonalise the two laws: r = {values[r].str(5)}")
        values[symbol] = LOG_DET_ERROR.at(values)
        shown.append((RELATIVE, dict(values)))
    values[log_m] = widened(LOG_M.at(values), ERROR.at(values).abs_upper())
    value = RENYI.at(values)
    if not value.is_finite():
        raise Undecided(RULE.id, "the divergence could not be enclosed")
    close = Premise("closeness", "r < 1 at s, -1 and 0, V square", numbers(r=values[r]))
    return Conclusion(
        Renyi(witness.order, value, (witness.direction,), "final", "exact"),
        (above, close),
        (*shown, (LOG_M, values), (ERROR, values), (RENYI, values)),
    )


RULE = Rule(
    "E3",
    "Exact Rényi divergence of two Gaussians",
    "theory.md#e3; GIL13",
    Witness,
    e3,
)
