"""Kernels of several steps of both worlds of an affine run."""

from __future__ import annotations

import sympy as sp

from certaudit.core import path as core
from certaudit.core.path import (
    CONSTANT,
    EXCESS,
    LINEAR,
    ONWARD,
    PLACE,
    QUADRATIC,
    RATE,
    SPREAD,
    STEP_CONSTANT,
    STEP_LINEAR,
    STEP_ONWARD,
    STEP_PLACE,
    STEP_QUADRATIC,
    TILTED,
)
from certaudit.core.term import Term
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import right

Kernel = dict[str, sp.Matrix]

POINT, END = (sp.Matrix(sp.symbols(names, real=True)) for names in ("w_1:3", "u_1:3"))
FIRST: Kernel = {
    "F": sp.Matrix([[1, 2], [-1, 3]]) / 5,
    "f": sp.Matrix([2, -1]) / 3,
    "S": sp.Matrix([[2, 1], [1, 3]]) / 4,
    "G": sp.Matrix([[1, -1], [-1, 2]]) / 10,
    "g": sp.Matrix([1, 3]) / 7,
    "c": sp.Matrix([[2]]) / 9,
}
SECOND: Kernel = {
    "F": sp.Matrix([[2, -1], [1, 1]]) / 3,
    "f": sp.Matrix([1, 4]) / 5,
    "S": sp.Matrix([[3, -1], [-1, 2]]) / 7,
    "G": sp.Matrix([[2, 1], [1, 1]]) / 12,
    "g": sp.Matrix([-2, 1]) / 5,
    "c": sp.Matrix([[-1]]) / 4,
}


def _values() -> dict[Term, sp.Matrix]:
    named = {
        getattr(core, f"{name}{k}"): kernel[name]
        for k, kernel in ((1, FIRST), (2, SECOND))
        for name in kernel
    }
    tilted = right(TILTED, {**named, core.one: sp.eye(2)})
    return {**named, core.R: tilted.inv()}


def _exponent(kernel: Kernel, start: sp.Matrix, end: sp.Matrix) -> sp.Expr:
    """Minus what the determinants give."""
    gap = end - kernel["F"] * start - kernel["f"]
    inner = start.dot(kernel["G"] * start) + 2 * kernel["g"].dot(start) + kernel["c"][0]
    return inner - gap.dot(kernel["S"].inv() * gap) / 2


def _joined() -> Kernel:
    values = _values()
    formulas = {"F": ONWARD, "f": PLACE, "S": SPREAD, "G": QUADRATIC, "g": LINEAR, "c": CONSTANT}
    return {name: right(formula, values) for name, formula in formulas.items()}


def _integrated() -> sp.Expr:
    """The exponent of the product, integrated over the point in between, minus the joined kernel's."""
    between = sp.Matrix(sp.symbols("v_1:3", real=True))
    whole = sp.expand(_exponent(FIRST, POINT, between) + _exponent(SECOND, between, END))
    curve = -sp.hessian(whole, tuple(between))
    slope = sp.Matrix([sp.diff(whole, v) for v in between]).subs(dict.fromkeys(between, 0))
    left = whole.subs(dict.fromkeys(between, 0)) + slope.dot(curve.inv() * slope) / 2
    return sp.expand(left - _exponent(_joined(), POINT, END))


def _determinants() -> sp.Expr:
    """det S_1 det S_2 times that of the curve in between, over det S and det N of the joined one."""
    curve = FIRST["S"].inv() - 2 * SECOND["G"] + SECOND["F"].T * SECOND["S"].inv() * SECOND["F"]
    joined = right(TILTED, {**_values(), core.one: sp.eye(2)}).det() * _joined()["S"].det()
    return FIRST["S"].det() * SECOND["S"].det() * curve.det() - joined


def _excess() -> sp.Matrix:
    """S_1 times the precision after the tilt times S_1."""
    return right(EXCESS, _values()) - FIRST["S"] * (FIRST["S"].inv() - 2 * SECOND["G"]) * FIRST["S"]


JOINED = Lemma(
    "joined-kernels",
    "Two kernels D^(-1/2) exp(w.G w + 2 g.w + c) N(dv; F w + f, S) one after the other are one; the "
    "integral converges where S_1 - 2 S_1 G_2 S_1 is positive definite, and multiplies D by det N.",
    (TILTED, ONWARD, PLACE, SPREAD, QUADRATIC, LINEAR, CONSTANT, EXCESS),
    (
        Obligation("two kernels in two dimensions, the square completed", _integrated),
        Obligation("their determinants", _determinants),
        Obligation("what must be positive definite", _excess),
    ),
)

near, far = (sp.Matrix(2, 2, sp.symbols(f"{name}_1:5", real=True)) for name in ("a", "p"))
b_near, b_far = (sp.Matrix(sp.symbols(f"{name}_1:3", real=True)) for name in ("b", "q"))
power, variance = sp.symbols("s v", positive=True)


def _step() -> sp.Expr:
    """(1+s) log p - s log q of one step at v, minus the kernel's exponent."""
    values = {core.A: near, core.A_other: far, core.b: b_near, core.b_other: b_far, core.s: power}
    k = right(RATE, {core.s: power, core.sigma2: variance})
    values[core.rate] = k
    formulas = {
        "F": STEP_ONWARD,
        "f": STEP_PLACE,
        "G": STEP_QUADRATIC,
        "g": STEP_LINEAR,
        "c": STEP_CONSTANT,
    }
    kernel = {name: right(formula, values) for name, formula in formulas.items()}
    kernel["S"] = variance * sp.eye(2)
    gaps = [END - near * POINT - b_near, END - far * POINT - b_far]
    logs = [-gap.dot(gap) / (2 * variance) for gap in gaps]
    return sp.expand((1 + power) * logs[0] - power * logs[1] - _exponent(kernel, POINT, END))


STEP = Lemma(
    "tilted-step",
    "p^(1+s) q^(-s) of two normal steps of one noise about A w + b and A' w + b' is a normal step about "
    "(1+s) (A w + b) - s (A' w + b') times exp(s (s+1) |difference|^2/(2 sigma^2)).",
    (STEP_ONWARD, STEP_PLACE, STEP_QUADRATIC, STEP_LINEAR, STEP_CONSTANT, RATE),
    (Obligation("the logarithms in two dimensions", _step),),
)
