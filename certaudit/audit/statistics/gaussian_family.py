"""A3: what an audit says if the two laws are a Gaussian pair, which nobody has proved of them.

For a pair N(mu, 1), N(0, 1) epsilon at delta is a function of mu, and so is the total variation, the
hockey-stick at epsilon 0.  An audit counts there from the middle of the laws, where every shadow speaks,
and not from their tails, where few do: it needs far fewer pairs.  What it finds is no objection to a
claim; it has a line of its own and a level of its own.  Source: Nasr et al. 2023 (NAS23); section 8, A3.
"""

from __future__ import annotations

from dataclasses import dataclass

from certaudit.audit.statistics.evalue import HockeyStick, Null, Ratios, gaussian_delta
from certaudit.audit.statistics.forecast import least_gaussian
from certaudit.audit.statistics.limit import limit
from certaudit.audit.statistics.power import gaussian_epsilon, gaussian_mu
from certaudit.audit.statistics.sequential import Wealth
from certaudit.claims import Claim, EpsilonDelta


@dataclass(frozen=True)
class GaussianFamily:
    """The claim under the assumption that the laws are a Gaussian pair; decides nothing.

    log_wealth, needed, refuted_after: as in Growth, for an e-process of its own at ``level``.
    smallest: the least true epsilon it would have broken the claim for, 4 times in 5 (None: none).
    """

    level: float
    log_wealth: float
    needed: float
    refuted_after: int | None
    smallest: float | None


def null(claim: EpsilonDelta) -> Null:
    """Pairs whose total variation is at most that of the Gaussian pair that just keeps the claim."""
    mu = gaussian_mu(float(claim.epsilon), float(claim.delta))
    return HockeyStick(0.0, gaussian_delta(mu, 0.0), ("P|Q", "Q|P"))


def wealth(claim: Claim, level: float) -> Wealth | None:
    """Wealth against the claim's null, which does not hold up the audit; None where there is none."""
    if not isinstance(claim, EpsilonDelta) or claim.delta <= 0:
        return None
    return Wealth((null(claim),), level, beside=True)


def judged(claim: EpsilonDelta, found: Wealth, pairs: int) -> GaussianFamily:
    """What the wealth says after an audit of at most ``pairs`` pairs."""
    mu = least_gaussian(found.nulls, pairs, found.level)
    smallest = None if mu is None else gaussian_epsilon(mu, float(claim.delta))
    return GaussianFamily(found.level, found.reached, found.needed, found.refuted_after, smallest)


def rate(claim: EpsilonDelta, truth: Ratios) -> float:
    """Growth-rate limit in nats a pair against the claim's null, if ``truth`` is the pair's table."""
    return limit((null(claim),), truth)
