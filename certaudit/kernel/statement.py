"""Statements, the rules that make them, and the two ways in which a rule refuses.

A Statement cannot be built by calling its class: only :meth:`Rule.conclude`, used by the modules
of this package alone, holds the seal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import sympy as sp
from flint import arb

_SEAL = object()


@dataclass(frozen=True)
class Premise:
    """One hypothesis of a rule, with the numbers it was checked on (or ``assumed``)."""

    name: str
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    basis: Literal["checked", "assumed"] = "checked"

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))


class PremiseFailed(Exception):
    """The run certainly breaks a premise of the rule."""

    def __init__(self, rule: Rule, premise: Premise) -> None:
        self.rule = rule
        self.premise = premise
        super().__init__(f"{rule.id}: {premise.name}: {premise.text}")


class NotApplicable(Exception):
    """The rule says nothing about a run of this shape."""

    def __init__(self, rule: Rule, reason: str) -> None:
        self.rule = rule
        self.reason = reason
        super().__init__(f"{rule.id}: {reason}")


class Undecided(Exception):
    """Balls too wide, or a hint too poor, to decide; more precision or a better hint may help."""


@dataclass(frozen=True, init=False, eq=False)
class Statement:
    """A proved statement about one run.

    kind: what it states (``sensitivity``, ``gaussian-dp``, ``renyi``, ``hockey-stick``, ...).
    formulas: the sympy relations evaluated, the conclusion last.  values: enclosures.
    exact: exact parameters; neither mapping can be changed.  subject: the run (statements about
    different runs do not combine).  uses: the statements it was derived from.  work: what a later rule
    computes with, and no part of what is stated.
    """

    kind: str
    rule: Rule
    formulas: tuple[sp.Basic, ...]
    values: Mapping[str, Any]
    exact: Mapping[str, Any]
    premises: tuple[Premise, ...]
    uses: tuple[Statement, ...]
    subject: object
    work: Any

    def __init__(self, seal: object, **fields: Any) -> None:
        if seal is not _SEAL:
            raise TypeError("statements are made by rules of the kernel only")
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def ball(self, name: str) -> arb:
        """The enclosure called ``name``."""
        value: arb = self.values[name]
        return value


@dataclass(frozen=True)
class Rule:
    """A theorem: its identifier (a section label of the theory), title and source."""

    id: str
    title: str
    source: str

    def require(self, holds: bool, fails: bool, premise: Premise) -> Premise:
        """Return the premise if it certainly holds; refuse otherwise."""
        if holds:
            return premise
        if fails:
            raise PremiseFailed(self, premise)
        raise Undecided(f"{self.id}: {premise.name}: {premise.text}")

    def conclude(
        self,
        kind: str,
        *,
        formulas: tuple[sp.Basic, ...],
        values: Mapping[str, Any],
        subject: object,
        exact: Mapping[str, Any] | None = None,
        premises: tuple[Premise, ...] = (),
        uses: tuple[Statement, ...] = (),
        bridges: tuple[Statement, ...] = (),
        work: Any = None,
    ) -> Statement:
        """Make a statement; every statement used must be about the same run, but for ``bridges``,
        whose runs the rule itself has related to this one."""
        if any(used.subject is not subject for used in uses):
            raise TypeError(f"{self.id}: statements about different runs do not combine")
        return Statement(
            _SEAL,
            kind=kind,
            rule=self,
            formulas=formulas,
            values=MappingProxyType(dict(values)),
            exact=MappingProxyType(dict(exact or {})),
            premises=premises,
            uses=uses + bridges,
            subject=subject,
            work=work,
        )


def expect(statement: Statement, kind: str) -> Statement:
    """Return ``statement`` if it is of the kind named; raise TypeError otherwise."""
    if not isinstance(statement, Statement) or statement.kind != kind:
        raise TypeError(f"expected a {kind} statement")
    return statement
