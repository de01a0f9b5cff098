"""Checking a certificate: every line again, and each claim by exactly the lines named for it."""

from __future__ import annotations

from dataclasses import replace

from certaudit.certificate import data as data_file
from certaudit.certificate.data import Data
from certaudit.certificate.numbers import NotExact
from certaudit.certificate.record import Certificate, ClaimRecord, Decided, ProofRecord
from certaudit.certificate.strict import shown, under
from certaudit.core.decide import prove, refute
from certaudit.core.lawful import claim_faults, run_faults
from certaudit.core.proof import BITS, Line, Proof
from certaudit.core.rule import Refusal
from certaudit.run import Run


class Rejected(Exception):
    """The certificate does not hold, at ``place``."""

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(f"{place}: {reason}" if place else reason)


class DataNeeded(Rejected):
    """The certificate names data it does not hold."""


def run_of(certificate: Certificate, data: Data | None = None) -> Run:
    """The run a certificate is about, with the data of its digest: its own, or those brought.

    Raises DataNeeded without any, Rejected for data of another shape or digest and for a run that makes
    no sense.
    """
    found = certificate.data if data is None else data
    if found is None:
        raise DataNeeded("data", "are left out of the certificate: bring those of its digest")
    for one in (found, certificate.data):
        if one is not None:
            _require_digest(certificate, one)
    run = Run(X=_frozen(found).X, y=_frozen(found).y, **certificate.parameters)
    for place, reason in run_faults(run):
        raise Rejected(under("run", place) if place else "run", reason)
    return run


def replay(certificate: Certificate, data: Data | None = None, bits: int = BITS) -> tuple[Decided, ...]:
    """Every claim of a certificate, decided again by the lines named for it, in the file's order.

    Raises Rejected, with the place, if a line does not follow or a claim is not decided as stated.
    """
    run = run_of(certificate, data)
    return tuple(
        decided
        for k, record in enumerate(certificate.proofs)
        for decided in _proof(Proof(run.after(record.requests), bits), record, f"proofs[{k}]")
    )


def _proof(proof: Proof, record: ProofRecord, place: str) -> list[Decided]:
    known: list[Line] = []
    for k, line in enumerate(record.lines):
        try:
            known.append(proof.apply(line.rule, [known[use] for use in line.uses], line.witness))
        except Refusal as refusal:
            raise Rejected(f"{place}.lines[{k}]", str(refusal)) from None
        except (ValueError, ArithmeticError, LookupError, TypeError) as error:
            # no rule should; whatever it is, the line does not follow
            reason = f"{line.rule}: {type(error).__name__}: {shown(str(error))}"
            raise Rejected(f"{place}.lines[{k}]", reason) from None
    return [
        _decided(proof, known, claim, f"{place}.claims[{k}]") for k, claim in enumerate(record.claims)
    ]


def _decided(proof: Proof, known: list[Line], record: ClaimRecord, place: str) -> Decided:
    for field, reason in claim_faults(record.claim):
        raise Rejected(under(under(place, "claim"), field), reason)
    named = tuple(known[number] for number in record.lines)
    if conclusive(proof, record, named) != named:
        name = shown(record.claim.id)
        raise Rejected(place, f"the lines named do not show that claim {name} is {record.verdict}")
    return Decided(record.claim, record.verdict, named, proof)


def conclusive(
    proof: Proof, record: ClaimRecord | Decided, lines: tuple[Line, ...]
) -> tuple[Line, ...] | None:
    """Those of the lines that decide the claim as stated; None if they do not."""
    decide = prove if record.verdict == "proved" else refute
    return decide(proof, record.claim, lines)


def _require_digest(certificate: Certificate, data: Data) -> None:
    shape = (certificate.rows, certificate.columns)
    if data.X.shape != shape or data.y.shape != shape[:1]:
        raise Rejected(
            "data", f"must be {shape[0]} rows of {shape[1]} numbers and a target, not {data.X.shape}"
        )
    try:
        found = data_file.digest(data_file.content(data))
    except NotExact as error:
        raise Rejected("data", str(error)) from None
    if found != certificate.data_sha256:
        raise Rejected("data.sha256", "the data have another digest")


def _frozen(data: Data) -> Data:
    X, y = data.X.copy(), data.y.copy()
    X.flags.writeable = y.flags.writeable = False
    return replace(data, X=X, y=y)
