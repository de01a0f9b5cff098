"""The tail of a residual."""

from __future__ import annotations

import sympy as sp

from certaudit.core.rules.exceedance import BOUND, TAIL, length
from certaudit.core.rules.s3 import mu, q, v
from certaudit.core.shifts import SHIFT, count, eta, lengths, s, slopes
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.s2 import DELETION
from certaudit.lemmas.slope import CHAIN_RULE
from certaudit.lemmas.terms import positive, right

FACTS = ("slope",)

AT = positive(q, v, s, count, eta, length)
mean, x = sp.symbols("mu r", real=True)


def _tail(**values: sp.Expr) -> sp.Expr:
    names = {"mean": mu, "bound": q, "variance": v}
    return right(TAIL, {**AT, mu: mean, **{names[key]: value for key, value in values.items()}})


def _integral() -> sp.Expr:
    density = sp.exp(-((x - mean) ** 2) / (2 * AT[v])) / sp.sqrt(2 * sp.pi * AT[v])
    outside = sp.integrate(density, (x, AT[q], sp.oo)) + sp.integrate(density, (x, -sp.oo, -AT[q]))
    return sp.simplify(outside.rewrite(sp.erfc) - _tail()).rewrite(sp.erf)


def _density() -> sp.Expr:
    """Density of r^2/v at x, from the tail, minus exp(-(x + ell)/2) cosh(sqrt(ell x))/sqrt(2 pi x)."""
    at, root = sp.symbols("x ell^(1/2)", positive=True)
    tail = _tail(variance=sp.Integer(1), bound=sp.sqrt(at), mean=root)
    density = sp.exp(-(at + root**2) / 2) * sp.cosh(root * sp.sqrt(at)) / sp.sqrt(2 * sp.pi * at)
    return sp.simplify(-sp.diff(tail, at) - density.rewrite(sp.exp))


def _mixture_term() -> sp.Expr:
    """Term j of the Poisson mixture of chi-squares of 1 + 2 j degrees, over that of cosh, less 1."""
    at, ell = sp.symbols("x ell", positive=True)
    j = sp.Symbol("j", integer=True, nonnegative=True)
    half = sp.Rational(1, 2)
    chi = at ** (j - half) * sp.exp(-at / 2) / (2 ** (j + half) * sp.gamma(j + half))
    mixture = sp.exp(-ell / 2) * (ell / 2) ** j / sp.gamma(j + 1) * chi
    cosh = sp.exp(-(at + ell) / 2) / sp.sqrt(2 * sp.pi * at) * (ell * at) ** j / sp.gamma(2 * j + 1)
    return sp.gammasimp(mixture / cosh) - 1


def _shift_at_bound() -> sp.Expr:
    """The shift that one residual of size BOUND makes, minus s."""
    values = {**AT, lengths: [AT[length]], slopes: [right(BOUND, AT)]}
    return right(SHIFT, values) - AT[s]


RESIDUAL_TAIL = Lemma(
    "residual-tail",
    "For r ~ N(mu, v), P(|r| > q) is the sum of two erfc/2; r^2/v is noncentral chi-square with one "
    "degree and noncentrality mu^2/v.  The tail falls with q.",
    (TAIL,),
    (
        Obligation("integral of the density beyond q and below -q", _integral),
        Obligation("the density of r^2/v, from the derivative of the tail", _density),
        Obligation("is the noncentral chi-square mixture, term by term of cosh", _mixture_term),
        Obligation("q = 0 leaves everything", lambda: _tail(bound=sp.Integer(0)).rewrite(sp.erf) - 1),
        Obligation("the tail falls with q", lambda: sp.diff(_tail(), AT[q]) < 0),
    ),
)

LEMMAS = (
    RESIDUAL_TAIL,
    CHAIN_RULE,
    DELETION,
    Lemma(
        "shift-and-residual",
        "One removed point moves the step by s = (eta/N) |x| |r|: the shift exceeds s exactly when |r|"
        " exceeds q = s N/(eta |x|).",
        (BOUND,),
        (Obligation("the shift at |r| = q is s", _shift_at_bound),),
    ),
)
