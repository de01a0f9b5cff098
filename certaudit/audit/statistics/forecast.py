"""What a sequential audit can be expected to see, before a shadow is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from certaudit.audit.statistics.evalue import Null, Ratios
from certaudit.audit.statistics.limit import RESOLUTION, limit, of_gaussian_dp
from certaudit.audit.statistics.nulls import Divergence, claimed, nulls
from certaudit.audit.statistics.power import Power, gaussian_epsilon
from certaudit.claims import EpsilonDelta, GaussianClaim

LEARNING = 2.0
"""Nats that learning scores and bets costs, about: the tests measure 0.4 to 2.5."""

QUANTILE = 0.84
"""Of the normal law, at 4 times in 5."""

MOST_MU = 64.0


@dataclass(frozen=True)
class Optimum:
    """The optimal event at a claimed epsilon, {log dP/dQ > epsilon}, and what the audit makes of it."""

    direction: str
    first: float
    second: float


@dataclass(frozen=True)
class Forecast:
    """One claim, if the truth is a given one.

    limit: growth-rate limit in nats a pair; least, typical: pairs to refute at the limit, and allowing
    for what must be learned (None: no number of pairs will do).  events: the optimal ones.
    """

    limit: float
    least: int | None
    typical: int | None
    events: tuple[Optimum, ...]


def forecast(claim: Divergence, truth: Ratios, level: float) -> Forecast:
    """Shadow pairs needed to refute ``claim`` at ``level`` if ``truth`` is the log-ratio's table."""
    against = nulls(claim, claimed(claim))
    rate = limit(against, truth)
    events = tuple(_events(claim, truth)) if isinstance(claim, EpsilonDelta) else ()
    if rate <= RESOLUTION:
        return Forecast(0.0, None, None, events)
    goal = math.log(1 / level)
    return Forecast(rate, math.ceil(goal / rate), math.ceil((goal + LEARNING) / rate), events)


def _events(claim: EpsilonDelta, truth: Ratios) -> Iterator[Optimum]:
    epsilon = claimed(claim)
    for direction in claim.directions:
        sign, worlds = (1, (truth.p, truth.q)) if direction == "P|Q" else (-1, (truth.q, truth.p))
        inside = sign * truth.value > epsilon
        yield Optimum(direction, *(float(world[inside].sum()) for world in worlds))


def power(claim: Divergence, pairs: int, level: float) -> Power:
    """What a sequential audit of ``pairs`` shadow pairs at ``level`` can see of a claim.

    ``smallest`` is approximate: bets as good as the growth-rate limit less LEARNING nats, and wealth as
    a Gaussian walk.
    """
    most = ceiling(claim, pairs, level)
    value = claimed(claim)
    if most <= value:
        return Power(most, None)
    against = nulls(claim, value)
    mu = least_gaussian(against, pairs, level)
    return Power(most, None if mu is None else _value(claim, mu))


def least_gaussian(against: Sequence[Null], pairs: int, level: float) -> float | None:
    """The least mu of a Gaussian pair that such an audit would tell from the nulls, 4 times in 5."""
    return _least_mu(lambda m: _refutes(against, of_gaussian_dp(m), pairs, level))


def ceiling(claim: Divergence, pairs: int, level: float) -> float:
    """A value above which no claim can be refuted, whatever the shadows are.

    E_P u E_Q v <= 1 for every pair of laws that keeps the claim.  Where P has mass p at x and Q mass
    1 - q at y, that forces u(x) v(y) <= 1 / (p (1 - q)) for the two shadows x and y of one round.
    """
    each = math.exp(-math.log(1 / level) / pairs)  # the p (1 - q) that takes all pairs to refute
    if isinstance(claim, GaussianClaim):
        return float(2 * ndtri(math.sqrt(each)))  # p = 1 - q = Phi(mu/2) keeps it
    if isinstance(claim, EpsilonDelta) and len(claim.directions) == 2:
        # p = 1 - q = (e^eps + delta)/(1 + e^eps) keeps it.
        root = math.sqrt(each)
        odds = (root - float(claim.delta)) / -math.expm1(math.log(each) / 2)
        return math.log(odds) if odds > 0 else -math.inf
    # p = 1 and q = (1 - delta) e^-eps, or q = e^-r, keep one direction.
    rest = -math.expm1(math.log(each))
    slack = float(claim.delta) if isinstance(claim, EpsilonDelta) else 0.0
    return math.log((1 - slack) / rest) if slack < 1 else -math.inf


def _value(claim: Divergence, mu: float) -> float:
    if isinstance(claim, EpsilonDelta):
        return gaussian_epsilon(mu, float(claim.delta))
    return mu if isinstance(claim, GaussianClaim) else float(claim.order) * mu**2 / 2


def _refutes(against: Sequence[Null], truth: Ratios, pairs: int, level: float) -> bool:
    """Whether wealth passes 1/level 4 times in 5, about."""
    goal = math.log(1 / level) + LEARNING
    for null in against:
        u, v = null.bet(truth).logs(truth.value)
        u, v = np.maximum(u, -700.0), np.maximum(v, -700.0)
        mean = float(truth.p @ u + truth.q @ v)
        variance = float(truth.p @ u**2 - (truth.p @ u) ** 2 + truth.q @ v**2 - (truth.q @ v) ** 2)
        if pairs * mean - QUANTILE * math.sqrt(pairs * max(variance, 0.0)) >= goal:
            return True
    return False


def _least_mu(refutes: Callable[[float], bool]) -> float | None:
    low, high = 0.0, 1.0
    while not refutes(high):
        low, high = high, 2 * high
        if high > MOST_MU:
            return None
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if refutes(middle) else (middle, high)
    return high
