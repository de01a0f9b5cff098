"""Numbers of the audit in words for a reason."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certaudit.audit.statistics.results import ClaimAudit

SYMBOLS = {"epsilon": "ε", "mu": "μ", "renyi": "D", "probability": "P(shift above the claim)"}

CONDITION = "4 times in 5, if the worlds differ like two Gaussians"


def down(value: float) -> str:
    """At most four digits, at or below ``value``; 0 for what is no lower bound at all."""
    if not math.isfinite(value) or value <= 0:
        return "0"
    digits = 3 - math.floor(math.log10(value))
    return f"{math.floor(value * 10**digits) / 10**digits:.4g}" if digits < 300 else "0"


def up(value: float) -> str:
    """At most three digits, at or above ``value`` > 0."""
    digits = 2 - math.floor(math.log10(value))
    return f"{math.ceil(value * 10**digits) / 10**digits:.3g}" if digits < 300 else f"{value:.3g}"


def smallest(claim: ClaimAudit) -> float | None:
    """The least true value that the attack on one claim would have seen; None if there is none, or at δ
    = 0, where the Gaussian pairs it is reckoned with have no finite ε."""
    value = None if claim.skipped or claim.blind or claim.power is None else claim.power.smallest
    return value if value is not None and math.isfinite(value) else None


def could_see(claim: ClaimAudit) -> str:
    """What the attack on one claim could have seen; empty where nothing was attacked."""
    symbol = SYMBOLS[claim.quantity]
    if claim.skipped:
        return ""
    if claim.power is None:
        return f"what this audit could have seen of a true {symbol} is not known"
    if claim.blind:
        return f"this audit could not have seen any true {symbol}, however large: it is too small"
    least = smallest(claim)
    if least is None:
        return f"it is not known that this audit could have seen any true {symbol}"
    seen, condition = up(least), CONDITION if claim.quantity != "probability" else "4 times in 5"
    return (
        f"this audit could have seen a true {symbol} of {seen} or more ({condition}); "
        f"between {claim.claimed:.4g} and {seen} it was blind"
    )
