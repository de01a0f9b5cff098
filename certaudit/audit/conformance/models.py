"""Shadow models against the exact law of their world (A6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special

from certaudit.audit.conformance import checks
from certaudit.audit.conformance.checks import Found
from certaudit.audit.conformance.result import Check, ConformanceReport, not_checked
from certaudit.audit.conformance.whitening import IllConditioned, along, whiten
from certaudit.run import World

Floats = NDArray[np.float64]
Law = tuple[Floats, Floats, Floats, Floats]
"""(mean_P, covariance_P, mean_Q, covariance_Q)."""

SCALE_SHARE = 0.25
"""Part of the level kept for the noise scale of both worlds together, the commonest fault."""

DIRECTED_SHARE = 0.25
"""Part of the level kept for the two directed means: along them a fault moves epsilon most."""

UNKNOWN = "the exact law is not known for this run; a trace can be checked instead"
OFTEN = 0.84
"""Quantile of the standard normal law at 4 times in 5."""


def conform(models: Mapping[World, Floats], law: Law | None, level: float) -> ConformanceReport:
    """Test (m, d) models of worlds P and Q against their exact laws.

    An honest implementation is said to differ with probability at most ``level``: a quarter of it goes
    to the noise scale of both worlds together, a quarter to the means along the difference of the
    worlds, the rest in equal parts to the other checks (Bonferroni).  At least two models of each world
    are needed; where the law is not known, or its covariance too ill-conditioned for floats, the report
    says that it was skipped.

    Raises:
        ValueError: on models of the wrong shape, or numbers that are not finite.
    """
    count = min(len(models["P"]), len(models["Q"]))
    if law is None:
        return not_checked(level, UNKNOWN, count)
    if count < 2:
        return not_checked(level, "fewer than two models in a world", count)
    laws: dict[World, tuple[Floats, Floats]] = {"P": law[:2], "Q": law[2:]}
    gap = law[0] - law[2]
    numbers: dict[World, Floats] = {}
    directed: list[Found] = []
    notes: list[str] = []
    for world, (mean, covariance) in laws.items():
        _require(models[world], len(mean), world)
        try:
            white = whiten(models[world], mean, covariance)
        except IllConditioned as reason:
            return not_checked(level, f"world {world}: {reason}", count)
        numbers[world] = white.numbers
        outward = along(gap if world == "P" else -gap, covariance)
        directed.append(checks.directed(world, white.numbers, outward))
        notes.append(f"world {world}: condition number of the law's correlation {white.condition:.3g}")
    pooled = checks.scale("both worlds", list(numbers.values()))
    others = [found for world, z in numbers.items() for found in checks.of_world(world, z)]
    others.append(checks.between(numbers["P"], numbers["Q"]))
    share = (1 - SCALE_SHARE - DIRECTED_SHARE) * level / len(others)
    each = DIRECTED_SHARE * level / len(directed)
    judged = [
        _judge(pooled, SCALE_SHARE * level, count),
        *(_judge(found, each, count) for found in directed),
        *(_judge(found, share, count) for found in others),
    ]
    compared = f"{count} models of each world against the exact law"
    freedom = sum(z.size for z in numbers.values())
    sees = tuple(_sees(count, freedom, each, SCALE_SHARE * level))
    return ConformanceReport(level, count, tuple(judged), tuple(notes), compared=compared, sees=sees)


def _sees(count: int, freedom: int, directed: float, scale: float) -> Iterator[str]:
    """How far off the two quantities that have a share of their own must be, about."""
    shift = (float(-special.ndtri(directed / 2)) + OFTEN) / np.sqrt(count)
    ratio = (float(-special.ndtri(scale / 2)) + OFTEN) / np.sqrt(2 * freedom)
    yield (
        f"a mean off by about {shift:.2g} standard deviations along the difference of the worlds, or "
        f"noise off by about {100 * ratio:.2g} % in all directions, would have been seen 4 times in 5"
    )


def _require(models: Floats, d: int, world: World) -> None:
    if models.ndim != 2 or models.shape[1] != d:
        raise ValueError(f"world {world}: models of shape {models.shape}, not (models, {d})")
    bad = np.flatnonzero(~np.isfinite(models).all(axis=1))
    if bad.size:
        raise ValueError(f"world {world}, model {bad[0]}: a number that is not finite")


def _judge(found: Found, threshold: float, count: int) -> Check:
    return Check(
        found.name, found.where, found.statistic, found.p_value, threshold, found.meaning, count
    )
