"""What an audit found, as plain data for the reports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from certaudit.audit.statistics.gaussian_family import GaussianFamily
from certaudit.audit.statistics.power import Power
from certaudit.audit.statistics.relative import Relative

Design = Literal["sequential", "fixed"]


@dataclass(frozen=True)
class AttackLine:
    """One test: an attack, the direction or world it looks at, and the lower bound it gives."""

    attack: str
    direction: str
    lower_bound: float
    detail: str


@dataclass(frozen=True)
class Growth:
    """How fast the wealth against a claim grew, in nats a shadow pair.

    log_wealth: the largest log wealth; needed: that which refutes; refuted_after: pairs it took.
    reached: log wealth over pairs when the audit stopped looking at the claim.  limit: the least
    Kullback–Leibler divergence to the pairs of laws that keep the claim, which no e-process beats; from
    the exact law, or (``estimated``) from what the scores saw; None where the claim has no such limit.
    """

    log_wealth: float
    needed: float
    reached: float
    refuted_after: int | None
    limit: float | None = None
    estimated: bool = False


@dataclass(frozen=True)
class ClaimAudit:
    """The audit of one claim.

    lower_bound: a lower bound on ``quantity``; those of all claims are valid together at the audit's
    confidence.  estimates: labelled numbers that decide nothing.  truth: the exact value, where known.
    blind: no implementation, however wrong, could have been refuted by an audit of this size.
    gaussian: what would be said of an (epsilon, delta) claim if the laws were a Gaussian pair.
    """

    id: str
    quantity: str
    claimed: float
    refuted: bool
    lower_bound: float
    lines: tuple[AttackLine, ...]
    power: Power | None = None
    blind: bool = False
    estimates: tuple[str, ...] = ()
    skipped: str | None = None
    growth: Growth | None = None
    truth: float | None = None
    gaussian: GaussianFamily | None = None


@dataclass(frozen=True)
class AuditReport:
    """The whole audit.

    shadows: the budget in each world; trained: models of the final release trained in each world.
    tests: how many tests share the audit's level, each at ``level``.  held_out: in the fixed design,
    how many of the shadows test what the others chose.  broken: the shadows that could not be trained;
    what the others showed stands.  remarks: what was noticed about how foreign code uses its seed.
    relative: whether unlearned models are nearer to retrained ones than to the original.
    """

    design: Design
    shadows: int
    trained: int
    held_out: int
    seed: int
    dtype: str
    confidence: float
    tests: int
    level: float
    claims: tuple[ClaimAudit, ...]
    broken: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    relative: Relative | None = None


def exceeds(bound: float, claimed: Fraction) -> bool:
    """Whether a float lower bound, made a hair smaller, is above an exact claim."""
    if not math.isfinite(bound):
        return bound > 0
    return Fraction(bound) - Fraction(abs(bound)) / 10**9 > claimed
