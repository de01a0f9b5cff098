"""Formulas of the core in sympy, for obligations, and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy as sp

from certaudit.core.term import Formula, Term

Values = Mapping[Term, Any]

_NUMBER = re.compile(r"\(?(-?[0-9.]+)(?:e(-?[0-9]+))?\)?")
_WORD = re.compile("[A-Za-z]+")
_SCRIPT = re.compile(r"([_^])(?:\{([^}]*)\}|\(([^)]*)\)|(-?[A-Za-z0-9]+))")
_TILDE = re.compile("([A-Za-z]+)~")
_WHOLE = re.compile("[0-9]+")
_DOT, _SPACE = r"\cdot", r"\,"
_RELATIONS = {"=": "=", "<=": r"\le", ">": ">", ">=": r"\ge"}
_LOOSE = {"add": 1, "total": 1, "product": 1, "neg": 2, "mul": 2}
_LOWER = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu")
_GREEK = frozenset((*_LOWER, "nu", "phi", "rho", "sigma", "tau", "Gamma", "Delta", "Phi"))
_NAMED = frozenset(["sin", "cos", "sinh", "cosh", "exp", "log", "min", "max", "sup"])


def to_sympy(term: Term | None, values: Values | None = None) -> Any:
    """``term`` in sympy, a symbol standing for its value in ``values``, else for a real symbol.

    A value may be an expression or a matrix; that of an indexed symbol a sequence of those, over which
    ``total`` and ``product`` then run.  Without one they stay sums and products over k.
    """
    if term is None:
        raise TypeError("no formula is known")
    known = values or {}
    if term in known:
        return known[term]
    if term.op == "number":
        return sp.Rational(term.number.numerator, term.number.denominator)
    if term.op == "symbol":
        return sp.Symbol(term.name, real=True)
    if term.op == "indexed":
        return sp.IndexedBase(term.name, real=True)[sp.Symbol("k", integer=True)]
    if term.op in ("total", "product"):
        return _over(term, known)
    return _FUNCTIONS[term.op](*(to_sympy(part, known) for part in term.args))


def positive(*terms: Term) -> dict[Term, sp.Symbol]:
    """Values that say these symbols are above 0."""
    return {term: sp.Symbol(term.name, positive=True) for term in terms}


def right(formula: Formula, values: Values | None = None) -> Any:
    """The right side of a formula in sympy."""
    return to_sympy(formula.right, values)


def replaced(term: Term, values: Mapping[Term, Term]) -> Term:
    """``term`` with symbols replaced."""
    if term in values:
        return values[term]
    if not term.args:
        return term
    return Term(term.op, tuple(replaced(part, values) for part in term.args), term.name, term.number)


def symbols_of(term: Term) -> tuple[Term, ...]:
    """The symbols of a term, in order, each once."""
    own = (term,) if term.op in ("symbol", "indexed") else ()
    return tuple(dict.fromkeys([*own, *(one for part in term.args for one in symbols_of(part))]))


def latex(formula: Formula | Term) -> str:
    """A formula as it stands, in LaTeX."""
    if isinstance(formula, Formula):
        return f"{latex(formula.left)} {_RELATIONS[formula.relation]} {latex(formula.right)}"
    return _latex(formula, 0)


def _over(term: Term, known: Values) -> Any:
    (body,) = term.args
    names = [one for one in symbols_of(body) if one.op == "indexed"]
    if all(name in known for name in names):
        columns: list[Sequence[Any]] = [known[name] for name in names]
        parts = [
            to_sympy(body, {**known, **dict(zip(names, row, strict=True))})
            for row in zip(*columns, strict=True)
        ]
        return sp.Add(*parts) if term.op == "total" else sp.Mul(*parts)
    make = sp.Sum if term.op == "total" else sp.Product
    return make(to_sympy(body, known), (sp.Symbol("k", integer=True), 1, sp.Symbol("n", integer=True)))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "neg": lambda a: -a,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "exp": sp.exp,
    "log": sp.log,
    "sqrt": sp.sqrt,
    "sinh": sp.sinh,
    "cosh": sp.cosh,
    "erfc": sp.erfc,
    "abs": sp.Abs,
    "re": sp.re,
    "max": sp.Max,
    "min": sp.Min,
    "transpose": lambda a: a.T,
    "pi": lambda: sp.pi,
}


def _latex(term: Term, level: int) -> str:
    text = _unbracketed(term)
    loose = _LOOSE.get(term.op, 9)
    if term.op == "number" and term.number < 0:
        loose = 2
    return rf"\left({text}\right)" if loose < level else text


def _unbracketed(term: Term) -> str:
    args = term.args
    match term.op:
        case "number":
            return _rational(term.number)
        case "symbol":
            return _name(term.name)
        case "indexed":
            return f"{{{_name(term.name)}}}_{{k}}"
        case "pi":
            return r"\pi"
        case "add" if args[1].op == "neg":
            return f"{_latex(args[0], 1)} - {_latex(args[1].args[0], 2)}"
        case "add":
            return f"{_latex(args[0], 1)} + {_latex(args[1], 1)}"
        case "neg":
            return f"-{_latex(args[0], 3)}"
        case "mul":
            second = _latex(args[1], 3)
            return rf"{_latex(args[0], 2)} {_DOT if second[0].isdigit() else _SPACE} {second}"
        case "div":
            return rf"\frac{{{_latex(args[0], 0)}}}{{{_latex(args[1], 0)}}}"
        case "pow":
            return f"{{{_base(args[0])}}}^{{{_latex(args[1], 0)}}}"
        case "sqrt":
            return rf"\sqrt{{{_latex(args[0], 0)}}}"
        case "exp":
            return f"e^{{{_latex(args[0], 0)}}}"
        case "abs":
            return rf"\left|{_latex(args[0], 0)}\right|"
        case "transpose":
            return f"{_base(args[0])}^{{T}}"
        case "total" | "product":
            return rf"\{'sum' if term.op == 'total' else 'prod'}_k {_latex(args[0], 2)}"
    name = {"erfc": r"\operatorname{erfc}", "re": r"\operatorname{Re}"}.get(term.op, f"\\{term.op}")
    return rf"{name}\left({', '.join(_latex(part, 0) for part in args)}\right)"


def _base(term: Term) -> str:
    """What is raised to a power, in brackets unless it is one piece."""
    text = _unbracketed(term)
    one = term.op in ("symbol", "indexed", "pi", "abs") or _WHOLE.fullmatch(text)
    return text if one and _DOT not in text else rf"\left({text}\right)"


def _rational(number: Fraction) -> str:
    if number.denominator == 1:
        return str(number)
    sign = "-" if number < 0 else ""
    return rf"{sign}\frac{{{abs(number.numerator)}}}{{{number.denominator}}}"


def _name(name: str) -> str:
    """A symbol's name; the number of a substitution as it is, in brackets if it is negative."""
    number = _NUMBER.fullmatch(name)
    if number is None:
        return _spelled(name)
    text = number[1] if number[2] is None else rf"{number[1]} \cdot 10^{{{number[2]}}}"
    return f"({text})" if text.startswith("-") else text


def _spelled(name: str) -> str:
    """Greek letters, functions, sub- and superscripts of a name."""
    parts = _SCRIPT.split(_TILDE.sub(r"\\tilde{\1}", name).replace("*", " "))
    # split gives text, then mark and three alternatives of what it marks, and so on
    spelled = [_words(parts[0])]
    for k in range(1, len(parts), 5):
        inner = next(one for one in parts[k + 1 : k + 4] if one is not None)
        spelled += [f"{parts[k]}{{{_words(inner)}}}", _words(parts[k + 4])]
    return "".join(spelled)


def _words(text: str) -> str:
    return _WORD.sub(lambda found: _word(found[0]), text.replace(r"\tilde", "~")).replace("~", r"\tilde")


def _word(word: str) -> str:
    if word in _GREEK or word in _NAMED:
        return rf"\{word} "
    return word if len(word) <= 2 else rf"\mathrm{{{word}}}"
