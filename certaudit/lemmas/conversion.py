"""The conversions C1 and C2 of published certificates."""

from __future__ import annotations

import sympy as sp

from certaudit.core.term import Formula, log, symbol, term
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right
from certaudit.search.conversion import IMPROVED, MIRONOV, alpha, delta, r

AT = positive(alpha, delta) | {r: sp.Symbol("r", positive=True)}
ORDER, SLACK, DIVERGENCE = AT[alpha], AT[delta], AT[r]
t, x, over, rho, gain = sp.symbols("t x 1/delta rho g", positive=True)
PEAK = (ORDER - 1) / ORDER
CONSTANT = PEAK ** (ORDER - 1) / ORDER
BEST_ORDER = 1 + sp.sqrt(gain / rho)


def _improved() -> sp.Expr:
    """C2's epsilon, the branch that is not 0."""
    return next(part for part in right(IMPROVED, AT).args if part != 0)


def _chernoff() -> sp.Expr:
    epsilon = right(MIRONOV, {**AT, delta: 1 / over})
    return sp.simplify((ORDER - 1) * (DIVERGENCE - epsilon)) + sp.log(over)


def _improved_solves() -> sp.Expr:
    """log of (CONSTANT e^{(alpha-1)(r - epsilon)}) minus log delta, alpha = 1 + t."""
    log_constant = (ORDER - 1) * (sp.log(ORDER - 1) - sp.log(ORDER)) - sp.log(ORDER)
    value = log_constant + (ORDER - 1) * (DIVERGENCE - _improved()) - sp.log(SLACK)
    return sp.simplify(sp.expand_log(sp.expand(value.subs(ORDER, 1 + t))))


def _weight(y: sp.Expr) -> sp.Expr:
    """(1 - y) y^(alpha-1): 1 - e^(eps-l) over e^((alpha-1)(l-eps)), with y = e^(eps-l)."""
    return (1 - y) * y ** (ORDER - 1)


def _weight_slope() -> sp.Expr:
    return sp.diff(_weight(x), x) - x ** (ORDER - 2) * (ORDER - 1 - ORDER * x)


def _advantage() -> sp.Expr:
    """C1 minus C2, alpha = 1 + t, minus the two logarithms it is made of."""
    mironov = right(MIRONOV, {**AT, delta: sp.exp(-x)})
    improved = _improved().subs(SLACK, sp.exp(-x))
    claimed = sp.log(ORDER / (ORDER - 1)) + sp.log(ORDER) / (ORDER - 1)
    difference = (mironov - improved - claimed).subs(ORDER, 1 + t)
    return sp.simplify(sp.expand_log(sp.expand(difference), force=False))


def _curve() -> sp.Expr:
    return rho * ORDER + gain / (ORDER - 1)


def _improved_slope() -> sp.Expr:
    """d/d alpha of C2 on the curve r = rho alpha, minus rho + log(alpha delta)/(alpha-1)^2."""
    slope = sp.diff(_improved().subs(DIVERGENCE, rho * ORDER), ORDER)
    return slope - (rho + (sp.log(SLACK) + sp.log(ORDER)) / (ORDER - 1) ** 2)


LEMMAS = (
    Lemma(
        "chernoff",
        "P(l > eps) <= e^((alpha-1)(r - eps)) for l = log p/q (Markov on e^((alpha-1) l) under P), and"
        " P(S) <= e^eps Q(S) + P(l > eps); the bound is delta at epsilon = r + log(1/delta)/(alpha - "
        "1).",
        (MIRONOV,),
        (Obligation("(alpha - 1)(r - epsilon) = -log(1/delta)", _chernoff),),
    ),
    Lemma(
        "best-multiple",
        "delta(eps) = E_P (1 - e^(eps-l))_+ <= K E_P e^((alpha-1)(l-eps)), K the largest (1 - y) "
        "y^(alpha-1) over 0 < y = e^(eps-l) < 1, at y = (alpha-1)/alpha; solved for eps this is C2.",
        (IMPROVED,),
        (
            Obligation("derivative in y", _weight_slope),
            Obligation("it vanishes at (alpha-1)/alpha", lambda: (ORDER - 1 - ORDER * x).subs(x, PEAK)),
            Obligation("is positive before", lambda: (ORDER - 1 - ORDER * (PEAK - t)) > 0),
            Obligation("and negative after", lambda: (ORDER - 1 - ORDER * (PEAK + t)) < 0),
            Obligation(
                "K is the value there",
                lambda: sp.simplify((_weight(PEAK) - CONSTANT).subs(ORDER, 1 + t)),
            ),
            Obligation("K e^((alpha-1)(r-eps)) = delta at C2's epsilon", _improved_solves),
        ),
    ),
    Lemma(
        "improved-is-better",
        "C1 minus C2 is log(alpha/(alpha-1)) + log(alpha)/(alpha-1) > 0.",
        (
            Formula(
                symbol("C1 - C2"),
                log(alpha / (alpha - 1)) + log(alpha) / (alpha - 1),
            ),
            Formula(symbol("C1 - C2"), term(0), ">"),
        ),
        (
            Obligation("the difference", _advantage),
            Obligation(
                "log(alpha/(alpha-1)) > 0: alpha/(alpha-1) - 1 at alpha = 1 + t",
                lambda: (1 + t) / t - 1 > 0,
            ),
            Obligation("log(alpha) > 0: alpha - 1 at alpha = 1 + t", lambda: (1 + t) - 1 > 0),
        ),
    ),
    Lemma(
        "best-order",
        "C4: on the curve r = rho alpha, C1 is least at alpha = 1 + sqrt(log(1/delta)/rho), with value"
        " rho + 2 sqrt(rho log(1/delta)); C2 where rho (alpha-1)^2 = -log(alpha delta).  Any order is "
        "sound, so a numerical search may choose it.",
        (),
        (
            Obligation(
                "the curve is C1 at r = rho alpha, log(1/delta) = g",
                lambda: right(MIRONOV, {**AT, r: rho * ORDER, delta: sp.exp(-gain)}) - _curve(),
            ),
            Obligation(
                "the derivative vanishes at the optimum",
                lambda: sp.diff(_curve(), ORDER).subs(ORDER, BEST_ORDER),
            ),
            Obligation(
                "the second derivative is positive, alpha = 1 + t",
                lambda: sp.diff(_curve(), ORDER, 2).subs(ORDER, 1 + t) > 0,
            ),
            Obligation(
                "the value",
                lambda: _curve().subs(ORDER, BEST_ORDER) - (rho + 2 * sp.sqrt(rho * gain)),
            ),
            Obligation("derivative of C2 along the curve", _improved_slope),
        ),
    ),
)
