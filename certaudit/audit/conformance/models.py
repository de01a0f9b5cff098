"""Shadow models against the exact law of their world (A6)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.conformance import checks
from certaudit.audit.conformance.checks import Found
from certaudit.audit.conformance.result import Check, ConformanceReport
from certaudit.audit.conformance.whitening import IllConditioned, whiten
from certaudit.run import World

Floats = NDArray[np.float64]
Law = tuple[Floats, Floats, Floats, Floats]
"""(mean_P, covariance_P, mean_Q, covariance_Q)."""

SCALE_SHARE = 0.25
"""Part of the level kept for the noise scale of both worlds together, the commonest fault."""

UNKNOWN = "the exact law is not known for this run; a trace can be checked instead"


def conform(models: Mapping[World, Floats], law: Law | None, level: float) -> ConformanceReport:
    """Test (m, d) models of worlds P and Q against their exact laws.

    An honest implementation is said to differ with probability at most ``level``: a quarter of it goes
    to the noise scale of both worlds together, the rest in equal parts to the other checks (Bonferroni).
    At least two models of each world are needed; where the law is not known, or its covariance too
    ill-conditioned for floats, the report says that it was skipped.

    Raises:
        ValueError: on models of the wrong shape, or numbers that are not finite.
    """
    count = min(len(models["P"]), len(models["Q"]))
    if law is None:
        return ConformanceReport(level, count, (), skipped=UNKNOWN)
    if count < 2:
        return ConformanceReport(level, count, (), skipped="fewer than two models in a world")
    laws: dict[World, tuple[Floats, Floats]] = {"P": law[:2], "Q": law[2:]}
    numbers, notes = {}, []
    for world, (mean, covariance) in laws.items():
        _require(models[world], len(mean), world)
        try:
            white = whiten(models[world], mean, covariance)
        except IllConditioned as reason:
            return ConformanceReport(level, count, (), skipped=f"world {world}: {reason}")
        numbers[world] = white.numbers
        notes.append(f"world {world}: condition number of the law's correlation {white.condition:.3g}")
    pooled = checks.scale("both worlds", list(numbers.values()))
    others = [found for world, z in numbers.items() for found in checks.of_world(world, z)]
    others.append(checks.between(numbers["P"], numbers["Q"]))
    share = (1 - SCALE_SHARE) * level / len(others)
    judged = (_judge(pooled, SCALE_SHARE * level), *(_judge(found, share) for found in others))
    compared = f"{count} models of each world against the exact law"
    return ConformanceReport(level, count, judged, tuple(notes), compared=compared)


def _require(models: Floats, d: int, world: World) -> None:
    if models.ndim != 2 or models.shape[1] != d:
        raise ValueError(f"world {world}: models of shape {models.shape}, not (models, {d})")
    bad = np.flatnonzero(~np.isfinite(models).all(axis=1))
    if bad.size:
        raise ValueError(f"world {world}, model {bad[0]}: a number that is not finite")


def _judge(found: Found, threshold: float) -> Check:
    return Check(found.name, found.where, found.statistic, found.p_value, threshold, found.meaning)
