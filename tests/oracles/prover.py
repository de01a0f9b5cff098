"""The only place where the oracles meet the prover they judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from certaudit.claims import Claim
from certaudit.run import Run
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify


@dataclass(frozen=True)
class Number:
    """A route's proved bounds of a claim's quantity (None: no bound)."""

    route: str
    quantity: str
    upper: Fraction | None
    floor: Fraction | None


@dataclass(frozen=True)
class Answer:
    """What the prover says of one claim: its verdict's word, and every route's numbers."""

    claim: Claim
    status: str
    numbers: tuple[Number, ...]


def answers(run: Run, claims: Sequence[Claim]) -> tuple[Answer, ...]:
    """The prover's answers, one a claim."""
    return tuple(
        Answer(
            verdict.claim,
            verdict.status.value,
            tuple(Number(b.route, b.quantity, b.value, b.floor) for b in verdict.bounds),
        )
        for verdict in verify(Evidence(run), list(claims))
    )
