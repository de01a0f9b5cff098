"""The audit's results in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certaudit.audit.statistics.gaussian_family import GaussianFamily
    from certaudit.audit.statistics.relative import Relative
    from certaudit.audit.statistics.results import AuditReport, ClaimAudit, Growth

LEAST_GROWTH = 5e-5
"""Growth below which a limit is not told from 0."""

SYMBOLS = {"epsilon": "ε", "mu": "μ", "renyi": "D", "probability": "P(shift above the claim)"}


def cell(claim: ClaimAudit) -> str:
    """The claim's audit in the table."""
    if claim.skipped:
        return f"skipped: {claim.skipped}"
    return f"{SYMBOLS[claim.quantity]} ≥ {_floor(claim.lower_bound)}"


def details(claim: ClaimAudit) -> Iterator[str]:
    """The audit lines of one claim."""
    yield f"  audit: {_verdict(claim)}"
    for line in claim.lines:
        bound = f"{SYMBOLS[claim.quantity]} ≥ {_floor(line.lower_bound)}"
        yield f"    {line.attack}, {line.direction}: {bound} ({line.detail})"
    if claim.growth is not None:
        yield from _growth(claim.growth)
    for estimate in claim.estimates:
        yield f"    beside, decides nothing: {estimate}"
    if claim.truth is not None and claim.estimates:
        yield f"    truth, by the exact tier: {SYMBOLS[claim.quantity]} = {claim.truth:.5g}"
    power = claim.power
    if claim.gaussian is not None:
        yield f"    {gaussian(claim.gaussian, claim.claimed)}"
    if power is not None:
        symbol = SYMBOLS[claim.quantity]
        if power.smallest is not None:
            yield (
                f"    power: {supposing(claim.quantity)}a true {symbol} of about {power.smallest:.4g} "
                + ("is the smallest this audit would have refuted (4 times in 5)")
            )
        yield (
            f"    power: whatever the worlds, no audit of this size can refute a claim above {symbol} = "
            f"{power.ceiling:.4g}"
        )


def supposing(quantity: str) -> str:
    """What the power of a test of a quantity is conditional on."""
    return "" if quantity == "probability" else "if the worlds differed like two Gaussians, "


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
    yield "  an attack that fails is not a proof; see the power lines for what it could have seen"


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
        return f"skipped: {claim.skipped}"
    if claim.refuted:
        return "the shadow models break the claim"
    if claim.blind:
        return "could not have seen a violation: no implementation can be refuted at this size"
    return "no violation found"


def _floor(bound: float) -> str:
    if not math.isfinite(bound) or bound <= 0:
        return "0"
    digits = 3 - math.floor(math.log10(bound))
    return f"{math.floor(bound * 10**digits) / 10**digits:.4g}" if digits < 300 else "0"
