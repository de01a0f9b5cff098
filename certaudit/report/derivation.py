"""Derivations: lines of a proof as plain data, and as text to read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

from flint import acb, arb, arb_mat

from certaudit.core.balls import ball, precision
from certaudit.core.proof import Line, Proof
from certaudit.core.rule import Premise
from certaudit.core.rules import RULES
from certaudit.core.term import Environment, Formula, Term, symbol
from certaudit.report.numbers import enclosure
from certaudit.run import Batch

WIDTH = 92
DIGITS = 6
FEW = 3

VALUES_OF_A_ROW = {
    ("residual-law", "y_i"),
    ("residual-law", "x_i.m_t"),
    ("S3", "mu"),
    ("exceedance", "mu"),
}
"""Symbols of a rule for the target or a margin of a removed row: their numbers are left out."""
FIELDS_OF_A_ROW = {("ResidualLaw", "means"), ("MarginLaw", "margins")}
LEFT_OUT = "left out: it tells a value of a removed row"

Told = set[object]
"""Lemmas and lines printed already."""


def reachable(proof: Proof, roots: Sequence[Line]) -> list[Line]:
    """The lines that some lines rest on, and these, in order."""
    wanted = {line.number for line in roots}
    for line in reversed(proof.lines):
        if line.number in wanted:
            wanted |= set(line.uses)
    return [line for line in proof.lines if line.number in wanted]


def to_data(proof: Proof, roots: Sequence[Line]) -> list[dict[str, Any]]:
    """The derivation as JSON-ready lines; ``uses`` refers to their numbers, ``requests`` says after how
    many requests the run in question stops."""
    with precision(proof.bits):
        return [_data(proof, line) for line in reachable(proof, roots)]


def to_text(
    proof: Proof, roots: Sequence[Line], *, latex: bool = False, told: Told | None = None
) -> Iterator[str]:
    """The derivation, line by line.

    A line shows its source, the lemmas behind its formulas, its premises, its formulas, the numbers put
    into them, and what it states.  ``told`` holds the lemmas stated and lines printed already, which are
    then only named; those printed here are added.
    """
    told = set() if told is None else told
    lines = reachable(proof, roots)
    above = [line for line in lines if line in told]
    for one in lines:
        if one in told:
            continue
        told.add(one)
        with precision(proof.bits):
            yield from list(_line(proof, one, told, latex))
    if above and all(line in above for line in roots):
        yield f"      rests on {_numbers(line.number for line in roots)} (above)"
        yield ""


def _line(proof: Proof, one: Line, told: Told, latex: bool) -> Iterator[str]:
    rule = RULES[one.rule]
    used = f"   from {_numbers(one.uses)}" if one.uses else ""
    yield f"[{one.number}] {rule.id}: {rule.title}{used}"
    yield line("source", rule.source)
    yield from _lemmas(proof, one, told, latex)
    for premise in one.conclusion.premises:
        yield line("premise", premise_text(premise))
    for field in fields(one.witness):
        yield line("witness", f"{field.name} = {brief(getattr(one.witness, field.name))}")
    for formula in dict.fromkeys(formula for formula, _ in one.conclusion.shown):
        yield line("statement", formula_text(formula, latex))
    for formula, values in _shown(one):
        put = substituted(formula, values)
        if put is not None:
            found = _evaluated(formula, values)
            value = "" if found is None else f"   in {brief(found)}"
            yield line("substitute", formula_text(put, latex) + value)
            yield from (line("", f"  with {text}") for text in _sequences(formula, values))
    statement = one.statement
    yield line("states", type(statement).__name__)
    for field in fields(statement):
        value = getattr(statement, field.name)
        name = "enclosure" if _holds_balls(value) else "given"
        private = (type(statement).__name__, field.name) in FIELDS_OF_A_ROW
        yield line(name, f"{field.name} = {LEFT_OUT if private else brief(value)}")
    yield ""


def _shown(one: Line) -> list[tuple[Formula, Environment]]:
    """The formulas of a line with their numbers, but for values of a removed row."""
    return [
        (
            formula,
            {
                name: value
                for name, value in values.items()
                if (one.rule, str(name)) not in VALUES_OF_A_ROW
            },
        )
        for formula, values in one.conclusion.shown
    ]


def _lemmas(proof: Proof, one: Line, told: Told, latex: bool) -> Iterator[str]:
    from certaudit.lemmas.catalogue import of_rule

    found = of_rule(one.rule, proof.run)
    again = [lemma.id for lemma in found if lemma.id in told]
    if again:
        first, *rest = textwrap.wrap(f"{', '.join(again)} (above)", WIDTH, break_on_hyphens=False)
        yield line("lemmas", first)
        yield from (line("", f"  {more}") for more in rest)
    for lemma in found:
        if lemma.id in told:
            continue
        told.add(lemma.id)
        first, *rest = textwrap.wrap(f"{lemma.id}: {lemma.statement}", WIDTH, break_on_hyphens=False)
        yield line("lemma", first)
        yield from (line("", f"  {more}") for more in rest)
        yield from (line("", f"  {formula_text(formula, latex)}") for formula in lemma.formulas)


def line(name: str, text: str) -> str:
    """One line of a line: what it is, and its text."""
    return f"      {name:<12}{text}".rstrip()


def formula_text(formula: Formula, latex: bool) -> str:
    """A formula on one line, as text or as LaTeX."""
    if not latex:
        return str(formula)
    from certaudit.lemmas import terms

    return terms.latex(formula)


def premise_text(premise: Premise) -> str:
    """A premise with the numbers it was checked on."""
    numbers = "; ".join(f"{name} = {brief(value)}" for name, value in premise.numbers)
    return f"{premise.text} ({premise.basis}{': ' + numbers if numbers else ''})"


def substituted(formula: Formula, values: Environment) -> Formula | None:
    """The formula with rounded numbers for its symbols, sums of few terms written out; None if no symbol
    has a number."""
    right = _put(formula.right, values)
    return None if right == formula.right else Formula(formula.left, right, formula.relation)


def short(value: arb) -> str:
    """A rounded number; in parentheses if negative."""
    mantissa, mark, exponent = str(value.str(DIGITS, radius=False)).partition("e")
    text = (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + mark + exponent
    return f"({text})" if text.startswith("-") else text


def brief(value: Any) -> str:
    """A value on one line: balls as enclosures, tables by their size, of long lists both ends."""
    if isinstance(value, arb):
        return str(value.str(15))
    if isinstance(value, acb):
        return f"{value.real.str(15)} + {value.imag.str(15)} i"
    if isinstance(value, arb_mat):
        return f"{value.nrows()} x {value.ncols()} matrix"
    if isinstance(value, tuple | list):
        return _list(value)
    if isinstance(value, Batch):
        return _batch(value)
    if is_dataclass(value):
        return ", ".join(f"{field.name} {brief(getattr(value, field.name))}" for field in fields(value))
    if isinstance(value, float):
        return repr(value)
    text = str(enclosure(value))
    return f"{short(ball(value))} (rounded)" if isinstance(value, Fraction) and len(text) > 24 else text


def _batch(batch: Batch) -> str:
    whole = "all rows" if batch.members is None else f"{len(batch.members)} rows"
    if not batch.removed:
        return whole
    some = ", ".join(map(str, batch.removed[:FEW])) + (", ..." if len(batch.removed) > FEW else "")
    return f"{whole} but {some}"


def _list(value: Sequence[Any]) -> str:
    if value and all(isinstance(row, tuple) for row in value):
        widths = {len(row) for row in value}
        if widths == {1}:
            return _list([row[0] for row in value])
        if len(value) > FEW or max(widths) > FEW:
            return f"{len(value)} x {widths.pop()} table" if len(widths) == 1 else f"{len(value)} rows"
    if len(value) > FEW and not isinstance(value[0], str):
        return f"{brief(value[0])}, ..., {brief(value[-1])} ({len(value)} values)"
    return "(" + ", ".join(map(brief, value)) + ")"


def _put(one: Term, values: Environment) -> Term:
    if one in values:
        number = _short(values[one])
        return one if number is None else symbol(number)
    if one.op in ("total", "product"):
        rows = _rows(one, values)
        if rows is not None:
            terms = [_put(one.args[0], {**values, **row}) for row in rows]
            joined = terms[0]
            for term in terms[1:]:
                joined = joined + term if one.op == "total" else joined * term
            return joined
    if not one.args:
        return one
    return Term(one.op, tuple(_put(part, values) for part in one.args), one.name, one.number)


def _rows(one: Term, values: Environment) -> list[dict[Term, Any]] | None:
    """What the indexed symbols of a sum are in each of its terms, if these are few."""
    names = _indexed(one)
    if any(name not in values or not 0 < len(values[name]) < FEW for name in names):
        return None
    return [dict(zip(names, row, strict=True)) for row in zip(*(values[n] for n in names), strict=True)]


def _indexed(one: Term) -> list[Term]:
    own = [one] if one.op == "indexed" else []
    return list(dict.fromkeys([*own, *(name for part in one.args for name in _indexed(part))]))


def _sequences(formula: Formula, values: Environment) -> list[str]:
    """Long sequences that a formula runs over."""
    names = [name for name in _indexed(formula.right) if len(values.get(name, ())) >= FEW]
    return [f"{name} = {brief(values[name])}" for name in names]


def _short(value: Any) -> str | None:
    if isinstance(value, int | Fraction):
        return short(ball(value))
    if isinstance(value, arb):
        return short(value)
    if isinstance(value, acb):
        real, imaginary = short(value.real), short(value.imag)
        return real if value.imag.is_zero() else f"({real} + {imaginary}i)"
    return None


def _evaluated(formula: Formula, values: Environment) -> Any:
    """The right side's value; None if a symbol has none."""
    try:
        return formula.at(values)
    except KeyError:
        return None


def _holds_balls(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_holds_balls, value))
    return isinstance(value, arb | acb | arb_mat)


def _data(proof: Proof, one: Line) -> dict[str, Any]:
    rule, statement = RULES[one.rule], one.statement
    return {
        "line": one.number,
        "kind": type(statement).__name__,
        "rule": rule.id,
        "title": rule.title,
        "source": rule.source,
        "formulas": list(dict.fromkeys(str(formula) for formula, _ in one.conclusion.shown)),
        "evaluated": [
            {
                "formula": str(formula),
                "numbers": {
                    str(name): enclosure(value)
                    for name, value in values.items()
                    if isinstance(value, arb)
                },
            }
            for formula, values in _shown(one)
            if values
        ],
        "premises": [_premise(premise) for premise in one.conclusion.premises],
        "statement": {
            field.name: LEFT_OUT
            if (type(statement).__name__, field.name) in FIELDS_OF_A_ROW
            else enclosure(getattr(statement, field.name))
            for field in fields(statement)
        },
        "uses": list(one.uses),
        "requests": len(proof.run.requests),
    }


def _premise(premise: Premise) -> dict[str, Any]:
    return {
        "name": premise.name,
        "text": premise.text,
        "basis": premise.basis,
        "values": {name: enclosure(value) for name, value in premise.numbers},
    }


def _numbers(some: Any) -> str:
    return ", ".join(f"[{number}]" for number in some)
