"""The gradient of one row's loss."""

from __future__ import annotations

import sympy as sp

from certaudit.core.slope import LIPSCHITZ, G
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import right
from certaudit.losses.loss import length

slope, u1, u2 = sp.symbols("g x_1 x_2", real=True)


def _norm() -> sp.Expr:
    """|g x|^2 minus the square of the formula at G = |g|."""
    row = sp.Matrix([u1, u2])
    bound = right(LIPSCHITZ, {G: sp.Abs(slope), length: sp.sqrt(row.dot(row))})
    return (slope * row).dot(slope * row) - bound**2


CHAIN_RULE = Lemma(
    "chain-rule",
    "The gradient of loss(x.w) in w is loss'(x.w) x, of norm at most G |x|, G a bound on |loss'|.",
    (LIPSCHITZ,),
    (Obligation("|loss' x| in 2 dimensions", _norm),),
)

LEMMAS = (CHAIN_RULE,)
