"""The fixed design: half the shadows choose an attack, the other half test it, once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.scores import Score
from certaudit.audit.statistics.confidence import Gain, RocBand, Trial, choose_event, try_event
from certaudit.audit.statistics.divergence import (
    choose_witness,
    gaussian_plug_in,
    hockey_stick_lower_bound,
    knn_estimate,
    renyi_lower_bound,
)
from certaudit.audit.statistics.folds import out_of_fold
from certaudit.audit.statistics.nulls import Divergence, claimed, quantity
from certaudit.audit.statistics.power import Power, epsilon_power, gaussian_epsilon, mu_power
from certaudit.audit.statistics.results import AttackLine, ClaimAudit, exceeds
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim

Floats = NDArray[np.float64]

MOST_NEIGHBOURS = 12
"""Dimensions up to which distances to neighbours are used."""


@dataclass(frozen=True)
class Halves:
    """Scores, or models, of both worlds, split into a training and a held-out half."""

    train: Mapping[str, Floats]
    held: Mapping[str, Floats]

    @classmethod
    def of(cls, both: Mapping[str, Floats]) -> Self:
        """The first half trains, the second is held out."""
        half = len(both["P"]) // 2
        return cls({w: m[:half] for w, m in both.items()}, {w: m[half:] for w, m in both.items()})

    def ordered(self, direction: str) -> tuple[Floats, Floats, Floats, Floats]:
        """Training first, training second, held-out first, held-out second of a direction."""
        first, second = direction.split("|")
        return self.train[first], self.train[second], self.held[first], self.held[second]


@dataclass(frozen=True)
class Scored:
    """Models in halves, and the scores of every attack fitted on the training half."""

    models: Halves
    scores: Mapping[str, Halves]

    @classmethod
    def of(cls, attacks: Sequence[Score], both: Mapping[str, Floats]) -> Self:
        """Fit every attack on the training half and score all models.

        The training half is scored by fits that did not see it, or a score that overfits would be
        chosen.  A score that cannot be fitted scores all models alike.
        """
        models = Halves.of(both)
        scores = {}
        for attack in attacks:
            with suppress(np.linalg.LinAlgError):
                past = out_of_fold(attack, models.train["P"], models.train["Q"])
                attack.fit(models.train["P"], models.train["Q"])
                scores[attack.name] = Halves(
                    dict(zip("PQ", past, strict=True)),
                    {w: attack.score(m) for w, m in models.held.items()},
                )
                continue
            blank = {w: np.zeros(len(m)) for w, m in models.train.items()}
            scores[attack.name] = Halves(blank, {w: np.zeros(len(m)) for w, m in models.held.items()})
        return cls(models, scores)


def tests(claim: Divergence, attacks: int) -> int:
    """How many tests the fixed design makes of a claim."""
    return len(claim.directions) * (1 if isinstance(claim, RenyiClaim) else attacks)


def judge(claim: Divergence, scored: Scored, level: float) -> ClaimAudit:
    """Test a claim, each test at ``level``."""
    if isinstance(claim, RenyiClaim):
        return _renyi(claim, scored, level)
    return _events(claim, scored, level)


def _events(claim: EpsilonDelta | GaussianClaim, scored: Scored, level: float) -> ClaimAudit:
    lines = []
    for name, halves in scored.scores.items():
        for direction in claim.directions:
            trial = _trial(claim, halves, direction, level)
            lines.append(AttackLine(name, direction, _bound(claim, trial), _counts(trial)))
    best = max(line.lower_bound for line in lines)
    held, value = len(scored.models.held["P"]), claimed(claim)
    return ClaimAudit(
        claim.id,
        quantity(claim),
        value,
        exceeds(best, _exact(claim)),
        best,
        tuple(lines),
        power := _power(claim, held, level),
        blind=power.ceiling <= value,
        estimates=tuple(estimates(claim, scored, level)),
    )


def _exact(claim: EpsilonDelta | GaussianClaim) -> Fraction:
    return claim.epsilon if isinstance(claim, EpsilonDelta) else claim.mu


def _power(claim: EpsilonDelta | GaussianClaim, held: int, level: float) -> Power:
    power = epsilon_power if isinstance(claim, EpsilonDelta) else mu_power
    return power(claimed(claim), float(claim.delta), held, level)


def _trial(claim: EpsilonDelta | GaussianClaim, halves: Halves, direction: str, level: float) -> Trial:
    first, second, first_held, second_held = halves.ordered(direction)
    gain: Gain = "epsilon" if isinstance(claim, EpsilonDelta) else "mu"
    event = choose_event(first, second, float(claim.delta), level, gain)
    return try_event(event, first_held, second_held, level)


def _bound(claim: EpsilonDelta | GaussianClaim, trial: Trial) -> float:
    delta = float(claim.delta)
    return trial.epsilon(delta) if isinstance(claim, EpsilonDelta) else trial.mu(delta)


def _counts(trial: Trial) -> str:
    return (
        f"score {trial.event.side} {trial.event.threshold:.6g}: {trial.first} and {trial.second} "
        f"of {trial.trials}"
    )


def _renyi(claim: RenyiClaim, scored: Scored, level: float) -> ClaimAudit:
    lines = [_variational(claim, scored, direction, level) for direction in claim.directions]
    best = max(line.lower_bound for line in lines)
    return ClaimAudit(
        claim.id,
        "renyi",
        float(claim.renyi),
        exceeds(best, claim.renyi),
        best,
        tuple(lines),
        estimates=tuple(estimates(claim, scored, level)),
    )


def _variational(claim: RenyiClaim, scored: Scored, direction: str, level: float) -> AttackLine:
    """A5: the witness is the score and clip with the best bound on the training half."""
    order, sign = float(claim.order), 1.0 if direction == "P|Q" else -1.0
    best_gain, chosen = -math.inf, None
    for name, halves in scored.scores.items():
        first, second, first_held, second_held = (sign * x for x in halves.ordered(direction))
        witness = choose_witness(first, second, order, level)
        gain = renyi_lower_bound(witness, first, second, order, level)
        if chosen is None or gain > best_gain:
            best_gain, chosen = gain, (name, witness, first_held, second_held)
    assert chosen is not None
    name, witness, first_held, second_held = chosen
    bound = renyi_lower_bound(witness, first_held, second_held, order, level)
    return AttackLine(
        f"variational, {name}", direction, bound, f"witness clipped at {witness.limit:.4g}"
    )


def estimates(claim: Divergence, scored: Scored, level: float) -> list[str]:
    """Numbers beside the verdict: fixed-size bounds at ``level`` each, and estimates without one."""
    if isinstance(claim, RenyiClaim):
        return [_renyi_estimates(claim, scored, direction, level) for direction in claim.directions]
    if isinstance(claim, GaussianClaim):
        return []
    found = (_epsilon_estimates(claim, scored, direction, level) for direction in claim.directions)
    return [text for text in found if text]


def _epsilon_estimates(claim: EpsilonDelta, scored: Scored, direction: str, level: float) -> str:
    delta, sure = float(claim.delta), f"{1 - level:.4g}"
    trials = {name: _trial(claim, h, direction, level) for name, h in scored.scores.items()}
    # The score is picked on the training half, so that what is said of it costs nothing more.
    name = max(scored.scores, key=lambda n: _training_gain(claim, scored.scores[n], direction, level))
    trial, halves = trials[name], scored.scores[name]
    sign = 1.0 if trial.event.side == "above" else -1.0
    _, _, first, second = halves.ordered(direction)
    band = RocBand.of(sign * first, sign * second, level).epsilon(delta)
    stick = hockey_stick_lower_bound(trial.event, first, second, claimed(claim), level)
    middle = choose_event(*halves.ordered(direction)[:2], 0.0, level, "mu")
    mu = try_event(middle, first, second, level).mu(0.0)
    family = gaussian_epsilon(mu, delta) if mu > 0 and delta > 0 else 0.0
    numbers = [
        (trial.epsilon(delta), "A1 ε ≥ {:.4g}"),
        (band, "all thresholds at once ε ≥ {:.4g}"),
        (trial.credible_epsilon(delta, level), "credible ε ≥ {:.4g} (a posterior, not a bound)"),
        (family, "ε ≥ {:.4g} if the pair is Gaussian DP (an assumption)"),
        (stick, "δ at the claimed ε ≥ {:.4g}"),
    ]
    said = [text.format(value) for value, text in numbers if value > 0]
    return f"{name}, {direction}, each at {sure}: {'; '.join(said)}" if said else ""


def _training_gain(claim: EpsilonDelta, halves: Halves, direction: str, level: float) -> float:
    first, second, _, _ = halves.ordered(direction)
    event = choose_event(first, second, float(claim.delta), level)
    return try_event(event, first, second, level).epsilon(float(claim.delta))


def _renyi_estimates(claim: RenyiClaim, scored: Scored, direction: str, level: float) -> str:
    order = float(claim.order)
    _, _, first, second = scored.models.ordered(direction)
    line = _variational(claim, scored, direction, level)
    said = [f"Gaussian plug-in {gaussian_plug_in(first, second, order):.4g}"]
    if first.shape[1] <= MOST_NEIGHBOURS:
        said.append(f"k-NN {knn_estimate(first, second, order):.4g}")
    bound = f"{line.attack} ≥ {max(line.lower_bound, 0.0):.4g} at {1 - level:.4g}; "
    return f"{direction}: {bound}{', '.join(said)} (no confidence)"
