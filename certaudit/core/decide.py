"""The last step: lines prove a claim, break it, or do neither (section 9)."""

from __future__ import annotations

from collections.abc import Sequence

from certaudit.claims.claim import Claim
from certaudit.core.balls import precision
from certaudit.core.proof import Line, Proof


def prove(proof: Proof, claim: Claim, lines: Sequence[Line]) -> tuple[Line, ...] | None:
    """Lines that prove ``claim`` of the proof's run, one for each of its cases; None if a case has none.

    Every direction the claim names is covered, for an observer at least as strong as the one the run
    releases to.
    """
    if not _about(proof, claim):
        return None
    own, release = _own(proof, lines), proof.subject.release
    used: list[Line] = []
    with precision(proof.bits):
        for case in claim.cases():
            found = next((line for line in own if claim.proved_by(line.statement, case, release)), None)
            if found is None:
                return None
            used.append(found)
    return tuple(dict.fromkeys(used)) or None


def refute(proof: Proof, claim: Claim, lines: Sequence[Line]) -> tuple[Line, ...] | None:
    """A line that certainly breaks ``claim`` of the proof's run; None if there is none.

    A divergence of the final models is a lower bound for every observer.
    """
    if not _about(proof, claim):
        return None
    with precision(proof.bits):
        own, release = _own(proof, lines), proof.subject.release
        found = next((line for line in own if claim.broken_by(line.statement, release)), None)
    return None if found is None else (found,)


def _about(proof: Proof, claim: Claim) -> bool:
    """Whether the claim is about the model released after the run's last request."""
    return claim.after in (None, len(proof.run.requests))


def _own(proof: Proof, lines: Sequence[Line]) -> list[Line]:
    known = proof.lines
    return [line for line in lines if line.number < len(known) and known[line.number] is line]
