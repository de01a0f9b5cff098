"""Derivations: trees of statements as plain data, and as text to read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb, arb_mat

from certaudit.kernel.balls import ball
from certaudit.kernel.iteration import SHIFT, START
from certaudit.kernel.statement import Premise, Statement
from certaudit.report.numbers import enclosure
from certaudit.report.pools import blocks, pools
from certaudit.report.substitution import Substituted, short, substitute, substitutions
from certaudit.run import Run

WIDTH = 92
MOST_POOLS = 4


def ordered(roots: Sequence[Statement]) -> list[Statement]:
    """Every statement used, each once, premises of a step before the step."""
    seen: dict[int, Statement] = {}

    def visit(statement: Statement) -> None:
        if id(statement) not in seen:
            for used in statement.uses:
                visit(used)
            seen[id(statement)] = statement

    for root in roots:
        visit(root)
    return list(seen.values())


def to_data(roots: Sequence[Statement]) -> list[dict[str, Any]]:
    """The derivation as JSON-ready steps, numbered from 1; ``uses`` refers to the numbers, ``requests``
    says after how many requests the run in question stops."""
    steps = ordered(roots)
    number = {id(step): k for k, step in enumerate(steps, 1)}
    return [
        {
            "step": number[id(step)],
            "kind": step.kind,
            "rule": step.rule.id,
            "title": step.rule.title,
            "source": step.rule.source,
            "formulas": [plain(formula) for formula in step.formulas],
            "premises": [_premise(premise) for premise in step.premises],
            "exact": {key: enclosure(value) for key, value in step.exact.items()},
            "values": {key: enclosure(value) for key, value in step.values.items()},
            "uses": [number[id(used)] for used in step.uses],
            "requests": len(step.subject.requests) if isinstance(step.subject, Run) else None,
        }
        for step in steps
    ]


def to_text(
    roots: Sequence[Statement], *, latex: bool = False, told: set[str] | None = None
) -> Iterator[str]:
    """The derivation, step by step, one line at a time.

    A step shows its source, the lemmas behind its closed forms, its premises, what it states, the
    numbers put into the formulas, and the enclosures.  ``told`` holds the lemmas stated already, which
    are then only named; those stated here are added.
    """
    told = set() if told is None else told
    steps = ordered(roots)
    number = {id(step): k for k, step in enumerate(steps, 1)}
    for step in steps:
        used = ", ".join(f"[{number[id(u)]}]" for u in step.uses)
        yield f"[{number[id(step)]}] {step.rule.id}: {step.rule.title}" + (
            f"   from {used}" if used else ""
        )
        yield line("source", step.rule.source)
        yield from _lemmas(step, told, latex)
        for premise in step.premises:
            numbers = "; ".join(f"{k} = {_brief(v)}" for k, v in premise.values.items())
            yield line("premise", f"{premise.text} ({premise.basis}{': ' + numbers if numbers else ''})")
        for formula in step.formulas:
            yield line("statement", formula_text(formula, latex))
        for key, value in step.exact.items():
            yield line("given", f"{key} = {_brief(value)}")
        for put in substitutions(step):
            yield _substituted(put, latex)
        yield from _pooling(step, latex)
        for key, value in step.values.items():
            yield line("enclosure", f"{key} = {_brief(value)}")
        yield ""


def _lemmas(step: Statement, told: set[str], latex: bool) -> Iterator[str]:
    from certaudit.lemmas.catalogue import of_rule

    found = of_rule(step.rule.id, step.subject if isinstance(step.subject, Run) else None)
    again = [lemma.id for lemma in found if lemma.id in told]
    if again:
        first, *rest = textwrap.wrap(f"{', '.join(again)} (above)", WIDTH)
        yield line("lemmas", first)
        yield from (line("", f"  {more}") for more in rest)
    for lemma in found:
        if lemma.id in told:
            continue
        told.add(lemma.id)
        first, *rest = textwrap.wrap(f"{lemma.id}: {lemma.statement}", WIDTH)
        yield line("lemma", first)
        yield from (line("", f"  {more}") for more in rest)
        parts = lemma.formula.args if isinstance(lemma.formula, sp.Tuple) else (lemma.formula,)
        yield from (line("", f"  {formula_text(part, latex)}") for part in parts)


def _pooling(step: Statement, latex: bool) -> Iterator[str]:
    """The longest block of equal steps of an iteration with its numbers, and the pools."""
    if step.rule.id != "I1":
        return
    parts = blocks(step)
    longest = max(parts, key=lambda part: part.last - part.first)
    yield line(
        "block", f"steps {longest.first} to {longest.last}, one of {len(parts)} blocks of equal steps"
    )
    other = SHIFT if longest.first == 1 else START
    for put in substitute([f for f in step.formulas if f is not other], longest.numbers):
        yield _substituted(put, latex)
    found = pools(parts)
    shown = found if len(found) <= MOST_POOLS else [*found[: MOST_POOLS - 1], found[-1]]
    for pool in shown:
        if pool is found[-1] and len(found) > len(shown):
            yield line("", f"... ({len(found)} pools)")
        total_u, total_w = ball(pool.total_u), ball(pool.total_w)
        yield line(
            "pool",
            f"steps {pool.first} to {pool.last}: U = {short(total_u)}, W = {short(total_w)}, "
            f"U^2/W = {short(pool.energy)}",
        )
    energy = sum((pool.energy for pool in found), arb(0))
    yield line("pooled", f"mu^2 = {_brief(energy)}")


def line(name: str, text: str) -> str:
    """One line of a step: what it is, and its text."""
    return f"      {name:<12}{text}".rstrip()


def formula_text(formula: sp.Basic, latex: bool) -> str:
    """A formula on one line, as text or as LaTeX."""
    return str(sp.latex(formula)) if latex else plain(formula)


def _substituted(put: Substituted, latex: bool) -> str:
    value = "" if put.value is None else f"   in {_brief(put.value)}"
    return line("substitute", (put.latex() if latex else put.text()) + value)


def plain(formula: sp.Basic) -> str:
    """A formula on one line, an equation as ``left = right``."""
    if isinstance(formula, sp.Eq):
        return f"{sp.sstr(formula.lhs)} = {sp.sstr(formula.rhs)}"
    return str(sp.sstr(formula))


def _premise(premise: Premise) -> dict[str, Any]:
    return {
        "name": premise.name,
        "text": premise.text,
        "basis": premise.basis,
        "values": {key: enclosure(value) for key, value in premise.values.items()},
    }


def _brief(value: Any) -> str:
    if isinstance(value, arb):
        return str(value.str(15))
    if isinstance(value, arb_mat):
        return f"{value.nrows()} x {value.ncols()} matrix"
    if isinstance(value, tuple) and len(value) > 3 and not isinstance(value[0], str):
        return f"{_brief(value[0])}, ..., {_brief(value[-1])} ({len(value)} values)"
    if isinstance(value, tuple):
        return "(" + ", ".join(_brief(entry) for entry in value) + ")"
    text = str(enclosure(value))
    return f"{short(ball(value))} (rounded)" if isinstance(value, Fraction) and len(text) > 24 else text
