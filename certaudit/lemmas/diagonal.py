"""The diagonal pair that stands in for two laws."""

from __future__ import annotations

import sympy as sp

from certaudit.core.diagonal import (
    DEVIATION,
    HIGH,
    KAPPA,
    LOW,
    MISS,
    TILTED,
    D,
    S,
    V,
    eps,
    gamma,
    kappa,
    l,
    miss,
    near,
    phi,
    s,
    v,
)
from certaudit.core.term import Formula, symbol
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right, to_sympy

x = sp.Symbol("x", real=True)
point, t, width, excess, move, e, u, first, second = sp.symbols(
    "s t w lambda nu e u P~ Q~", positive=True
)
level = sp.Symbol("epsilon", real=True)
AT = positive(gamma, phi, miss) | {eps: level}
G, CLOSE, K = AT[gamma], AT[phi], AT[miss]
ORDER = 1 / (2 * CLOSE)


def tilted(at: sp.Expr, squares: sp.Expr, *, excess_at: sp.Expr = excess) -> sp.Expr:
    """M(s) e^{-s epsilon} of one coordinate."""
    level_at = right(KAPPA, {l: [excess_at], eps: level})
    return to_sympy(TILTED, {s: at, l: [excess_at], v: [squares], kappa: level_at})


def _square_completed() -> sp.Expr:
    """(1 + s) log p - s log q, p of N(nu, 1 + lambda), q of N(0, 1), completed to a square: what is left
    outside the Gaussian exponent, minus log M."""
    spread = (1 + excess) / (1 - point * excess)
    middle = move * (1 + point) / (1 - point * excess)
    mixed = -(1 + point) * (x - move) ** 2 / (2 * (1 + excess)) + point * x**2 / 2
    return (
        mixed
        + (x - middle) ** 2 / (2 * spread)
        - point * (point + 1) * move**2 / (2 * (1 - point * excess))
    )


def _moments() -> sp.Expr:
    """log of TILTED, minus log M - s epsilon, with 1 - s lambda = w."""
    at = (1 - width) / point
    log_m = point * (point + 1) * move**2 / (2 * width) - sp.log(width) / 2 - point * sp.log(1 + at) / 2
    found = sp.log(tilted(point, move**2, excess_at=at))
    return sp.expand_log(sp.simplify(found), force=True) - (log_m - point * level)


def _normalizers() -> sp.Expr:
    """Powers of the densities' constants and of the mixed Gaussian's width, minus those in log M."""
    own = -(1 + point) * sp.log(1 + excess) / 2
    mixed = (sp.log(1 + excess) - sp.log(width)) / 2
    return own + mixed - (-sp.log(width) / 2 - point * sp.log(1 + excess) / 2)


def _exponent() -> sp.Expr:
    """The bound on log E_X (x/y)^s at s phi = 1/2."""
    return ORDER * (ORDER + 1) * CLOSE**2 * (1 + 1 / (2 * (1 - CLOSE)))


def _upper() -> sp.Expr:
    """What HIGH leaves above e^gamma P~ + kappa - e^(epsilon-gamma)(Q~ - kappa), minus its value."""
    stick = first - sp.exp(level - 2 * G) * second
    bound = sp.exp(G) * first + K - sp.exp(level - G) * (second - K)
    over = K * (sp.exp(level) - sp.exp(level - G))
    return sp.expand(right(HIGH, {**AT, near: stick}) - bound - over)


def _lower() -> sp.Expr:
    stick = first - sp.exp(level + 2 * G) * second
    bound = sp.exp(-G) * (first - K) - sp.exp(level) * (sp.exp(G) * second + K)
    return sp.expand(right(LOW, {**AT, near: stick}) - bound)


def _turned() -> sp.Matrix:
    basis, wanted = sp.Matrix(2, 2, sp.symbols("v_1:5")), sp.diag(*sp.symbols("d_1:3"))
    law = sp.Matrix([[e, u], [u, t]])
    found = right(DEVIATION, {V: basis, S: law, D: wanted})
    return (basis.T * law * basis - wanted - found).expand()


def _weight() -> sp.Expr:
    return sp.integrate((1 - sp.exp(-t)) * sp.exp(-point * t), (t, 0, sp.oo)) - 1 / (point * (point + 1))


def _residues() -> sp.Expr:
    at = sp.Symbol("s")
    weight = sp.exp(at * t) / (at * (at + 1))
    return sp.residue(weight, at, 0) + sp.residue(weight, at, -1) - (1 - sp.exp(-t))


DEVIATES = Lemma(
    "turned-by-a-witness",
    "In the coordinates of a square V the laws have covariances V^T S V: what is left beside the "
    "diagonal wanted is the deviation.",
    (DEVIATION,),
    (Obligation("2 x 2", _turned),),
)
MOMENTS = Lemma(
    "moment-function",
    "For N(nu, 1 + l) against N(0, 1), M(s) = E_P (p/q)^s is a Gaussian integral with log M = s (s+1) "
    "nu^2/(2 (1 - s l)) - log(1 - s l)/2 - s log(1 + l)/2; coordinates add up.  M(0) = 1 and M(-1) = "
    "1.",
    (KAPPA, Formula(symbol("M(s)*exp(-s*epsilon)"), TILTED)),
    (
        Obligation("(1+s) log p - s log q: the square completed", _square_completed),
        Obligation("the normalizing constants", _normalizers),
        Obligation("the formula's logarithm, with 1 - s l > 0", _moments),
        Obligation("M(0) = 1", lambda: tilted(sp.Integer(0), move**2) - 1),
        Obligation("M(-1) = 1", lambda: tilted(sp.Integer(-1), move**2) - sp.exp(level)),
    ),
)
TRANSFORM = Lemma(
    "hockey-stick-transform",
    "delta(eps) = E_P (1 - e^(eps - L))_+ with L = log p/q, and int_0^inf (1 - e^-x) e^(-s x) dx = "
    "1/(s (s+1)); inverting the transform along Re s = c > 0 gives the integral of G(s) = M(s) e^(-s "
    "eps)/(s (s+1)) over 2 pi i.",
    (),
    (
        Obligation("the transform", _weight),
        Obligation("its inverse: the residues at 0 and -1 give 1 - e^-x", _residues),
    ),
)
CLOSE_LAWS = Lemma(
    "close-laws",
    "X = N(u, I + E), Y = N(0, I) with |u|, |E| <= phi <= 1/8: at s = 1/(2 phi) log E_X (x/y)^s <= "
    "1/2, so X(S) <= e^gamma Y(S) + kappa_gamma for every S (Markov), kappa_gamma = e^(1/2 - gamma/(2 "
    "phi)).",
    (MISS,),
    (
        Obligation(
            "the mean: s(s+1)/2 u.(I - sE)^{-1} u <= s(s+1) phi^2 where s E <= 1/2",
            lambda: (
                point * (point + 1) / 2 * u**2 / (1 - sp.Rational(1, 2)) - point * (point + 1) * u**2
            ),
        ),
        Obligation(
            "derivative in e of log(1 - s e) + s log(1 + e)",
            lambda: (
                sp.diff(sp.log(1 - point * x) + point * sp.log(1 + x), x)
                + point * (point + 1) * x / ((1 - point * x) * (1 + x))
            ),
        ),
        Obligation(
            "the covariance: half the integral of s(s+1) e 2/(1 - phi)",
            lambda: (
                sp.integrate(point * (point + 1) * t * 2 / (1 - CLOSE), (t, 0, e)) / 2
                - point * (point + 1) * e**2 / (2 * (1 - CLOSE))
            ),
        ),
        Obligation(
            "together at s phi = 1/2: (1 + 2 phi)(1/4 + 1/(8 (1 - phi)))",
            lambda: _exponent() - (1 + 2 * CLOSE) * (sp.Rational(1, 4) + 1 / (8 * (1 - CLOSE))),
        ),
        Obligation(
            "at most 1/2 for phi = 1/(8 (1 + t))",
            lambda: sp.Rational(1, 2) - _exponent().subs(CLOSE, 1 / (8 * (1 + t))) > 0,
        ),
        Obligation(
            "Markov: e^(1/2 - s gamma)",
            lambda: right(MISS, AT) - sp.exp(sp.Rational(1, 2) - ORDER * G),
        ),
    ),
)
STAND_IN = Lemma(
    "stand-in",
    "With P <= e^gamma P~ + kappa and Q~ <= e^gamma Q + kappa, and both exchanged: e^-gamma "
    "[delta~(eps + 2 gamma) - kappa (1 + e^(eps+gamma))] <= delta(eps) <= e^gamma delta~(eps - 2 "
    "gamma) + kappa (1 + e^eps).",
    (LOW, HIGH),
    (
        Obligation("above, up to kappa (e^eps - e^(eps - gamma))", _upper),
        Obligation(
            "which is positive, gamma = log(1 + t)",
            lambda: (K * sp.exp(level) * (1 - sp.exp(-G))).subs(G, sp.log(1 + t)) > 0,
        ),
        Obligation("below", _lower),
    ),
)

LEMMAS = (DEVIATES, MOMENTS, TRANSFORM, CLOSE_LAWS, STAND_IN)
