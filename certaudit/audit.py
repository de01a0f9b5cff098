"""The attacking half: train shadows in both worlds, attack, and test every claim.

The chance that any claim that is true is refuted is at most 1 - confidence in all: the level is
split evenly over every test (claims, directions and attacks).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from certaudit.attacks.confidence import Trial, choose_event, lower_proportion, try_event
from certaudit.attacks.divergence import choose_witness, gaussian_plug_in, renyi_lower_bound
from certaudit.attacks.power import Power, epsilon_power, gaussian_epsilon, mu_power
from certaudit.attacks.scores import Score
from certaudit.attacks.scores.linear_discriminant import LinearDiscriminant
from certaudit.attacks.scores.log_ratio import LogRatio
from certaudit.attacks.scores.removed_point_loss import RemovedPointLoss
from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.run import WORLDS, Run, World
from certaudit.shadows.noise import NoiseSource
from certaudit.shadows.shift import NoCounterpart, locate, step_shifts, steps_before
from certaudit.shadows.store import ShadowStore
from certaudit.shadows.train import Shadows, train

Floats = NDArray[np.float64]
Law = tuple[Floats, Floats, Floats, Floats]
"""(mean_P, covariance_P, mean_Q, covariance_Q) of the released models."""


@dataclass(frozen=True)
class AttackLine:
    """One test: an attack in one direction on held-out shadows."""

    attack: str
    direction: str
    lower_bound: float
    detail: str


@dataclass(frozen=True)
class ClaimAudit:
    """The audit of one claim.

    lower_bound: the largest of the tests' lower bounds on ``quantity``, all valid together at the
    audit's confidence.  estimates: labelled numbers without confidence; they decide nothing.
    blind: no implementation, however wrong, could have been refuted by an audit of this size.
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


@dataclass(frozen=True)
class AuditReport:
    """The whole audit: ``shadows`` a world, half of them held out, ``tests`` at ``level`` each.

    A claim about an earlier stage is tested with as many shadows of that stage.
    """

    shadows: int
    held_out: int
    seed: int
    dtype: str
    confidence: float
    tests: int
    level: float
    claims: tuple[ClaimAudit, ...]


@dataclass(frozen=True)
class _Halves:
    """Scores, or models, of both worlds, split into a training and a held-out half."""

    train: dict[str, Floats]
    held: dict[str, Floats]

    def ordered(self, direction: str) -> tuple[Floats, Floats, Floats, Floats]:
        """Training first, training second, held-out first, held-out second of a direction."""
        first, second = direction.split("|")
        return self.train[first], self.train[second], self.held[first], self.held[second]


@dataclass(frozen=True)
class _Stage:
    """The shadows of the run that stops after some requests, and every attack's scores of them."""

    worlds: dict[World, Shadows]
    models: _Halves
    scored: dict[str, _Halves]


def audit(
    run: Run,
    claims: Sequence[Claim],
    *,
    shadows: int,
    confidence: Fraction,
    seed: int,
    dtype: str = "float64",
    exact_law: Callable[[int], Law | None] = lambda requests: None,
    noise: NoiseSource | None = None,
    store: Path | None = None,
) -> AuditReport:
    """Train ``shadows`` models in each world and test every claim at ``confidence`` in all.

    ``exact_law(k)`` is the law of the models released after k requests, where known; ``noise``
    replaces the noise of the shadows; ``store`` is a folder to keep finished shadows in.

    Raises:
        ShadowError: if shadow training breaks down.
    """
    skipped = {claim.id: reason for claim in claims if (reason := _obstacle(run, claim))}
    checked = [claim for claim in claims if claim.id not in skipped]
    steps = {claim.step for claim in checked if isinstance(claim, SensitivityClaim)}
    keep = None if store is None else ShadowStore(store)
    half = shadows // 2

    def stage(requests: int) -> _Stage:
        part = run.after(requests)
        worlds: dict[World, Shadows] = {}
        for world in WORLDS:
            asked = {steps_before(run, world, step) for step in steps} if part is run else set()
            worlds[world] = train(
                part,
                world,
                shadows,
                seed=seed,
                dtype=dtype,
                noise=noise,
                record=[t for t in asked if t is not None],
                store=keep,
            )
        models = _Halves(
            {w: s.final[:half] for w, s in worlds.items()},
            {w: s.final[half:] for w, s in worlds.items()},
        )
        attacks = _attacks(part, exact_law(requests))
        return _Stage(worlds, models, {attack.name: _scores(attack, models) for attack in attacks})

    stages = {k: stage(k) for k in sorted({_requests(run, claim) for claim in checked})}
    tests = sum(_tests(claim, len(stages[_requests(run, claim)].scored)) for claim in checked)
    level = float(1 - confidence) / max(tests, 1)

    def result(claim: Claim) -> ClaimAudit:
        if isinstance(claim, SensitivityClaim):
            if claim.id in skipped:
                return _skipped(claim, skipped[claim.id])
            return _sensitivity(run, claim, stages[_requests(run, claim)].worlds, level)
        at = stages[_requests(run, claim)]
        if isinstance(claim, RenyiClaim):
            return _renyi(claim, at.scored, at.models, level)
        return _events(claim, at.scored, level, shadows - half)

    results = tuple(result(claim) for claim in claims)
    return AuditReport(shadows, shadows - half, seed, dtype, float(confidence), tests, level, results)


def _requests(run: Run, claim: Claim) -> int:
    """How many requests the models that ``claim`` is about have served."""
    after = None if isinstance(claim, SensitivityClaim) else claim.after
    return len(run.requests) if after is None else after


def _obstacle(run: Run, claim: Claim) -> str:
    """Why the audit has nothing to test ``claim`` by; empty if it has."""
    if isinstance(claim, SensitivityClaim):
        try:
            locate(run, claim.step)
        except NoCounterpart as refusal:
            return str(refusal)
    return ""


def _attacks(run: Run, law: Law | None) -> list[Score]:
    attacks: list[Score] = [RemovedPointLoss(run), LinearDiscriminant()]
    if law is not None:
        with suppress(np.linalg.LinAlgError):  # a law without noise has no density
            attacks.append(LogRatio(*law))
    return attacks


def _tests(claim: Claim, attacks: int) -> int:
    if isinstance(claim, SensitivityClaim):
        return 2
    return len(claim.directions) * (1 if isinstance(claim, RenyiClaim) else attacks)


def _scores(attack: Score, models: _Halves) -> _Halves:
    attack.fit(models.train["P"], models.train["Q"])
    return _Halves(
        {w: attack.score(m) for w, m in models.train.items()},
        {w: attack.score(m) for w, m in models.held.items()},
    )


def exceeds(bound: float, claimed: Fraction) -> bool:
    """Whether a float lower bound, made a hair smaller, is above an exact claim."""
    if not math.isfinite(bound):
        return bound > 0
    return Fraction(bound) - Fraction(abs(bound)) / 10**9 > claimed


def _events(
    claim: EpsilonDelta | GaussianClaim, scored: dict[str, _Halves], level: float, held: int
) -> ClaimAudit:
    delta = float(claim.delta)
    quantity = "epsilon" if isinstance(claim, EpsilonDelta) else "mu"
    lines, estimates = [], []
    for name, halves in scored.items():
        for direction in claim.directions:
            first, second, first_held, second_held = halves.ordered(direction)
            event = choose_event(
                first, second, delta, level, "epsilon" if quantity == "epsilon" else "mu"
            )
            trial = try_event(event, first_held, second_held, level)
            bound = trial.epsilon(delta) if quantity == "epsilon" else trial.mu(delta)
            lines.append(AttackLine(name, direction, bound, _counts(trial)))
            if quantity == "epsilon":
                estimates.append(_gaussian_family(name, direction, trial, delta))
    best = max(line.lower_bound for line in lines)
    if isinstance(claim, EpsilonDelta):
        target, power = claim.epsilon, epsilon_power(float(claim.epsilon), delta, held, level)
    else:
        target, power = claim.mu, mu_power(float(claim.mu), delta, held, level)
    return ClaimAudit(
        claim.id,
        quantity,
        float(target),
        exceeds(best, target),
        best,
        tuple(lines),
        power,
        blind=power.ceiling <= float(target),
        estimates=tuple(text for text in estimates if text),
    )


def _counts(trial: Trial) -> str:
    return (
        f"score {trial.event.side} {trial.event.threshold:.6g}: {trial.first} and {trial.second} "
        f"of {trial.trials}"
    )


def _gaussian_family(name: str, direction: str, trial: Trial, delta: float) -> str:
    mu = trial.mu(0.0)
    if not mu > 0 or delta <= 0:
        return ""
    epsilon = gaussian_epsilon(mu, delta)
    return (
        f"{name}, {direction}: epsilon at least {epsilon:.4g} if the pair is Gaussian DP "
        f"(an assumption: decides nothing)"
    )


def _renyi(claim: RenyiClaim, scored: dict[str, _Halves], models: _Halves, level: float) -> ClaimAudit:
    order = float(claim.order)
    lines, estimates = [], []
    for direction in claim.directions:
        sign = 1.0 if direction == "P|Q" else -1.0
        best_gain, chosen = -math.inf, None
        for name, halves in scored.items():
            first, second, first_held, second_held = (sign * x for x in halves.ordered(direction))
            witness = choose_witness(first, second, order, level)
            gain = renyi_lower_bound(witness, first, second, order, level)
            if chosen is None or gain > best_gain:
                best_gain, chosen = gain, (name, witness, first_held, second_held)
        assert chosen is not None
        name, witness, first_held, second_held = chosen
        bound = renyi_lower_bound(witness, first_held, second_held, order, level)
        detail = f"witness clipped at {witness.limit:.4g}"
        lines.append(AttackLine(f"variational, {name}", direction, bound, detail))
        _, _, first_models, second_models = models.ordered(direction)
        estimate = gaussian_plug_in(first_models, second_models, order)
        estimates.append(f"{direction}: Gaussian plug-in {estimate:.4g} (no confidence)")
    best = max(line.lower_bound for line in lines)
    return ClaimAudit(
        claim.id,
        "renyi",
        float(claim.renyi),
        exceeds(best, claim.renyi),
        best,
        tuple(lines),
        estimates=tuple(estimates),
    )


def _skipped(claim: SensitivityClaim, reason: str) -> ClaimAudit:
    return ClaimAudit(claim.id, "probability", float(claim.probability), False, 0.0, (), skipped=reason)


def _sensitivity(
    run: Run, claim: SensitivityClaim, worlds: dict[World, Shadows], level: float
) -> ClaimAudit:
    lines = []
    limit = float(claim.sensitivity) * (1 + 1e-9)
    for world, shadows in worlds.items():
        before = steps_before(run, world, claim.step)
        if before is None:
            continue
        shifts = step_shifts(run, claim.step, shadows.recorded[before])
        hits = int((shifts > limit).sum())
        bound = float(lower_proportion(hits, len(shifts), level))
        detail = f"{hits} of {len(shifts)} shifts above the claim; the largest {shifts.max():.4g}"
        lines.append(AttackLine("count of shifts", f"world {world}", bound, detail))
    best = max(line.lower_bound for line in lines)
    total = len(worlds["P"].final)
    ceiling = float(lower_proportion(total, total, level))
    return ClaimAudit(
        claim.id,
        "probability",
        float(claim.probability),
        exceeds(best, claim.probability),
        best,
        tuple(lines),
        Power(ceiling, _least_probability(float(claim.probability), total, level)),
        blind=ceiling <= float(claim.probability),
    )


def _least_probability(claimed: float, total: int, level: float) -> float | None:
    """About the least true probability of a shift above the claim that would be refuted."""
    hits = np.arange(total + 1)
    enough = np.flatnonzero(lower_proportion(hits, total, level) > claimed)
    if not enough.size:
        return None
    k = int(enough[0])
    return min((k + 1.3 * math.sqrt(k) + 1) / total, 1.0)
