"""Gaussian DP with slack: by I1, or from the exact pair's hockey sticks (C5-cover)."""

from __future__ import annotations

from fractions import Fraction

from certaudit.claims import BOTH, GaussianClaim
from certaudit.core.balls import ball, lower, upper
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.proof import Line
from certaudit.core.rule import Refusal, Undecided
from certaudit.core.rules.c5_cover import Witness as CoverWitness
from certaudit.core.statement import GaussianDP, HockeyStick
from certaudit.search.evidence import Evidence
from certaudit.search.exact import ExactPair
from certaudit.search.lines import of
from certaudit.search.orders import epsilon_range
from certaudit.search.routes.shared import best_per_route, gaussian_bounds
from certaudit.verdict import Bound

MOST_COVER = 400


def search(evidence: Evidence, claim: GaussianClaim) -> tuple[list[Line], list[Bound]]:
    """Lines that may decide the claim, and each route's mu within the claimed slack.

    A cover is of use only where both directions are claimed: see GaussianClaim.proved_by.
    """
    found: list[Line] = []
    bounds: list[Bound] = []
    for bound in gaussian_bounds(evidence, claim.delta):
        found += bound.lines
        stated = [of(line, GaussianDP) for line in bound.lines]
        tops = [one.mu.upper() for one in stated]
        value = max((upper(t) for t in tops), default=None) if all(t.is_finite() for t in tops) else None
        if all(one.delta <= ball(claim.delta) for one in stated):
            bounds.append(Bound(bound.name, "mu", value, bound.lines))
    covers: list[Line] = []
    both = set(claim.directions) == set(BOTH)
    for direction in claim.directions:
        pair = evidence.exact.get(direction)
        if pair is None:
            continue
        try:
            violations = _violations(pair, claim)
            found += violations
            wanted = both and claim.delta > 0 and not violations
            cover = _cover(evidence, pair, claim) if wanted else None
        except (Refusal, ValueError, OverflowError) as reason:
            evidence.note(Undecided("exact tier", str(reason)))
            continue
        if cover is not None:
            covers.append(cover)
    found += covers
    if len(covers) == len(BOTH) and evidence.run.release == "final":
        bounds.append(Bound("exact tier", "mu", claim.mu, tuple(covers)))
    return found, best_per_route(bounds)


def _violations(pair: ExactPair, claim: GaussianClaim) -> list[Line]:
    """Exact values that may break the claim: an infinite order, or one hockey stick too high."""
    if claim.delta == 0:
        infinite = pair.infinite_order()
        return [infinite] if infinite is not None else []
    beaten = pair.event(Fraction(0), upper(gaussian_delta(claim.mu, Fraction(0))) + claim.delta)
    if beaten is not None:
        return [beaten]
    best, worst = Fraction(0), float("-inf")
    reach = pair.twin.epsilon(float(ball(claim.delta).log()))
    for k in range(13):
        epsilon = Fraction(reach) * Fraction(k, 12)
        allowed = float(gaussian_delta(claim.mu, epsilon).mid()) + float(claim.delta)
        excess = pair.twin.log_delta(float(epsilon)) - float(ball(Fraction(allowed)).log())
        if excess > worst:
            best, worst = epsilon, excess
    return [pair.hockey_stick(best)] if worst > 0 else []


def _cover(evidence: Evidence, pair: ExactPair, claim: GaussianClaim) -> Line | None:
    level, sticks = Fraction(0), []
    slack = ball(claim.delta)
    for _ in range(MOST_COVER):
        stick = pair.hockey_stick(level)
        sticks.append(stick)
        value = of(stick, HockeyStick).delta
        if value <= slack:
            witness = CoverWitness(claim.mu, claim.delta)
            return evidence.apply("C5-cover", tuple(sticks), witness)
        target = lower(value.upper() - slack)
        if claim.mu == 0 or target <= 0:
            return None
        further = epsilon_range(ball(claim.mu), target)[0]
        if further <= level:
            return None
        level = further
    return None
