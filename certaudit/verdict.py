"""Verdicts as plain data: what each half concluded about each claim."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING

from certaudit.claims import Claim

if TYPE_CHECKING:
    from certaudit.core.proof import Line, Proof
    from certaudit.core.rule import Premise


class Status(Enum):
    """The verdict words: what proofs say of a claim, what an attack adds, what is said of code."""

    PROVED = "proved"
    REFUTED = "refuted"
    REFUTED_STATISTICALLY = "refuted statistically"
    NOT_PROVED = "not proved"
    PREMISE_FAILED = "premise failed"
    NOT_STATED = "not checked"
    IMPLEMENTATION_DIFFERS = "implementation differs"


@dataclass(frozen=True)
class Bound:
    """One route's proved number for the claim's quantity, and the lines that carry it.

    ``value`` is a proved upper bound (None: infinite); ``floor`` a proved lower bound, where exact.
    """

    route: str
    quantity: str
    value: Fraction | None
    lines: tuple[Line, ...]
    floor: Fraction | None = None


@dataclass(frozen=True)
class FailedPremise:
    """A premise the run breaks, with the rule or theorem that needs it."""

    rule: str
    premise: Premise


@dataclass(frozen=True)
class NamedTheorem:
    """What the theorem a claim names says of this run: its own value, and its broken premises."""

    name: str
    source: str
    value: Fraction | None
    failed: tuple[FailedPremise, ...]
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClaimVerdict:
    """The formal half's verdict on one claim.

    ``decided_by`` are the lines of ``proof`` that prove or break the claim (none unless it is proved or
    refuted by proof); ``bounds`` lists every route's number, best first; ``notes`` are one-line remarks;
    ``skipped`` says which rules did not apply and why.
    """

    claim: Claim
    status: Status
    proof: Proof
    decided_by: tuple[Line, ...]
    bounds: tuple[Bound, ...]
    failed: tuple[FailedPremise, ...] = ()
    named: NamedTheorem | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = field(default=())
