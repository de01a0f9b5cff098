"""What an audit of a given size could have seen, before or after it ran."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from certaudit.audit.statistics.confidence import lower_proportion, upper_proportion

CHANCE = 0.8


@dataclass(frozen=True)
class Power:
    """ceiling: no claim above it can be refuted by an audit of this size, whatever the attack.

    smallest: the least true value at which the best attack on a Gaussian pair would refute the claim
    with probability 0.8 (None: no true value would do).
    """

    ceiling: float
    smallest: float | None


def epsilon_power(epsilon: float, delta: float, trials: int, level: float) -> Power:
    """Power against an (epsilon, delta) claim with ``trials`` held-out shadows in each world.

    Binomial counts at their 10 % quantiles by the normal approximation, so ``smallest`` is itself
    approximate; it decides nothing.
    """
    perfect = float(lower_proportion(trials, trials, level / 2)) - delta
    rest = float(upper_proportion(0, trials, level / 2))
    ceiling = math.log(perfect / rest) if perfect > 0 else -math.inf
    if ceiling <= epsilon:
        return Power(ceiling, None)
    mu = _least(lambda m: _best_epsilon(m, delta, trials, level) > epsilon)
    return Power(ceiling, None if mu is None else gaussian_epsilon(mu, delta))


def mu_power(mu: float, slack: float, trials: int, level: float) -> Power:
    """Power against a Gaussian-DP claim, as for ``epsilon_power``."""
    perfect = float(lower_proportion(trials, trials, level / 2)) - slack
    rest = float(upper_proportion(0, trials, level / 2))
    ceiling = float(ndtri(perfect) - ndtri(rest)) if perfect > 0 else -math.inf
    if ceiling <= mu:
        return Power(ceiling, None)
    return Power(ceiling, _least(lambda m: _best_mu(m, slack, trials, level) > mu))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """epsilon at ``delta`` of a mu-GDP pair, in floats (for estimates only)."""
    if delta <= 0:
        return math.inf

    def log_delta(epsilon: float) -> float:
        a, b = log_ndtr(mu / 2 - epsilon / mu), epsilon + log_ndtr(-mu / 2 - epsilon / mu)
        return float(a + math.log1p(-math.exp(min(b - a, -1e-16))))

    goal = math.log(delta)
    low, high = 0.0, mu * mu / 2 + mu * math.sqrt(2 * math.log(2 / delta))
    if log_delta(low) <= goal:
        return 0.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if log_delta(middle) > goal else (low, middle)
    return high


def gaussian_mu(epsilon: float, delta: float) -> float:
    """The mu at which a Gaussian pair has ``epsilon`` at ``delta``, a hair above; 0 at no delta."""
    if delta <= 0:
        return 0.0
    low, high = 0.0, 2.0
    while gaussian_epsilon(high, delta) < epsilon:
        high *= 2
    for _ in range(60):
        middle = math.sqrt(low * high) if low > 0 else high / 2
        low, high = (low, middle) if gaussian_epsilon(middle, delta) > epsilon else (middle, high)
    return high


def _typical(mu: float, trials: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    thresholds = np.linspace(-6, mu + 6, 600)
    p, q = ndtr(mu - thresholds), ndtr(-thresholds)
    wide = float(-ndtri((1 - CHANCE) / 2))
    hits = np.clip(trials * p - wide * np.sqrt(trials * p * (1 - p)), 0, trials)
    false = np.clip(trials * q + wide * np.sqrt(trials * q * (1 - q)), 0, trials)
    return (
        lower_proportion(np.floor(hits), trials, level / 2),
        upper_proportion(np.ceil(false), trials, level / 2),
    )


def _best_epsilon(mu: float, delta: float, trials: int, level: float) -> float:
    low, high = _typical(mu, trials, level)
    inside = low > delta
    return float(np.log((low[inside] - delta) / high[inside]).max()) if inside.any() else -math.inf


def _best_mu(mu: float, slack: float, trials: int, level: float) -> float:
    low, high = _typical(mu, trials, level)
    inside = low > slack
    gaps = ndtri(low[inside] - slack) - ndtri(np.minimum(high[inside], 1 - 1e-16))
    return float(gaps.max()) if inside.any() else -math.inf


def _least(refutes: object) -> float | None:
    assert callable(refutes)
    low, high = 0.0, 64.0
    if not refutes(high):
        return None
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if refutes(middle) else (middle, high)
    return high


def count_power(claimed: float, total: int, level: float) -> Power:
    """Power against a claim that something has probability at most ``claimed``, by ``total`` counts.

    ``smallest`` is about the least true probability that would be refuted.
    """
    ceiling = float(lower_proportion(total, total, level))
    enough = np.flatnonzero(lower_proportion(np.arange(total + 1), total, level) > claimed)
    if not enough.size:
        return Power(ceiling, None)
    k = int(enough[0])
    return Power(ceiling, min((k + 1.3 * math.sqrt(k) + 1) / total, 1.0))
