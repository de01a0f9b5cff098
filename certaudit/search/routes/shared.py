"""What several kinds of claim look for."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from certaudit.search.evidence import Evidence, GaussianBound
from certaudit.verdict import Bound

SHARES = (Fraction(1, 2), Fraction(1, 10))


def gaussian_bounds(evidence: Evidence, delta: Fraction) -> list[GaussianBound]:
    """Gaussian-DP bounds that spend less than ``delta``."""
    bounds = list(evidence.deterministic)
    for share in SHARES if delta > 0 else ():
        bound = evidence.high_probability(delta * share)
        if bound is not None:
            bounds.append(bound)
    return bounds


def best_per_route(bounds: Sequence[Bound]) -> list[Bound]:
    """The least number of each route."""
    best: dict[str, Bound] = {}
    for bound in bounds:
        known = best.get(bound.route)
        if known is None or (known.value or 0) > (bound.value or 0):
            best[bound.route] = bound
    return list(best.values())
