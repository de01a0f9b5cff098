"""Lipschitz constants of a run's maps, by batch and step size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from certaudit.core.balls import ball
from certaudit.core.rule import NotApplicable, expect
from certaudit.core.statement import Contraction, Statement
from certaudit.run import Batch


@dataclass(frozen=True)
class Rates:
    """What the Contraction lines a rule builds on say of each map."""

    rule: str
    known: Mapping[tuple[Batch, Fraction], Fraction]

    @classmethod
    def of(cls, rule: str, uses: Iterable[Statement]) -> Rates:
        """From the lines; raises NotApplicable on one that is no Contraction."""
        found = [expect(rule, use, Contraction) for use in uses]
        return cls(rule, {(one.batch, one.step_size): one.c for one in found})

    def __call__(self, batch: Batch, step_size: Fraction) -> arb:
        """c of the map; raises NotApplicable if no line is about it."""
        if (batch, step_size) not in self.known:
            raise NotApplicable(self.rule, "the contraction of a step is missing")
        return ball(self.known[batch, step_size])
