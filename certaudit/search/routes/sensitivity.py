"""One step's sensitivity: S1, S2, the exact tail of one residual, S3 or S4."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from certaudit.claims import SensitivityClaim
from certaudit.claims.sensitivity import shift_at
from certaudit.core.balls import ball, upper
from certaudit.core.proof import Line, Proof
from certaudit.core.rule import NotApplicable
from certaudit.core.rules.exceedance import Witness
from certaudit.core.statement import Exceedance, Sensitivity
from certaudit.losses import LOSSES
from certaudit.search.evidence import Evidence
from certaudit.search.lines import of
from certaudit.verdict import Bound


def search(evidence: Evidence, claim: SensitivityClaim) -> tuple[list[Line], list[Bound]]:
    """Lines that may decide the claim, and each route's shift."""
    found: list[Line] = []
    bounds: list[Bound] = []
    for name, line in evidence.sensitivities.items():
        if line is not None:
            found.append(line)
            shift = shift_at(of(line, Sensitivity), claim.step)
            if shift is not None:
                bounds.append(Bound(name, "sensitivity", upper(shift), (line,)))
    laws = evidence.residuals if LOSSES[evidence.run.loss].quadratic else None
    if laws is not None:
        try:
            found += [
                evidence.proof.apply("exceedance", (law,), Witness(claim.step, claim.sensitivity))
                for law in laws.values()
            ]
            if claim.probability > 0:
                bounds.append(_least_shift(evidence.proof, list(laws.values()), claim))
        except NotApplicable as refusal:
            evidence.note(refusal)
            laws = None
    if laws is None and claim.probability > 0:
        for bound in _high_probability(evidence, claim):
            found += bound.lines
            bounds.append(bound)
    return found, bounds


def _high_probability(evidence: Evidence, claim: SensitivityClaim) -> list[Bound]:
    bound = evidence.high_probability(claim.probability)
    if bound is None:
        return []
    lines = tuple(evidence.proof.lines[line.uses[0]] for line in bound.lines)
    shifts = [shift_at(of(line, Sensitivity), claim.step) for line in lines]
    known = [upper(shift) for shift in shifts if shift is not None]
    if len(known) < len(shifts):
        return []
    return [Bound(bound.name[:2], "sensitivity", max(known), lines)]


def _least_shift(proof: Proof, laws: Sequence[Line], claim: SensitivityClaim) -> Bound:
    def lines(shift: Fraction) -> tuple[Line, ...]:
        return tuple(proof.apply("exceedance", (law,), Witness(claim.step, shift)) for law in laws)

    def within(shift: Fraction) -> bool:
        allowed = ball(claim.probability)
        return all(of(line, Exceedance).probability <= allowed for line in lines(shift))

    high = claim.sensitivity or Fraction(1, 10**6)
    while not within(high):
        high *= 2
    low = Fraction(0)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if within(middle) else (middle, high)
    return Bound("S3 (one step, exact tail)", "sensitivity", high, lines(high))
