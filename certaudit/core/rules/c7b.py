"""A diagonal stand-in for the two laws."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx

from certaudit.core.balls import ball, norm_bound
from certaudit.core.diagonal import deviation, ordered, require_above, square
from certaudit.core.rule import Conclusion, Premise, Rule, Undecided, numbers, one
from certaudit.core.statement import Direction, Law, Pair, Statement
from certaudit.core.term import Formula, maximum, symbols
from certaudit.run import Run

phi0, phi, e_q, e_p, tau, tiny = symbols("phi_0 phi |E_Q| |E_P| tau 2^-bits")
CLOSENESS = Formula(phi0, maximum(e_q, e_p, tau, tiny), ">=")
EXCHANGED = Formula(phi, phi0 / (1 - phi0))


@dataclass(frozen=True)
class Witness:
    """Columns V that nearly diagonalise both covariances; l and nu of the stand-in."""

    direction: Direction
    vectors: tuple[tuple[Fraction, ...], ...]
    l: tuple[Fraction, ...]
    nu: tuple[Fraction, ...]


def c7b(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """N(nu, I + diag l) and N(0, I) stand in for the two laws of a direction, up to ``phi``.

    With Delta the difference of the means, D = I + diag l, E_Q = V^T S_Q V - I, E_P = D^{-1/2} (V^T S_P
    V - D) D^{-1/2} and tau = |D^{-1/2} (V^T Delta - nu)|: phi_0 > 0 bounds |E_Q|, |E_P| (Frobenius) and
    tau, and phi_0 < 1/10 with V square proves V regular and both covariances positive definite.  phi =
    phi_0/(1 - phi_0) covers the exchange of a law with its stand-in, too.
    """
    law = one(RULE.id, uses, Law)
    gap, first, second = ordered(law, witness.direction)
    d = gap.nrows()
    vectors = square(RULE.id, witness.vectors, d)
    if len(witness.l) != d or len(witness.nu) != d:
        raise Undecided(RULE.id, "l and nu must have the model's dimension")
    excess, mean = tuple(map(ball, witness.l)), tuple(map(ball, witness.nu))
    above = require_above(RULE.id, excess)
    roots = [(1 + x).sqrt() for x in excess]
    from_p = deviation(vectors, first, [1 + x for x in excess])
    shift = vectors.transpose() * gap
    values = {
        e_q: norm_bound(deviation(vectors, second, [arb(1)] * d).entries()),
        e_p: norm_bound(from_p[j, k] / (roots[j] * roots[k]) for j in range(d) for k in range(d)),
        tau: norm_bound((shift[k, 0] - mean[k]) / roots[k] for k in range(d)),
        tiny: arb(2) ** -ctx.prec,
    }
    bound = values[phi0] = CLOSENESS.at(values).upper()
    if not 10 * bound < 1:
        raise Undecided(RULE.id, f"V does not diagonalise the two laws: phi_0 = {bound.str(5)}")
    close = Premise("closeness", "phi_0 < 1/10, V square", numbers(phi_0=bound))
    return Conclusion(
        Pair(witness.direction, excess, mean, EXCHANGED.at(values).upper()),
        (above, close),
        ((CLOSENESS, values), (EXCHANGED, values)),
    )


RULE = Rule(
    "C7b",
    "A diagonal stand-in for two Gaussian laws",
    "theory.md#c7b",
    Witness,
    c7b,
)
