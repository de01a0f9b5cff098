"""How the probability of a false alarm, 1 - confidence, is spent: once, over everything that objects."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

CONFORMANCE = Fraction(1, 5)
"""Part of a report's level that conformance gets where there is something to compare; the claims have
the rest.  Conformance's p-values fall fast with a fault, so that little is lost to it."""


@dataclass(frozen=True)
class Levels:
    """The parts of ``total`` (1 - the spec's confidence) that one seed's audit spends.

    By the union bound an honest run meets an objection with probability at most ``claims + conformance``
    for one seed, and at most ``total`` over all ``seeds`` of a command.
    """

    total: Fraction
    seeds: int
    claims: Fraction
    conformance: Fraction

    @classmethod
    def of(cls, confidence: Fraction, *, compared: bool, seeds: int = 1) -> Levels:
        """Equal shares for the seeds; ``compared``: whether there is a spec to hold the code to."""
        total = 1 - confidence
        each = total / seeds
        conformance = CONFORMANCE * each if compared else Fraction(0)
        return cls(total, seeds, each - conformance, conformance)
