"""The trapezoid rule on a vertical line."""

from __future__ import annotations

import sympy as sp

from certaudit.core.diagonal import KERNEL, TILTED, i, kappa, l, s, v
from certaudit.core.rules.c6 import (
    EDGE,
    END,
    ERROR,
    NODE,
    POINT,
    TRAPEZOID,
    c,
    first,
    h,
    j,
    last,
    left,
    n,
    nodes,
    width,
)
from certaudit.core.rules.c6 import right as right_edge
from certaudit.lemmas.diagonal import MOMENTS, STAND_IN, TRANSFORM
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import positive, right, to_sympy

AT = positive(c, h, j, n, width, first, last, left, right_edge)
sigma, t, excess, x1, x2, level, move = sp.symbols("sigma t lambda x_1 x_2 kappa v", positive=True)
PAIR = {l: [excess], v: [move], kappa: level}


def _line() -> sp.Expr:
    """Nodes on Re s = c, h apart."""
    at = right(POINT, {**AT, i: sp.I})
    return sp.expand(at - AT[c] - sp.I * AT[j] * AT[h])


def _edge() -> sp.Expr:
    """M/(2 pi) times the Cauchy-Schwarz bound of the integral of 1/|s (s+1)|, minus the formula."""
    line = sp.Symbol("y", real=True)
    squares = [sp.integrate(1 / (at**2 + line**2), (line, -sp.oo, sp.oo)) for at in (sigma, sigma + 1)]
    whole = to_sympy(TILTED, {**PAIR, s: sigma}) / (2 * sp.pi) * sp.sqrt(squares[0] * squares[1])
    return sp.simplify(whole / right(EDGE, {**PAIR, s: sigma}) - 1)


def _trapezoid() -> sp.Expr:
    """h times the values at all nodes, conjugates in pairs, over 2 pi."""
    summed = AT[h] * (AT[first] + 2 * x1 + 2 * x2) / (2 * sp.pi)
    return right(TRAPEZOID, {**AT, nodes: [x1, x2]}) - summed


def _error() -> sp.Expr:
    edges = (AT[left] + AT[right_edge]) / (sp.exp(2 * sp.pi * AT[width] / AT[h]) - 1)
    beyond = AT[h] / sp.pi * AT[last] / AT[h] ** 2 / AT[n]
    return right(ERROR, AT) - edges - beyond


LINE = Lemma(
    "vertical-line",
    "On Re s = c inside the domain of M the integrand is analytic and conjugate at conjugate points: "
    "the trapezoid rule adds half the first node and the real parts of the others.",
    (POINT, NODE, TRAPEZOID),
    (
        Obligation("the nodes", _line),
        Obligation(
            "the integrand is M e^(-s eps)/(s (s+1))",
            lambda: (
                right(NODE, {**PAIR, s: sigma}) * sigma * (sigma + 1)
                - to_sympy(TILTED, {**PAIR, s: sigma})
            ),
        ),
        Obligation(
            "which is the kernel",
            lambda: right(NODE, {**PAIR, s: sigma}) - to_sympy(KERNEL, {**PAIR, s: sigma}),
        ),
        Obligation("two nodes and the first", _trapezoid),
    ),
)

LEMMAS = (
    MOMENTS,
    TRANSFORM,
    LINE,
    Lemma(
        "vertical-line-error",
        "The trapezoid rule errs by the integrals over the strip's edges over e^(2 pi width/h) - 1 "
        "(residues), each at most M(sigma) e^(-sigma eps)/(2 sqrt(sigma (sigma+1))); |M| decreases "
        "along the line and |s (s+1)| >= t^2, so that the nodes beyond the last add at most |M(s_n)| "
        "e^(-c eps)/(pi n h).",
        (EDGE, END, ERROR),
        (
            Obligation("an edge, by Cauchy-Schwarz", _edge),
            Obligation(
                "the kernel's size at width w: |e^(2 pi i (x - i w)/h)| = e^(2 pi w/h)",
                lambda: (
                    sp.Abs(sp.exp(2 * sp.pi * sp.I * (sp.Symbol("x", real=True) - sp.I * t) / AT[h]))
                    - sp.exp(2 * sp.pi * t / AT[h])
                ),
            ),
            Obligation(
                "|s (s+1)|^2 - t^4 is positive on s = c + i t",
                lambda: sp.expand((AT[c] ** 2 + t**2) * ((AT[c] + 1) ** 2 + t**2) - t**4) > 0,
            ),
            Obligation(
                "|M| falls along the line: |1 - (c + i t) l|^2 grows with t",
                lambda: sp.diff((1 - AT[c] * excess) ** 2 + t**2 * excess**2, t) > 0,
            ),
            Obligation(
                "and with it the exponent: Re of s (s+1)/(1 - l s) falls where 1 - l c = w > 0",
                lambda: _falling_exponent(),
            ),
            Obligation(
                "sum over j > n of 1/j^2 <= 1/n: 1/(j-1) - 1/j = 1/(j (j-1))",
                lambda: 1 / (t - 1) - 1 / t - 1 / (t * (t - 1)),
            ),
            Obligation(
                "|M| at the last node",
                lambda: right(END, {**PAIR, s: sigma}) - sp.Abs(to_sympy(TILTED, {**PAIR, s: sigma})),
            ),
            Obligation("the parts together", _error),
        ),
    ),
    STAND_IN,
)


def _falling_exponent() -> sp.Expr:
    """Minus the derivative in T = t^2 of Re s(s+1)/(1 - l s) on s = c + i t, times |1 - l s|^4, less
    w (1 + l), which is positive for w = 1 - l c > 0."""
    w, big = sp.symbols("w T", positive=True)
    root = sp.sqrt(big)
    at = AT[c] + sp.I * root
    at_l = (1 - w) / AT[c]
    square = w**2 + big * at_l**2
    value = sp.re(sp.expand(at * (at + 1) * (1 - at_l * sp.conjugate(at)))) / square
    slope = sp.simplify(sp.diff(sp.simplify(value), big))
    return sp.simplify(-slope * square**2 - w * (1 + at_l))
