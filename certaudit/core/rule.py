"""A rule: its identity, what it concludes, and the three ways in which it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from flint import arb

from certaudit.core.statement import Statement
from certaudit.core.term import Environment, Formula
from certaudit.run import Run

W = TypeVar("W")
S = TypeVar("S", bound=Statement)


@dataclass(frozen=True)
class Premise:
    """One hypothesis of a rule, with the numbers it was checked on (or ``assumed``)."""

    name: str
    text: str
    numbers: tuple[tuple[str, arb], ...] = ()
    basis: Literal["checked", "assumed"] = "checked"


class Refusal(Exception):
    """A rule gave no statement; ``rule`` is its identifier."""

    def __init__(self, rule: str, text: str) -> None:
        self.rule = rule
        self.text = text
        super().__init__(f"{rule}: {text}")


class PremiseFailed(Refusal):
    """The run certainly breaks a premise of the rule."""

    def __init__(self, rule: str, premise: Premise) -> None:
        self.premise = premise
        super().__init__(rule, f"{premise.name}: {premise.text}")


class NotApplicable(Refusal):
    """The rule says nothing about a run of this shape, or about these premises."""


class Undecided(Refusal):
    """Balls too wide, or a witness too poor, to decide; more precision or a better one may help."""


@dataclass(frozen=True)
class Conclusion:
    """A statement, the premises it was checked on, and the formulas evaluated with their numbers."""

    statement: Statement
    premises: tuple[Premise, ...] = ()
    shown: tuple[tuple[Formula, Environment], ...] = ()


@dataclass(frozen=True)
class Rule(Generic[W]):
    """A theorem that checks a witness.

    ``id`` is a label of docs/theory.md; ``source`` names the theorem; ``witness`` is the frozen class of
    what must be supplied.  ``apply(run, uses, witness)`` returns a conclusion or raises a Refusal.
    """

    id: str
    title: str
    source: str
    witness: type[W]
    apply: Callable[[Run, tuple[Statement, ...], W], Conclusion]


@dataclass(frozen=True)
class Nothing:
    """The witness of a rule that needs none."""


def require(rule: str, holds: bool, fails: bool, premise: Premise) -> Premise:
    """The premise if it certainly holds; raises PremiseFailed if it certainly fails, else Undecided."""
    if holds:
        return premise
    if fails:
        raise PremiseFailed(rule, premise)
    raise Undecided(rule, f"{premise.name}: {premise.text}")


def expect(rule: str, statement: Statement, kind: type[S]) -> S:
    """``statement`` if it is of the kind a rule builds on; raises NotApplicable otherwise."""
    if isinstance(statement, kind):
        return statement
    raise NotApplicable(rule, f"needs a {kind.__name__} statement, not {type(statement).__name__}")


def one(rule: str, uses: tuple[Statement, ...], kind: type[S]) -> S:
    """The only statement a rule builds on."""
    if len(uses) != 1:
        raise NotApplicable(rule, f"builds on one {kind.__name__} statement, not on {len(uses)}")
    return expect(rule, uses[0], kind)


def numbers(**values: Any) -> tuple[tuple[str, arb], ...]:
    """Named numbers of a premise."""
    return tuple(values.items())


Registry = Mapping[str, Rule[Any]]
