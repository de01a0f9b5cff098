"""Evaluate sympy formulas in ball arithmetic, so that what is printed is what is computed.

Only the node types listed here are understood; anything else, floats above all, raises TypeError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, reduce
from typing import Any

import sympy as sp
from flint import arb, arb_mat, fmpq

from certaudit.kernel.balls import certain_max, identity

FAR_OUT = 1000

Environment = Mapping[sp.Basic, Any]
Compiled = Callable[[Environment], Any]


def equation(left: sp.Basic, right: sp.Basic) -> sp.Eq:
    """``left = right`` as a statement, without asking sympy whether it holds (which takes long)."""
    return sp.Eq(left, right, evaluate=False)


def evaluate(formula: sp.Basic, values: Environment) -> Any:
    """Value of ``formula`` (the right side, if a relation) at the balls or matrices given."""
    if isinstance(formula, sp.core.relational.Relational):
        formula = formula.rhs
    return compile_formula(formula)(values)


@cache
def compile_formula(formula: sp.Basic) -> Compiled:
    """Translate ``formula`` once into a function of an environment of balls."""
    if isinstance(formula, sp.Integer):
        whole = arb(int(formula))
        return lambda env: whole
    if isinstance(formula, sp.Rational):
        value = fmpq(int(formula.p), int(formula.q))
        return lambda env: arb(value)
    if formula is sp.pi:
        return lambda env: arb.pi()
    if isinstance(formula, sp.Identity):
        size = formula.shape[0]
        return lambda env: identity(env[size])
    if isinstance(formula, sp.Symbol | sp.MatrixSymbol | sp.Indexed):
        return lambda env: env[formula]
    parts = [compile_formula(part) for part in formula.args]
    if isinstance(formula, sp.Add | sp.MatAdd):
        return reduce(_sum, parts)
    if isinstance(formula, sp.MatMul):
        return reduce(_matrix_product, parts)
    if isinstance(formula, sp.Mul):
        return reduce(_product, parts)
    if isinstance(formula, sp.Transpose):
        return lambda env: parts[0](env).transpose()
    if isinstance(formula, sp.Pow):
        return _power(formula, parts)
    if isinstance(formula, sp.exp):
        return lambda env: parts[0](env).exp()
    if isinstance(formula, sp.log):
        return lambda env: parts[0](env).log()
    if isinstance(formula, sp.erfc):
        return lambda env: _erfc(parts[0](env))
    if isinstance(formula, sp.Abs):
        return lambda env: abs(parts[0](env))
    if isinstance(formula, sp.Max):
        return lambda env: certain_max(part(env) for part in parts)
    if isinstance(formula, sp.Min):
        return lambda env: -certain_max(-part(env) for part in parts)
    raise TypeError(f"no rule to evaluate {type(formula).__name__}: {formula}")


def _erfc(x: Any) -> Any:
    """erfc; of a wide ball far out, where ``arb.erfc`` is useless, by its ends (it decreases)."""
    if not x.is_exact() and abs(x) > FAR_OUT:
        return x.lower().erfc().union(x.upper().erfc())
    return x.erfc()


def _sum(left: Compiled, right: Compiled) -> Compiled:
    return lambda env: left(env) + right(env)


def _product(left: Compiled, right: Compiled) -> Compiled:
    return lambda env: left(env) * right(env)


def _matrix_product(left: Compiled, right: Compiled) -> Compiled:
    def multiply(env: Environment) -> Any:
        a, b = left(env), right(env)
        return a * b if isinstance(a, arb_mat) else b * a

    return multiply


def _power(formula: sp.Pow, parts: list[Compiled]) -> Compiled:
    base, exponent = formula.args
    if isinstance(exponent, sp.Integer):
        # arb's own ** gives nan for a ball centred at 0
        factors = reduce(_product, [parts[0]] * abs(int(exponent)))
        return factors if exponent > 0 else lambda env: 1 / factors(env)
    if exponent == sp.Rational(1, 2):
        return lambda env: parts[0](env).sqrt()
    if exponent == sp.Rational(-1, 2):
        return lambda env: 1 / parts[0](env).sqrt()
    if base is sp.E:
        return lambda env: parts[1](env).exp()
    return lambda env: parts[0](env) ** parts[1](env)
