"""Confidence for events: chosen on other data (A1, A2, A3 of section 8), or all thresholds at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, ndtri

Floats = NDArray[np.float64]
Side = Literal["above", "at or below"]

ROUNDING = 1e-9
MOST_THRESHOLDS = 512


def lower_proportion(hits: Any, trials: int, level: float) -> Any:
    """Clopper–Pearson lower bound of a proportion, wrong with probability at most ``level``."""
    hits = np.asarray(hits, dtype=float)
    bound = betaincinv(np.maximum(hits, 1), trials - hits + 1, level)
    return np.where(hits == 0, 0.0, bound * (1 - ROUNDING))


def upper_proportion(hits: Any, trials: int, level: float) -> Any:
    """Clopper–Pearson upper bound of a proportion, wrong with probability at most ``level``."""
    return np.minimum(1 - lower_proportion(trials - np.asarray(hits), trials, level), 1.0) + 0.0


@dataclass(frozen=True)
class Event:
    """A set of models: score above a threshold, or at or below it."""

    threshold: float
    side: Side

    def holds(self, scores: Floats) -> NDArray[np.bool_]:
        """Which scores lie in the event."""
        above = scores > self.threshold
        return np.asarray(above if self.side == "above" else ~above)

    def count(self, scores: Floats) -> int:
        """How many scores lie in the event."""
        return int(self.holds(scores).sum())


@dataclass(frozen=True)
class Trial:
    """Held-out counts of an event in the two worlds, and the bounds they give.

    first/second: hits among ``trials`` held-out shadows of the first and second world of the
    direction; first_low/second_high: one-sided Clopper–Pearson bounds, both right but with
    probability ``level``.
    """

    event: Event
    first: int
    second: int
    trials: int
    first_low: float
    second_high: float

    def epsilon(self, delta: float) -> float:
        """A1: (eps, delta) needs first <= e^eps second + delta; lower bound on eps (-inf: none)."""
        excess = self.first_low - delta
        return math.log(excess / self.second_high) if excess > 0 else -math.inf

    def mu(self, slack: float) -> float:
        """A3: Gaussian DP needs Phi^-1(first - slack) <= Phi^-1(second) + mu; lower bound on mu.

        A valid refutation of a Gaussian-DP claim.  Read as an (eps, delta) statement it assumes that
        the pair is Gaussian DP (NAS23).
        """
        excess = self.first_low - slack
        if excess <= 0:
            return -math.inf
        return float(ndtri(excess) - ndtri(min(self.second_high, 1 - 1e-16)))

    def credible_epsilon(self, delta: float, level: float) -> float:
        """A2 (ZAN23): epsilon below which the joint posterior has probability ``level``.

        Jeffreys priors on both rates.  A credible bound: what to believe given the prior, and no
        promise about how often an audit errs.
        """

        def below(epsilon: float) -> float:
            # P(first <= e^eps second + delta), over the quantiles of second.
            second = betaincinv(self.second + 0.5, self.trials - self.second + 0.5, _MIDDLES)
            limit = np.minimum(math.exp(epsilon) * second + delta, 1.0)
            return float(betainc(self.first + 0.5, self.trials - self.first + 0.5, limit).mean())

        if below(0.0) > level:
            return -math.inf
        low, high = 0.0, 60.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (low, middle) if below(middle) > level else (middle, high)
        return low


_MIDDLES = (np.arange(2000) + 0.5) / 2000

Gain = Literal["epsilon", "mu"]


def choose_event(
    first: Floats, second: Floats, delta: float, level: float, gain: Gain = "epsilon"
) -> Event:
    """The event with the largest lower bound on these scores (the training half)."""
    pooled = np.unique(np.concatenate([first, second]))
    if len(pooled) > MOST_THRESHOLDS:
        picks = np.linspace(0, len(pooled) - 1, MOST_THRESHOLDS).round().astype(int)
        pooled = pooled[picks]
    best, winner = -math.inf, Event(float(pooled[0]), "above")
    first_above = len(first) - np.searchsorted(np.sort(first), pooled, side="right")
    second_above = len(second) - np.searchsorted(np.sort(second), pooled, side="right")
    sides: tuple[Side, ...] = ("above", "at or below")
    for side in sides:
        hits = first_above if side == "above" else len(first) - first_above
        false = second_above if side == "above" else len(second) - second_above
        low = lower_proportion(hits, len(first), level / 2) - delta
        high = upper_proportion(false, len(second), level / 2)
        inside = low > 0
        if not inside.any():
            continue
        value = np.full(len(pooled), -math.inf)
        if gain == "epsilon":
            value[inside] = np.log(low[inside] / high[inside])
        else:
            value[inside] = ndtri(low[inside]) - ndtri(np.minimum(high[inside], 1 - 1e-16))
        k = int(np.argmax(value))
        if value[k] > best:
            best, winner = float(value[k]), Event(float(pooled[k]), side)
    return winner


def try_event(event: Event, first: Floats, second: Floats, level: float) -> Trial:
    """Judge an event on held-out scores; the two bounds fail with probability at most ``level``."""
    hits, false = event.count(first), event.count(second)
    return Trial(
        event,
        hits,
        false,
        len(first),
        float(lower_proportion(hits, len(first), level / 2)),
        float(upper_proportion(false, len(second), level / 2)),
    )


def _ranks(trials: int) -> NDArray[np.int64]:
    """Counts at which the band is bounded: dense near 0 and ``trials``, and their ends."""
    near = np.unique(np.geomspace(1, max(trials // 2, 1), 24).round().astype(np.int64))
    return np.unique(np.concatenate([[0], near, trials - near, [trials]]))


@dataclass(frozen=True)
class RocBand:
    """Bounds of both rates that hold at all thresholds at once but with probability ``level``.

    lower[k]: lower bound of the first world's rate where k of its scores lie above a threshold;
    upper[k]: upper bound of the second's.  A rate's order statistics at fixed ranks have beta laws, so
    Clopper–Pearson bounds at those ranks, each at level/2 over their number, hold together; a rate
    between two ranks is monotone.
    """

    lower: Floats
    upper: Floats
    first: Floats
    second: Floats

    @classmethod
    def of(cls, first: Floats, second: Floats, level: float) -> RocBand:
        """The band of scores of the two worlds, of which no threshold was chosen."""
        m, n = len(first), len(second)
        ranks_m, ranks_n = _ranks(m), _ranks(n)
        low = lower_proportion(ranks_m, m, level / (2 * len(ranks_m)))
        high = upper_proportion(ranks_n, n, level / (2 * len(ranks_n)))
        lower = low[np.searchsorted(ranks_m, np.arange(m + 1), side="right") - 1]
        upper = high[np.searchsorted(ranks_n, np.arange(n + 1), side="left")]
        return cls(lower, upper, np.sort(first), np.sort(second))

    def rates(self) -> tuple[Floats, Floats]:
        """Lower bounds of the first rate and upper bounds of the second, a pair a threshold."""
        at = np.unique(np.concatenate([self.first, self.second]))
        hits = len(self.first) - np.searchsorted(self.first, at, side="right")
        false = len(self.second) - np.searchsorted(self.second, at, side="right")
        return self.lower[hits], self.upper[false]

    def epsilon(self, delta: float) -> float:
        """Lower bound of epsilon at ``delta`` over the thresholds (score above)."""
        low, high = self.rates()
        inside = low > delta
        return float(np.log((low[inside] - delta) / high[inside]).max()) if inside.any() else -math.inf
