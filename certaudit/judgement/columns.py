"""What each half says of each claim: certificate (proof), attack, code (conformance)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from certaudit.claims import Claim, SensitivityClaim
from certaudit.judgement.result import Judgement, Result
from certaudit.judgement.words import SYMBOLS, could_see, down
from certaudit.run import Run
from certaudit.verdict import ClaimVerdict, Status

if TYPE_CHECKING:
    from certaudit.audit.statistics.results import ClaimAudit

NO_CODE = "the spec names no implementation"
BLIND = "blind"
UNSTATED = "no dynamics are stated to compare the code with"
BOTH_ALIKE = (
    "no dynamics are stated, and models of both worlds go through `unlearn`: what it does to both alike "
    "is not seen (the reference retrained would show it)"
)
NOT_ATTACKED = "`verify` proves and does not attack"


class State(Enum):
    """HOLDS: it speaks for the claim, or found nothing against it.  BREAKS: it objects.  UNDECIDED: it
    looked and cannot say, or broke down.  UNCHECKED: it should have looked and could not.  NOT_ASKED:
    there is nothing for it to look at."""

    HOLDS = "holds"
    BREAKS = "breaks"
    UNDECIDED = "undecided"
    UNCHECKED = "unchecked"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Cell:
    """``word`` stands in the table, ``why`` beside or below it."""

    state: State
    word: str
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One claim's three columns."""

    claim: Claim
    certificate: Cell
    attack: Cell
    code: Cell

    def cells(self) -> dict[str, Cell]:
        """The columns by name."""
        return {"certificate": self.certificate, "attack": self.attack, "code": self.code}


class Compared(Protocol):
    """What is asked of any comparison of code with a spec.

    ``skipped``: why nothing was compared (empty: it was).  ``checks``: the tests made; a comparison
    without any has compared nothing.
    """

    @property
    def differs(self) -> bool:
        """Whether any check failed."""
        ...

    @property
    def skipped(self) -> str:
        """Why nothing was compared."""
        ...

    @property
    def checks(self) -> Sequence[Any]:
        """The tests made."""
        ...

    @property
    def failures(self) -> Sequence[Any]:
        """Those that failed, clearest first, each with ``name``, ``where`` and ``meaning``."""
        ...


CERTIFICATE = {
    Status.PROVED: State.HOLDS,
    Status.REFUTED: State.BREAKS,
    Status.NOT_PROVED: State.UNDECIDED,
    Status.PREMISE_FAILED: State.UNDECIDED,
    Status.NOT_STATED: State.NOT_ASKED,
}


def certificate(verdict: ClaimVerdict) -> Cell:
    """What the proofs say."""
    state = CERTIFICATE[verdict.status]
    why = "no dynamics are stated, so there is nothing to prove" if state is State.NOT_ASKED else ""
    return Cell(state, verdict.status.value.upper(), why)


def attack(found: ClaimAudit | None, broken: Sequence[str]) -> Cell:
    """What the attack says; None where only the formal half ran."""
    if found is None:
        return Cell(State.NOT_ASKED, "not checked", NOT_ATTACKED)
    if found.refuted:
        text = f"{SYMBOLS[found.quantity]} above the claimed {found.claimed:.4g} was measured"
        if found.lower_bound > found.claimed:
            text += f", at least {down(found.lower_bound)}"
        return Cell(State.BREAKS, "OBJECTS", text)
    if broken:
        return Cell(State.UNDECIDED, "broke down", broken[0])
    if found.skipped:
        return Cell(State.UNCHECKED, "not checked", found.skipped)
    return Cell(State.HOLDS, BLIND if found.blind else "no objection", could_see(found))


def code(run: Run, claim: Claim, *, named: bool, stated: bool, compared: Compared | None) -> Cell:
    """What conformance says of the code that makes the models ``claim`` is about.

    ``named``: whether the spec names an implementation; ``stated``: whether it states the dynamics.
    A difference objects to every claim.  Code that was compared speaks for the models that were: those
    released last.
    """
    whose = "the implementation" if named else "certaudit's own code"
    if compared is not None and compared.differs:
        return Cell(State.BREAKS, "DIFFERS", f"{whose} differs from the spec: {_first(compared)}")
    if not named:
        text = NO_CODE if compared is None else f"{NO_CODE}: only certaudit's own dynamics were attacked"
        return Cell(State.NOT_ASKED, "not checked", text)
    if not stated:
        alike = run.reference.kind == "unlearn-retrained"
        state, text = (State.UNCHECKED, BOTH_ALIKE) if alike else (State.NOT_ASKED, UNSTATED)
        return Cell(state, "not checked", text)
    if why := _unseen(run, claim) or _not_compared(compared):
        return Cell(State.UNCHECKED, "not checked", why)
    assert compared is not None
    return Cell(State.HOLDS, "agrees", f"no difference found in {len(compared.checks)} tests")


def conformed(compared: Compared) -> Judgement:
    """The result of a comparison alone."""
    if compared.differs:
        return Judgement(Result.FAIL, f"the implementation differs from the spec: {_first(compared)}")
    if why := _not_compared(compared):
        return Judgement(Result.OPEN, f"not compared: {why}")
    return Judgement(
        Result.PASS, f"no difference found in {len(compared.checks)} tests; no claim judged"
    )


def _first(compared: Compared) -> str:
    first = compared.failures[0]
    return f"{first.name}, {first.where}: {first.meaning}"


def _not_compared(compared: Compared | None) -> str:
    if compared is None:
        return "the code was not run"
    return compared.skipped or ("" if compared.checks else "no test was made")


def _unseen(run: Run, claim: Claim) -> str:
    """Why a comparison of the models released last says nothing of what ``claim`` is about."""
    if isinstance(claim, SensitivityClaim):
        return "the claim is about a step, and the iterates of the code are not seen"
    if claim.after not in (None, len(run.requests)):
        return f"the models after stage {claim.after} were not compared, only those after the last"
    if run.release != "final":
        return f"an observer sees {run.release}, and of the code only the final models are seen"
    return ""
