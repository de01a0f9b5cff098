"""Formulas as small expression trees: what is printed is what is evaluated.

Build them from :func:`symbols`, numbers and the functions below.  Values are balls (``arb``, ``acb``)
or matrices of balls; a number in a term is an exact rational.  ``total`` and ``product`` run over the
entries of the *indexed* symbols in their body, whose values are sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, reduce
from typing import Any, Literal

from flint import arb, arb_mat

from certaudit.core.balls import ball, largest, smallest

FAR_OUT = 1000

Environment = Mapping["Term", Any]
Compiled = Callable[[Environment], Any]
Number = int | Fraction


@dataclass(frozen=True)
class Term:
    """``op`` applied to ``args``; a leaf has no args: a rational ``number`` or a symbol's ``name``."""

    op: str
    args: tuple[Term, ...] = ()
    name: str = ""
    number: Fraction = Fraction(0)

    @cached_property
    def _hash(self) -> int:
        return hash((self.op, self.args, self.name, self.number))

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: Term | Number) -> Term:
        return Term("add", (self, term(other)))

    def __radd__(self, other: Number) -> Term:
        return term(other) + self

    def __sub__(self, other: Term | Number) -> Term:
        return self + -term(other)

    def __rsub__(self, other: Number) -> Term:
        return term(other) + -self

    def __neg__(self) -> Term:
        return Term("neg", (self,))

    def __mul__(self, other: Term | Number) -> Term:
        return Term("mul", (self, term(other)))

    def __rmul__(self, other: Number) -> Term:
        return term(other) * self

    def __truediv__(self, other: Term | Number) -> Term:
        return Term("div", (self, term(other)))

    def __rtruediv__(self, other: Number) -> Term:
        return term(other) / self

    def __pow__(self, exponent: Term | Number) -> Term:
        return Term("pow", (self, term(exponent)))

    def __str__(self) -> str:
        return _text(self)


@dataclass(frozen=True)
class Formula:
    """``left`` stands in ``relation`` to ``right``; the right side is what is evaluated."""

    left: Term
    right: Term
    relation: Literal["=", "<=", ">", ">="] = "="

    def __str__(self) -> str:
        return f"{self.left} {self.relation} {self.right}"

    def at(self, values: Environment) -> Any:
        """Value of the right side."""
        return compiled(self.right)(values)


def term(x: Term | Number) -> Term:
    """A number as a term; floats are refused, as they are rarely what was meant."""
    if isinstance(x, Term):
        return x
    if isinstance(x, int | Fraction):
        return Term("number", number=Fraction(x))
    raise TypeError(f"a formula holds exact numbers only, not {x!r}")


def symbols(names: str) -> tuple[Term, ...]:
    """One symbol for each of the space-separated names."""
    return tuple(Term("symbol", name=name) for name in names.split())


def symbol(name: str) -> Term:
    """One symbol; its name may hold spaces."""
    return Term("symbol", name=name)


def indexed(name: str) -> Term:
    """A symbol whose value is a sequence, one entry for each index of a ``total`` or ``product``."""
    return Term("indexed", name=name)


def _function(op: str) -> Callable[..., Term]:
    return lambda *args: Term(op, tuple(term(x) for x in args))


exp, log, erfc, sqrt = _function("exp"), _function("log"), _function("erfc"), _function("sqrt")
sinh, cosh = _function("sinh"), _function("cosh")
magnitude, maximum, minimum = _function("abs"), _function("max"), _function("min")
transpose, real = _function("transpose"), _function("re")
total, product = _function("total"), _function("product")
pi = Term("pi")


def evaluate(formula: Term, values: Environment) -> Any:
    """Value of ``formula`` at the balls or matrices given; raises KeyError for a symbol without one."""
    return compiled(formula)(values)


@cache
def compiled(formula: Term) -> Compiled:
    """Translate ``formula`` once into a function of an environment of balls."""
    if formula.op == "number":
        value = ball(formula.number)
        return lambda env: value if value.is_exact() else ball(formula.number)
    if formula.op in ("symbol", "indexed"):
        return lambda env: env[formula]
    if formula.op in ("total", "product"):
        return _over(formula)
    if formula.op == "pow":
        return _power(formula)
    parts = tuple(map(compiled, formula.args))
    function = FUNCTIONS[formula.op]
    if len(parts) == 2:
        left, right = parts
        return lambda env: function(left(env), right(env))
    return lambda env: function(*(part(env) for part in parts))


def _over(formula: Term) -> Compiled:
    (body,) = formula.args
    names = sorted(_indexed(body), key=lambda one: one.name)
    inner = compiled(body)
    start, join = (arb(0), _add) if formula.op == "total" else (arb(1), _multiply)

    def run(env: Environment) -> Any:
        value, here = start, dict(env)
        for row in zip(*(env[name] for name in names), strict=True):
            here.update(zip(names, row, strict=True))
            value = join(value, inner(here))
        return value

    return run


def _indexed(formula: Term) -> frozenset[Term]:
    own = frozenset({formula}) if formula.op == "indexed" else frozenset()
    return own.union(*map(_indexed, formula.args))


def _power(formula: Term) -> Compiled:
    base, exponent = formula.args
    below = compiled(base)
    if exponent.op == "number" and exponent.number.denominator == 1:
        # arb's own ** gives nan for a ball centred at 0
        count = abs(int(exponent.number))
        inverse = exponent.number < 0

        def repeated(env: Environment) -> Any:
            x = below(env)
            value = reduce(_multiply, [x] * count, arb(1))
            return 1 / value if inverse else value

        return repeated
    above = compiled(exponent)
    return lambda env: below(env) ** above(env)


def _add(a: Any, b: Any) -> Any:
    return a + b


def _multiply(a: Any, b: Any) -> Any:
    return b * a if isinstance(b, arb_mat) and not isinstance(a, arb_mat) else a * b


def _erfc(x: arb) -> arb:
    """erfc; of a wide ball far out, where ``arb.erfc`` is useless, by its ends (it decreases)."""
    if not x.is_exact() and abs(x) > FAR_OUT:
        return x.lower().erfc().union(x.upper().erfc())
    return x.erfc()


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "add": _add,
    "neg": lambda x: -x,
    "mul": _multiply,
    "div": lambda a, b: a * (1 / b) if isinstance(a, arb_mat) else a / b,
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
    "sqrt": lambda x: x.sqrt(),
    "sinh": lambda x: x.sinh(),
    "cosh": lambda x: x.cosh(),
    "erfc": _erfc,
    "abs": abs,
    "re": lambda x: x.real,
    "max": lambda *xs: largest(xs),
    "min": lambda *xs: smallest(xs),
    "transpose": lambda x: x.transpose(),
    "pi": arb.pi,
}

_LOOSE = {"add": 1, "neg": 2, "mul": 2, "div": 2, "pow": 4}


def _text(formula: Term) -> str:
    args = formula.args
    if formula.op == "number":
        return str(formula.number)
    if formula.op == "indexed":
        return f"{formula.name}[k]"
    if formula.op == "symbol":
        return formula.name
    if formula.op == "pi":
        return "pi"
    if formula.op == "add":
        right = args[1]
        if right.op == "neg":
            return f"{_within(args[0], 1)} - {_within(right.args[0], 2)}"
        return f"{_within(args[0], 1)} + {_within(right, 1)}"
    if formula.op == "neg":
        return f"-{_within(args[0], 3)}"
    if formula.op == "mul":
        return f"{_within(args[0], 2)}*{_within(args[1], 3)}"
    if formula.op == "div":
        return f"{_within(args[0], 2)}/{_within(args[1], 3)}"
    if formula.op == "pow":
        return f"{_within(args[0], 5)}^{_within(args[1], 5)}"
    names = {"total": "sum_k", "product": "prod_k"}
    return f"{names.get(formula.op, formula.op)}({', '.join(map(_text, args))})"


def _within(formula: Term, level: int) -> str:
    text = _text(formula)
    loose = _LOOSE.get(formula.op, 9)
    if formula.op == "number" and (formula.number < 0 or formula.number.denominator > 1):
        loose = 2
    return f"({text})" if loose < level else text
