"""A Rényi divergence: exactly (E3), from Gaussian DP (R1), by composition (R4, R2)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from certaudit.claims import RenyiClaim
from certaudit.core.balls import largest, lower, upper
from certaudit.core.proof import Line
from certaudit.core.rule import Refusal
from certaudit.core.rules.r1 import Witness as OrderWitness
from certaudit.core.statement import Renyi
from certaudit.search.evidence import Evidence
from certaudit.search.lines import of
from certaudit.verdict import Bound


def search(evidence: Evidence, claim: RenyiClaim) -> tuple[list[Line], list[Bound]]:
    """Lines that may decide the claim, and each route's divergence at the claimed order."""
    exact = _exact(evidence, claim)
    found = list(exact)
    bounds: list[Bound] = [_exact_bound(evidence, exact)] if exact else []
    walked = _paths(evidence, claim)
    found += walked
    if walked:
        bounds.append(
            Bound("O2, the exact path", "renyi", _worst(walked), tuple(walked), _floor(walked))
        )
    for bound in evidence.deterministic:
        lines = [evidence.apply("R1", (line,), OrderWitness(claim.order)) for line in bound.lines]
        known = [line for line in lines if line is not None]
        found += known
        if known:
            bounds.append(Bound(bound.name + " + R1", "renyi", _worst(known), tuple(known)))
    composed = evidence.adaptive(claim.order)
    if composed and _worst(composed) is not None:
        found += composed
        route = "R4 + R2" if evidence.run.release == "final" else "R4"
        bounds.append(Bound(route, "renyi", _worst(composed), composed))
    return found, bounds


def _exact(evidence: Evidence, claim: RenyiClaim) -> list[Line]:
    pairs = [evidence.exact[d] for d in claim.directions if d in evidence.exact]
    try:
        return [pair.renyi(claim.order) for pair in pairs]
    except Refusal as reason:
        evidence.note(reason)
        return []


def _exact_bound(evidence: Evidence, exact: Sequence[Line]) -> Bound:
    value = _worst(exact)
    final_only = evidence.run.release != "final"
    floor = _floor(exact)
    return Bound(
        "exact tier" + (" (final model only)" if final_only else ""),
        "renyi",
        None if final_only else value,
        tuple(exact),
        floor,
    )


def _paths(evidence: Evidence, claim: RenyiClaim) -> list[Line]:
    try:
        return [evidence.paths[d].renyi(claim.order) for d in claim.directions if d in evidence.paths]
    except Refusal as reason:
        evidence.note(reason)
        return []


def _floor(lines: Sequence[Line]) -> Fraction | None:
    """The largest divergence, rounded down; None if infinite."""
    if _worst(lines) is None:
        return None
    return max(lower(largest(of(line, Renyi).r for line in lines)), Fraction(0))


def _worst(lines: Sequence[Line]) -> Fraction | None:
    """The largest divergence, rounded up; None if infinite."""
    values = [of(line, Renyi).r for line in lines]
    return upper(largest(values)) if all(value.is_finite() for value in values) else None
