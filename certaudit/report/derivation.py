"""Derivations: trees of statements as plain data, and as text to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy as sp
from flint import arb, arb_mat

from certaudit.kernel.statement import Premise, Statement
from certaudit.report.numbers import enclosure
from certaudit.run import Run


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


def to_text(roots: Sequence[Statement], *, latex: bool = False) -> Iterator[str]:
    """The derivation, step by step, one line at a time."""
    steps = ordered(roots)
    number = {id(step): k for k, step in enumerate(steps, 1)}
    for step in steps:
        used = ", ".join(f"[{number[id(u)]}]" for u in step.uses)
        yield f"[{number[id(step)]}] {step.rule.id}: {step.rule.title}" + (
            f"   from {used}" if used else ""
        )
        yield f"      source     {step.rule.source}"
        for premise in step.premises:
            numbers = "; ".join(f"{k} = {_brief(v)}" for k, v in premise.values.items())
            yield f"      premise    {premise.text} ({premise.basis}{': ' + numbers if numbers else ''})"
        for formula in step.formulas:
            yield f"      statement  {sp.latex(formula) if latex else plain(formula)}"
        for key, value in step.exact.items():
            yield f"      given      {key} = {_brief(value)}"
        for key, value in step.values.items():
            yield f"      enclosure  {key} = {_brief(value)}"
        yield ""


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
    return str(enclosure(value))
