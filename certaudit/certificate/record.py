"""The parts of a certificate, as read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from certaudit.certificate.codec import hints
from certaudit.certificate.data import Data
from certaudit.claims import Claim
from certaudit.core.proof import Line, Proof
from certaudit.run import Run

FORMAT = "certaudit certificate 1"
Verdict = Literal["proved", "refuted"]
RUN = {name: hint for name, hint in hints(Run).items() if name not in ("X", "y")}


@dataclass(frozen=True)
class Decided:
    """A claim that lines of a proof decide."""

    claim: Claim
    verdict: Verdict
    lines: tuple[Line, ...]
    proof: Proof


@dataclass(frozen=True)
class Spec:
    """The spec a certificate was derived from; informative."""

    name: str
    sha256: str


@dataclass(frozen=True)
class LineRecord:
    """A rule on earlier lines and a witness; nothing is checked yet."""

    rule: str
    uses: tuple[int, ...]
    witness: Any


@dataclass(frozen=True)
class ClaimRecord:
    """A claim, what is said of it, and the lines that are said to decide it."""

    claim: Claim
    verdict: Verdict
    lines: tuple[int, ...]


@dataclass(frozen=True)
class ProofRecord:
    """Lines and claims about the run that stops after ``requests`` requests."""

    requests: int
    lines: tuple[LineRecord, ...]
    claims: tuple[ClaimRecord, ...]


@dataclass(frozen=True, eq=False)
class Certificate:
    """A certificate file, well-formed; :func:`certaudit.certificate.replay.replay` checks it.

    ``parameters``: the run without its data; ``sha256`` and ``data_sha256``: digests of the file and of
    the data; ``data``: None where they were left out.
    """

    spec: Spec
    parameters: Mapping[str, Any]
    rows: int
    columns: int
    data_sha256: str
    data: Data | None
    proofs: tuple[ProofRecord, ...]
    sha256: str
