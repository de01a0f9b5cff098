"""The audit's results in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from certaudit.judgement.levels import Levels
from certaudit.judgement.words import SYMBOLS, could_see, down
from certaudit.report.numbers import up

if TYPE_CHECKING:
    from certaudit.audit.statistics.gaussian_family import GaussianFamily
    from certaudit.audit.statistics.relative import Relative
    from certaudit.audit.statistics.results import AuditReport, ClaimAudit, Growth

LEAST_GROWTH = 5e-5
"""Growth below which a limit is not told from 0."""


def measured(claim: ClaimAudit) -> str:
    """The attack's lower bound, in the table."""
    return "nothing" if claim.skipped else f"{SYMBOLS[claim.quantity]} ≥ {down(claim.lower_bound)}"


def details(claim: ClaimAudit) -> Iterator[str]:
    """The audit lines of one claim."""
    yield f"  attack: {_verdict(claim)}"
    for line in claim.lines:
        bound = f"{SYMBOLS[claim.quantity]} ≥ {down(line.lower_bound)}"
        yield f"    {line.attack}, {line.direction}: {bound} ({line.detail})"
    if claim.growth is not None:
        yield from _growth(claim.growth)
    for estimate in claim.estimates:
        yield f"    beside, decides nothing: {estimate}"
    if claim.truth is not None and claim.estimates:
        yield f"    truth, by the exact tier: {SYMBOLS[claim.quantity]} = {claim.truth:.5g}"
    if claim.gaussian is not None:
        yield f"    {gaussian(claim.gaussian, claim.claimed)}"
    if claim.skipped or claim.refuted:
        return
    yield f"    power: {could_see(claim)}"
    if claim.power is not None:
        symbol = SYMBOLS[claim.quantity]
        yield (
            f"    power: whatever the worlds are, no audit of this size can refute a claim above "
            f"{symbol} = {claim.power.ceiling:.4g}"
        )


def gaussian(found: GaussianFamily, claimed: float) -> str:
    """The claim under the assumption that the worlds differ like two Gaussians."""
    if found.refuted_after is not None:
        said = f"ε ≤ {claimed:.4g} is broken after {found.refuted_after} shadow pairs"
    elif found.smallest is None:
        said = "an audit of this size sees nothing more"
    else:
        said = f"not broken; a true ε of about {found.smallest:.4g} would have been seen (4 times in 5)"
    return f"assuming a Gaussian pair (A3; proves nothing, decides nothing): {said}"


def _growth(growth: Growth) -> Iterator[str]:
    wealth = math.exp(min(growth.log_wealth, 700.0))
    needed = math.exp(growth.needed)
    after = "" if growth.refuted_after is None else f", after {growth.refuted_after} shadow pairs"
    yield f"    wealth reached {wealth:.4g} of the {needed:.4g} that refutes{after}"
    if growth.limit is None:
        return
    limit = f"{growth.limit:.3g}" if growth.limit > LEAST_GROWTH else f"below {LEAST_GROWTH:.2g}"
    kind = "as the scores saw it, an estimate" if growth.estimated else "by the exact law"
    reached = f"{growth.reached:.3g}" if abs(growth.reached) > 1e-9 else "0"
    yield f"    growth {reached} nats a pair; the limit of any bettor is {limit} ({kind})"


def summary(report: AuditReport) -> Iterator[str]:
    """What was done and at what confidence."""
    wrong = f"{1 - report.confidence:.3g}"
    if report.design == "fixed":
        yield (
            f"audit: {report.shadows} shadow models in each world ({report.dtype}, seed {report.seed}), "
            f"half to choose attacks, half to test"
        )
        yield (
            f"  {report.tests} tests at level {report.level:.3g} each: a true claim is refuted with "
            f"probability at most {wrong} in all"
        )
    else:
        yield (
            f"audit: {report.trained} of at most {report.shadows} shadow models in each world "
            f"({report.dtype}, seed {report.seed}), sequential"
        )
        claims = f"{report.tests} claim{'s' if report.tests != 1 else ''}"
        yield (
            f"  {claims} at level {report.level:.3g} each, whenever the audit stops: a true claim is "
            f"ever refuted with probability at most {wrong} in all"
        )
        yield (
            "  lines marked beside use half the shadows to choose and half to test, and hold each alone "
            "for a size fixed in advance"
        )
    if report.relative is not None:
        yield f"  {nearness(report.relative)}"
    for fault in report.broken:
        yield f"  BROKE DOWN: {fault}"
        yield "    the audit ended there; what the shadows before it showed stands"
    for remark in report.remarks:
        yield f"  note: {remark}"
    yield "  an attack that finds nothing is no proof; the power lines say what it could have seen"


CHOOSING = 10


def levels(one: Levels, seed: int) -> Iterator[str]:
    """How the probability of a false alarm is spent, and what choosing among seeds would do to it."""
    parts = f"{_up(one.claims)} for the claims"
    if one.conformance:
        parts += f" and {_up(one.conformance)} for the comparison of code and spec"
    begin = "false alarms: an honest run meets an objection with probability at most"
    if one.seeds > 1:
        yield f"{begin} {_up(one.total)} over all {one.seeds} seeds of this command"
        yield f"  this is seed {seed}; each seed has an equal share: {parts}"
        yield "  the result is the worst of all the seeds'; no one of them may be chosen"
        return
    yield f"{begin} {_up(one.total)} in all: {parts}"
    alarm, missed = float(1 - (1 - one.total) ** CHOOSING), 1 - 0.8**CHOOSING
    yield f"  for this one seed: of {CHOOSING} seeds tried one by one, one or more would object to an"
    yield f"  honest run with probability about {alarm:.2g}, and one or more would miss what each sees"
    yield f"  4 times in 5 with probability {missed:.2g}: choose none, use --seeds {CHOOSING}"


def _up(x: Fraction) -> str:
    return up(x, 3)


def nearness(found: Relative) -> str:
    """The relative test in a line."""
    if found.skipped:
        return f"unlearned, retrained or original: not compared: {found.skipped}"
    if found.over_forgets:
        said = (
            "OVER-FORGETTING: the unlearned models lie farther from the original than retrained ones do"
        )
    elif found.nearer:
        said = f"the unlearned models are nearer to the {found.nearer} ones than to the "
        said += "original ones" if found.nearer == "retrained" else "retrained ones"
    else:
        said = f"{found.models} models of each kind do not tell which the unlearned ones are nearer to"
    return f"{said} (wrong with probability at most {found.level:.3g}; decides nothing)"


def _verdict(claim: ClaimAudit) -> str:
    if claim.skipped:
        return f"not checked: {claim.skipped}"
    if claim.refuted:
        return "REFUTED STATISTICALLY: the shadow models break the claim"
    if claim.blind:
        return "blind: no implementation could have been refuted at this size"
    return "no objection"
