"""The trapezoid rule on a hyperbola."""

from __future__ import annotations

import sympy as sp

from certaudit.core.diagonal import KERNEL, i, kappa, l, s, v
from certaudit.core.rules.c7 import (
    CELL,
    ERROR,
    FLOOR,
    LINEAR,
    NODE,
    POINT,
    RATE,
    TAIL,
    TRAPEZOID,
    TURN,
    C,
    Gam,
    K,
    S,
    X,
    a_hi,
    a_lo,
    b,
    first,
    floors,
    g,
    h,
    hi,
    l_far,
    l_near,
    lo,
    m,
    nodes,
    rate,
    reach,
    residue,
    step,
    t,
    theta,
    v_far,
    v_near,
    zeta,
)
from certaudit.core.term import Term
from certaudit.lemmas.diagonal import MOMENTS, STAND_IN, TRANSFORM
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right, to_sympy

AT = positive(b, h, C, X, step, Gam, a_lo, a_hi, t) | {
    one: sp.Symbol(one.name, real=True) for one in (m, K, S, theta, lo, hi, residue, first, rate)
}
B, M, COSH, SINE, GAMMA = AT[b], AT[m], AT[C], AT[S], AT[Gam]
point, place, level = sp.symbols("s zeta kappa")
excess, size, e, w, x1, x2 = sp.symbols("lambda k e w x_1 x_2", positive=True)
x, y = sp.symbols("x y", real=True)
real_part = M - B * SINE * COSH


def _node() -> sp.Expr:
    """(1/2 pi i) G ds = (1/2 pi) g dzeta."""
    own = {l: [excess], v: [w], kappa: level, s: point}
    path = right(POINT, {**AT, i: sp.I, zeta: place})
    form = right(NODE, {**AT, **own, zeta: place})
    return sp.diff(path, place) / sp.I * to_sympy(KERNEL, own) - form


def _rate(*, far: bool) -> bool:
    """Whether g'/g by differentiation, one coordinate in either form, is the formula, rationally."""
    own = {l: [excess], v: [w], kappa: level, s: point}
    kernel = to_sympy(KERNEL, own)
    path = right(POINT, {**AT, i: sp.I, zeta: place})
    chain = sp.diff(path, place) * sp.simplify(sp.diff(kernel, point) / kernel)
    sides: dict[Term, list[sp.Expr]] = {l_near: [], v_near: [], l_far: [], v_far: []}
    sides |= {l_far: [excess], v_far: [w]} if far else {l_near: [excess], v_near: [w]}
    formula = right(RATE, {**AT, **sides, kappa: level, s: point, zeta: place, i: sp.I})
    difference = sp.sinh(place) / sp.cosh(place) + chain - formula
    rational = difference.subs({sp.sinh(place): x1, sp.cosh(place): x2})
    return bool(sp.cancel(sp.together(rational)) == 0)


def _trapezoid() -> sp.Expr:
    summed = AT[h] * (AT[first] + 2 * x1 + 2 * x2) / (2 * sp.pi)
    return right(TRAPEZOID, {**AT, nodes: [x1, x2]}) - AT[residue] - summed


def _kernel(edge: sp.Expr, sign: int) -> sp.Expr:
    """|e^(-+2 pi i (zeta - i theta)/h)| on the edge Im zeta = edge, minus e^(2 pi gap/h)."""
    at = x + sp.I * edge - sp.I * AT[theta]
    gap = sign * (edge - AT[theta])
    size_there = sp.Abs(sp.exp(-sign * 2 * sp.pi * sp.I * at / AT[h]))
    return size_there - sp.exp(2 * sp.pi * gap / AT[h])


def _error() -> sp.Expr:
    above = AT[a_hi] / (sp.exp(2 * sp.pi * (AT[hi] - AT[theta]) / AT[h]) - 1)
    below = AT[a_lo] / (sp.exp(2 * sp.pi * (AT[theta] - AT[lo]) / AT[h]) - 1)
    return right(ERROR, AT) - 2 * (above + below + AT[t]) / (2 * sp.pi)


def _far_form() -> sp.Expr:
    """s(s+1)/(1 - ls) v/2 - s kappa, minus K s and what stays bounded."""
    linear = right(LINEAR, {kappa: level, l_far: [excess], v_far: [w]})
    bounded = w * (1 + excess) / (2 * excess**2) * (1 / (1 - excess * point) - 1)
    return (
        point * (point + 1) * w / (2 * (1 - excess * point)) - point * level - linear * point - bounded
    )


def _near_form() -> sp.Expr:
    """f(s) = f(c) + f'(c) z + (1+l) z^2/(q^2 (1 - ls)), f = s(s+1)/(1 - ls), z = s - c, q = 1 - lc."""
    at = sp.Symbol("c")
    f = point * (point + 1) / (1 - excess * point)
    z, q = point - at, 1 - excess * at
    slope = sp.diff(f, point).subs(point, at)
    return f - (f.subs(point, at) + slope * z + (1 + excess) * z**2 / (q**2 * (1 - excess * point)))


def _size(a: sp.Expr) -> sp.Expr:
    """|1 - a s|^2 on the hyperbola, cosh x = C and sin y = S."""
    imaginary = B**2 * (COSH**2 - 1) * (1 - SINE**2)
    return (1 - a * real_part) ** 2 + a**2 * imaginary


def _floor(sign: int) -> sp.Expr:
    """FLOOR minus |1 - l s|^2 for l = k or -k, where the base of the square is w > 0."""
    a = sign * size
    sine = (w - size * B * COSH) / (sign * (1 - a * M))
    found = right(FLOOR, {**AT, l: a, S: sine})
    return sp.cancel(found - _size(a).subs(SINE, sine))


def _shifted_size(p: int) -> sp.Expr:
    """|s + p|^2 on the hyperbola, minus (b C - (m + p) S)^2 + ((m + p)^2 - b^2)(1 - S^2)."""
    own = (real_part + p) ** 2 + B**2 * (COSH**2 - 1) * (1 - SINE**2)
    return own - (B * COSH - (M + p) * SINE) ** 2 - ((M + p) ** 2 - B**2) * (1 - SINE**2)


def _cosh_size() -> sp.Expr:
    """|cosh(x + i y)|^2 - (cosh^2 x - sin^2 y)."""
    parts = (sp.cosh(x) * sp.cos(y)) ** 2 + (sp.sinh(x) * sp.sin(y)) ** 2
    return sp.simplify((parts - (sp.cosh(x) ** 2 - sp.sin(y) ** 2)).rewrite(sp.exp))


def _hyperbola() -> sp.Expr:
    """m + i b sinh(x + i y) in its parts."""
    path = right(POINT, {**AT, i: sp.I, zeta: x + sp.I * y})
    parts = M - B * sp.cosh(x) * sp.sin(y) + sp.I * B * sp.sinh(x) * sp.cos(y)
    return sp.simplify(sp.expand(path - parts, complex=True))


def _growth() -> sp.Expr:
    """Q(C), the part of log|M e^(-s eps)| that is unbounded."""
    wide = M**2 + B**2 * (1 - SINE**2) - 2 * M * B * SINE * COSH - B**2 * (1 - 2 * SINE**2) * COSH**2
    return (AT[K] + GAMMA / 2) * real_part + GAMMA / 2 * wide


def _growth_is_exact() -> sp.Expr:
    """Q minus K Re s + Gamma Re(s^2 + s)/2."""
    square = real_part**2 - B**2 * (COSH**2 - 1) * (1 - SINE**2)
    return _growth() - AT[K] * real_part - GAMMA / 2 * (square + real_part)


def _tail() -> sp.Expr:
    """log TAIL minus the logarithms of what it is made of, one coordinate with |1 - ls|^2 >= e."""
    found = right(TAIL, {**AT, l_far: [excess], v_far: [w], floors: [e]})
    rest = w * (1 + excess) / (2 * excess**2) * (1 / sp.sqrt(e) - 1)
    parts = sp.log(8 / B) - AT[X] + sp.log(1 + AT[step]) + _growth() + rest - sp.log(e) / 4
    return sp.expand(sp.expand_log(sp.log(found), force=True) - sp.expand_log(parts, force=True))


CONTOUR = Lemma(
    "hyperbola",
    "On s = m + i b sinh(x + i theta) the integral of G ds over 2 pi i is that of g = b cosh(zeta) G "
    "over 2 pi, and g(-conj zeta) = conj g(zeta): the trapezoid rule adds half the first node and the "
    "real parts of the others.  The poles passed have residues 1 at 0 and -e^eps at -1.",
    (POINT, NODE, TRAPEZOID),
    (
        Obligation("the hyperbola in its parts", _hyperbola),
        Obligation("the change of variables", _node),
        Obligation("two nodes and the first", _trapezoid),
        Obligation(
            "residues of 1/(s (s+1)): 1 and -1",
            lambda: sp.Matrix(
                [
                    sp.residue(1 / (point * (point + 1)), point, 0) - 1,
                    sp.residue(1 / (point * (point + 1)), point, -1) + 1,
                ]
            ),
        ),
    ),
)
EDGES = Lemma(
    "hyperbola-error",
    "By residues the trapezoid rule errs by the integrals of g over the strip's edges against 1/(e^(2 "
    "pi gap/h) - 1); halves suffice, and nodes left out add their sizes.",
    (ERROR,),
    (
        Obligation("the kernel's size above", lambda: _kernel(AT[hi], 1)),
        Obligation("and below", lambda: _kernel(AT[lo], -1)),
        Obligation("the parts together: both halves over 2 pi", _error),
    ),
)
CELLS = Lemma(
    "cells",
    "log|g| has the derivative Re g'/g along the line, so within r of a point |g| is at most its value"
    " there times e^(r sup|Re g'/g|).  Each coordinate enters g'/g near, as it stands, or far, with "
    "the linear part taken out.",
    (RATE, CELL),
    (
        Obligation("g'/g, near", lambda: _rate(far=False)),
        Obligation("g'/g, far", lambda: _rate(far=True)),
        Obligation(
            "the mean value theorem",
            lambda: right(CELL, {g: e, reach: w, rate: AT[rate]}) - e * sp.exp(w * sp.Abs(AT[rate])),
        ),
    ),
)
OUTSIDE = Lemma(
    "tail",
    "In the far form s(s+1)/(1 - ls) = -s/l - (1+l)/l^2 + (1+l)/(l^2 (1 - ls)), so log|M e^(-s eps)| "
    "is Q(cosh x) and bounded parts; |b cosh zeta/(s (s+1))| <= 8 e^(-x)/b where |s|, |s + 1| >= b "
    "cosh(x)/2, and Q falls from X on where Q'(cosh X) <= 0.",
    (LINEAR, TURN, FLOOR, TAIL),
    (
        Obligation("the far form of the exponent", _far_form),
        Obligation("its near form", _near_form),
        Obligation("Q is K Re s + Gamma Re(s^2 + s)/2", _growth_is_exact),
        Obligation("its derivative", lambda: sp.diff(_growth(), COSH) - right(TURN, AT)),
        Obligation(
            "which falls where cos 2y = e > 0",
            lambda: sp.diff(right(TURN, AT), COSH).subs(SINE, sp.sqrt((1 - e) / 2)) < 0,
        ),
        Obligation("|1 - ls|^2 for l > 0", lambda: _floor(1)),
        Obligation("|1 - ls|^2 for l < 0", lambda: _floor(-1)),
        Obligation("|s|^2", lambda: _shifted_size(0)),
        Obligation("|s + 1|^2", lambda: _shifted_size(1)),
        Obligation("|cosh zeta|^2 = cosh^2 x - sin^2 y", _cosh_size),
        Obligation(
            "b C/(b C/2)^2 = 4/(b C)",
            lambda: B * COSH / (B * COSH / 2) ** 2 - 4 / (B * COSH),
        ),
        Obligation(
            "which is below 8 e^(-X)/b, e^X = w",
            lambda: 8 / (B * w) - 4 / (B * (w + 1 / w) / 2) > 0,
        ),
        Obligation(
            "its integral from X on",
            lambda: sp.integrate(sp.exp(-e), (e, AT[X], sp.oo)) - sp.exp(-AT[X]),
        ),
        Obligation("the parts together", _tail),
    ),
)

LEMMAS = (MOMENTS, TRANSFORM, CONTOUR, EDGES, CELLS, OUTSIDE, STAND_IN)
