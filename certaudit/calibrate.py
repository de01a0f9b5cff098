"""The least unlearning noise, or the fewest unlearning steps, that can be proved for each row."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from typing import Literal

import numpy as np

from certaudit.claims import EpsilonDelta
from certaudit.core import decide
from certaudit.core.affine import is_affine
from certaudit.core.balls import precision
from certaudit.core.proof import BITS, Line
from certaudit.core.rule import Refusal
from certaudit.core.rules.c5 import Witness as LevelWitness
from certaudit.estimates.epsilon import epsilons
from certaudit.estimates.laws import Laws, forgetting
from certaudit.estimates.pairs import whitened
from certaudit.run import Request, Run
from certaudit.search.evidence import Evidence

Solve = Literal["noise", "steps"]
Route = Literal["S1 + I1", "S2 + I1", "S3/S4 + I1", "exact tier"]
ROUTES: tuple[Route, ...] = ("S1 + I1", "S2 + I1", "S3/S4 + I1", "exact tier")
DIGITS = 4
MOST_STEPS = 1 << 16
SHARES = (Fraction(1, 2), Fraction(1, 10))


class NotCalibratable(Exception):
    """The run is not of a shape that can be calibrated; says why in one line."""


@dataclass(frozen=True)
class Calibration:
    """One row: for each route the least value proved (a noise standard deviation, or a number of
    steps), None where the route proves nothing."""

    row: int
    least: dict[Route, Fraction | None]


def calibrate(
    run: Run,
    rows: Sequence[int],
    epsilon: Fraction,
    delta: Fraction,
    solve: Solve,
    progress: Callable[[int, int], None] | None = None,
) -> list[Calibration]:
    """For each row as the single forgotten point, and each route, the least unlearning noise (or the
    fewest steps) at which the core proves (epsilon, delta), the reference unlearning alike.

    Every value was proved by the core at exactly that value.  The search rests on more noise, and
    further common steps, being a post-processing of less; nothing else does.

    Raises:
        NotCalibratable: if the run has several requests, or its reference has a noise of its own.
    """
    if len(run.requests) != 1:
        raise NotCalibratable("needs a run with a single deletion request")
    if run.reference.kind != "unlearn-retrained" or run.reference.unlearn_variance is not None:
        raise NotCalibratable("needs the reference unlearn-retrained with the run's own noise")
    claim = EpsilonDelta("calibrate", epsilon, delta)
    found = []
    for k, row in enumerate(rows):
        least = {route: _least(forgetting(run, row), claim, route, solve) for route in ROUTES}
        found.append(Calibration(row, least))
        if progress is not None:
            progress(k + 1, len(rows))
    return found


def proves(run: Run, claim: EpsilonDelta, route: Route) -> bool:
    """Whether the core proves ``claim`` of ``run`` by ``route``."""
    evidence = Evidence(run)
    with precision(BITS), np.errstate(all="ignore"):
        try:
            lines = _lines(evidence, claim, route)
        except (Refusal, ValueError, OverflowError):
            return False
        return decide.prove(evidence.proof, claim, lines) is not None


def _lines(evidence: Evidence, claim: EpsilonDelta, route: Route) -> list[Line]:
    if route == "exact tier":
        return [pair.decide(claim.epsilon, claim.delta) for pair in evidence.exact.values()]
    if route == "S3/S4 + I1":
        shares = SHARES if claim.delta > 0 else ()
        bounds = [evidence.high_probability(claim.delta * share) for share in shares]
    else:
        bounds = [one for one in evidence.deterministic if one.name.startswith(route[:2] + " +")]
    gaussian = [line for bound in bounds if bound is not None for line in bound.lines]
    level = LevelWitness(claim.epsilon)
    return [evidence.proof.apply("C5", (line,), level) for line in gaussian]


def with_noise(run: Run, std: Fraction) -> Run:
    """``run`` with another standard deviation of the unlearning noise."""
    (request,) = run.requests
    phase = replace(request.unlearn, noise_variance=std**2)
    return replace(run, requests=(Request(request.rows, phase),))


def with_steps(run: Run, steps: int) -> Run:
    """``run`` with another number of unlearning steps."""
    (request,) = run.requests
    return replace(run, requests=(Request(request.rows, replace(request.unlearn, steps=steps)),))


def _least(run: Run, claim: EpsilonDelta, route: Route, solve: Solve) -> Fraction | None:
    if route in ("S1 + I1", "S2 + I1") and not Evidence(run).sensitivities[route[:2]]:
        return None
    if route == "exact tier" and not is_affine(run):
        return None
    return _least_noise(run, claim, route) if solve == "noise" else _fewest_steps(run, claim, route)


def _least_noise(run: Run, claim: EpsilonDelta, route: Route) -> Fraction | None:
    def enough(std: float) -> bool:
        if route == "exact tier":
            return _float_epsilon(with_noise(run, Fraction(std)), claim) <= float(claim.epsilon)
        return proves(with_noise(run, Fraction(std)), claim, route)

    start = math.sqrt(float(run.requests[0].unlearn.noise_variance)) or 1.0
    low = high = start
    while not enough(high):
        low, high = high, 4 * high
        if high > start * 1e12:
            return None
    if low == high:
        low = high / 4
        while enough(low):
            low, high = low / 4, low
            if low < start * 1e-12:
                return _proved_at(run, claim, route, Fraction(0))
    tolerance = 1e-7 if route == "exact tier" else 10.0**-DIGITS / 2
    while high / low > 1 + tolerance:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return _proved_at(run, claim, route, Fraction(high))


def _proved_at(run: Run, claim: EpsilonDelta, route: Route, value: Fraction) -> Fraction | None:
    """``value`` rounded up to DIGITS digits, and by a unit or two more, until it is proved."""
    if value == 0:
        return value if proves(with_noise(run, value), claim, route) else None
    rounded = Context(prec=DIGITS, rounding=ROUND_CEILING).divide(
        Decimal(value.numerator), Decimal(value.denominator)
    )
    unit = Fraction(10) ** (rounded.adjusted() - DIGITS + 1)
    candidate = Fraction(rounded)
    for _ in range(4):
        if proves(with_noise(run, candidate), claim, route):
            return candidate
        candidate += unit
    return None


def _fewest_steps(run: Run, claim: EpsilonDelta, route: Route) -> Fraction | None:
    def enough(steps: int) -> bool:
        if route == "exact tier":
            return _float_epsilon(with_steps(run, steps), claim) <= float(claim.epsilon)
        return proves(with_steps(run, steps), claim, route)

    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST_STEPS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    for steps in (high, high + 1):
        if proves(with_steps(run, steps), claim, route):
            return Fraction(steps)
    return None


def _float_epsilon(run: Run, claim: EpsilonDelta) -> float:
    laws, rows = Laws(run), [run.forget[0]]
    try:
        pairs = whitened(*laws("P", rows), *laws("Q", rows))
    except np.linalg.LinAlgError:
        return math.inf
    delta = float(claim.delta)
    if delta <= 0:
        return math.inf
    both = [epsilons(one, delta).epsilon[0] for one in (pairs, pairs.swapped())]
    return max(x if math.isfinite(x) else math.inf for x in map(float, both))
